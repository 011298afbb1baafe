//! Adam (Kingma & Ba 2015) as PyTorch computes it.

use crate::device::AdamStep;

/// Moments of the gradient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
}

impl Default for Adam {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Adam {
    /// PyTorch's form: bias corrections in the step size and in the denominator.
    pub(super) fn step(self, step: u64, rate: f32) -> AdamStep {
        let Self { beta1, beta2, epsilon } = self;
        let correction1 = 1.0 - f64::from(beta1).powf(step as f64);
        let correction2 = 1.0 - f64::from(beta2).powf(step as f64);
        AdamStep {
            beta1,
            beta2,
            epsilon,
            rate: (f64::from(rate) / correction1) as f32,
            correction: (1.0 / correction2.sqrt()) as f32,
            decay: 1.0,
            clip: 0.0,
        }
    }
}
