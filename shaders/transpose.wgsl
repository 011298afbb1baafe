//! A matrix with rows and columns exchanged: `out[j, i] = x[i, j]`.
//!
//! CPU twin: `kernels/src/transpose.rs`.

#import grid

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

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let at = invocation_number(group, groups, lane);
    if at < arguments.rows * arguments.columns {
        out[arguments.out_first + at] = x[at % arguments.rows * arguments.columns + at / arguments.rows];
    }
}
