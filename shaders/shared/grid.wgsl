// One-dimensional grids, folded: no axis of a dispatch may exceed 65,535 workgroups.

// The number of a workgroup; the last ones may lie beyond what there is to do.
fn group_number(id: vec3<u32>, groups: vec3<u32>) -> u32 {
    return id.x + id.y * groups.x;
}
