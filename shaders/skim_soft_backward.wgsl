//! Gradients of `skim_soft.wgsl`: a workgroup a sequence, from its last step to its first.
//! variants: lstm gru
//!
//! CPU twin: `kernels/src/skim_soft.rs`.

#import grid
#import skim_cells_backward
#import skim_stretch
#import workgroup_sum

struct Arguments {
    stretches: u32,
    hidden: u32,
    small: u32,
    small_reads: u32,
    // Columns of the decision's weight before those of the state.
    input: u32,
    // First elements of dc in `state` and of the decisions' gradients in `decision`.
    c_first: u32,
    decisions_first: u32,
    // First elements of the gradients of the state's part of the sums, in `big` and in `small`.
    big_state_first: u32,
    small_state_first: u32,
    // First elements within `weights`, whose matrices are in the layout of the store.
    decision_weight: u32,
    small_weight: u32,
    big_weight: u32,
    // 1: `d_rows` is bound; 0: the rows' gradient is zero.
    has_rows: u32,
    temperature: f32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> plan: array<Stretch>;
@group(0) @binding(2) var<storage, read> saved: array<f32>;
// Gradient of the rows.
@group(0) @binding(3) var<storage, read> d_rows: array<f32>;
@group(0) @binding(4) var<storage, read> weights: array<f32>;
// Gradients of the cells' sums, row by row: of the input's part, then, if it differs, of the state's part.
@group(0) @binding(5) var<storage, read_write> big: array<f32>;
@group(0) @binding(6) var<storage, read_write> small: array<f32>;
// Gradients of the logits: before the launch those of the output, after it those of the sums. Then those of the
// decisions.
@group(0) @binding(7) var<storage, read_write> decision: array<f32>;
// dh and dc of every lane: before the launch those of the last state, after it those of the initial state.
@group(0) @binding(8) var<storage, read_write> state: array<f32>;

const SIZE = GROUP;

fn saved_gates(at: u32, width: u32) -> vec4<f32> {
    return vec4(saved[at], saved[at + width], saved[at + 2u * width], saved[at + 3u * width]);
}

fn put_big(at: u32, width: u32, d: vec4<f32>) {
    for (var gate = 0u; gate < GATES; gate += 1u) {
        big[at + gate * width] = d[gate];
    }
}

fn put_small(at: u32, width: u32, d: vec4<f32>) {
    for (var gate = 0u; gate < GATES; gate += 1u) {
        small[at + gate * width] = d[gate];
    }
}

// A unit's step, computed again from what the forward kernel kept.
struct Unit {
    h: f32,
    c: f32,
    gates: vec4<f32>,
    small_gates: vec4<f32>,
    after_read: vec2<f32>,
    after_skim: vec2<f32>,
}

fn unit_at(row_first: u32, unit: u32) -> Unit {
    let n = arguments.hidden;
    let d = arguments.small;
    let before_at = row_first + 4u * (n + d) + unit;
    let h = saved[before_at];
#if lstm
    let c = saved[before_at + n];
#else
    let c = 0.0;
#endif
    let gates = saved_gates(row_first + unit, n);
    let after_read = advance_unit(gates, h, c);
    if unit >= d {
        return Unit(h, c, gates, vec4(0.0), after_read, vec2(h, c));
    }
    let small_gates = saved_gates(row_first + 4u * n + unit, d);
    return Unit(h, c, gates, small_gates, after_read, advance_unit(small_gates, h, c));
}

@compute @workgroup_size(SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let number = group_number(group, groups);
    if number >= arguments.stretches {
        return;
    }
    let stretch = plan[number];
    let n = arguments.hidden;
    let d = arguments.small;
    let h_first = stretch.lane * n;
    let c_first = arguments.c_first + stretch.lane * n;
#if lstm
    let width = 6u * n + 4u * d + 1u;
#else
    let width = 5u * n + 4u * d + 1u;
#endif
    for (var steps = stretch.steps; steps > 0u; steps -= 1u) {
        let row = stretch.row + steps - 1u;
        let row_first = row * width;
        let skim = saved[row_first + width - 1u];
        // The gradient of the weight of skimming.
        var gain = 0.0;
        for (var unit = lane; unit < n; unit += SIZE) {
            if arguments.has_rows != 0u {
                state[h_first + unit] += d_rows[row * n + unit];
            }
            state[h_first + unit] = flush(state[h_first + unit]);
            let u = unit_at(row_first, unit);
            let difference = u.after_skim - u.after_read;
            gain += state[h_first + unit] * difference.x;
#if lstm
            state[c_first + unit] = flush(state[c_first + unit]);
            gain += state[c_first + unit] * difference.y;
#endif
        }
        gain = workgroup_sum(lane, vec2(gain, 0.0)).x + decision[arguments.decisions_first + row];
        let d_gap = skim * (1.0 - skim) * gain / arguments.temperature;
        let d_logits = vec2(decision[2u * row], decision[2u * row + 1u]) + vec2(-d_gap, d_gap);
        let big_at = row * GATES * n;
        let small_at = row * GATES * d;
        for (var unit = lane; unit < n; unit += SIZE) {
            let u = unit_at(row_first, unit);
            let dh = state[h_first + unit];
#if lstm
            let dc = state[c_first + unit];
#else
            let dc = 0.0;
#endif
            let read = retreat_unit(u.gates, u.h, u.c, u.after_read.y, (1.0 - skim) * dh, (1.0 - skim) * dc);
            put_big(big_at + unit, n, read.input);
#if gru
            put_big(arguments.big_state_first + big_at + unit, n, read.state);
#endif
            var before = vec2(read.h, read.c);
            if unit < d {
                let skimmed = retreat_unit(u.small_gates, u.h, u.c, u.after_skim.y, skim * dh, skim * dc);
                put_small(small_at + unit, d, skimmed.input);
#if gru
                put_small(arguments.small_state_first + small_at + unit, d, skimmed.state);
#endif
                before += vec2(skimmed.h, skimmed.c);
            } else {
                before += skim * vec2(dh, dc);
            }
            state[h_first + unit] = before.x;
#if lstm
            state[c_first + unit] = before.y;
#endif
        }
        // All gradients of the row's sums are written, and all invocations have read those of its logits.
        storageBarrier();
        workgroupBarrier();
        if lane == 0u {
            decision[2u * row] = d_logits.x;
            decision[2u * row + 1u] = d_logits.y;
        }
        for (var unit = lane; unit < n; unit += SIZE) {
            let decision_at = arguments.decision_weight + arguments.input + unit;
            var dh = d_logits.x * weights[decision_at] + d_logits.y * weights[decision_at + arguments.input + n];
            for (var i = 0u; i < GATES * n; i += 1u) {
                dh += big[arguments.big_state_first + big_at + i] * weights[arguments.big_weight + i * n + unit];
            }
            if unit < arguments.small_reads {
                for (var i = 0u; i < GATES * d; i += 1u) {
                    let weight_at = arguments.small_weight + i * arguments.small_reads + unit;
                    dh += small[arguments.small_state_first + small_at + i] * weights[weight_at];
                }
            }
            state[h_first + unit] += dh;
        }
    }
}
