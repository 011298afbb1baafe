//! Inverted dropout: each value times its mask, which is a function of (seed, stream of the lane, element).
//!
//! CPU twin: `kernels/src/dropout.rs`.

#import each
#import noise

struct Arguments {
    rows: u32,
    columns: u32,
    x_first: u32,
    lanes: u32,
    seed: u32,
    rate: f32,
    // The factor of the values that stay.
    scale: f32,
    // 1: all rows of a lane share the mask of its first.
    per_sequence: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
// `lanes + 1` row numbers.
@group(0) @binding(1) var<storage, read> offsets: array<u32>;
@group(0) @binding(2) var<storage, read> streams: array<u32>;
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read_write> out: array<f32>;

// The lane of a row: the last lane that begins at or before it.
fn lane_of(row: u32) -> u32 {
    var first = 0u;
    var end = arguments.lanes;
    while end - first > 1u {
        let middle = (first + end) / 2u;
        if offsets[middle] <= row {
            first = middle;
        } else {
            end = middle;
        }
    }
    return first;
}

fn each(i: u32) {
    if i >= arguments.rows * arguments.columns {
        return;
    }
    let sequence = lane_of(i / arguments.columns);
    let in_lane = i - offsets[sequence] * arguments.columns;
    let element = select(in_lane, i % arguments.columns, arguments.per_sequence == 1u);
    let dropped = noise_uniform(arguments.seed, streams[sequence], element) < arguments.rate;
    out[i] = x[arguments.x_first + i] * select(arguments.scale, 0.0, dropped);
}
