//! Elman network (Elman 1990; PyTorch `nn.RNN`).
//!
//! ```text
//! h_t = g(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)        g = tanh or ReLU
//! ```

use super::{BuildError, Builder, Recurrent, RecurrentConfig};
use crate::device::CellKind;

impl Recurrent {
    /// An Elman network; `relu` chooses g. FLOPs a token, layer and direction: `2 h (in + h)`.
    ///
    /// ```
    /// use saccade_rnn::device::Device;
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// use saccade_rnn::nn::{Builder, Recurrent, RecurrentConfig};
    /// # pollster::block_on(async {
    /// let mut builder = Builder::fresh(0);
    /// let layer = Recurrent::elman(&mut builder, RecurrentConfig::new(3, 2), true)?;
    /// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
    /// let x = graph.input(4, 3, vec![0.5; 12]);
    /// let rows = layer.forward(x, None).rows.value().await?;
    /// assert_eq!(rows.len(), 4 * 2);
    /// assert!(rows.iter().all(|&h| h >= 0.0), "a ReLU is never negative");
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`Recurrent::new`].
    pub fn elman(builder: &mut Builder, config: RecurrentConfig, relu: bool) -> Result<Self, BuildError> {
        Self::new(builder, if relu { CellKind::ElmanRelu } else { CellKind::ElmanTanh }, config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Flops;

    #[test]
    fn flops_are_those_counted_by_hand() {
        let config = RecurrentConfig::new(3, 2);
        let layer = Recurrent::elman(&mut Builder::fresh(0), config, true).unwrap();
        // W_ih 2 x 3 and W_hh 2 x 2: 10 multiply-adds a token.
        assert_eq!(layer.flops(5), Flops::fixed(2 * 5 * 10));
        assert_eq!(layer.flops(0), Flops::fixed(0));
    }
}
