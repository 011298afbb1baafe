// The arguments and the output of the kernels of a matrix product, `out (+)= a b (+ bias)` over strided views.

#import grid

struct Arguments {
    rows: u32,
    columns: u32,
    inner: u32,
    // First elements within the buffers, and distances between rows and columns.
    a_first: u32,
    a_row: u32,
    a_column: u32,
    b_first: u32,
    b_row: u32,
    b_column: u32,
    out_first: u32,
    out_row: u32,
    bias_first: u32,
    flags: u32,
}

// Add to what `out` holds.
const ACCUMULATE = 1u;
// Add the bias, one value a column.
const BIAS = 2u;

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read> bias: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

// Writes a value of the product.
fn store(row: u32, column: u32, sum: f32) {
    let at = arguments.out_first + row * arguments.out_row + column;
    var value = sum;
    if (arguments.flags & ACCUMULATE) != 0u {
        value += out[at];
    }
    if (arguments.flags & BIAS) != 0u {
        value += bias[arguments.bias_first + column];
    }
    out[at] = value;
}
