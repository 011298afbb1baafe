//! Softmax of each row, its logarithm, and the cross entropy, which keeps the logarithm.
//! variants: softmax log_softmax cross_entropy
//!
//! CPU twin: `kernels/src/softmax.rs`.

#import math
#import grid
#import row_reduce

struct Arguments {
    rows: u32,
    columns: u32,
    x_first: u32,
    // Invocations that share a row.
    width: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;
#if cross_entropy
@group(0) @binding(3) var<storage, read> targets: array<u32>;
@group(0) @binding(4) var<storage, read_write> losses: array<f32>;
#endif

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let width = arguments.width;
    let row = group_number(group, groups) * (GROUP / width) + lane / width;
    // Rows beyond the last have no columns.
    let columns = select(0u, arguments.columns, row < arguments.rows);
    let at = row * arguments.columns;
    let x_at = arguments.x_first + at;
    var most = -3.4028234e38;
    for (var j = lane % width; j < columns; j += width) {
        most = max(most, x[x_at + j]);
    }
    most = row_max(most, lane, width);
    var sum = 0.0;
    for (var j = lane % width; j < columns; j += width) {
        sum += exp_bounded(x[x_at + j] - most);
    }
    sum = row_sum(sum, lane, width);
#if log_softmax cross_entropy
    let log_sum = log_precise(sum);
#endif
    for (var j = lane % width; j < columns; j += width) {
        let value = x[x_at + j] - most;
#if softmax
        out[at + j] = exp_bounded(value) / sum;
#else
        out[at + j] = value - log_sum;
#endif
#if cross_entropy
        if j == targets[row] {
            losses[row] = log_sum - value;
        }
#endif
    }
}
