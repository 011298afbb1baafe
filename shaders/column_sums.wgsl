//! Sums of columns, `sums[c, j] (+)= sum_i rows[i, j]` over the rows i of chunk c.
//!
//! CPU twin: `kernels/src/column_sums.rs`.
//!
//! A workgroup sums 32 columns of one chunk with 8 invocations a column, each of which sums every eighth row.

struct Arguments {
    rows: u32,
    columns: u32,
    // Rows of a chunk.
    chunk: u32,
    // First elements within the buffers, and the distance between rows.
    x_first: u32,
    x_row: u32,
    sums_first: u32,
    // 1: add to what `sums` holds.
    accumulate: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;

// Columns of a workgroup.
const WIDTH = 32u;
const STRIPS = 8u;
const SIZE = WIDTH * STRIPS;

var<workgroup> strips: array<f32, SIZE>;

#import grid

@compute @workgroup_size(SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let across = (arguments.columns + WIDTH - 1u) / WIDTH;
    let number = group_number(group, groups);
    let chunk = number / across;
    let column = number % across * WIDTH + lane % WIDTH;
    let inside = column < arguments.columns;
    // Workgroups beyond the last chunk find no rows.
    let first = min(chunk * arguments.chunk, arguments.rows);
    let end = select(first, min(first + arguments.chunk, arguments.rows), inside);
    var sum = 0.0;
    for (var i = first + lane / WIDTH; i < end; i += STRIPS) {
        sum += x[arguments.x_first + i * arguments.x_row + column];
    }
    strips[lane] = sum;
    workgroupBarrier();
    if lane < WIDTH && inside && first < arguments.rows {
        for (var strip = 1u; strip < STRIPS; strip += 1u) {
            sum += strips[strip * WIDTH + lane];
        }
        let at = arguments.sums_first + chunk * arguments.columns + column;
        sums[at] = select(sum, sums[at] + sum, arguments.accumulate == 1u);
    }
}
