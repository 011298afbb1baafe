//! Copies a block of a matrix into another.
//!
//! CPU twin: `kernels/src/rows.rs`.

#import each

struct Arguments {
    rows: u32,
    columns: u32,
    // First elements within the buffers, and distances between rows.
    x_first: u32,
    x_row: u32,
    out_first: u32,
    out_row: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

fn each(i: u32) {
    if i >= arguments.rows * arguments.columns {
        return;
    }
    let row = i / arguments.columns;
    let column = i % arguments.columns;
    let value = x[arguments.x_first + row * arguments.x_row + column];
    out[arguments.out_first + row * arguments.out_row + column] = value;
}
