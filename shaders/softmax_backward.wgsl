//! Gradients of softmax, its logarithm and the cross entropy, for which `y` is the logarithm that it kept.
//! variants: softmax log_softmax cross_entropy
//!
//! CPU twin: `kernels/src/softmax.rs`.

#import math
#import grid
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
        dx[at + j] = dy[at + j] - exp_bounded(y[at + j]) * sum;
#endif
#if cross_entropy
        dx[at + j] = (exp_bounded(y[at + j]) - select(0.0, 1.0, j == targets[row])) * dy[row];
#endif
    }
}
