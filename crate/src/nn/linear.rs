//! Linear: `y = x Wᵀ + b`.

use super::{BuildError, Builder, Init};
use crate::device::ParamId;
use crate::graph::Expr;

/// An affine map, `weight [out, in]`, `bias [out]` (PyTorch `nn.Linear`).
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    weight: ParamId,
    bias: ParamId,
}

impl Linear {
    /// Drawn as PyTorch does: uniform in ±1/sqrt(in).
    ///
    /// # Errors
    /// See [`Builder::parameter`].
    pub fn new(builder: &mut Builder, inputs: usize, outputs: usize) -> Result<Self, BuildError> {
        let init = Init::Uniform(1.0 / (inputs.max(1) as f32).sqrt());
        let weight = builder.parameter("weight", &[outputs, inputs], init)?;
        let bias = builder.parameter("bias", &[outputs], init)?;
        Ok(Self { weight, bias })
    }

    /// `rows x out`.
    pub fn forward<'g>(&self, x: Expr<'g>) -> Expr<'g> {
        x.affine(self.weight, Some(self.bias))
    }
}
