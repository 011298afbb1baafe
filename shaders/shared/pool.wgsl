// What pooling and its gradient share: their arguments and the lanes' rows.

#import each

struct Arguments {
    lanes: u32,
    columns: u32,
    // First element of the rows within their buffer.
    x_first: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
// `lanes + 1` row numbers.
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
