//! One row from the rows of a lane, with one invocation for each lane and column. A lane without rows gives zeros.
//! variants: last sum mean max
//!
//! CPU twin: `kernels/src/pool.rs`.

#import pool
#if max
#import math
#endif

@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

fn each(i: u32) {
    if i >= arguments.lanes * arguments.columns {
        return;
    }
    let start = offsets[i / arguments.columns];
    let end = offsets[i / arguments.columns + 1u];
    let at = arguments.x_first + i % arguments.columns;
    var value = 0.0;
#if last
    if start < end {
        value = x[at + (end - 1u) * arguments.columns];
    }
#endif
#if sum mean
    for (var row = start; row < end; row += 1u) {
        value += x[at + row * arguments.columns];
    }
#endif
#if mean
    value *= 1.0 / f32(max(end - start, 1u));
#endif
#if max
    if start < end {
        value = x[at + start * arguments.columns];
    }
    for (var row = start + 1u; row < end; row += 1u) {
        let next = x[at + row * arguments.columns];
        value = keep_nan(keep_nan(max(value, next), next), value);
    }
#endif
    out[i] = value;
}
