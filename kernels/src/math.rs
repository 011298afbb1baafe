//! Transcendental functions written so that a loop over them vectorises: straight-line code, no table, no branch.
//!
//! Bounds, tested below over every exponent and many mantissas: [`exp`] within 3 ULP on its range, [`sigmoid`]
//! and [`tanh`] within 2e-7 absolute. None returns NaN for a finite or infinite input.

/// Natural exponential of `x` clamped to [-87, 88].
///
/// `x = k ln 2 + r` with `|r| <= ln 2 / 2`; `exp(r)` by its Taylor polynomial of degree 7, whose remainder
/// `r^8 / 8!` is below 6e-9, a tenth of an ULP; the power of two is added to the exponent's bits.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// 1.5 * 2^23: adding it rounds to an integer held in the low bits of the mantissa.
    const ROUND: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first exact in 9 bits, so that `k * LN2_HIGH` is exact.
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // Comparisons rather than `clamp`, so that NaN stays NaN and the loop has no branch.
    let x = if x > 88.0 { 88.0 } else { x };
    let x = if x < -87.0 { -87.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let k = shifted - ROUND;
    let r = (x - k * LN2_HIGH) - k * LN2_LOW;
    let mut p = 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    f32::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 23))
}

/// Logistic function `1 / (1 + exp(-x))`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Hyperbolic tangent, `x` clamped to ±15 (where it is ±1 to the last bit, and where WGSL's own overflows).
///
/// Below 0.25 the odd Taylor polynomial of degree 9 keeps the relative precision that `1 - 2 / (exp(2x) + 1)`
/// would cancel away.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let x = if x > 15.0 { 15.0 } else { x };
    let x = if x < -15.0 { -15.0 } else { x };
    let wide = 1.0 - 2.0 / (exp(2.0 * x) + 1.0);
    let s = x * x;
    let mut p = 62.0 / 2835.0;
    p = p * s - 17.0 / 315.0;
    p = p * s + 2.0 / 15.0;
    p = p * s - 1.0 / 3.0;
    let narrow = x + x * s * p;
    if s < 0.0625 { narrow } else { wide }
}

/// `log(1 + exp(x))` without overflow.
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
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
    fn nan_stays_nan_and_infinities_saturate() {
        assert!(exp(f32::NAN).is_nan() && sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        assert_eq!((tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(f32::NEG_INFINITY) < 1e-37);
    }
}
