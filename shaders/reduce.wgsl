//! One value from each row. A row's maximum is NaN if the row has any; the first column that has it is the second output.
//! variants: sum mean log_sum_exp max
//!
//! CPU twin: `kernels/src/reduce.rs`.

#import math
#import exp_log
#import each_row
#import rows_of_x
#if sum mean log_sum_exp
#import row_reduce
#endif

@group(0) @binding(2) var<storage, read_write> out: array<f32>;
#if max
@group(0) @binding(3) var<storage, read_write> places: array<f32>;

// A value and its column, or `NOWHERE`.
struct Found {
    value: f32,
    column: u32,
}

const NOWHERE = 0xffffffffu;

var<workgroup> found: array<Found, GROUP>;

// The greater of two values, of equal ones the first.
fn first_largest(a: Found, b: Found) -> Found {
    if a.column == NOWHERE || b.column == NOWHERE {
        return Found(select(a.value, b.value, a.column == NOWHERE), min(a.column, b.column));
    }
    let a_nan = is_nan(a.value);
    let b_nan = is_nan(b.value);
    let same = (a_nan && b_nan) || a.value == b.value;
    let a_leads = (a_nan && !b_nan) || (!b_nan && a.value > b.value) || (same && a.column < b.column);
    if a_leads {
        return a;
    }
    return b;
}
#endif

fn each_row(row: u32, columns: u32, lane: u32, width: u32) {
    let x_at = arguments.x_first + row * arguments.columns;
    let stores = row < arguments.rows && lane % width == 0u;
#if log_sum_exp
    var most = -3.4028234e38;
    for (var j = lane % width; j < columns; j += width) {
        most = max(most, x[x_at + j]);
    }
    most = row_max(most, lane, width);
    // Infinity less infinity is no number.
    if bitcast<u32>(most) == 0x7f800000u {
        most = 0.0;
    }
#endif
#if sum mean log_sum_exp
    var part = 0.0;
    for (var j = lane % width; j < columns; j += width) {
#if log_sum_exp
        part += exp_total(x[x_at + j] - most);
#else
        part += x[x_at + j];
#endif
    }
    let sum = row_sum(part, lane, width);
    if stores {
#if sum
        out[row] = sum;
#endif
#if mean
        out[row] = sum * (1.0 / f32(max(columns, 1u)));
#endif
#if log_sum_exp
        out[row] = most + log_total(sum);
#endif
    }
#endif
#if max
    var best = Found(0.0, NOWHERE);
    for (var j = lane % width; j < columns; j += width) {
        best = first_largest(best, Found(x[x_at + j], j));
    }
    found[lane] = best;
    workgroupBarrier();
    for (var step = width / 2u; step > 0u; step /= 2u) {
        if lane % width < step {
            found[lane] = first_largest(found[lane], found[lane + step]);
        }
        workgroupBarrier();
    }
    if stores {
        out[row] = found[lane].value;
        places[row] = f32(found[lane].column);
    }
#endif
}
