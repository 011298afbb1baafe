// One-dimensional grids, folded: no axis of a dispatch may exceed 65,535 workgroups.

// Invocations of a workgroup, for kernels that need no other number.
const GROUP = 256u;

// The number of a workgroup; the last ones may lie beyond what there is to do.
fn group_number(id: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.x + id.y * groups.x;
}

// The number of an invocation of a kernel whose workgroups have `GROUP` of them.
fn invocation_number(id: vec3<u32>, groups: vec3<u32>, lane: u32) -> u32 {
    return group_number(id, groups) * GROUP + lane;
}
