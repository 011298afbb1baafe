//! Gated recurrent unit (Cho et al. 2014, in the form of cuDNN and PyTorch `nn.GRU`: the reset gate multiplies the
//! recurrent product, not the state).
//!
//! ```text
//! r_t = sigmoid(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)
//! z_t = sigmoid(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
//! n_t = tanh   (W_in x_t + b_in + r_t ⊙ (W_hn h_{t-1} + b_hn))
//! h_t = (1 - z_t) ⊙ n_t + z_t ⊙ h_{t-1}
//! ```

use super::{BuildError, Builder, Recurrent, RecurrentConfig};
use crate::device::CellKind;

impl Recurrent {
    /// A GRU. FLOPs a token, layer and direction: `6 h (in + h)`.
    ///
    /// A loop that chooses its next input by its state, step by step ([`Recurrent::step`]):
    ///
    /// ```
    /// use saccade_rnn::device::Device;
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// use saccade_rnn::nn::{Builder, Init, Recurrent, RecurrentConfig};
    /// # pollster::block_on(async {
    /// let mut builder = Builder::fresh(0);
    /// let words = builder.parameter("words", &[5, 5], Init::Uniform(1.0))?;
    /// let gru = Recurrent::gru(&mut builder, RecurrentConfig::new(5, 5))?;
    /// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
    /// let (mut word, mut states) = (0, None);
    /// for _ in 0..3 {
    ///     let out = gru.step(graph.embedding(words, &[word]), states.as_ref());
    ///     let (_, best) = out.rows.max_columns();
    ///     word = best.value().await?[0] as u32;
    ///     states = Some(out.states);
    /// }
    /// assert!(word < 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`Recurrent::new`].
    pub fn gru(builder: &mut Builder, config: RecurrentConfig) -> Result<Self, BuildError> {
        Self::new(builder, CellKind::Gru, config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Flops;

    #[test]
    fn flops_are_those_counted_by_hand() {
        let layer = Recurrent::gru(&mut Builder::fresh(0), RecurrentConfig::new(3, 2)).unwrap();
        // W_ih 6 x 3 and W_hh 6 x 2: 30 multiply-adds a token.
        assert_eq!(layer.flops(5), Flops::fixed(2 * 5 * 30));
    }
}
