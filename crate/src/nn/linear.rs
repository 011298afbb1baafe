//! Linear: `y = x Wᵀ + b`.

use super::{BuildError, Builder, Init};
use crate::device::ParamId;
use crate::graph::Expr;

/// An affine map, `weight [out, in]`, `bias [out]` (PyTorch `nn.Linear`).
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{Builder, Linear, Tensor};
/// # pollster::block_on(async {
/// let weight = Tensor { shape: vec![1, 2], values: vec![2.0, -1.0] };
/// let bias = Tensor { shape: vec![1], values: vec![0.5] };
/// let mut builder = Builder::stored([("weight".to_string(), weight), ("bias".to_string(), bias)].into());
/// let linear = Linear::new(&mut builder, 2, 1)?;
/// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
/// let x = graph.input(2, 2, vec![1.0, 1.0, 3.0, 0.0]);
/// assert_eq!(linear.forward(x).value().await?, [1.5, 6.5]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Linear {
    weight: ParamId,
    bias: ParamId,
}

impl Linear {
    /// Draws weight and bias like PyTorch: uniform in ±1/sqrt(in).
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
