//! Products of rows and a matrix in two semirings, by which scores of paths add up: in the logarithmic one sums of products are
//! `ln Σ exp(x + w)`, in max-plus they are `max (x + w)`.
//!
//! WGSL twins: `shaders/semiring.wgsl` and `shaders/semiring_backward.wgsl`.

use crate::BufferPool;
use crate::math::exp_down;
use crate::registers::{for_stretches, with_registers};

/// What takes the place of sums in a product; sums take that of its multiplications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Semiring {
    /// `y_j = ln Σ_i exp(x_i + w_ij)`, without overflow.
    Log,
    /// `y_j = max_i (x_i + w_ij)`, and the first `i` that has it.
    Max,
}

/// `rows x columns` of rows as long as the matrix has rows; for the maximum the rows of the matrix too, as numbers. The matrix
/// has a row and a column.
pub fn forward(
    buffers: &BufferPool,
    semiring: Semiring,
    x: &[f32],
    weight: &[f32],
    columns: usize,
) -> Vec<Vec<f32>> {
    let size = x.len() / (weight.len() / columns) * columns;
    let mut out = buffers.take(size);
    match semiring {
        Semiring::Log => {
            log_product(&mut out, x, weight, columns);
            vec![out]
        }
        Semiring::Max => {
            let mut places = buffers.take(size);
            max_product(&mut out, &mut places, x, weight, columns);
            vec![out, places]
        }
    }
}

with_registers! {
    /// `ln Σ_i exp(x_i + w_ij)`.
    fn log_product<V>(out: &mut [f32], x: &[f32], weight: &[f32], columns: usize) {
        let inputs = weight.len() / columns;
        for (out, x) in out.chunks_exact_mut(columns).zip(x.chunks_exact(inputs)) {
            for_stretches!(V, columns, j => {
                // SAFETY: the body is compiled for the register's instructions.
                let term = |i: usize| unsafe {
                    V::splat(x[i]).add(V::load_part(&weight[i * columns + j.start..i * columns + j.end]))
                };
                // SAFETY: the body is compiled for the register's instructions.
                let (mut most, mut sum) = unsafe { (V::splat(f32::MIN), V::splat(0.0)) };
                for i in 0..inputs {
                    most = most.at_least(term(i));
                }
                for i in 0..inputs {
                    sum = sum.add(exp_down(term(i).sub(most)));
                }
                most.store_part(&mut out[j.clone()]);
                let mut sums = [0.0; 16];
                sum.store_part(&mut sums[..j.len()]);
                for (out, sum) in out[j].iter_mut().zip(sums) {
                    // Infinity less infinity is no number.
                    if *out < f32::INFINITY {
                        *out += sum.ln();
                    }
                }
            });
        }
    }
}

/// `max_i (x_i + w_ij)` and where it is; NaN is greater than all numbers.
fn max_product(out: &mut [f32], places: &mut [f32], x: &[f32], weight: &[f32], columns: usize) {
    let inputs = weight.len() / columns;
    let outputs = out.chunks_exact_mut(columns).zip(places.chunks_exact_mut(columns));
    for ((out, places), x) in outputs.zip(x.chunks_exact(inputs)) {
        for (i, (x, row)) in x.iter().zip(weight.chunks_exact(columns)).enumerate() {
            for ((out, place), w) in out.iter_mut().zip(&mut *places).zip(row) {
                let score = x + w;
                if i == 0 || score > *out || score.is_nan() && !out.is_nan() {
                    (*out, *place) = (score, i as f32);
                }
            }
        }
    }
}

/// The gradient of the rows, from the outputs of [`forward`] and the gradient of the first; that of the matrix is added to
/// `weight_gradient`.
#[allow(clippy::too_many_arguments, reason = "kernels take every operand as a plain slice")]
pub fn backward(
    buffers: &BufferPool,
    semiring: Semiring,
    x: &[f32],
    weight: &[f32],
    columns: usize,
    outputs: &[&[f32]],
    dy: &[f32],
    weight_gradient: &mut [f32],
) -> Vec<f32> {
    match semiring {
        Semiring::Log => {
            let mut dx = buffers.take(x.len());
            through_log_product(&mut dx, x, weight, columns, outputs[0], dy, weight_gradient);
            dx
        }
        Semiring::Max => {
            let mut dx = buffers.zeros(x.len());
            let rows = dy.chunks_exact(columns).zip(outputs[1].chunks_exact(columns));
            for (dx, (dy, places)) in dx.chunks_exact_mut(weight.len() / columns).zip(rows) {
                for (j, (d, place)) in dy.iter().zip(places).enumerate() {
                    let i = *place as usize;
                    dx[i] += d;
                    weight_gradient[i * columns + j] += d;
                }
            }
            dx
        }
    }
}

with_registers! {
    /// Each `x_i + w_ij` has the gradient `dy_j exp(x_i + w_ij - y_j)`. A sum of nothing, minus infinity, counts as the least
    /// number: less itself it were no number, and its terms have the gradient 0.
    fn through_log_product<V>(
        dx: &mut [f32],
        x: &[f32],
        weight: &[f32],
        columns: usize,
        y: &[f32],
        dy: &[f32],
        weight_gradient: &mut [f32],
    ) {
        let inputs = weight.len() / columns;
        let mut terms = vec![0.0; columns];
        let rows = x.chunks_exact(inputs).zip(y.chunks_exact(columns).zip(dy.chunks_exact(columns)));
        for (dx, (x, (y, dy))) in dx.chunks_exact_mut(inputs).zip(rows) {
            for (i, (dx, x)) in dx.iter_mut().zip(x).enumerate() {
                let row = i * columns..(i + 1) * columns;
                let (weight, sums) = (&weight[row.clone()], &mut weight_gradient[row]);
                for_stretches!(V, columns, j => {
                    // SAFETY: the body is compiled for the register's instructions.
                    let [x, w, y, d, sum] = unsafe {[
                        V::splat(*x), V::load_part(&weight[j.clone()]), V::load_part(&y[j.clone()]),
                        V::load_part(&dy[j.clone()]), V::load_part(&sums[j.clone()]),
                    ]};
                    let y = y.at_least(y.like(&f32::MIN)).keep_nan(y);
                    let term = exp_down(x.add(w).sub(y)).mul(d);
                    term.store_part(&mut terms[j.clone()]);
                    sum.add(term).store_part(&mut sums[j]);
                });
                *dx = terms.iter().sum();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outputs for one row and a matrix of so many columns.
    fn of_row(semiring: Semiring, x: &[f32], weight: &[f32], columns: usize) -> Vec<f32> {
        forward(&BufferPool::default(), semiring, x, weight, columns).concat()
    }

    #[test]
    fn a_product_of_ones_counts_paths() {
        let sums = of_row(Semiring::Log, &[0.0, 0.0], &[0.0; 40], 20);
        assert!(sums.iter().all(|sum| (sum - 2f32.ln()).abs() < 1e-6), "{sums:?}");
        assert_eq!(of_row(Semiring::Log, &[1000.0, 1000.0], &[1.0, 1.0], 1), [1001.0 + 2f32.ln()]);
        assert_eq!(of_row(Semiring::Log, &[f32::NEG_INFINITY; 2], &[1.0, 2.0], 1), [f32::NEG_INFINITY]);
        assert_eq!(of_row(Semiring::Log, &[f32::INFINITY, 0.0], &[1.0, 2.0], 1), [f32::INFINITY]);
        assert!(of_row(Semiring::Log, &[f32::NAN, 0.0], &[1.0, 2.0], 1)[0].is_nan());
    }

    #[test]
    fn a_sum_of_nothing_has_the_gradient_zero() {
        const NO: f32 = f32::NEG_INFINITY;
        // No way to the first column, one to the second, NaN on that to the third.
        let (weight, y) = ([NO, 1.0, f32::NAN, NO, NO, 0.0], [NO, 4.0, f32::NAN]);
        let mut by_weight = [0.0; 6];
        let pool = BufferPool::default();
        let dx = backward(&pool, Semiring::Log, &[3.0, NO], &weight, 3, &[&y], &[2.0; 3], &mut by_weight);
        assert!(dx.iter().all(|d| d.is_nan()), "{dx:?}");
        assert_eq!([by_weight[0], by_weight[1], by_weight[3], by_weight[4]], [0.0, 2.0, 0.0, 0.0]);
        assert!(by_weight[2].is_nan() && by_weight[5].is_nan(), "{by_weight:?}");
    }

    #[test]
    fn the_first_of_equal_ways_counts() {
        assert_eq!(
            of_row(Semiring::Max, &[1.0, 3.0, 2.0], &[2.0, 0.0, 0.0, 5.0, 1.0, 5.0], 2),
            [3.0, 8.0, 0.0, 1.0]
        );
        let nan = of_row(Semiring::Max, &[5.0, f32::NAN, f32::NAN], &[0.0; 3], 1);
        assert!(nan[0].is_nan() && nan[1] == 1.0, "{nan:?}");
    }

    #[test]
    fn no_rows_have_no_products() {
        for semiring in [Semiring::Log, Semiring::Max] {
            assert!(of_row(semiring, &[], &[1.0, 2.0], 2).is_empty());
        }
    }
}
