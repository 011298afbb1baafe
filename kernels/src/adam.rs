//! One step of Adam over the values of a parameter, and the average of the weights over time.
//!
//! WGSL twin: `shaders/adam.wgsl`.

use crate::vectorize::vectorize;

vectorize! {
    /// `m = b1 m + (1 - b1) g`, `v = b2 v + (1 - b2) g²`, `w = decay w - rate m / (sqrt(v) correction + eps)` with
    /// `g = scale gradient`; `settings` = [scale, b1, b2, eps, rate, correction, decay].
    pub fn step(w: &mut [f32], gradient: &[f32], m: &mut [f32], v: &mut [f32], settings: [f32; 7]) {
        let [scale, beta1, beta2, epsilon, rate, correction, decay] = settings;
        let n = w.len();
        let (gradient, m, v) = (&gradient[..n], &mut m[..n], &mut v[..n]);
        for i in 0..n {
            let g = gradient[i] * scale;
            m[i] = beta1 * m[i] + (1.0 - beta1) * g;
            v[i] = beta2 * v[i] + (1.0 - beta2) * g * g;
            w[i] = decay * w[i] - rate * m[i] / (v[i].sqrt() * correction + epsilon);
        }
    }
}

/// `average = w + (average - w) keep`.
pub fn average(average: &mut [f32], w: &[f32], keep: f32) {
    for (a, w) in average.iter_mut().zip(w) {
        *a = w + (*a - w) * keep;
    }
}
