//! Matrix products over strided views: `out (+)= a · b`.

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
pub fn matmul(out: &mut [f32], out_stride: usize, accumulate: bool, a: View<'_>, b: View<'_>) {
    assert_eq!(a.columns, b.rows, "inner dimensions of a matrix product");
    let (m, n, k) = (a.rows, b.columns, a.columns);
    if m == 0 || n == 0 {
        return;
    }
    assert!(out.len() >= (m - 1) * out_stride + n, "the result of a matrix product fits");
    if k == 0 {
        if !accumulate {
            out.chunks_mut(out_stride).take(m).for_each(|row| row[..n].fill(0.0));
        }
        return;
    }
    assert!(a.data.len() > (m - 1) * a.row_stride + (k - 1) * a.column_stride);
    assert!(b.data.len() > (k - 1) * b.row_stride + (n - 1) * b.column_stride);
    // SAFETY: the three assertions above bound every address `gemm` touches, and `out` is borrowed uniquely.
    unsafe {
        (gemm_f32::gemm::f32::get_gemm_fn())(
            m,
            n,
            k,
            out.as_mut_ptr(),
            1,
            out_stride as isize,
            accumulate,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    }
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
