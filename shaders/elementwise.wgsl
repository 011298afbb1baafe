//! Functions of one or two values, element by element, and their gradients.
//! variants: tanh sigmoid relu scale exp log add subtract multiply divide tanh_backward sigmoid_backward relu_backward accumulate
//!
//! CPU twin: `kernels/src/elementwise.rs`.

#import math
#import each
#if exp log
#import exp_log
#endif

struct Arguments {
    size: u32,
    // First elements within the buffers.
    x_first: u32,
    y_first: u32,
    out_first: u32,
    // The factor of `scale`.
    factor: f32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> x: array<f32>;
#if tanh sigmoid relu scale exp log accumulate
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
#else
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
#endif

fn each(i: u32) {
    if i >= arguments.size {
        return;
    }
    let a = x[arguments.x_first + i];
#if tanh
    let value = keep_nan(tanh_bounded(a), a);
#endif
#if sigmoid
    let value = keep_nan(sigmoid(a), a);
#endif
#if relu
    let value = keep_nan(max(a, 0.0), a);
#endif
#if scale
    let value = a * arguments.factor;
#endif
#if exp
    let value = exp_total(a);
#endif
#if log
    let value = log_total(a);
#endif
#if accumulate
    let value = out[arguments.out_first + i] + a;
#endif
#if add
    let value = a + y[arguments.y_first + i];
#endif
#if subtract
    let value = a - y[arguments.y_first + i];
#endif
#if multiply
    let value = a * y[arguments.y_first + i];
#endif
#if divide
    let value = a / y[arguments.y_first + i];
#endif
// In a gradient `x` is the gradient of the result and `y` the result.
#if tanh_backward
    let b = y[arguments.y_first + i];
    let value = a * (1.0 - b * b);
#endif
#if sigmoid_backward
    let b = y[arguments.y_first + i];
    let value = a * b * (1.0 - b);
#endif
#if relu_backward
    let value = select(0.0, a, y[arguments.y_first + i] > 0.0);
#endif
    out[arguments.out_first + i] = value;
}
