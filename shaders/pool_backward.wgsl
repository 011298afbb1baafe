//! Gradient of a lane's rows from that of the one row made of them, with one invocation for each lane and column.
//! variants: last sum mean max
//!
//! CPU twin: `kernels/src/pool.rs`.

#import pool
#if max
#import math
#endif

@group(0) @binding(2) var<storage, read> dy: array<f32>;
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;
#if max
@group(0) @binding(4) var<storage, read> x: array<f32>;
@group(0) @binding(5) var<storage, read> y: array<f32>;
#endif

fn each(i: u32) {
    if i >= arguments.lanes * arguments.columns {
        return;
    }
    let start = offsets[i / arguments.columns];
    let end = offsets[i / arguments.columns + 1u];
    let column = i % arguments.columns;
#if mean
    let value = dy[i] * (1.0 / f32(max(end - start, 1u)));
#else
    let value = dy[i];
#endif
#if max
    // If several rows share the maximum, the first one receives the gradient.
    var found = false;
#endif
    for (var row = start; row < end; row += 1u) {
        let at = row * arguments.columns + column;
#if sum mean
        dx[at] = value;
#endif
#if last
        dx[at] = select(0.0, value, row == end - 1u);
#endif
#if max
        let candidate = x[arguments.x_first + at];
        let here = !found && (candidate == y[i] || is_nan(candidate));
        found = found || here;
        dx[at] = select(0.0, value, here);
#endif
    }
}
