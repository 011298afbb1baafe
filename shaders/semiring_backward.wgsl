//! Gradients of a product in a semiring: of the `rows`, with an invocation for each of their values, and of the `matrix`, with
//! one for each of its own.
//! variants: log max
//! variants: rows matrix
//!
//! CPU twin: `kernels/src/semiring.rs`.

#if log
#import math
#import exp_log
#endif
#import each

struct Arguments {
    rows: u32,
    inputs: u32,
    outputs: u32,
    x_first: u32,
    weight_row: u32,
    weight_column: u32,
    // Of `matrix`: the rows whose terms this launch adds.
    start: u32,
    end: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
// In `log` the result, in `max` the row of the matrix that each value of it came by.
@group(0) @binding(2) var<storage, read> y: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
#if log
@group(0) @binding(4) var<storage, read> x: array<f32>;
@group(0) @binding(5) var<storage, read> weight: array<f32>;
#endif

// The gradient of the sum of `x[row, i]` and `weight[i, j]`.
fn term(row: u32, i: u32, j: u32) -> f32 {
    let at = row * arguments.outputs + j;
#if log
    let score = x[arguments.x_first + row * arguments.inputs + i]
        + weight[i * arguments.weight_row + j * arguments.weight_column];
    return dy[at] * exp_total(score - above_infinity(y[at]));
#else
    return select(0.0, dy[at], u32(y[at]) == i);
#endif
}

fn each(number: u32) {
#if rows
    if number >= arguments.rows * arguments.inputs {
        return;
    }
    var sum = 0.0;
    for (var j = 0u; j < arguments.outputs; j += 1u) {
        sum += term(number / arguments.inputs, number % arguments.inputs, j);
    }
    out[number] = sum;
#else
    if number >= arguments.inputs * arguments.outputs {
        return;
    }
    let i = number / arguments.outputs;
    let j = number % arguments.outputs;
    let at = i * arguments.weight_row + j * arguments.weight_column;
    var sum = out[at];
    for (var row = arguments.start; row < arguments.end; row += 1u) {
        sum += term(row, i, j);
    }
    out[at] = sum;
#endif
}
