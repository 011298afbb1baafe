//! Back-propagation through some steps of every sequence, last to first.
//! variants: tanh relu lstm gru
//! variants: single tile global
//!
//! CPU twins: `kernels/src/recurrence.rs`, `kernels/src/cell.rs`, `kernels/src/elman.rs`, `kernels/src/lstm.rs` and
//! `kernels/src/gru.rs`.
//!
//! The tiles are those of `recurrence.wgsl`. The units share the gradient of the step's recurrent product, which is in
//! workgroup memory or, in `global`, in the rows just written. Between steps and between launches the gradients of the
//! states are in `d_h` and `d_c`; only one invocation touches each value.

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
    flags: u32,
}

// `d_rows` is bound.
const ROWS = 2u;

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> lanes: array<Lane>;
// In the layout of the store: `GATES * hidden` rows of `hidden`.
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read> saved: array<f32>;
// Gradients of the rows.
@group(0) @binding(4) var<storage, read> d_rows: array<f32>;
// Gradient of the state, one row a sequence.
@group(0) @binding(5) var<storage, read_write> d_h: array<f32>;
// Gradients of the hoisted product.
@group(0) @binding(6) var<storage, read_write> d_x: array<f32>;
#if lstm
@group(0) @binding(7) var<storage, read_write> d_c: array<f32>;
#endif
#if gru
// Gradients of the recurrent product, where they differ from those of the hoisted one.
@group(0) @binding(7) var<storage, read_write> d_w: array<f32>;
#endif

#if single tile
var<workgroup> shared_d_w: array<Lanes, SHARED>;
#endif

#if global
// Where the gradients of step `t` begin, by sequence.
fn d_w_place(base: u32, t: u32) -> vec4<u32> {
    var at = vec4(0u);
    for (var l = 0u; l < LANES; l += 1u) {
        let lane = lane_at(base + l);
        if t < lane.length {
            at[l] = GATES * arguments.hidden * row_at(lane, t);
        }
    }
    return at;
}

fn d_w_at(place: vec4<u32>, i: u32) -> Lanes {
    let at = place + i;
#if gru
    return Lanes(d_w[at.x], d_w[at.y], d_w[at.z], d_w[at.w]);
#else
    return Lanes(d_x[at.x], d_x[at.y], d_x[at.z], d_x[at.w]);
#endif
}
#else
fn d_w_place(base: u32, t: u32) -> u32 {
    return 0u;
}

fn d_w_at(place: u32, i: u32) -> Lanes {
    return shared_d_w[place + i];
}
#endif

// The gradients of the products of unit `j` of a sequence at a row. Leaves in `d_h` the gradient that does not pass
// through the recurrent product.
fn step(lane: Lane, row: u32, j: u32) -> array<f32, GATES> {
    let n = arguments.hidden;
    let state_at = lane.number * n + j;
    let saved_at = row * SAVED * n + j;
    let x_at = row * GATES * n + j;
    var dh = d_h[state_at];
    if (arguments.flags & ROWS) != 0u {
        dh += d_rows[row * n + j];
    }
    dh = flush(dh);
#if tanh relu
    let h = saved[saved_at];
#if tanh
    let dx = dh * (1.0 - h * h);
#else
    let dx = select(0.0, dh, h > 0.0);
#endif
    d_x[x_at] = dx;
    d_h[state_at] = 0.0;
    return array(dx);
#endif
#if gru
    let r = saved[saved_at];
    let z = saved[saved_at + n];
    let candidate = saved[saved_at + 2u * n];
    let w = saved[saved_at + 3u * n];
    let h_before = saved[saved_at + 4u * n];
    let dn = dh * (1.0 - z) * (1.0 - candidate * candidate);
    let dr = dn * w * r * (1.0 - r);
    let dz = dh * (h_before - candidate) * z * (1.0 - z);
    d_x[x_at] = dr;
    d_x[x_at + n] = dz;
    d_x[x_at + 2u * n] = dn;
    d_w[x_at] = dr;
    d_w[x_at + n] = dz;
    d_w[x_at + 2u * n] = dn * r;
    d_h[state_at] = dh * z;
    return array(dr, dz, dn * r);
#endif
#if lstm
    let i = saved[saved_at];
    let f = saved[saved_at + n];
    let g = saved[saved_at + 2u * n];
    let o = saved[saved_at + 3u * n];
    let c_before = saved[saved_at + 4u * n];
    let squashed = tanh_bounded(f * c_before + i * g);
    let dc = flush(d_c[state_at]) + dh * o * (1.0 - squashed * squashed);
    let di = dc * g * i * (1.0 - i);
    let df = dc * c_before * f * (1.0 - f);
    let dg = dc * i * (1.0 - g * g);
    let d_out = dh * squashed * o * (1.0 - o);
    d_x[x_at] = di;
    d_x[x_at + n] = df;
    d_x[x_at + 2u * n] = dg;
    d_x[x_at + 3u * n] = d_out;
    d_c[state_at] = dc * f;
    d_h[state_at] = 0.0;
    return array(di, df, dg, d_out);
#endif
}

@compute @workgroup_size(GROUP)
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
    for (var after = end; after > arguments.first_step; after -= 1u) {
        let t = after - 1u;
        for (var j = invocation; j < n; j += GROUP) {
#if single tile
            var d = array<Lanes, GATES>();
#endif
            for (var l = 0u; l < LANES; l += 1u) {
                let lane = lane_at(base + l);
                if t < lane.length {
                    var of_l = step(lane, row_at(lane, t), j);
#if single tile
                    for (var gate = 0u; gate < GATES; gate += 1u) {
                        d[gate] = with_lane(d[gate], l, of_l[gate]);
                    }
#endif
                }
            }
#if single tile
            for (var gate = 0u; gate < GATES; gate += 1u) {
                shared_d_w[gate * n + j] = d[gate];
            }
#endif
        }
#if global
        storageBarrier();
#else
        workgroupBarrier();
#endif
        let place = d_w_place(base, t);
        for (var j = invocation; j < n; j += GROUP) {
            // One sum a gate, so that the sums do not depend on each other.
            var sums = array<Lanes, GATES>();
            for (var k = 0u; k < n; k += 1u) {
                sums[0] += weight[k * n + j] * d_w_at(place, k);
#if gru lstm
                sums[1] += weight[(n + k) * n + j] * d_w_at(place, n + k);
                sums[2] += weight[(2u * n + k) * n + j] * d_w_at(place, 2u * n + k);
#endif
#if lstm
                sums[3] += weight[(3u * n + k) * n + j] * d_w_at(place, 3u * n + k);
#endif
            }
            var sum = sums[0];
#if gru lstm
            sum += sums[1] + sums[2];
#endif
#if lstm
            sum += sums[3];
#endif
            for (var l = 0u; l < LANES; l += 1u) {
                let lane = lane_at(base + l);
                if t < lane.length {
                    d_h[lane.number * n + j] += of_lane(sum, l);
                }
            }
        }
#if single tile
        // The next step writes what this one read.
        workgroupBarrier();
#endif
    }
}
