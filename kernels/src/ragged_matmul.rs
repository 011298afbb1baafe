//! Products of two values: in every lane `a b`, where `b` has as many rows as `a` has columns.
//!
//! WGSL twin: `shaders/ragged_matmul.wgsl`.

use crate::matmul::{View, matmul};
use crate::{BufferPool, Ragged};

/// A lane's rows of a matrix.
fn lane<'a>(x: Ragged<'a>, lane: usize) -> View<'a> {
    View::new(x.lane(lane), x.rows(lane), x.columns)
}

/// A lane's part of values that lie as the rows of `x` do, with so many columns.
fn part(x: Ragged<'_>, lane: usize, columns: usize) -> std::ops::Range<usize> {
    x.start(lane) * columns..(x.start(lane) + x.rows(lane)) * columns
}

/// The products of all lanes, rows end to end.
pub fn forward(buffers: &BufferPool, a: Ragged<'_>, b: Ragged<'_>) -> Vec<f32> {
    let n = b.columns;
    let mut out = buffers.take(a.total_rows() * n);
    for i in 0..a.lanes() {
        matmul(&mut out[part(a, i, n)], n, false, lane(a, i), lane(b, i));
    }
    out
}

/// The gradient of `a`: in every lane `dy bᵀ`.
pub fn backward_left(buffers: &BufferPool, a: Ragged<'_>, b: Ragged<'_>, dy: &[f32]) -> Vec<f32> {
    let mut da = buffers.take(a.total_rows() * a.columns);
    for i in 0..a.lanes() {
        let dy = View::new(&dy[part(a, i, b.columns)], a.rows(i), b.columns);
        matmul(&mut da[part(a, i, a.columns)], a.columns, false, dy, lane(b, i).t());
    }
    da
}

/// The gradient of `b`: in every lane `aᵀ dy`.
pub fn backward_right(buffers: &BufferPool, a: Ragged<'_>, b: Ragged<'_>, dy: &[f32]) -> Vec<f32> {
    let mut db = buffers.take(b.total_rows() * b.columns);
    for i in 0..a.lanes() {
        let dy = View::new(&dy[part(a, i, b.columns)], a.rows(i), b.columns);
        matmul(&mut db[part(b, i, b.columns)], b.columns, false, lane(a, i).t(), dy);
    }
    db
}
