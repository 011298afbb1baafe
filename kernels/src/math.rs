//! Transcendental functions of a register's values: straight-line code, no table, no branch. An `f32` is a register of
//! one value, and a loop over it vectorises.
//!
//! Bounds, tested below over every exponent and many mantissas: [`sigmoid`] and [`tanh`] within 2e-7 absolute,
//! [`exp_down`] within 3e-7 of itself. None returns NaN for a finite or infinite input. `exp` is taken apart as `exp(k ln 2 + r) = 2^k exp(r)`, `|r| <= ln 2 / 2`.
//! One rounded ln 2 suffices: where the error of its multiples counts in exp, that is far from 1.
//!
//! WGSL twin: `shaders/shared/math.wgsl`.

use crate::registers::{Register, for_stretches, with_registers};

/// 1.5 * 2^23 + 127: adding it rounds to an integer held in the low bits of the mantissa, ready to be an exponent.
const ROUND: f32 = 12_583_039.0;

/// Coefficients of `(exp(r) - 1 - r) / r^2` for `|r| <= ln 2 / 2` from the lowest, such that exp's relative error is below
/// 4e-9 everywhere: least squares, weighted again and again by the error.
const BEND: [f32; 5] = [0.499_999_94, 0.166_665_21, 0.041_668_39, 0.008_368_745, 0.001_381_454];

/// [`BEND`] for the polynomial in `r / by`, which is `(exp(r) - 1 - r) / (r / by)^2`.
const fn bend_of(by: f32) -> [f32; 5] {
    let (mut bend, mut factor, mut i) = (BEND, by * by, 0);
    while i < bend.len() {
        bend[i] *= factor;
        factor *= by;
        i += 1;
    }
    bend
}

/// A polynomial, coefficients from the lowest.
#[inline(always)]
fn polynomial<V: Register, const N: usize>(x: V, coefficients: &'static [f32; N]) -> V {
    let mut sum = x.like(&coefficients[N - 1]);
    for coefficient in coefficients[..N - 1].iter().rev() {
        sum = sum.mul_add(x, x.like(coefficient));
    }
    sum
}

/// The integer k nearest to `x times`, and `2^k`.
#[inline(always)]
fn power<V: Register>(x: V, times: &'static f32) -> (V, V) {
    let shifted = x.mul_add(x.like(times), x.like(&ROUND));
    (shifted.sub(x.like(&ROUND)), shifted.power_of_two())
}

/// Below this [`exp_down`] is 0: its lowest power of two is 2^-125.
const LOWEST: f32 = -86.0;

/// `exp(x)` for `x <= 0`, exactly 1 at 0, and 0 from -86 downwards rather than a number that is slow to calculate with.
#[inline(always)]
pub(crate) fn exp_down<V: Register>(x: V) -> V {
    let bounded = x.at_least(x.like(&LOWEST));
    exp_above_lowest(bounded).sub(exp_above_lowest(x.like(&LOWEST))).keep_nan(x)
}

/// `exp(x)` for `x` between [`LOWEST`] and 0. The multiples of the larger part of ln 2 are exact.
#[inline(always)]
fn exp_above_lowest<V: Register>(x: V) -> V {
    let one = x.like(&1.0);
    let (k, power) = power(x, &std::f32::consts::LOG2_E);
    let r = k.mul_add(x.like(&-0.693_359_4), x);
    let r = k.mul_add(x.like(&2.121_944_4e-4), r);
    let slope = polynomial(r, const { &bend_of(1.0) }).mul_add(r, one);
    power.mul(slope.mul_add(r, one))
}

/// Zero where the magnitude is below 2^-63, 1.1e-19: for what is handed from step to step, states and their gradients.
///
/// What decays, as states do in silence and padding, would otherwise become a denormal number, with which some processors
/// take 35 to 70 times as long, and which rounding keeps from ever reaching zero. The product of two values that are
/// flushed, or of one and a [`gate`], is a normal number. Next to the 1e-5 within which implementations agree, what is
/// flushed is nothing. Time loops flush every [`FLUSHED`] steps.
#[inline(always)]
pub(crate) fn flush<V: Register>(x: V) -> V {
    // The two bits of the exponent that a magnitude of 2^-63 and more has one of, infinities and NaN among them.
    x.zero_without(x.like(const { &f32::from_bits(0x6000_0000) }))
}

/// Steps of a sequence from one [`flush`] of its state to the next, since flushing at every step takes up to a fiftieth
/// of the time. What loses at most four binary orders a step does not come from 2^-63 to the denormal numbers, below 2^-126,
/// before the next flush; what loses more has passed all of them, down to 2^-149, in five steps. A decay therefore makes
/// no more steps slow than that.
pub(crate) const FLUSHED: usize = 16;

/// Whether the state is flushed after step `t` of `steps`, counted from 0: also after the last, which the next call may go
/// on from.
pub(crate) fn is_flushed(t: usize, steps: usize) -> bool {
    (t + 1).is_multiple_of(FLUSHED) || t + 1 == steps
}

with_registers! {
    /// [`flush`] of every value.
    pub(crate) fn flush_all<V>(values: &mut [f32]) {
        for_stretches!(V, values.len(), j => {
            // SAFETY: the body is compiled for the register's instructions.
            flush(unsafe { V::load_part(&values[j.clone()]) }).store_part(&mut values[j]);
        });
    }
}

/// Logistic function, `x` clamped to ±87, so that no result is a denormal number.
#[inline(always)]
pub(crate) fn sigmoid<V: Register>(x: V) -> V {
    x.like(&1.0).div(one_and_exp(x, &-87.0))
}

/// [`sigmoid`] of a gate, at least 2^-63 (`x` clamped to [-43.5, 87]), so that what a closed gate lets through is no
/// denormal number either: see [`flush`].
#[inline(always)]
pub(crate) fn gate<V: Register>(x: V) -> V {
    x.like(&1.0).div(gate_divisor(x))
}

/// `1 + exp(-x)`, whose reciprocal is [`gate`]: a product with it is one division less.
#[inline(always)]
pub(crate) fn gate_divisor<V: Register>(x: V) -> V {
    one_and_exp(x, &-43.5)
}

/// `1 + exp(-x)`, `x` clamped from `least` to 87.
#[inline(always)]
fn one_and_exp<V: Register>(x: V, least: &'static f32) -> V {
    let one = x.like(&1.0);
    let bounded = x.at_most(x.like(&87.0)).at_least(x.like(least));
    let (k, power) = power(bounded, &(-std::f32::consts::LOG2_E));
    // -x = k ln 2 - r.
    let r = k.mul_add(x.like(&std::f32::consts::LN_2), bounded);
    let slope = polynomial(r, const { &bend_of(-1.0) }).mul_add(r, r.like(&(-1.0)));
    power.mul_add(slope.mul_add(r, one), one).keep_nan(x)
}

/// Hyperbolic tangent, `x` clamped to ±15 (where it is ±1 to the last bit, and where WGSL's own overflows).
#[inline(always)]
pub(crate) fn tanh<V: Register>(x: V) -> V {
    let (numerator, denominator) = tanh_fraction(x);
    numerator.div(denominator)
}

/// Numerator and denominator of [`tanh`]: `(exp(2x) - 1) / (exp(2x) + 1)` with `exp(2x) - 1 = 2^k (exp(2r) - 1) + (2^k - 1)`, which cancels nowhere: near 0 the
/// relative precision stays.
#[inline(always)]
pub(crate) fn tanh_fraction<V: Register>(x: V) -> (V, V) {
    let bounded = x.at_most(x.like(&15.0)).at_least(x.like(&(-15.0)));
    let (k, power) = power(bounded, &(2.0 * std::f32::consts::LOG2_E));
    let r = k.mul_add(x.like(&(-0.5 * std::f32::consts::LN_2)), bounded);
    let slope = polynomial(r, const { &bend_of(2.0) }).mul_add(r, r.like(&2.0));
    let numerator = power.mul_add(slope.mul(r), power.sub(x.like(&1.0)));
    (numerator, numerator.add(x.like(&2.0)).keep_nan(x))
}

/// `max(x, 0)`; NaN stays NaN.
#[inline(always)]
pub(crate) fn relu<V: Register>(x: V) -> V {
    x.at_least(x.like(&0.0)).keep_nan(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registers::Common;

    fn samples() -> impl Iterator<Item = f32> {
        (0..1u32 << 20).map(|i| f32::from_bits(i << 12)).filter(|x| !x.is_nan())
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
    fn exp_down_is_within_its_bound() {
        for x in samples().filter(|&x| x <= 0.0) {
            let (e, expected) = (f64::from(exp_down(x)), f64::from(x).exp());
            // What it is less by at its lower end.
            assert!((e - expected).abs() <= 3e-7 * expected + 1e-37, "exp({x}) = {e} not {expected}");
        }
        assert_eq!((exp_down(0.0f32), exp_down(-0.0f32)), (1.0, 1.0));
        assert_eq!((exp_down(-86.0f32), exp_down(-1e30f32), exp_down(f32::NEG_INFINITY)), (0.0, 0.0, 0.0));
        assert!(exp_down(f32::NAN).is_nan());
    }

    #[test]
    fn the_processors_registers_agree_with_the_bounds() {
        let x: Vec<f32> = samples().chain([f32::NAN, -0.0, 1.0]).collect();
        let (mut s, mut t, mut r) = (x.clone(), x.clone(), x.clone());
        crate::elementwise::relu(&mut r);
        assert!(x.iter().zip(r).all(|(x, r)| if x.is_nan() { r.is_nan() } else { r == x.max(0.0) }));
        crate::elementwise::sigmoid(&mut s);
        crate::elementwise::tanh(&mut t);
        x.iter().zip(s).zip(t).for_each(|((&x, s), t)| agree(x, s, t));
        // Where there are wider ones, the functions above take those.
        for x in x.chunks(Common::WIDTH) {
            let (mut s, mut t) = ([0.0; 16], [0.0; 16]);
            // SAFETY: every processor has these registers.
            let register = unsafe { Common::load_part(x) };
            sigmoid(register).store_part(&mut s[..x.len()]);
            tanh(register).store_part(&mut t[..x.len()]);
            x.iter().zip(s).zip(t).for_each(|((&x, s), t)| agree(x, s, t));
        }
    }

    fn agree(x: f32, sigmoid: f32, tanh: f32) {
        if x.is_nan() {
            assert!(sigmoid.is_nan() && tanh.is_nan());
            return;
        }
        let want = 1.0 / (1.0 + (-f64::from(x)).exp());
        assert!((f64::from(sigmoid) - want).abs() <= 2e-7, "sigmoid({x})");
        let want = f64::from(x).tanh();
        let error = (f64::from(tanh) - want).abs();
        assert!(error <= 2e-7, "tanh({x}) = {tanh} not {want}");
        assert!(want.abs() > 1e-3 || error <= 1e-6 * want.abs(), "tanh({x}) = {tanh}");
    }

    #[test]
    fn nan_stays_nan_and_infinities_saturate() {
        assert!(sigmoid(f32::NAN).is_nan() && tanh(f32::NAN).is_nan());
        assert_eq!((tanh(f32::INFINITY), tanh(f32::NEG_INFINITY)), (1.0, -1.0));
        assert_eq!(sigmoid(f32::INFINITY), 1.0);
        assert!(sigmoid(f32::NEG_INFINITY) < 1e-37 && sigmoid(f32::NEG_INFINITY).is_normal());
        assert!((2.0f32.powi(-63)..2e-19).contains(&gate(f32::NEG_INFINITY)) && gate(f32::NAN).is_nan());
    }

    #[test]
    fn what_is_below_the_bound_is_flushed_and_nothing_else() {
        let least = 2.0f32.powi(-63);
        let kept = [f32::NAN, f32::INFINITY, f32::MAX, 1.0, least, f32::from_bits(least.to_bits() + 1)];
        let flushed = [f32::from_bits(least.to_bits() - 1), 1e-30, f32::MIN_POSITIVE, 1e-45, 0.0];
        let all: Vec<f32> = [&kept[..], &flushed].concat().into_iter().flat_map(|x| [x, -x]).collect();
        let expected: Vec<u32> = all.iter().map(|x| if x.abs() < least { 0 } else { x.to_bits() }).collect();
        let mut found = all.clone();
        flush_all(&mut found);
        assert_eq!(found.iter().map(|x| x.to_bits()).collect::<Vec<_>>(), expected);
        assert_eq!(all.iter().map(|&x| flush(x).to_bits()).collect::<Vec<_>>(), expected);
        for (x, expected) in all.chunks(Common::WIDTH).zip(expected.chunks(Common::WIDTH)) {
            let mut out = [1.0; 16];
            // SAFETY: every processor has these registers.
            flush(unsafe { Common::load_part(x) }).store_part(&mut out[..x.len()]);
            assert!(out.iter().zip(expected).all(|(x, bits)| x.to_bits() == *bits), "{x:?}: {out:?}");
        }
    }
}
