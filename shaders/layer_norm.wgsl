//! Layer normalisation of each row, or its gradient, which also writes the terms of the weight's gradient.
//! variants: forward backward
//!
//! CPU twin: `kernels/src/layer_norm.rs`.

#import each_row
#import rows_of_x
#import row_reduce

@group(0) @binding(2) var<storage, read> weight: array<f32>;
#if forward
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;
#else
@group(0) @binding(3) var<storage, read> dy: array<f32>;
@group(0) @binding(4) var<storage, read_write> dx: array<f32>;
// `dy` times the normalised row.
@group(0) @binding(5) var<storage, read_write> d_weight: array<f32>;
#endif

const EPSILON = 1e-5;

fn each_row(row: u32, columns: u32, lane: u32, width: u32) {
    let count = f32(arguments.columns);
    let at = row * arguments.columns;
    let x_at = arguments.x_first + at;
    var part = 0.0;
    for (var j = lane % width; j < columns; j += width) {
        part += x[x_at + j];
    }
    let mean = row_sum(part, lane, width) / count;
    part = 0.0;
    for (var j = lane % width; j < columns; j += width) {
        let from_mean = x[x_at + j] - mean;
        part += from_mean * from_mean;
    }
    let scale = 1.0 / sqrt(row_sum(part, lane, width) / count + EPSILON);
#if forward
    for (var j = lane % width; j < columns; j += width) {
        out[at + j] = (x[x_at + j] - mean) * scale * weight[j] + bias[j];
    }
#else
    part = 0.0;
    var part_normal = 0.0;
    for (var j = lane % width; j < columns; j += width) {
        let normal = (x[x_at + j] - mean) * scale;
        d_weight[at + j] = dy[at + j] * normal;
        part += dy[at + j] * weight[j];
        part_normal += dy[at + j] * weight[j] * normal;
    }
    let sum = row_sum(part, lane, width);
    let sum_normal = row_sum(part_normal, lane, width);
    for (var j = lane % width; j < columns; j += width) {
        let normal = (x[x_at + j] - mean) * scale;
        dx[at + j] = scale * (dy[at + j] * weight[j] - (sum + normal * sum_normal) / count);
    }
#endif
}
