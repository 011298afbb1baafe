//! One step of Adam over rows of a parameter, and the average of the weights over time.
//! variants: step average
//!
//! CPU twin: `kernels/src/adam.rs`.
//!
//! If the norm of the gradient is not finite, weights and moments do not change; `step` still sets the gradient to
//! zero.

#import each
#import math

struct Arguments {
    // The number of values.
    size: u32,
    columns: u32,
    // 1: of the rows listed; 0: of all.
    listed: u32,
#if step
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    rate: f32,
    correction: f32,
    decay: f32,
    // The largest global norm; 0 for none.
    clip: f32,
#else
    // 1: each row has a factor of its own; 0: `keep` is the factor of all.
    by_row: u32,
    keep: f32,
#endif
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
// Bits of the gradient's global norm.
@group(0) @binding(1) var<storage, read> norm: array<u32>;
@group(0) @binding(2) var<storage, read> rows: array<u32>;
#if step
@group(0) @binding(3) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(4) var<storage, read_write> w: array<f32>;
@group(0) @binding(5) var<storage, read_write> m: array<f32>;
@group(0) @binding(6) var<storage, read_write> v: array<f32>;
#else
// Bits of floats.
@group(0) @binding(3) var<storage, read> keep: array<u32>;
@group(0) @binding(4) var<storage, read> w: array<f32>;
@group(0) @binding(5) var<storage, read_write> averaged: array<f32>;
#endif

#import listed

const EXPONENT = 0x7f800000u;

#if average
// The share that the average of the `k`-th selected row keeps.
fn factor(k: u32) -> f32 {
    if arguments.by_row == 1u {
        return bitcast<f32>(keep[k]);
    }
    return arguments.keep;
}
#endif

fn each(i: u32) {
    if i >= arguments.size {
        return;
    }
    let at = place(i);
    let finite = (norm[0] & EXPONENT) != EXPONENT;
#if step
    if finite {
        // PyTorch's `clip_grad_norm_`, which leaves a margin for rounding.
        let clipped = min(1.0, arguments.clip / (bitcast<f32>(norm[0]) + 1e-6));
        let g = gradient[at] * select(1.0, clipped, arguments.clip > 0.0);
        let first = flush(arguments.beta1 * m[at] + (1.0 - arguments.beta1) * g);
        let second = arguments.beta2 * v[at] + (1.0 - arguments.beta2) * g * g;
        m[at] = first;
        v[at] = second;
        let move_by = arguments.rate * first / (sqrt(second) * arguments.correction + arguments.epsilon);
        w[at] = arguments.decay * w[at] - move_by;
    }
    gradient[at] = 0.0;
#else
    if finite {
        averaged[at] = w[at] + (averaged[at] - w[at]) * factor(i / arguments.columns);
    }
#endif
}
