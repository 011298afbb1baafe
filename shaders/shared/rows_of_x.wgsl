// What kernels that reduce the rows of `x` are given.

struct Arguments {
    rows: u32,
    columns: u32,
    x_first: u32,
    // Invocations that share a row.
    width: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> x: array<f32>;
