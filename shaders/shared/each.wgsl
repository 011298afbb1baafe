// Kernels with an invocation for each value: what one does is `each`, which is given its number. The last invocations may
// be beyond the values, which `each` must check.

#import grid

@compute @workgroup_size(GROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    each(group_number(group, groups) * GROUP + lane);
}
