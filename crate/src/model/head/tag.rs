//! One label for every word: every row of the encoder becomes logits.

use super::super::Tagging;
use crate::graph::Expr;
use crate::nn::{BuildError, Builder, Linear};

/// Linear map: parameters `weight [labels, width]`, `bias [labels]`.
#[derive(Clone, Debug)]
pub struct Tag {
    linear: Linear,
}

impl Tag {
    pub(super) fn new(builder: &mut Builder, task: &Tagging, width: usize) -> Result<Self, BuildError> {
        Ok(Self { linear: Linear::new(builder, width, task.labels.len())? })
    }

    /// `rows x labels`.
    pub(super) fn logits<'g>(&self, rows: Expr<'g>) -> Expr<'g> {
        self.linear.forward(rows)
    }
}
