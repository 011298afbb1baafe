//! Gradients of softmax, its logarithm and the cross entropy, for which `y` is the logarithm that it kept.
//! variants: softmax log_softmax cross_entropy
//!
//! CPU twin: `kernels/src/softmax.rs`.

#import math
#import each_row
#if softmax log_softmax
#import row_reduce
#endif

struct Arguments {
    rows: u32,
    columns: u32,
    // Invocations that share a row.
    width: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> y: array<f32>;
@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
#if cross_entropy
@group(0) @binding(4) var<storage, read> targets: array<u32>;
#endif

fn each_row(row: u32, columns: u32, lane: u32, width: u32) {
    let at = row * arguments.columns;
#if softmax log_softmax
    var part = 0.0;
    for (var j = lane % width; j < columns; j += width) {
#if softmax
        part += dy[at + j] * y[at + j];
#else
        part += dy[at + j];
#endif
    }
    let sum = row_sum(part, lane, width);
#endif
    for (var j = lane % width; j < columns; j += width) {
#if softmax
        dx[at + j] = y[at + j] * (dy[at + j] - sum);
#endif
#if log_softmax
        dx[at + j] = dy[at + j] - exp_down(y[at + j]) * sum;
#endif
#if cross_entropy
        dx[at + j] = (exp_down(y[at + j]) - select(0.0, 1.0, j == targets[row])) * dy[row];
#endif
    }
}
