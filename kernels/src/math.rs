//! Transcendental functions of a register's values: straight-line code, no table, no branch. An `f32` is a register of
//! one value, and a loop over it vectorises.
//!
//! Bounds, tested below over every exponent and many mantissas: [`exp`] within 3 ULP on its range, [`sigmoid`]
//! and [`tanh`] within 2e-7 absolute. None returns NaN for a finite or infinite input.

use crate::registers::Register;

/// `x = k ln 2 + r`, `|r| <= ln 2 / 2`: `r` and `2^k`. |x| is below 88.1.
#[inline(always)]
fn split<V: Register>(x: V) -> (V, V) {
    /// 1.5 * 2^23: adding it rounds to an integer held in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first exact in 9 bits, so that `k * LN2_HIGH` is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    let shifted = x.mul_add(x.like(std::f32::consts::LOG2_E), x.like(ROUND));
    let k = shifted.sub(x.like(ROUND));
    let r = k.mul_add(x.like(-LN2_HIGH), x);
    (k.mul_add(x.like(-LN2_LOW), r), shifted.power_of_two())
}

/// `(exp(r) - 1) / r` for `|r| <= ln 2 / 2` by the Taylor polynomial, whose remainder `r^7 / 8!` is below 2e-8.
#[inline(always)]
fn slope<V: Register>(r: V) -> V {
    let mut p = r.like(1.0 / 5040.0);
    for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0] {
        p = p.mul_add(r, r.like(coefficient));
    }
    p
}

/// Natural exponential of `x` clamped to [-87, 88].
#[inline(always)]
pub(crate) fn exp<V: Register>(x: V) -> V {
    let (r, power) = split(x.at_most(x.like(88.0)).at_least(x.like(-87.0)));
    slope(r).mul_add(r, r.like(1.0)).mul(power).keep_nan(x)
}

/// Logistic function `1 / (1 + exp(-x))`.
#[inline(always)]
pub(crate) fn sigmoid<V: Register>(x: V) -> V {
    let one = x.like(1.0);
    one.div(one.add(exp(x.like(0.0).sub(x))))
}

/// Hyperbolic tangent, `x` clamped to ±15 (where it is ±1 to the last bit, and where WGSL's own overflows).
///
/// `(exp(2x) - 1) / (exp(2x) + 1)` with `exp(2x) - 1 = 2^k (exp(r) - 1) + (2^k - 1)`, which cancels nowhere: near 0 the
/// relative precision stays.
#[inline(always)]
pub(crate) fn tanh<V: Register>(x: V) -> V {
    let bounded = x.at_most(x.like(15.0)).at_least(x.like(-15.0));
    let (r, power) = split(bounded.add(bounded));
    let numerator = power.mul_add(slope(r).mul(r), power.sub(x.like(1.0)));
    numerator.div(numerator.add(x.like(2.0))).keep_nan(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples() -> impl Iterator<Item = f32> {
        (0..1u32 << 20).map(|i| f32::from_bits(i << 12)).filter(|x| !x.is_nan())
    }

    #[test]
    fn exp_is_within_three_ulp() {
        for x in samples().filter(|x| (-87.0..=88.0).contains(x)) {
            let exact = f64::from(x).exp();
            let ulp = f64::from(f32::EPSILON) * exact;
            assert!((f64::from(exp(x)) - exact).abs() <= 3.0 * ulp, "exp({x}) = {} not {exact}", exp(x));
        }
    }

    #[test]
    fn sigmoid_and_tanh_are_within_their_bounds() {
        for x in samples() {
            let s = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid(x)) - s).abs() <= 2e-7, "sigmoid({x})");
            let t = f64::from(x).tanh();
            assert!((f64::from(tanh(x)) - t).abs() <= 2e-7, "tanh({x}) = {} not {t}", tanh(x));
        }
    }

    #[test]
    fn the_processors_registers_agree_with_the_bounds() {
        let x: Vec<f32> = samples().chain([f32::NAN, -0.0, 1.0]).collect();
        let (mut s, mut t) = (x.clone(), x.clone());
        crate::elementwise::sigmoid(&mut s);
        crate::elementwise::tanh(&mut t);
        for ((x, s), t) in x.into_iter().zip(s).zip(t) {
            if x.is_nan() {
                assert!(s.is_nan() && t.is_nan());
                continue;
            }
            let want = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(s) - want).abs() <= 2e-7, "sigmoid({x})");
            let want = f64::from(x).tanh();
            assert!((f64::from(t) - want).abs() <= 2e-7, "tanh({x}) = {t} not {want}");
            assert!(want.abs() > 1e-3 || (f64::from(t) - want).abs() <= 1e-6 * want.abs(), "tanh({x}) = {t}");
        }
    }

    #[test]
    fn nan_stays_nan_and_infinities_saturate() {
        assert!(exp(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        assert_eq!((tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(f32::NEG_INFINITY) < 1e-37);
    }
}
