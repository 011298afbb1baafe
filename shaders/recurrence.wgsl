//! Elman, LSTM and GRU over some steps of every sequence.
//! variants: tanh relu lstm gru
//! variants: single tile global narrow narrow_tile
//!
//! CPU twins: `kernels/src/recurrence.rs`, `kernels/src/cell.rs`, `kernels/src/elman.rs`, `kernels/src/lstm.rs` and
//! `kernels/src/gru.rs`.
//!
//! A workgroup runs the sequences of a tile; an invocation computes the units `j`, `j + SIZE`, ... of each. The state
//! that the units read is in workgroup memory, in two halves for even and odd steps. `global`, for states that do not
//! fit there, reads it from the rows just written. Between launches the states are in `last_h` and `last_c`. `narrow`
//! and `narrow_tile` are for software GPUs, where a barrier costs time for each invocation.

#import math
#import grid
#import lanes
#import gates

struct Arguments {
    hidden: u32,
    // Sequences that have a row in these steps.
    alive: u32,
    // The steps of this launch, the end excluded.
    first_step: u32,
    end_step: u32,
    // First element of the hoisted product within its buffer.
    x_first: u32,
    flags: u32,
}

// `bias` is bound.
const BIAS = 2u;
// Keep what the backward kernel needs.
const KEEP = 4u;

// Invocations of a workgroup.
#if narrow narrow_tile
const SIZE = 64u;
#else
const SIZE = GROUP;
#endif

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> lanes: array<Lane>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
// Transposed: `hidden` rows of `GATES * hidden`.
@group(0) @binding(3) var<storage, read> weight: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;
// One row a sequence.
@group(0) @binding(5) var<storage, read_write> last_h: array<f32>;
@group(0) @binding(6) var<storage, read_write> rows: array<f32>;
// `SAVED * hidden` values a row, for `recurrence_backward.wgsl`; the last block is the state before the row.
@group(0) @binding(7) var<storage, read_write> saved: array<f32>;
#if lstm
@group(0) @binding(8) var<storage, read_write> last_c: array<f32>;
#endif

#if global
// Where the state before a step is, by sequence: in `last_h` or in `rows`.
struct Place {
    initial: bool,
    at: vec4<u32>,
}

fn place_before(base: u32, t: u32) -> Place {
    let initial = t == arguments.first_step;
    var at = vec4(0u);
    for (var l = 0u; l < LANES; l += 1u) {
        let lane = lane_at(base + l);
        if t < lane.length {
            at[l] = arguments.hidden * select(row_at(lane, t - 1u), lane.number, initial);
        }
    }
    return Place(initial, at);
}

fn unit_before(place: Place, k: u32) -> Lanes {
    let at = place.at + k;
    if place.initial {
        return Lanes(last_h[at.x], last_h[at.y], last_h[at.z], last_h[at.w]);
    }
    return Lanes(rows[at.x], rows[at.y], rows[at.z], rows[at.w]);
}
#else
var<workgroup> state: array<Lanes, SHARED>;

fn place_before(base: u32, t: u32) -> u32 {
    return t % 2u * (SHARED / 2u);
}

fn unit_before(place: u32, k: u32) -> Lanes {
    return state[place + k];
}
#endif

// The new state of unit `j` of a sequence: `w` is its recurrent product.
fn step(lane: Lane, row: u32, j: u32, w: array<f32, GATES>, h_before: f32) -> f32 {
    let n = arguments.hidden;
    let x_at = arguments.x_first + row * GATES * n + j;
    let keep = (arguments.flags & KEEP) != 0u;
    let saved_at = row * SAVED * n + j;
#if tanh
    let h = flush(tanh_bounded(x[x_at] + w[0]));
#endif
#if relu
    let sum = x[x_at] + w[0];
    let h = flush(keep_nan(max(sum, 0.0), sum));
#endif
#if gru
    let r = gate(x[x_at] + w[0]);
    let z = gate(x[x_at + n] + w[1]);
    let candidate = tanh_bounded(x[x_at + 2u * n] + r * w[2]);
    let h = flush((1.0 - z) * candidate + z * h_before);
    if keep {
        saved[saved_at] = r;
        saved[saved_at + n] = z;
        saved[saved_at + 2u * n] = candidate;
        saved[saved_at + 3u * n] = w[2];
    }
#endif
#if lstm
    let i = gate(x[x_at] + w[0]);
    let f = gate(x[x_at + n] + w[1]);
    let g = tanh_bounded(x[x_at + 2u * n] + w[2]);
    let o = gate(x[x_at + 3u * n] + w[3]);
    let c_at = lane.number * n + j;
    let c_before = last_c[c_at];
    let c = flush(f * c_before + i * g);
    last_c[c_at] = c;
    let h = o * tanh_bounded(c);
    if keep {
        saved[saved_at] = i;
        saved[saved_at + n] = f;
        saved[saved_at + 2u * n] = g;
        saved[saved_at + 3u * n] = o;
        saved[saved_at + 4u * n] = c_before;
    }
#endif
    if keep {
#if tanh relu
        saved[saved_at] = h;
#endif
        saved[saved_at + (SAVED - 1u) * n] = h_before;
    }
    rows[row * n + j] = h;
    return h;
}

@compute @workgroup_size(SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let base = group_number(group, groups) * LANES;
    if base >= arguments.alive {
        return;
    }
    let n = arguments.hidden;
    let end = min(arguments.end_step, lanes[base].length);
#if single tile narrow narrow_tile
    let initial = place_before(base, arguments.first_step);
    for (var j = invocation; j < n; j += SIZE) {
        var h = Lanes(0.0);
        for (var l = 0u; l < LANES; l += 1u) {
            h = with_lane(h, l, last_h[lane_at(base + l).number * n + j]);
        }
        state[initial + j] = h;
    }
    workgroupBarrier();
#endif
    for (var t = arguments.first_step; t < end; t += 1u) {
        let place = place_before(base, t);
        for (var j = invocation; j < n; j += SIZE) {
            var w = array<Lanes, GATES>();
            if (arguments.flags & BIAS) != 0u {
                for (var gate = 0u; gate < GATES; gate += 1u) {
                    w[gate] = Lanes(bias[gate * n + j]);
                }
            }
            for (var k = 0u; k < n; k += 1u) {
                let h = unit_before(place, k);
                let at = k * GATES * n + j;
                w[0] += weight[at] * h;
#if gru lstm
                w[1] += weight[at + n] * h;
                w[2] += weight[at + 2u * n] * h;
#endif
#if lstm
                w[3] += weight[at + 3u * n] * h;
#endif
            }
            let h_before = unit_before(place, j);
            var h = Lanes(0.0);
            for (var l = 0u; l < LANES; l += 1u) {
                let lane = lane_at(base + l);
                if t < lane.length {
                    var of_l = array<f32, GATES>();
                    for (var gate = 0u; gate < GATES; gate += 1u) {
                        of_l[gate] = of_lane(w[gate], l);
                    }
                    let row = row_at(lane, t);
                    h = with_lane(h, l, step(lane, row, j, of_l, of_lane(h_before, l)));
                }
            }
#if single tile narrow narrow_tile
            state[place_before(base, t + 1u) + j] = h;
#endif
        }
#if global
        storageBarrier();
#else
        workgroupBarrier();
#endif
    }
    for (var j = invocation; j < n; j += SIZE) {
        for (var l = 0u; l < LANES; l += 1u) {
            let lane = lane_at(base + l);
            let last = min(arguments.end_step, lane.length);
            if last > arguments.first_step {
                last_h[lane.number * n + j] = rows[row_at(lane, last - 1u) * n + j];
            }
        }
    }
}
