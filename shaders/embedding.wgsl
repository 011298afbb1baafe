//! Rows of a table by id: row `i` of the result is row `ids[i]` of the table.
//!
//! CPU twin: `kernels/src/embedding.rs`.

#import each

struct Arguments {
    rows: u32,
    columns: u32,
    table_first: u32,
    out_first: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> ids: array<u32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn each(i: u32) {
    if i < arguments.rows * arguments.columns {
        let row = i / arguments.columns;
        out[arguments.out_first + i] = table[arguments.table_first + ids[row] * arguments.columns + i % arguments.columns];
    }
}
