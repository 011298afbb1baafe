//! A matrix with rows and columns exchanged.
//!
//! WGSL twin: `shaders/transpose.wgsl`.

use std::ops::Range;

/// Rows and columns of a part that is turned at once, so that what it reads and writes stays in the cache.
const PART: usize = 16;

/// `out[j, i] = x[i, j]` of a matrix with so many columns.
pub fn transpose(x: &[f32], columns: usize) -> Vec<f32> {
    let rows = x.len().checked_div(columns).unwrap_or(0);
    let mut out = vec![0.0; rows * columns];
    transpose_into(x, [rows, columns], columns, &mut out, rows);
    out
}

/// `out[j, i] = x[i, j]` of a matrix of so many rows and columns, whose rows are `stride` values apart, and those of `out`
/// `out_stride`.
pub(crate) fn transpose_into(
    x: &[f32],
    shape: [usize; 2],
    stride: usize,
    out: &mut [f32],
    out_stride: usize,
) {
    let [rows, columns] = shape;
    for first in (0..rows).step_by(PART) {
        for column in (0..columns).step_by(PART) {
            let part = [first..rows.min(first + PART), column..columns.min(column + PART)];
            #[cfg(target_arch = "x86_64")]
            if part.iter().all(|range| range.len() == PART) && is_x86_feature_detected!("avx") {
                for [i, j] in [[0, 0], [blocks::SIDE, 0], [0, blocks::SIDE], [blocks::SIDE, blocks::SIDE]] {
                    let (i, j) = (first + i, column + j);
                    // SAFETY: the feature was detected on this processor just above.
                    unsafe {
                        blocks::turn(&x[i * stride + j..], stride, &mut out[j * out_stride + i..], out_stride)
                    };
                }
                continue;
            }
            turn(x, part, stride, out, out_stride);
        }
    }
}

fn turn(x: &[f32], [rows, columns]: [Range<usize>; 2], stride: usize, out: &mut [f32], out_stride: usize) {
    for j in columns {
        for i in rows.clone() {
            out[j * out_stride + i] = x[i * stride + j];
        }
    }
}

/// Blocks that are turned in registers.
#[cfg(target_arch = "x86_64")]
mod blocks {
    use std::arch::x86_64::{
        _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_setzero_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
        _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };

    /// Rows and columns of a block.
    pub(super) const SIDE: usize = 8;

    /// The block that `x` begins with: single values are exchanged, then pairs, then fours.
    #[target_feature(enable = "avx")]
    pub(super) fn turn(x: &[f32], stride: usize, out: &mut [f32], out_stride: usize) {
        let mut rows = [_mm256_setzero_ps(); SIDE];
        for (i, row) in rows.iter_mut().enumerate() {
            let values = &x[i * stride..][..SIDE];
            // SAFETY: the slice has as many values as the register.
            *row = unsafe { _mm256_loadu_ps(values.as_ptr()) };
        }
        let mut pairs = rows;
        for i in (0..SIDE).step_by(2) {
            pairs[i] = _mm256_unpacklo_ps(rows[i], rows[i + 1]);
            pairs[i + 1] = _mm256_unpackhi_ps(rows[i], rows[i + 1]);
        }
        let mut fours = pairs;
        for i in (0..SIDE).step_by(4) {
            fours[i] = _mm256_shuffle_ps::<0x44>(pairs[i], pairs[i + 2]);
            fours[i + 1] = _mm256_shuffle_ps::<0xee>(pairs[i], pairs[i + 2]);
            fours[i + 2] = _mm256_shuffle_ps::<0x44>(pairs[i + 1], pairs[i + 3]);
            fours[i + 3] = _mm256_shuffle_ps::<0xee>(pairs[i + 1], pairs[i + 3]);
        }
        for j in 0..SIDE / 2 {
            let (first, second) = (fours[j], fours[j + 4]);
            let columns = [
                (j, _mm256_permute2f128_ps::<0x20>(first, second)),
                (j + 4, _mm256_permute2f128_ps::<0x31>(first, second)),
            ];
            for (j, column) in columns {
                let to = &mut out[j * out_stride..][..SIDE];
                // SAFETY: the slice has as many values as the register.
                unsafe { _mm256_storeu_ps(to.as_mut_ptr(), column) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        for (rows, columns) in [(0, 3), (3, 0), (1, 5), (17, 33), (16, 16), (40, 7), (37, 50)] {
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
