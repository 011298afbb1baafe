//! Stochastic gradient descent with momentum: the arithmetic of `torch.optim.SGD`, but for weight decay, which is decoupled.

use crate::device::AdamStep;

/// Steps along the gradient, or along a sum of it that decays.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sgd {
    /// What is left of the sum in every step; 0 for the gradient alone.
    pub momentum: f32,
}

impl Sgd {
    /// A step of Adam whose second moment stays zero, so that it divides by epsilon, 1. PyTorch's sum of gradients is
    /// the first moment over `1 - momentum`.
    pub(super) fn step(self, rate: f32) -> AdamStep {
        AdamStep {
            beta1: self.momentum,
            beta2: 1.0,
            epsilon: 1.0,
            rate: rate / (1.0 - self.momentum),
            correction: 1.0,
            decay: 1.0,
            clip: 0.0,
        }
    }
}
