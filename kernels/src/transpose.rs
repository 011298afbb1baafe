//! A matrix with rows and columns exchanged.
//!
//! WGSL twin: `shaders/transpose.wgsl`.

/// Rows and columns of a part that is turned at once, so that what it reads and writes stays in the cache.
const PART: usize = 16;

/// `out[j, i] = x[i, j]` of a matrix with so many columns.
pub fn transpose(x: &[f32], columns: usize) -> Vec<f32> {
    let rows = x.len().checked_div(columns).unwrap_or(0);
    transpose_strided(x, rows, columns, columns)
}

/// `out[j, i] = x[i, j]` of a matrix whose rows are `stride` values apart.
pub(crate) fn transpose_strided(x: &[f32], rows: usize, columns: usize, stride: usize) -> Vec<f32> {
    let mut out = vec![0.0; rows * columns];
    for first in (0..rows).step_by(PART) {
        for part in (0..columns).step_by(PART) {
            for j in part..columns.min(part + PART) {
                for i in first..rows.min(first + PART) {
                    out[j * rows + i] = x[i * stride + j];
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (rows, columns) in [(0, 3), (3, 0), (1, 5), (17, 33), (16, 16), (40, 7)] {
            let x: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let turned = transpose(&x, columns);
            for i in 0..rows {
                for j in 0..columns {
                    assert_eq!(turned[j * rows + i], x[i * columns + j]);
                }
            }
        }
    }
}
