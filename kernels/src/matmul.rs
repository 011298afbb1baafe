//! Matrix products over strided views: `out (+)= a · b`.
//!
//! WGSL twins: `shaders/matmul.wgsl`, `shaders/matmul_few.wgsl` and `shaders/matmul_block.wgsl`.

use std::ops::Range;

use crate::packed::{Packed, Rows, Start, multiply_columns, multiply_strided};
use crate::transpose::transpose_into;
use crate::vectorize::vectorize;

/// A matrix seen through strides; transposing swaps them.
#[derive(Clone, Copy)]
pub struct View<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> View<'a> {
    /// A row-major matrix that fills `data`.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// The first `columns` of rows that are `row_stride` apart.
    pub fn strided(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        debug_assert!(rows == 0 || columns == 0 || data.len() >= (rows - 1) * row_stride + columns);
        Self { data, rows, columns, row_stride, column_stride: 1 }
    }

    /// Rows and columns.
    pub fn shape(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// The values of a row if they lie side by side.
    pub(crate) fn row(&self, row: usize) -> Option<&'a [f32]> {
        (self.column_stride == 1).then(|| &self.data[row * self.row_stride..][..self.columns])
    }

    /// Copies some rows and columns of a matrix whose columns lie side by side to rows that are `stride` values apart.
    pub(crate) fn turn(&self, rows: Range<usize>, columns: Range<usize>, out: &mut [f32], stride: usize) {
        if !rows.is_empty() && !columns.is_empty() {
            let from = &self.data[rows.start * self.row_stride + columns.start * self.column_stride..];
            transpose_into(from, [columns.len(), rows.len()], self.column_stride, out, stride);
        }
    }

    /// Some of the rows.
    fn rows(self, rows: Range<usize>) -> Self {
        let data = self.data.get(rows.start * self.row_stride..).unwrap_or_default();
        Self { data, rows: rows.len(), ..self }
    }

    /// Some of the columns.
    fn columns(self, columns: Range<usize>) -> Self {
        self.t().rows(columns).t()
    }

    /// The transposed matrix.
    pub fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// Values that are turned together: they stay in a second-level cache while they are multiplied.
const TURNED: usize = 48 << 10;

/// As many rows, or a multiple, are turned together: whole tiles.
const TURNED_ROWS: usize = 24;

/// Values of the second operand that are laid out together: they, too, stay in that cache, in memory that is used again.
const PACKED: usize = 32 << 10;

/// So many inner rows, or more, are multiplied together: enough that the sums' way to memory and back does not count.
const PACKED_ROWS: usize = 256;

/// Values between the ends of turned rows, so that rows of a power of two share no set of a cache.
const APART: usize = 16;

/// `out[i * out_stride + j] (+)= sum_k a[i, k] b[k, j]`; overwrites unless `accumulate`.
///
/// The second operand is laid out anew for it: weights that multiply more than once are worth a [`Packed`] of their own.
pub fn matmul(out: &mut [f32], out_stride: usize, accumulate: bool, a: View<'_>, b: View<'_>) {
    assert_eq!(a.columns, b.rows, "inner dimensions of a matrix product");
    if let (1, true, 1) = (b.rows, accumulate, b.column_stride) {
        return add_outer(out, out_stride, a, &b.data[..b.columns]);
    }
    let part = (PACKED / b.columns.max(1)).max(PACKED_ROWS);
    let (mut packed, mut turned) = (Packed::empty(), Vec::new());
    // At least once, so that a product over nothing is zero.
    for first in (0..b.rows.max(1)).step_by(part) {
        let inner = first..b.rows.min(first + part);
        packed = Packed::instead_of(packed, b.rows(inner.clone()));
        let start = if accumulate || first > 0 { Start::Out } else { Start::Zero };
        let part = a.columns(inner);
        if part.column_stride == 1 {
            let rows = Rows { values: part.data, stride: part.row_stride, count: part.rows };
            multiply_strided(out, out_stride, start, rows, &packed);
        } else if cfg!(target_arch = "wasm32") {
            // Tiles that read columns would be another 7 kB.
            multiply_turned(out, out_stride, start, part, &packed, &mut turned);
        } else {
            let columns = Rows { values: part.data, stride: part.column_stride, count: part.rows };
            multiply_columns(out, out_stride, start, columns, &packed);
        }
    }
}

/// The product of a matrix whose columns lie side by side, which are turned into rows in parts.
fn multiply_turned(
    out: &mut [f32],
    out_stride: usize,
    start: Start<'_>,
    a: View<'_>,
    b: &Packed,
    turned: &mut Vec<f32>,
) {
    let stride = a.columns + APART;
    let part = (TURNED / stride / TURNED_ROWS).max(1) * TURNED_ROWS;
    turned.resize(part.min(a.rows) * stride, 0.0);
    for first in (0..a.rows).step_by(part) {
        let rows = first..a.rows.min(first + part);
        let count = rows.len();
        a.turn(rows, 0..a.columns, turned, stride);
        let rows = Rows { values: turned, stride, count };
        multiply_strided(&mut out[first * out_stride..], out_stride, start, rows, b);
    }
}

vectorize! {
    /// Adds the product of a column and a row, which is not worth laying out.
    fn add_outer(out: &mut [f32], out_stride: usize, a: View<'_>, b: &[f32]) {
        for i in 0..a.rows {
            let factor = a.data[i * a.row_stride];
            for (out, b) in out[i * out_stride..][..b.len()].iter_mut().zip(b) {
                *out += factor * b;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn columns_are_multiplied_as_rows_are() {
        // Three parts are turned, the last of them smaller.
        let (m, n, k) = (2 * TURNED_ROWS + 5, 3, TURNED / TURNED_ROWS);
        let a: Vec<f32> = (0..k * m).map(|i| (i as f32 * 0.7).sin()).collect();
        let b: Vec<f32> = (0..k * n).map(|i| (i as f32 * 1.3).cos()).collect();
        let (rows, b) = (crate::transpose::transpose(&a, m), View::new(&b, k, n));
        let [mut out, mut turned, mut expected] = [(); 3].map(|()| vec![0.5; m * n]);
        matmul(&mut out, n, true, View::new(&a, k, m).t(), b);
        matmul(&mut expected, n, true, View::new(&rows, m, k), b);
        assert_eq!(out, expected);
        for first in (0..k).step_by(PACKED / n) {
            let inner = first..k.min(first + PACKED / n);
            let (a, b) = (View::new(&a, k, m).t().columns(inner.clone()), Packed::new(b.rows(inner)));
            multiply_turned(&mut turned, n, Start::Out, a, &b, &mut Vec::new());
        }
        assert_eq!(turned, expected);
    }

    #[test]
    fn what_is_laid_out_in_parts_is_multiplied_as_a_whole() {
        // Three parts, the last of them smaller.
        let (m, n, k) = (3, PACKED / PACKED_ROWS + 5, 2 * PACKED_ROWS + 7);
        let a: Vec<f32> = (0..m * k).map(|i| (i as f32 * 0.7).sin()).collect();
        let b: Vec<f32> = (0..k * n).map(|i| (i as f32 * 1.3).cos()).collect();
        for (accumulate, start) in [(false, Start::Zero), (true, Start::Out)] {
            let (mut out, mut expected) = (vec![0.5; m * n], vec![0.5; m * n]);
            matmul(&mut out, n, accumulate, View::new(&a, m, k), View::new(&b, k, n));
            let whole = Packed::new(View::new(&b, k, n));
            multiply_strided(&mut expected, n, start, Rows::new(&a, m, k), &whole);
            assert_eq!(out, expected);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(m in 0usize..9, n in 0usize..9, k in 0usize..9,
                                      ta: bool, tb: bool, accumulate: bool) {
            let a: Vec<f32> = (0..m * k).map(|i| (i as f32 * 0.7).sin()).collect();
            let b: Vec<f32> = (0..k * n).map(|i| (i as f32 * 1.3).cos()).collect();
            let av = if ta { View::new(&a, k, m).t() } else { View::new(&a, m, k) };
            let bv = if tb { View::new(&b, n, k).t() } else { View::new(&b, k, n) };
            let mut out = vec![0.5; m * n];
            matmul(&mut out, n, accumulate, av, bv);
            for i in 0..m {
                for j in 0..n {
                    let at = |x: usize| if ta { a[x * m + i] } else { a[i * k + x] };
                    let bt = |x: usize| if tb { b[j * k + x] } else { b[x * n + j] };
                    let want = (0..k).map(|x| at(x) * bt(x)).sum::<f32>() + if accumulate { 0.5 } else { 0.0 };
                    prop_assert!((out[i * n + j] - want).abs() < 1e-5);
                }
            }
        }
    }
}
