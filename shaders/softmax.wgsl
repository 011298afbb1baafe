//! Softmax of each row, its logarithm, and the cross entropy, which keeps the logarithm.
//! variants: softmax log_softmax cross_entropy
//!
//! CPU twin: `kernels/src/softmax.rs`.

#import math
#import each_row
#import rows_of_x
#import row_reduce

@group(0) @binding(2) var<storage, read_write> out: array<f32>;
#if cross_entropy
@group(0) @binding(3) var<storage, read> targets: array<u32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
#endif

fn each_row(row: u32, columns: u32, lane: u32, width: u32) {
    let at = row * arguments.columns;
    let x_at = arguments.x_first + at;
    var most = -3.4028234e38;
    for (var j = lane % width; j < columns; j += width) {
        most = max(most, x[x_at + j]);
    }
    most = row_max(most, lane, width);
    var sum = 0.0;
    for (var j = lane % width; j < columns; j += width) {
        let value = x[x_at + j] - most;
        sum += keep_nan(exp_down(value), value);
    }
    sum = row_sum(sum, lane, width);
#if log_softmax cross_entropy
    let log_sum = keep_nan(log_precise(sum), sum);
#endif
    for (var j = lane % width; j < columns; j += width) {
        let value = x[x_at + j] - most;
#if softmax
        out[at + j] = exp_down(value) / sum;
#else
        // Where all are minus infinity there is none: a value less itself is NaN, and the logarithm of 0 not always infinite.
        let log_p = value - select(log_sum, value, sum == 0.0);
        out[at + j] = log_p;
#endif
#if cross_entropy
        if j == targets[row] {
            losses[row] = -log_p;
        }
#endif
    }
}
