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

    /// The last row so far: a piece without rows changes nothing.
    pub(super) fn gather<'g>(&self, before: Option<Expr<'g>>, rows: Expr<'g>, last: Expr<'g>) -> Expr<'g> {
        if rows.shape().rows == 0 { before.unwrap_or(last) } else { last }
    }

    /// Log-probabilities of the word after each row.
    pub(super) fn logits<'g>(&self, rows: Expr<'g>) -> Expr<'g> {
        self.softmax.log_softmax(rows)
    }
}
