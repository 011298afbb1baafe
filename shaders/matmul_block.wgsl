//! Matrix product over strided views, `out (+)= a b (+ bias)`, without workgroup memory: 8 x 4 values an invocation.
//!
//! CPU twins: `kernels/src/matmul.rs` and `kernels/src/affine.rs`.
//!
//! For few rows, which would leave a tile of `matmul.wgsl` half empty, and for software GPUs, where workgroup memory is
//! no faster than other memory and a barrier is slow.

#import product

const ROWS = 8u;
const SIZE = 32u;
const COLUMNS = 4u * SIZE;

@compute @workgroup_size(SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let across = (arguments.columns + COLUMNS - 1u) / COLUMNS;
    let block = group_number(group, groups);
    let row = block / across * ROWS;
    let column = block % across * COLUMNS + 4u * lane;
    if row >= arguments.rows || column >= arguments.columns {
        return;
    }
    // Rows and columns beyond the last are read as the last and are not stored.
    let last = vec4(arguments.columns - 1u);
    let b_at = arguments.b_first + min(column + vec4(0u, 1u, 2u, 3u), last) * arguments.b_column;
    var a_at = array<u32, ROWS>();
    for (var i = 0u; i < ROWS; i += 1u) {
        a_at[i] = arguments.a_first + min(row + i, arguments.rows - 1u) * arguments.a_row;
    }
    var sums = array<vec4<f32>, ROWS>();
    for (var k = 0u; k < arguments.inner; k += 1u) {
        let at = b_at + k * arguments.b_row;
        let right = vec4(b[at.x], b[at.y], b[at.z], b[at.w]);
        let left = k * arguments.a_column;
        sums[0] += a[a_at[0] + left] * right;
        sums[1] += a[a_at[1] + left] * right;
        sums[2] += a[a_at[2] + left] * right;
        sums[3] += a[a_at[3] + left] * right;
        sums[4] += a[a_at[4] + left] * right;
        sums[5] += a[a_at[5] + left] * right;
        sums[6] += a[a_at[6] + left] * right;
        sums[7] += a[a_at[7] + left] * right;
    }
    for (var i = 0u; i < ROWS; i += 1u) {
        for (var j = 0u; j < 4u; j += 1u) {
            if row + i < arguments.rows && column + j < arguments.columns {
                store(row + i, column + j, sums[i][j]);
            }
        }
    }
}
