// One-dimensional grids, folded into two axes, because no axis of a dispatch may exceed 65,535 workgroups.

// Invocations of a workgroup, for kernels that need no other number.
const GROUP = 256u;

// The number of a workgroup. The last workgroups may be beyond the work, which the kernel must check.
fn group_number(id: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.x + id.y * groups.x;
}
