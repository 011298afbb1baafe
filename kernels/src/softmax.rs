//! Softmax, its logarithm and the cross entropy, row by row.
//!
//! WGSL twins: `shaders/softmax.wgsl` and `shaders/softmax_backward.wgsl`.

use crate::BufferPool;
use crate::math::exp_down;
use crate::registers::{Register, for_stretches, load_parts, with_registers};

/// A row is summed in so many parts, column `j` in part `j % PARTS`, whatever the registers' width.
pub(crate) const PARTS: usize = 16;

/// Rows of up to so many columns share a register, one each.
const NARROW: usize = 4;

/// Calls `$body` with every stretch of [`PARTS`] columns, the last filled up with `$fill`, a register at a time: `$part` is
/// the register's number in the stretch, `$value` its values.
///
/// A macro for the reason that [`for_stretches`] is one.
macro_rules! for_parts {
    ($V:ty, $row:expr, $fill:expr, |$part:ident, $value:ident| $body:block) => {
        let (whole, rest) = $row.as_chunks::<PARTS>();
        let mut last = [$fill; PARTS];
        last[..rest.len()].copy_from_slice(rest);
        let filled = if rest.is_empty() { &[][..] } else { std::slice::from_ref(&last) };
        for stretch in whole.iter().chain(filled) {
            for $part in 0..PARTS / <$V>::WIDTH {
                // SAFETY: the caller's function is compiled for the register's instructions, and a stretch has the values.
                let $value = unsafe { <$V>::load(stretch.as_ptr().add($part * <$V>::WIDTH)) };
                $body
            }
        }
    };
}

/// The values of all parts.
///
/// # Safety
/// The processor has the instructions of the register.
#[inline(always)]
unsafe fn spread<V: Register>(parts: &[V; PARTS]) -> [f32; PARTS] {
    let mut values = [0.0; PARTS];
    for (part, to) in parts.iter().zip(values.chunks_exact_mut(V::WIDTH)) {
        part.store_part(to);
    }
    values
}

/// The largest value of a row.
///
/// # Safety
/// The processor has the instructions of the register.
#[inline(always)]
pub(crate) unsafe fn largest<V: Register>(row: &[f32]) -> f32 {
    if row.len() < PARTS {
        return row.iter().copied().fold(f32::MIN, f32::max);
    }
    // SAFETY: the caller's promise.
    let mut most = [unsafe { V::splat(f32::MIN) }; PARTS];
    for_parts!(V, row, f32::MIN, |part, value| {
        most[part] = most[part].at_least(value);
    });
    // SAFETY: the caller's promise.
    unsafe { spread(&most) }.into_iter().fold(f32::MIN, f32::max)
}

/// `Σ exp(x - most)` of a row of which no value is larger than `most`.
///
/// # Safety
/// The processor has the instructions of the register.
#[inline(always)]
pub(crate) unsafe fn sum_of_exp<V: Register>(row: &[f32], most: f32) -> f32 {
    if row.len() < PARTS {
        return row.iter().map(|x| exp_down(x - most)).sum();
    }
    // SAFETY: the caller's promise.
    let (mut sums, most) = unsafe { ([V::splat(0.0); PARTS], V::splat(most)) };
    for_parts!(V, row, f32::NEG_INFINITY, |part, value| {
        sums[part] = sums[part].add(exp_down(value.sub(most)));
    });
    // SAFETY: the caller's promise.
    unsafe { spread(&sums) }.into_iter().sum()
}

/// Replaces as many rows as the register has values, of up to [`NARROW`] columns, by their softmax: a register holds a column.
///
/// # Safety
/// The processor has the instructions of the register.
#[inline(always)]
unsafe fn narrow_softmax<V: Register>(rows: &mut [f32], columns: usize) {
    let mut transposed = [[0.0; PARTS]; NARROW];
    for (n, row) in rows.chunks_exact(columns).enumerate() {
        row.iter().zip(&mut transposed).for_each(|(&value, column)| column[n] = value);
    }
    // SAFETY: the caller's promise; a column has at least as many values as a register.
    let (mut most, mut sum) = unsafe { (V::splat(f32::MIN), V::splat(0.0)) };
    let mut values = transposed.map(|column| unsafe { V::load(column.as_ptr()) });
    values[..columns].iter().for_each(|&value| most = most.at_least(value));
    for value in &mut values[..columns] {
        *value = exp_down(value.sub(most));
        sum = sum.add(*value);
    }
    for (value, column) in values.into_iter().zip(&mut transposed).take(columns) {
        value.div(sum).store_part(&mut column[..V::WIDTH]);
    }
    for (n, row) in rows.chunks_exact_mut(columns).enumerate() {
        row.iter_mut().zip(&transposed).for_each(|(value, column)| *value = column[n]);
    }
}

/// `Σ x` of a row.
///
/// # Safety
/// The processor has the instructions of the register.
#[inline(always)]
unsafe fn total<V: Register>(row: &[f32]) -> f32 {
    // SAFETY: the caller's promise.
    let mut sums = [unsafe { V::splat(0.0) }; PARTS];
    for_parts!(V, row, 0.0, |part, value| {
        sums[part] = sums[part].add(value);
    });
    // SAFETY: the caller's promise.
    unsafe { spread(&sums) }.into_iter().sum()
}

/// `Σ a b` of two rows.
///
/// # Safety
/// The processor has the instructions of the register.
#[inline(always)]
unsafe fn inner<V: Register>(a: &[f32], b: &[f32]) -> f32 {
    // SAFETY: the caller's promise.
    let mut sum = unsafe { V::splat(0.0) };
    for_stretches!(V, a.len(), j => {
        // SAFETY: the caller's promise.
        let [a, b] = unsafe { load_parts::<V, 2>([a, b], &j) };
        sum = a.mul_add(b, sum);
    });
    let mut values = [0.0; PARTS];
    sum.store_part(&mut values[..V::WIDTH]);
    values.into_iter().sum()
}

with_registers! {
    /// Replaces each row of `columns` values by its log-softmax.
    pub fn log_softmax<V>(rows: &mut [f32], columns: usize) {
        for row in rows.chunks_exact_mut(columns.max(1)) {
            // SAFETY: the body is compiled for the register's instructions.
            let (most, log_sum) = unsafe {
                let most = largest::<V>(row);
                (V::splat(most), V::splat(sum_of_exp::<V>(row, most).ln()))
            };
            for_stretches!(V, row.len(), j => {
                // In this order small differences of large values stay exact.
                // SAFETY: the body is compiled for the register's instructions.
                unsafe { V::load_part(&row[j.clone()]) }.sub(most).sub(log_sum).store_part(&mut row[j]);
            });
        }
    }
}

with_registers! {
    /// Replaces each row of `columns` values by its softmax.
    pub fn softmax<V>(rows: &mut [f32], columns: usize) {
        let columns = columns.max(1);
        let block = V::WIDTH * columns;
        let narrow = if columns <= NARROW { rows.len() / block * block } else { 0 };
        let (narrow, rows) = rows.split_at_mut(narrow);
        for block in narrow.chunks_exact_mut(block) {
            // SAFETY: the body is compiled for the register's instructions.
            unsafe { narrow_softmax::<V>(block, columns) };
        }
        if columns <= NARROW {
            // What is left of a block goes the same way, so that a row's bits do not depend on how many there are.
            let mut last = [0.0; PARTS * NARROW];
            last[..rows.len()].copy_from_slice(rows);
            // SAFETY: the body is compiled for the register's instructions.
            unsafe { narrow_softmax::<V>(&mut last[..block], columns) };
            rows.copy_from_slice(&last[..rows.len()]);
            return;
        }
        for row in rows.chunks_exact_mut(columns) {
            // SAFETY: the body is compiled for the register's instructions.
            let (most, sum) = unsafe {
                let most = largest::<V>(row);
                (V::splat(most), V::splat(sum_of_exp::<V>(row, most)))
            };
            for_stretches!(V, row.len(), j => {
                // SAFETY: the body is compiled for the register's instructions.
                let value = unsafe { V::load_part(&row[j.clone()]) };
                exp_down(value.sub(most)).div(sum).store_part(&mut row[j]);
            });
        }
    }
}

with_registers! {
    /// Gradient through `y = softmax(x)`: `d = y ⊙ (d - Σ d ⊙ y)`.
    fn through_softmax<V>(d: &mut [f32], y: &[f32], columns: usize) {
        for (d, y) in d.chunks_exact_mut(columns.max(1)).zip(y.chunks_exact(columns.max(1))) {
            // SAFETY: the body is compiled for the register's instructions.
            let inner = unsafe { V::splat(inner::<V>(d, y)) };
            for_stretches!(V, d.len(), j => {
                // SAFETY: the body is compiled for the register's instructions.
                let [of, y] = unsafe { load_parts::<V, 2>([&*d, y], &j) };
                y.mul(of.sub(inner)).store_part(&mut d[j]);
            });
        }
    }
}

with_registers! {
    /// Gradient through `y = log_softmax(x)`: `d = d - exp(y) Σ d`.
    fn through_log_softmax<V>(d: &mut [f32], y: &[f32], columns: usize) {
        for (d, y) in d.chunks_exact_mut(columns.max(1)).zip(y.chunks_exact(columns.max(1))) {
            // SAFETY: the body is compiled for the register's instructions.
            let sum = unsafe { V::splat(total::<V>(d)) };
            for_stretches!(V, d.len(), j => {
                // SAFETY: the body is compiled for the register's instructions.
                let [of, y] = unsafe { load_parts::<V, 2>([&*d, y], &j) };
                of.sub(exp_down(y).mul(sum)).store_part(&mut d[j]);
            });
        }
    }
}

with_registers! {
    /// Replaces logarithms, none above `most`, by `exp(power (x - most))`; `power` counts as between 1e-30 and 1e30, so that
    /// what is infinitely less than the largest is 0, and the largest is 1.
    pub fn weights<V>(x: &mut [f32], most: f32, power: f32) {
        // SAFETY: the body is compiled for the register's instructions.
        let (most, power) = unsafe { (V::splat(most), V::splat(power.clamp(1e-30, 1e30))) };
        for_stretches!(V, x.len(), j => {
            // SAFETY: the body is compiled for the register's instructions.
            let value = unsafe { V::load_part(&x[j.clone()]) };
            exp_down(value.sub(most).mul(power)).store_part(&mut x[j]);
        });
    }
}

/// Adds a number to all values; whether all are numbers then. Not inlined where code is compiled to be small: several at a time.
#[inline(never)]
pub fn shift(x: &mut [f32], by: f32) -> bool {
    let mut is_none = false;
    for value in x {
        *value += by;
        is_none |= value.is_nan();
    }
    !is_none
}

/// Whether any value is larger than this one. Not inlined, as [`shift`].
#[inline(never)]
pub fn any_above(x: &[f32], bound: f32) -> bool {
    x.iter().fold(false, |any, &value| any | (value > bound))
}

with_registers! {
    /// The largest value of each row, and the logarithm of the sum of `exp(x - most)`.
    fn normalize<V>(rows: &[f32], columns: usize, normalizers: &mut [[f32; 2]]) {
        for (row, normalizer) in rows.chunks_exact(columns.max(1)).zip(normalizers) {
            // SAFETY: the body is compiled for the register's instructions.
            let most = unsafe { largest::<V>(row) };
            // SAFETY: the same.
            *normalizer = [most, unsafe { sum_of_exp::<V>(row, most) }.ln()];
        }
    }
}

with_registers! {
    /// The probabilities of each row of logits, times a factor.
    fn probabilities<V>(
        out: &mut [f32],
        logits: &[f32],
        columns: usize,
        normalizers: &[[f32; 2]],
        factors: &[f32],
    ) {
        let columns = columns.max(1);
        let rows = out.chunks_exact_mut(columns).zip(logits.chunks_exact(columns));
        for ((out, row), (&[most, log_sum], &factor)) in rows.zip(normalizers.iter().zip(factors)) {
            // SAFETY: the body is compiled for the register's instructions.
            let (most, log_sum, factor) = unsafe { (V::splat(most), V::splat(log_sum), V::splat(factor)) };
            for_stretches!(V, row.len(), j => {
                // In this order small differences of large values stay exact.
                // SAFETY: the body is compiled for the register's instructions.
                let log_p = unsafe { V::load_part(&row[j.clone()]) }.sub(most).sub(log_sum);
                exp_down(log_p).mul(factor).store_part(&mut out[j]);
            });
        }
    }
}

/// Gradient through `y = softmax(x)`: `dx = y ⊙ (dy - Σ dy ⊙ y)`.
pub fn softmax_backward(buffers: &BufferPool, y: &[f32], dy: &[f32], columns: usize) -> Vec<f32> {
    let mut dx = buffers.copy(dy);
    through_softmax(&mut dx, y, columns);
    dx
}

/// Gradient through `y = log_softmax(x)`: `dx = dy - exp(y) Σ dy`.
pub fn log_softmax_backward(buffers: &BufferPool, y: &[f32], dy: &[f32], columns: usize) -> Vec<f32> {
    let mut dx = buffers.copy(dy);
    through_log_softmax(&mut dx, y, columns);
    dx
}

/// `-log p[target]` of each row, and two numbers a row for [`cross_entropy_backward`]; targets are below `columns`.
pub fn cross_entropy(logits: &[f32], columns: usize, targets: &[u32]) -> (Vec<f32>, Vec<f32>) {
    let mut normalizers = vec![[0.0; 2]; targets.len()];
    normalize(logits, columns, &mut normalizers);
    let of = |(row, (&target, [most, log_sum])): (usize, (&u32, &[f32; 2]))| {
        log_sum - (logits[row * columns + target as usize] - most)
    };
    let losses = targets.iter().zip(&normalizers).enumerate().map(of).collect();
    (losses, normalizers.into_flattened())
}

/// Gradient of the logits: `(p - onehot(target)) * d_loss`.
pub fn cross_entropy_backward(
    buffers: &BufferPool,
    logits: &[f32],
    columns: usize,
    targets: &[u32],
    normalizers: &[f32],
    d_loss: &[f32],
) -> Vec<f32> {
    let mut dx = buffers.take(logits.len());
    probabilities(&mut dx, logits, columns, normalizers.as_chunks().0, d_loss);
    for ((row, &target), d) in dx.chunks_exact_mut(columns.max(1)).zip(targets).zip(d_loss) {
        row[target as usize] -= d;
    }
    dx
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Softmax in f64, from the definition.
    fn reference(row: &[f32]) -> Vec<f64> {
        let most = row.iter().copied().fold(f32::MIN, f32::max);
        let exps: Vec<f64> = row.iter().map(|x| (f64::from(*x) - f64::from(most)).exp()).collect();
        let sum: f64 = exps.iter().sum();
        exps.into_iter().map(|x| x / sum).collect()
    }

    #[test]
    fn rows_that_share_a_register_do_not_mix() {
        for columns in 1..=NARROW + 2 {
            for rows in 0..=40 {
                let mut values: Vec<f32> =
                    (0..rows * columns).map(|n| ((n * 2_654_435_761) % 4001) as f32 / 50.0 - 40.0).collect();
                for (n, value) in values.iter_mut().enumerate() {
                    match n / columns {
                        3 => *value = f32::NAN,
                        5 if n % columns > 0 => *value = f32::NEG_INFINITY,
                        _ => {}
                    }
                }
                let mut y = values.clone();
                softmax(&mut y, columns);
                for (alone, together) in values.chunks(columns).zip(y.chunks(columns)) {
                    let mut alone = alone.to_vec();
                    softmax(&mut alone, columns);
                    let bits = |row: &[f32]| row.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
                    assert!(
                        together[0].is_nan() || bits(&alone) == bits(together),
                        "{alone:?} not {together:?}"
                    );
                }
                for (n, (x, y)) in values.chunks(columns).zip(y.chunks(columns)).enumerate() {
                    for (y, expected) in y.iter().zip(reference(x)) {
                        let (y, bound) = (f64::from(*y), 1e-5 * expected + 1e-36);
                        assert!(
                            (y - expected).abs() <= bound || n == 3 && y.is_nan(),
                            "{rows} x {columns}, row {n}: {y} not {expected}"
                        );
                    }
                }
            }
        }
    }
}
