//! Matrix products over strided views: `out (+)= a · b`.
//!
//! WGSL twins: `shaders/matmul.wgsl`, `shaders/matmul_few.wgsl` and `shaders/matmul_block.wgsl`.

use crate::packed::{Packed, Rows, Start, multiply_strided};
use crate::transpose::transpose_strided;

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

    /// A value by its row and column.
    pub(crate) fn at(&self, row: usize, column: usize) -> f32 {
        self.data[row * self.row_stride + column * self.column_stride]
    }

    /// The values of a row if they lie side by side.
    pub(crate) fn row(&self, row: usize) -> Option<&'a [f32]> {
        (self.column_stride == 1).then(|| &self.data[row * self.row_stride..][..self.columns])
    }

    /// The values of a matrix whose columns lie side by side, row by row.
    fn turned(&self) -> Vec<f32> {
        transpose_strided(self.data, self.columns, self.rows, self.column_stride)
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

/// `out[i * out_stride + j] (+)= sum_k a[i, k] b[k, j]`; overwrites unless `accumulate`.
///
/// Both operands are laid out anew for it: weights that multiply more than once are worth a [`Packed`] of their own.
pub fn matmul(out: &mut [f32], out_stride: usize, accumulate: bool, a: View<'_>, b: View<'_>) {
    assert_eq!(a.columns, b.rows, "inner dimensions of a matrix product");
    let copied;
    let rows = if a.column_stride == 1 {
        Rows { values: a.data, stride: a.row_stride, count: a.rows }
    } else {
        copied = a.turned();
        Rows::new(&copied, a.rows, a.columns)
    };
    let start = if accumulate { Start::Out } else { Start::Zero };
    multiply_strided(out, out_stride, start, rows, &Packed::new(b));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
