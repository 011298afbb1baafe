//! One value from each row: the sum, the mean, the logarithm of the sum of exponentials, or the maximum.
//!
//! WGSL twins: `shaders/reduce.wgsl` and `shaders/reduce_backward.wgsl`.

use crate::Ragged;

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
            vec![rows.map(|row| sum(row, |x| x) * scale).collect()]
        }
        Reduce::LogSumExp => vec![rows.map(log_sum_exp).collect()],
        Reduce::Max => {
            let (values, columns) = rows.map(first_largest).unzip();
            vec![values, columns]
        }
    }
}

/// The sum over a row in sixteen parts, which are vectors to the compiler; and over a long row less rounding adds up.
fn sum(row: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut parts = [0.0; 16];
    for values in row.chunks(parts.len()) {
        parts.iter_mut().zip(values).for_each(|(part, &x)| *part += of(x));
    }
    parts.iter().sum()
}

fn log_sum_exp(row: &[f32]) -> f32 {
    let most = row.iter().copied().fold(f32::MIN, f32::max);
    // Infinity less infinity is no number.
    let most = if most == f32::INFINITY { 0.0 } else { most };
    most + sum(row, |x| (x - most).exp()).ln()
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
pub fn backward(x: Ragged<'_>, reduce: Reduce, outputs: &[&[f32]], dy: &[f32]) -> Vec<f32> {
    let mut dx = Vec::with_capacity(x.all().len());
    let scale = reduce.scale(x.columns);
    for (row, &d) in dy.iter().enumerate() {
        match reduce {
            Reduce::Sum | Reduce::Mean => dx.resize(dx.len() + x.columns, d * scale),
            Reduce::LogSumExp => dx.extend(x.row(row).iter().map(|x| d * (x - outputs[0][row]).exp())),
            Reduce::Max => {
                let first = dx.len();
                dx.resize(first + x.columns, 0.0);
                dx[first + outputs[1][row] as usize] = d;
            }
        }
    }
    dx
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
