//! One step of Adam over rows of parameters, and the average of the weights over time.
//! variants: step average
//!
//! CPU twin: `kernels/src/adam.rs`.
//!
//! If the norm of the gradient is not finite, weights and moments do not change; `step` still sets the gradient to
//! zero.

#import each
#import math

struct Arguments {
    // How many ranges there are.
    ranges: u32,
}

#if step
// How the values of a range move.
struct Step {
    beta1: f32,
    beta2: f32,
    epsilon: f32,
    rate: f32,
    correction: f32,
    decay: f32,
    // The largest global norm; 0 for none.
    clip: f32,
}
#endif

@group(0) @binding(0) var<uniform> arguments: Arguments;
// Bits of the gradient's global norm.
@group(0) @binding(1) var<storage, read> norm: array<u32>;
// The first values are those of `gradient`, `w`, `m` and `v`, or of `w`, `averaged` and `keep`.
@group(0) @binding(2) var<storage, read> ranges: array<Range>;
@group(0) @binding(3) var<storage, read> rows: array<u32>;
#if step
// Of every range.
@group(0) @binding(4) var<storage, read> steps: array<Step>;
@group(0) @binding(5) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(6) var<storage, read_write> w: array<f32>;
@group(0) @binding(7) var<storage, read_write> m: array<f32>;
@group(0) @binding(8) var<storage, read_write> v: array<f32>;
#else
// Bits of the shares that averages keep: of a range, or of each of its rows if they are listed.
@group(0) @binding(4) var<storage, read> keep: array<u32>;
@group(0) @binding(5) var<storage, read> w: array<f32>;
@group(0) @binding(6) var<storage, read_write> averaged: array<f32>;
#endif

#import ranges

const EXPONENT = 0x7f800000u;

fn each(number: u32) {
    let r = range_of(number / GROUP);
    let range = ranges[r];
    let i = number - range.group * GROUP;
    if i >= range.size {
        return;
    }
    let at = place(range, i);
    let finite = (norm[0] & EXPONENT) != EXPONENT;
#if step
    let g_at = range.first.x + at;
    if finite {
        let step = steps[r];
        let w_at = range.first.y + at;
        let m_at = range.first.z + at;
        let v_at = range.first.w + at;
        // PyTorch's `clip_grad_norm_`, which leaves a margin for rounding.
        let clipped = min(1.0, step.clip / (bitcast<f32>(norm[0]) + 1e-6));
        let g = gradient[g_at] * select(1.0, clipped, step.clip > 0.0);
        let first = flush(step.beta1 * m[m_at] + (1.0 - step.beta1) * g);
        let second = step.beta2 * v[v_at] + (1.0 - step.beta2) * g * g;
        m[m_at] = first;
        v[v_at] = second;
        let move_by = step.rate * first / (sqrt(second) * step.correction + step.epsilon);
        w[w_at] = step.decay * w[w_at] - move_by;
    }
    gradient[g_at] = 0.0;
#else
    if finite {
        let row = select(i / range.columns, 0u, range.rows == ALL);
        let share = bitcast<f32>(keep[range.first.z + row]);
        let now = w[range.first.x + at];
        let a_at = range.first.y + at;
        averaged[a_at] = now + (averaged[a_at] - now) * share;
    }
#endif
}
