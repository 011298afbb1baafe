//! Rows of a table by id: row `i` of the result is row `ids[i]` of the table.
//!
//! CPU twin: `kernels/src/embedding.rs`.

#import grid

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

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = invocation_number(group, groups, lane);
    if i < arguments.rows * arguments.columns {
        let row = i / arguments.columns;
        out[arguments.out_first + i] = table[arguments.table_first + ids[row] * arguments.columns + i % arguments.columns];
    }
}
