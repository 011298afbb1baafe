//! Products of two values, lane by lane. `left`: rows of all lanes, each times its lane's matrix, which may be read transposed:
//! the product itself and the gradient of its left operand. `right`: `aᵀ b` of the rows of each lane, the gradient of its
//! right operand. One invocation for each value of the result.
//! variants: left right
//!
//! CPU twin: `kernels/src/ragged_matmul.rs`.

#import each

struct Arguments {
    // The result, all lanes end to end.
    rows: u32,
    columns: u32,
    // The columns of `a`.
    inner: u32,
    a_first: u32,
    b_first: u32,
    // Distances within `b`.
    b_lane: u32,
    b_row: u32,
    b_column: u32,
    // The terms of each sum that this launch adds, to what earlier ones have stored.
    start: u32,
    end: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
// In `left` the lane of each row, in `right` the row numbers of the lanes.
@group(0) @binding(1) var<storage, read> lanes: array<u32>;
@group(0) @binding(2) var<storage, read> a: array<f32>;
@group(0) @binding(3) var<storage, read> b: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

fn each(number: u32) {
    if number >= arguments.rows * arguments.columns {
        return;
    }
    let row = number / arguments.columns;
    let column = number % arguments.columns;
    var sum = 0.0;
    if arguments.start > 0u {
        sum = out[number];
    }
#if left
    let a_at = arguments.a_first + row * arguments.inner;
    let b_at = arguments.b_first + lanes[row] * arguments.b_lane + column * arguments.b_column;
    for (var k = arguments.start; k < arguments.end; k += 1u) {
        sum += a[a_at + k] * b[b_at + k * arguments.b_row];
    }
#else
    let of_lane = row / arguments.inner;
    let a_at = arguments.a_first + row % arguments.inner;
    let b_at = arguments.b_first + column;
    let first = lanes[of_lane];
    let end = min(first + arguments.end, lanes[of_lane + 1u]);
    for (var r = first + arguments.start; r < end; r += 1u) {
        sum += a[a_at + r * arguments.inner] * b[b_at + r * arguments.b_row];
    }
#endif
    out[number] = sum;
}
