//! One value from each row: the sum, the mean, the logarithm of the sum of exponentials, or the maximum.
//!
//! WGSL twins: `shaders/reduce.wgsl` and `shaders/reduce_backward.wgsl`.

use crate::math::exp_down;
use crate::registers::{Register, for_stretches, with_registers};
use crate::softmax::{largest, sum_of_exp};
use crate::{BufferPool, Ragged};

/// What a row becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduce {
    /// The sum of the columns; 0 without any.
    Sum,
    /// The mean of the columns; 0 without any.
    Mean,
    /// `ln Σ exp(x)`, without overflow; minus infinity without any column.
    LogSumExp,
    /// The largest value, NaN before all numbers, and the first column that has it. There is at least one.
    Max,
}

impl Reduce {
    /// What the sum of `columns` columns is multiplied by.
    fn scale(self, columns: usize) -> f32 {
        if self == Reduce::Mean { 1.0 / columns.max(1) as f32 } else { 1.0 }
    }
}

/// A value for each row; for the maximum the columns too.
pub fn forward(x: Ragged<'_>, reduce: Reduce) -> Vec<Vec<f32>> {
    let rows = (0..x.total_rows()).map(|row| x.row(row));
    match reduce {
        Reduce::Sum | Reduce::Mean => {
            let scale = reduce.scale(x.columns);
            vec![rows.map(|row| sum(row) * scale).collect()]
        }
        Reduce::LogSumExp => {
            let mut out = vec![0.0; x.total_rows()];
            log_sum_exp(&mut out, x);
            vec![out]
        }
        Reduce::Max => {
            let (values, columns) = rows.map(first_largest).unzip();
            vec![values, columns]
        }
    }
}

/// The sum over a row in sixteen parts, which are vectors to the compiler; and over a long row less rounding adds up.
fn sum(row: &[f32]) -> f32 {
    let mut parts = [0.0; 16];
    for values in row.chunks(parts.len()) {
        parts.iter_mut().zip(values).for_each(|(part, x)| *part += x);
    }
    parts.iter().sum()
}

with_registers! {
    /// `ln Σ exp(x)` of each row.
    fn log_sum_exp<V>(out: &mut [f32], x: Ragged<'_>) {
        for (row, out) in out.iter_mut().enumerate() {
            let row = x.row(row);
            // SAFETY: the body is compiled for the register's instructions.
            let most = unsafe { largest::<V>(row) };
            *out = if most == f32::INFINITY {
                // Infinity less infinity is no number.
                row.iter().fold(most, |sum, x| if x.is_nan() { *x } else { sum })
            } else {
                // SAFETY: the body is compiled for the register's instructions.
                most + unsafe { sum_of_exp::<V>(row, most) }.ln()
            };
        }
    }
}

with_registers! {
    /// Replaces each row of `columns` values by `d exp(x - sum)`, by the rows' sums and their gradients. A sum of nothing, minus
    /// infinity, counts as the least number: less itself it were no number, and its terms have the gradient 0.
    fn through_log_sum_exp<V>(rows: &mut [f32], columns: usize, sums: &[f32], d: &[f32]) {
        for ((row, &sum), &d) in rows.chunks_exact_mut(columns.max(1)).zip(sums).zip(d) {
            // SAFETY: the body is compiled for the register's instructions.
            let (sum, d) = unsafe { (V::splat(sum.at_least(f32::MIN)), V::splat(d)) };
            for_stretches!(V, row.len(), j => {
                // SAFETY: the body is compiled for the register's instructions.
                let value = unsafe { V::load_part(&row[j.clone()]) };
                exp_down(value.sub(sum)).mul(d).store_part(&mut row[j]);
            });
        }
    }
}

/// The largest value and the first column that has it.
fn first_largest(row: &[f32]) -> (f32, f32) {
    let (mut best, mut at) = (row[0], 0);
    for (column, &x) in row.iter().enumerate() {
        if x > best || x.is_nan() && !best.is_nan() {
            (best, at) = (x, column);
        }
    }
    (best, at as f32)
}

/// The gradient of the rows from the outputs of [`forward`] and the gradient of the first.
pub fn backward(
    buffers: &BufferPool,
    x: Ragged<'_>,
    reduce: Reduce,
    outputs: &[&[f32]],
    dy: &[f32],
) -> Vec<f32> {
    let n = x.columns;
    match reduce {
        Reduce::Sum | Reduce::Mean => {
            let scale = reduce.scale(n);
            dy.iter().flat_map(|d| std::iter::repeat_n(d * scale, n)).collect()
        }
        Reduce::LogSumExp => {
            let mut dx = buffers.copy(x.all());
            through_log_sum_exp(&mut dx, n, outputs[0], dy);
            dx
        }
        Reduce::Max => {
            let mut dx = buffers.zeros(x.all().len());
            for (row, (d, column)) in dy.iter().zip(outputs[1]).enumerate() {
                dx[row * n + *column as usize] = *d;
            }
            dx
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outputs for one row.
    fn of_row(row: &[f32], reduce: Reduce) -> Vec<f32> {
        let x = Ragged { values: row, columns: row.len(), offsets: &[0, 1] };
        forward(x, reduce).concat()
    }

    #[test]
    fn sums_of_exponentials_do_not_overflow() {
        assert_eq!(of_row(&[1000.0, 1000.0], Reduce::LogSumExp), [1000.0 + 2f32.ln()]);
        assert_eq!(of_row(&[-1000.0], Reduce::LogSumExp), [-1000.0]);
        assert_eq!(of_row(&[f32::NEG_INFINITY, 3.0], Reduce::LogSumExp), [3.0]);
        assert_eq!(of_row(&[f32::NEG_INFINITY; 2], Reduce::LogSumExp), [f32::NEG_INFINITY]);
        assert_eq!(of_row(&[f32::INFINITY, 0.0], Reduce::LogSumExp), [f32::INFINITY]);
        assert!(of_row(&[f32::NAN, 0.0], Reduce::LogSumExp)[0].is_nan());
    }

    #[test]
    fn a_sum_of_nothing_has_the_gradient_zero() {
        const NO: f32 = f32::NEG_INFINITY;
        for (row, sum, expected) in [([NO, NO], NO, [0.0, 0.0]), ([NO, 3.0], 3.0, [0.0, 2.0])] {
            let x = Ragged { values: &row, columns: 2, offsets: &[0, 1] };
            let dx = backward(&BufferPool::default(), x, Reduce::LogSumExp, &[&[sum]], &[2.0]);
            assert_eq!(dx, expected);
        }
        let x = Ragged { values: &[f32::NAN, NO], columns: 2, offsets: &[0, 1] };
        let dx = backward(&BufferPool::default(), x, Reduce::LogSumExp, &[&[f32::NAN]], &[2.0]);
        assert!(dx.iter().all(|d| d.is_nan()), "{dx:?}");
    }

    #[test]
    fn the_first_of_equal_maxima_counts() {
        assert_eq!(of_row(&[1.0, 3.0, 2.0, 3.0], Reduce::Max), [3.0, 1.0]);
        assert_eq!(of_row(&[f32::NEG_INFINITY; 3], Reduce::Max), [f32::NEG_INFINITY, 0.0]);
        let nan = of_row(&[f32::INFINITY, f32::NAN, f32::NAN], Reduce::Max);
        assert!(nan[0].is_nan() && nan[1] == 1.0, "{nan:?}");
    }

    #[test]
    fn rows_without_columns_have_sums() {
        let x = Ragged { values: &[], columns: 0, offsets: &[0, 2] };
        assert_eq!(forward(x, Reduce::Sum), [[0.0; 2]]);
        assert_eq!(forward(x, Reduce::Mean), [[0.0; 2]]);
        assert_eq!(forward(x, Reduce::LogSumExp), [[f32::NEG_INFINITY; 2]]);
    }
}
