// Kernels in which `arguments.width` neighbouring invocations share a row: what one of them does is `each_row`. Beyond the
// last row there are no columns. All invocations of a workgroup call it, so that it may reduce a row (`row_reduce`).

#import grid

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let width = arguments.width;
    let row = group_number(group, groups) * (GROUP / width) + lane / width;
    each_row(row, select(0u, arguments.columns, row < arguments.rows), lane, width);
}
