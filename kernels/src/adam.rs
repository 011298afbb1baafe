//! One step of Adam over the values of a parameter, and the average of the weights over time.
//!
//! WGSL twin: `shaders/adam.wgsl`.

use crate::math::flush;
use crate::vectorize::vectorize;

vectorize! {
    /// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g²`, `w = decay w - rate m / (sqrt(v) correction + eps)` with
    /// `g = scale gradient`; `settings` = [scale, b1, b2, eps, rate, correction, decay]. Moments of a weight without a
    /// gradient decay to zero, not to denormal numbers; v, which is divided by, as late as can be.
    pub fn step(w: &mut [f32], gradient: &[f32], m: &mut [f32], v: &mut [f32], settings: [f32; 7]) {
        let [scale, beta1, beta2, epsilon, rate, correction, decay] = settings;
        let n = w.len();
        let (gradient, m, v) = (&gradient[..n], &mut m[..n], &mut v[..n]);
        for i in 0..n {
            let g = gradient[i] * scale;
            m[i] = flush(beta1 * m[i] + (1.0 - beta1) * g);
            let square = beta2 * v[i] + (1.0 - beta2) * g * g;
            v[i] = if square < f32::MIN_POSITIVE { 0.0 } else { square };
            w[i] = decay * w[i] - rate * m[i] / (v[i].sqrt() * correction + epsilon);
        }
    }
}

vectorize! {
    /// `w = decay w - rate scale gradient`, and the gradient zero: [`step`] of moments that are not kept, gradient descent.
    /// It has no WGSL twin: the GPU runs [`step`].
    /// `settings` = [scale, rate, decay].
    pub fn descend(w: &mut [f32], gradient: &mut [f32], settings: [f32; 3]) {
        let [scale, rate, decay] = settings;
        for (w, g) in w.iter_mut().zip(gradient) {
            *w = decay * *w - rate * flush(*g * scale);
            *g = 0.0;
        }
    }
}

/// `average = w + (average - w) keep`.
pub fn average(average: &mut [f32], w: &[f32], keep: f32) {
    for (a, w) in average.iter_mut().zip(w) {
        *a = w + (*a - w) * keep;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descent_is_a_step_of_adam_without_moments() {
        let start: Vec<f32> = (0..37).map(|i| (i as f32).sin()).collect();
        let mut gradient: Vec<f32> = (0..37).map(|i| (i as f32 * 0.3).cos()).collect();
        let (mut expected, mut w) = (start.clone(), start);
        step(&mut expected, &gradient, &mut [0.0; 37], &mut [0.0; 37], [0.5, 0.0, 1.0, 1.0, 0.1, 1.0, 0.9]);
        descend(&mut w, &mut gradient, [0.5, 0.1, 0.9]);
        assert_eq!((w, gradient), (expected, vec![0.0; 37]));
    }

    #[test]
    fn moments_without_a_gradient_decay_to_zero() {
        let settings = [1.0, 0.9, 0.999, 1e-8, 1e-3, 1.0, 1.0];
        let (mut w, mut m, mut v) = ([1.0; 3], [0.0; 3], [0.0; 3]);
        step(&mut w, &[1e-3, -1.0, 0.0], &mut m, &mut v, settings);
        for _ in 0..100_000 {
            step(&mut w, &[0.0; 3], &mut m, &mut v, settings);
            assert!(m.iter().chain(&v).all(|x| !x.is_subnormal()), "{m:?} {v:?}");
        }
        assert_eq!((m, v), ([0.0; 3], [0.0; 3]));
    }
}
