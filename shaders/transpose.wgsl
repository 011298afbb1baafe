//! A matrix with rows and columns exchanged: `out[j, i] = x[i, j]`.
//!
//! CPU twin: `kernels/src/transpose.rs`.

#import each

struct Arguments {
    // Rows and columns of `x`.
    rows: u32,
    columns: u32,
    // First element within the result's buffer.
    out_first: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> out: array<f32>;

fn each(at: u32) {
    if at < arguments.rows * arguments.columns {
        out[arguments.out_first + at] = x[at % arguments.rows * arguments.columns + at / arguments.rows];
    }
}
