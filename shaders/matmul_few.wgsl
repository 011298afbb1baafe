//! Matrix product with few rows, `out (+)= a b (+ bias)`: strips of 32 columns, 8 invocations a column.
//! variants: one two four eight
//!
//! CPU twins: `kernels/src/matmul.rs` and `kernels/src/affine.rs`.
//!
//! Each invocation sums every eighth term of its column for all rows, so that a value of `b` is read once. A tile of
//! `matmul.wgsl` would compute 64 rows.

#import product

#if one
const ROWS = 1u;
#endif
#if two
const ROWS = 2u;
#endif
#if four
const ROWS = 4u;
#endif
#if eight
const ROWS = 8u;
#endif

const COLUMNS = 32u;
const SPLIT = 8u;
const PARTS = ROWS * COLUMNS * SPLIT;

var<workgroup> parts: array<f32, PARTS>;

@compute @workgroup_size(COLUMNS * SPLIT)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let first_column = group_number(group, groups) * COLUMNS;
    // Neighbouring invocations read neighbouring values, whether `b` is transposed or not.
    let along = arguments.b_row == 1u;
    let part = select(lane / COLUMNS, lane % SPLIT, along);
    let column = select(lane % COLUMNS, lane / SPLIT, along);
    var sums = array<f32, ROWS>();
    if first_column + column < arguments.columns {
        let b_at = arguments.b_first + (first_column + column) * arguments.b_column;
        for (var k = part; k < arguments.inner; k += SPLIT) {
            let factor = b[b_at + k * arguments.b_row];
            let a_at = arguments.a_first + k * arguments.a_column;
            for (var r = 0u; r < ROWS; r += 1u) {
                // Rows beyond the last are read as the last and are not stored.
                sums[r] += a[a_at + min(r, arguments.rows - 1u) * arguments.a_row] * factor;
            }
        }
    }
    for (var r = 0u; r < ROWS; r += 1u) {
        parts[(r * COLUMNS + column) * SPLIT + part] = sums[r];
    }
    workgroupBarrier();
    // One invocation for each value of the strip.
    let r = lane / COLUMNS;
    let c = lane % COLUMNS;
    if r < arguments.rows && first_column + c < arguments.columns {
        var sum = 0.0;
        for (var i = 0u; i < SPLIT; i += 1u) {
            sum += parts[lane * SPLIT + i];
        }
        store(r, first_column + c, sum);
    }
}
