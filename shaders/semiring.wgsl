//! Products of rows and a matrix in two semirings: `log`, whose sums are `ln Σ exp(x + w)`, and `max`, whose sums are the
//! maximum. One invocation for each value of the result.
//! variants: log max
//!
//! CPU twin: `kernels/src/semiring.rs`.

#import math
#import exp_log
#import each

struct Arguments {
    rows: u32,
    // The columns of the rows.
    inputs: u32,
    // The columns of the result.
    outputs: u32,
    x_first: u32,
    // Distances within the matrix.
    weight_row: u32,
    weight_column: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> weight: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;
#if max
// The row of the matrix that each maximum came by.
@group(0) @binding(4) var<storage, read_write> places: array<f32>;
#endif

fn each(number: u32) {
    if number >= arguments.rows * arguments.outputs {
        return;
    }
    let x_at = arguments.x_first + number / arguments.outputs * arguments.inputs;
    let weight_at = number % arguments.outputs * arguments.weight_column;
#if log
    var most = -3.4028234e38;
    for (var i = 0u; i < arguments.inputs; i += 1u) {
        most = max(most, x[x_at + i] + weight[weight_at + i * arguments.weight_row]);
    }
    // Infinity less infinity is no number.
    if bitcast<u32>(most) == 0x7f800000u {
        most = 0.0;
    }
    var sum = 0.0;
    for (var i = 0u; i < arguments.inputs; i += 1u) {
        sum += exp_total(x[x_at + i] + weight[weight_at + i * arguments.weight_row] - most);
    }
    out[number] = most + log_total(sum);
#else
    var best = x[x_at] + weight[weight_at];
    var place = 0u;
    for (var i = 1u; i < arguments.inputs; i += 1u) {
        let score = x[x_at + i] + weight[weight_at + i * arguments.weight_row];
        if (is_nan(score) && !is_nan(best)) || (!is_nan(best) && score > best) {
            best = score;
            place = i;
        }
    }
    out[number] = best;
    places[number] = f32(place);
#endif
}
