//! Matrix product over strided views, `out (+)= a b (+ bias)`: tiles of 64 rows, 4 x 4 values an invocation.
//! variants: c64 c32 c8
//!
//! CPU twins: `kernels/src/matmul.rs` and `kernels/src/affine.rs`.

#import product

const ROWS = 64u;
// Columns of a tile. A tile wider than the result would compute columns that are not stored.
#if c64
const COLUMNS = 64u;
#endif
#if c32
const COLUMNS = 32u;
#endif
#if c8
const COLUMNS = 8u;
#endif
const DEPTH = 16u;
const SIZE = ROWS * COLUMNS / 16u;
const ACROSS = COLUMNS / 4u;

// Tiles of both operands, `DEPTH` rows of values, so that an inner step reads two rows.
var<workgroup> a_tile: array<f32, DEPTH * ROWS>;
var<workgroup> b_tile: array<f32, DEPTH * COLUMNS>;

@compute @workgroup_size(SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let across = (arguments.columns + COLUMNS - 1u) / COLUMNS;
    let tile = group_number(group, groups);
    let first_row = tile / across * ROWS;
    let first_column = tile % across * COLUMNS;
    let row = lane / ACROSS * 4u;
    let column = lane % ACROSS * 4u;
    var sums = array<vec4<f32>, 4>();
    for (var start = 0u; start < arguments.inner; start += DEPTH) {
        // Neighbouring invocations read neighbouring values, whether the operand is transposed or not.
        for (var i = lane; i < ROWS * DEPTH; i += SIZE) {
            let k = select(i / ROWS, i % DEPTH, arguments.a_column == 1u);
            let r = select(i % ROWS, i / DEPTH, arguments.a_column == 1u);
            let inside = first_row + r < arguments.rows && start + k < arguments.inner;
            let at = arguments.a_first + (first_row + r) * arguments.a_row + (start + k) * arguments.a_column;
            a_tile[k * ROWS + r] = select(0.0, a[select(0u, at, inside)], inside);
        }
        for (var i = lane; i < COLUMNS * DEPTH; i += SIZE) {
            let k = select(i / COLUMNS, i % DEPTH, arguments.b_row == 1u);
            let c = select(i % COLUMNS, i / DEPTH, arguments.b_row == 1u);
            let inside = first_column + c < arguments.columns && start + k < arguments.inner;
            let at = arguments.b_first + (start + k) * arguments.b_row + (first_column + c) * arguments.b_column;
            b_tile[k * COLUMNS + c] = select(0.0, b[select(0u, at, inside)], inside);
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k += 1u) {
            let left = k * ROWS + row;
            let at = k * COLUMNS + column;
            let right = vec4(b_tile[at], b_tile[at + 1u], b_tile[at + 2u], b_tile[at + 3u]);
            sums[0] += a_tile[left] * right;
            sums[1] += a_tile[left + 1u] * right;
            sums[2] += a_tile[left + 2u] * right;
            sums[3] += a_tile[left + 3u] * right;
        }
        workgroupBarrier();
    }
    for (var i = 0u; i < 4u; i += 1u) {
        for (var j = 0u; j < 4u; j += 1u) {
            let r = first_row + row + i;
            let c = first_column + column + j;
            if r < arguments.rows && c < arguments.columns {
                store(r, c, sums[i][j]);
            }
        }
    }
}
