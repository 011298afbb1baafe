//! Skim-RNN as a mixture of both branches, for training: a workgroup a sequence, the time loop inside.
//! variants: lstm gru
//!
//! CPU twin: `kernels/src/skim_soft.rs`.

#import math
#import grid
#import gumbel
#import skim_cells
#import skim_stretch
#import workgroup_sum

struct Arguments {
    stretches: u32,
    hidden: u32,
    small: u32,
    small_reads: u32,
    // Columns of the decision's weight before those of the state.
    input: u32,
    // First elements of the operands, and of c, logits, decisions and given noise in `ends`.
    big_x_first: u32,
    small_x_first: u32,
    decision_x_first: u32,
    c_first: u32,
    logits_first: u32,
    decisions_first: u32,
    noise_first: u32,
    // First elements within `weights`: matrices are transposed, the decision's is in the layout of the store.
    decision_weight: u32,
    small_weight: u32,
    small_bias: u32,
    big_weight: u32,
    big_bias: u32,
    // The seed of the noise, unless noise is given.
    seed: u32,
    flags: u32,
    temperature: f32,
}

// `ends` holds the noise; otherwise the kernel draws it.
const GIVEN = 1u;
// Keep what the backward kernel needs.
const KEEP = 2u;

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> plan: array<Stretch>;
@group(0) @binding(2) var<storage, read> big_x: array<f32>;
@group(0) @binding(3) var<storage, read> small_x: array<f32>;
@group(0) @binding(4) var<storage, read> decision_x: array<f32>;
@group(0) @binding(5) var<storage, read> weights: array<f32>;
@group(0) @binding(6) var<storage, read_write> rows: array<f32>;
// h and c of every lane: initial before, last after. Then logits and decisions of every row, and given noise.
@group(0) @binding(7) var<storage, read_write> ends: array<f32>;
// A row: four values a unit of the big cell and of the small, h and c before the step, the weight of skimming.
@group(0) @binding(8) var<storage, read_write> saved: array<f32>;

const SIZE = GROUP;

fn weights_at(at: u32, width: u32) -> vec4<f32> {
#if lstm
    return vec4(weights[at], weights[at + width], weights[at + 2u * width], weights[at + 3u * width]);
#else
    return vec4(weights[at], weights[at + width], weights[at + 2u * width], 0.0);
#endif
}

fn big_x_at(at: u32, width: u32) -> vec4<f32> {
#if lstm
    return vec4(big_x[at], big_x[at + width], big_x[at + 2u * width], big_x[at + 3u * width]);
#else
    return vec4(big_x[at], big_x[at + width], big_x[at + 2u * width], 0.0);
#endif
}

fn small_x_at(at: u32, width: u32) -> vec4<f32> {
#if lstm
    return vec4(small_x[at], small_x[at + width], small_x[at + 2u * width], small_x[at + 3u * width]);
#else
    return vec4(small_x[at], small_x[at + width], small_x[at + 2u * width], 0.0);
#endif
}

fn keep_gates(at: u32, width: u32, gates: vec4<f32>) {
    for (var i = 0u; i < 4u; i += 1u) {
        saved[at + i * width] = gates[i];
    }
}

// The state's part of a unit's sums: `reads` products with a transposed matrix of `GATES * width` columns.
fn products(h_first: u32, reads: u32, weight: u32, bias: u32, width: u32, unit: u32) -> vec4<f32> {
    var sums = weights_at(bias + unit, width);
    for (var k = 0u; k < reads; k += 1u) {
        sums += ends[h_first + k] * weights_at(weight + k * GATES * width + unit, width);
    }
    return from_state(sums);
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
    let keep = (arguments.flags & KEEP) != 0u;
    for (var t = 0u; t < stretch.steps; t += 1u) {
        let row = stretch.row + t;
        var share = vec2(0.0);
        for (var unit = lane; unit < n; unit += SIZE) {
            let at = arguments.decision_weight + arguments.input + unit;
            share += ends[h_first + unit] * vec2(weights[at], weights[at + arguments.input + n]);
        }
        let decision_at = arguments.decision_x_first + 2u * row;
        let logits = workgroup_sum(lane, share) + vec2(decision_x[decision_at], decision_x[decision_at + 1u]);
        var noise = vec2(0.0);
        if (arguments.flags & GIVEN) != 0u {
            let at = arguments.noise_first + 2u * row;
            noise = vec2(ends[at], ends[at + 1u]);
        } else {
            let element = 2u * (stretch.step + t);
            noise.x = noise_gumbel(arguments.seed, stretch.stream, element);
            noise.y = noise_gumbel(arguments.seed, stretch.stream, element + 1u);
        }
        let skim = flush(sigmoid((logits.y + noise.y - logits.x - noise.x) / arguments.temperature));
        if lane == 0u {
            ends[arguments.logits_first + 2u * row] = logits.x;
            ends[arguments.logits_first + 2u * row + 1u] = logits.y;
            ends[arguments.decisions_first + row] = skim;
            if keep {
                saved[(row + 1u) * width - 1u] = skim;
            }
        }
        for (var unit = lane; unit < n; unit += SIZE) {
            let h = ends[h_first + unit];
#if lstm
            let c = ends[c_first + unit];
#else
            let c = 0.0;
#endif
            let x_at = arguments.big_x_first + row * GATES * n + unit;
            let gates = activate(
                from_input(big_x_at(x_at, n)) + products(h_first, n, arguments.big_weight, arguments.big_bias, n, unit)
            );
            var after_skim = vec2(h, c);
            if unit < d {
                let small_at = arguments.small_x_first + row * GATES * d + unit;
                let small_gates = activate(
                    from_input(small_x_at(small_at, d))
                        + products(h_first, arguments.small_reads, arguments.small_weight, arguments.small_bias, d, unit)
                );
                after_skim = advance_unit(small_gates, h, c);
                if keep {
                    keep_gates(row * width + 4u * n + unit, d, small_gates);
                }
            }
            let after = (1.0 - skim) * advance_unit(gates, h, c) + skim * after_skim;
            rows[row * n + unit] = flush(after.x);
#if lstm
            ends[c_first + unit] = flush(after.y);
#endif
            if keep {
                keep_gates(row * width + unit, n, gates);
                let before_at = row * width + 4u * (n + d) + unit;
                saved[before_at] = h;
#if lstm
                saved[before_at + n] = c;
#endif
            }
        }
        // All invocations have read h.
        storageBarrier();
        for (var unit = lane; unit < n; unit += SIZE) {
            ends[h_first + unit] = rows[row * n + unit];
        }
        storageBarrier();
        workgroupBarrier();
    }
}
