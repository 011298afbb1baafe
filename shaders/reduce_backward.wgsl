//! Gradient of the rows from that of one value made of each, with one invocation for each of their values.
//! variants: sum mean log_sum_exp max
//!
//! CPU twin: `kernels/src/reduce.rs`.

#import each
#if log_sum_exp
#import math
#import exp_log
#endif

struct Arguments {
    rows: u32,
    columns: u32,
    x_first: u32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
@group(0) @binding(1) var<storage, read> dy: array<f32>;
@group(0) @binding(2) var<storage, read_write> dx: array<f32>;
#if log_sum_exp
@group(0) @binding(3) var<storage, read> x: array<f32>;
@group(0) @binding(4) var<storage, read> y: array<f32>;
#endif
#if max
@group(0) @binding(3) var<storage, read> places: array<f32>;
#endif

fn each(i: u32) {
    if i >= arguments.rows * arguments.columns {
        return;
    }
    let row = i / arguments.columns;
#if sum
    dx[i] = dy[row];
#endif
#if mean
    dx[i] = dy[row] * (1.0 / f32(arguments.columns));
#endif
#if log_sum_exp
    dx[i] = dy[row] * exp_total(x[arguments.x_first + i] - above_infinity(y[row]));
#endif
#if max
    dx[i] = select(0.0, dy[row], u32(places[row]) == i % arguments.columns);
#endif
}
