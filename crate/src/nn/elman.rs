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
    /// # Errors
    /// See [`Recurrent::new`].
    pub fn elman(builder: &mut Builder, config: RecurrentConfig, relu: bool) -> Result<Self, BuildError> {
        Self::new(builder, if relu { CellKind::ElmanRelu } else { CellKind::ElmanTanh }, config)
    }
}
