//! Long short-term memory (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000; PyTorch `nn.LSTM`).
//!
//! ```text
//! i_t = sigmoid(W_ii x_t + b_ii + W_hi h_{t-1} + b_hi)
//! f_t = sigmoid(W_if x_t + b_if + W_hf h_{t-1} + b_hf)
//! g_t = tanh   (W_ig x_t + b_ig + W_hg h_{t-1} + b_hg)
//! o_t = sigmoid(W_io x_t + b_io + W_ho h_{t-1} + b_ho)
//! c_t = f_t ⊙ c_{t-1} + i_t ⊙ g_t                      h_t = o_t ⊙ tanh(c_t)
//! ```
//! The four blocks lie in this order (i, f, g, o) in `weight_ih`, `weight_hh` and the biases.

use super::{BuildError, Builder, Recurrent, RecurrentConfig};
use crate::device::CellKind;

impl Recurrent {
    /// An LSTM. `forget_bias` is added to fresh biases of the forget gate (1 helps long texts: Jozefowicz et al.
    /// 2015). FLOPs a token, layer and direction: `8 h (in + h)`.
    ///
    /// Step by step, each from the h and c of the one before ([`Recurrent::step`]):
    ///
    /// ```
    /// use saccade_rnn::device::Device;
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// use saccade_rnn::nn::{Builder, Recurrent, RecurrentConfig};
    /// # pollster::block_on(async {
    /// let mut builder = Builder::fresh(0);
    /// let lstm = Recurrent::lstm(&mut builder, RecurrentConfig::new(3, 4), 1.0)?;
    /// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
    /// let x = graph.input(2, 3, vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
    /// let first = lstm.step(x.rows(&[0]), None);
    /// let second = lstm.step(x.rows(&[1]), Some(&first.states));
    /// // The same as both at once.
    /// let both = lstm.forward(x, None);
    /// assert_eq!(second.states.h[0].value().await?, both.states.h[0].value().await?);
    /// assert_eq!(second.states.c[0].value().await?, both.states.c[0].value().await?);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`Recurrent::new`].
    pub fn lstm(
        builder: &mut Builder,
        config: RecurrentConfig,
        forget_bias: f32,
    ) -> Result<Self, BuildError> {
        let lstm = Self::new(builder, CellKind::Lstm, config)?;
        for bias in lstm.input_biases() {
            builder.adjust_fresh(bias, |values| {
                values[config.hidden_size..2 * config.hidden_size].iter_mut().for_each(|b| *b += forget_bias);
            });
        }
        Ok(lstm)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::Flops;

    #[test]
    fn flops_are_those_counted_by_hand() {
        let config = RecurrentConfig::new(3, 2);
        let layer = Recurrent::lstm(&mut Builder::fresh(0), config, 1.0).unwrap();
        // W_ih 8 x 3 and W_hh 8 x 2: 40 multiply-adds a token.
        assert_eq!(layer.flops(5), Flops::fixed(2 * 5 * 40));
    }

    #[test]
    fn flops_of_two_layers_in_both_directions() {
        let config = RecurrentConfig { num_layers: 2, bidirectional: true, ..RecurrentConfig::new(3, 2) };
        let layer = Recurrent::lstm(&mut Builder::fresh(0), config, 1.0).unwrap();
        // Each direction: 8 x 3 + 8 x 2 = 40, above it (over both directions' 4 columns) 8 x 4 + 8 x 2 = 48.
        assert_eq!(layer.flops(5), Flops::fixed(2 * 5 * 2 * (40 + 48)));
    }
    #[test]
    fn flops_count_projections() {
        let config = RecurrentConfig { num_layers: 2, proj_size: 1, ..RecurrentConfig::new(3, 2) };
        let layer = Recurrent::lstm(&mut Builder::fresh(0), config, 1.0).unwrap();
        // 8 x 3 + 8 x 2 and a projection of 1 x 2, above it 8 x 1 + 8 x 2 and another.
        assert_eq!(layer.flops(5), Flops::fixed(2 * 5 * (42 + 26)));
        for config in [RecurrentConfig { proj_size: 2, ..config }, RecurrentConfig { proj_size: 3, ..config }]
        {
            assert!(Recurrent::lstm(&mut Builder::fresh(0), config, 1.0).is_err());
        }
        assert!(Recurrent::gru(&mut Builder::fresh(0), config).is_err());
    }
}
