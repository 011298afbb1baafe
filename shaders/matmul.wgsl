//! Matrix product over strided views, `out (+)= a b (+ bias)`: tiles of 64 x 64, 4 x 4 values an invocation.

#import product

const TILE = 64u;
const DEPTH = 16u;

// Tiles of both operands, `DEPTH` rows of `TILE` values, so that an inner step reads two rows.
var<workgroup> a_tile: array<f32, 1024>;
var<workgroup> b_tile: array<f32, 1024>;

@compute @workgroup_size(256)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let across = (arguments.columns + TILE - 1u) / TILE;
    let tile = group_number(group, groups);
    let first_row = tile / across * TILE;
    let first_column = tile % across * TILE;
    let row = lane / 16u * 4u;
    let column = lane % 16u * 4u;
    var sums = array<vec4<f32>, 4>();
    for (var start = 0u; start < arguments.inner; start += DEPTH) {
        for (var i = lane; i < TILE * DEPTH; i += 256u) {
            // Neighbouring invocations read neighbouring values, whichever way the operand lies.
            let a_k = select(i / TILE, i % DEPTH, arguments.a_column == 1u);
            let a_i = select(i % TILE, i / DEPTH, arguments.a_column == 1u);
            let a_in = first_row + a_i < arguments.rows && start + a_k < arguments.inner;
            let a_at = arguments.a_first + (first_row + a_i) * arguments.a_row + (start + a_k) * arguments.a_column;
            a_tile[a_k * TILE + a_i] = select(0.0, a[select(0u, a_at, a_in)], a_in);
            let b_k = select(i / TILE, i % DEPTH, arguments.b_row == 1u);
            let b_j = select(i % TILE, i / DEPTH, arguments.b_row == 1u);
            let b_in = first_column + b_j < arguments.columns && start + b_k < arguments.inner;
            let b_at = arguments.b_first + (start + b_k) * arguments.b_row + (first_column + b_j) * arguments.b_column;
            b_tile[b_k * TILE + b_j] = select(0.0, b[select(0u, b_at, b_in)], b_in);
        }
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k += 1u) {
            let at = k * TILE;
            let right = vec4(
                b_tile[at + column],
                b_tile[at + column + 1u],
                b_tile[at + column + 2u],
                b_tile[at + column + 3u],
            );
            sums[0] += a_tile[at + row] * right;
            sums[1] += a_tile[at + row + 1u] * right;
            sums[2] += a_tile[at + row + 2u] * right;
            sums[3] += a_tile[at + row + 3u] * right;
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
