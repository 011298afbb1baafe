//! The next word: every row of the encoder has a distribution over the vocabulary.

use crate::graph::Expr;
use crate::nn::{AdaptiveSoftmax, AdaptiveSoftmaxConfig, BuildError, Builder};

/// Adaptive softmax: parameters as [`AdaptiveSoftmax::new`] names them.
#[derive(Clone, Debug)]
pub struct Predict {
    /// The distribution over words.
    pub softmax: AdaptiveSoftmax,
}

impl Predict {
    pub(super) fn new(builder: &mut Builder, config: AdaptiveSoftmaxConfig) -> Result<Self, BuildError> {
        Ok(Self { softmax: AdaptiveSoftmax::new(builder, config)? })
    }

    /// Log-probabilities of the word after each row.
    pub(super) fn logits<'g>(&self, rows: Expr<'g>) -> Expr<'g> {
        self.softmax.log_softmax(rows)
    }
}
