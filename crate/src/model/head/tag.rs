//! One label for every word: every row of the encoder becomes scores of labels.

use super::super::Tagging;
use super::super::config::CRF;
use crate::graph::Expr;
use crate::nn::{BuildError, Builder, Crf, Linear};

/// Linear map: parameters `weight [labels, width]`, `bias [labels]`; and what scores the tags of a sentence together, if anything
/// does: `crf.…`.
#[derive(Clone, Debug)]
pub struct Tag {
    linear: Linear,
    crf: Option<Crf>,
}

impl Tag {
    pub(super) fn new(builder: &mut Builder, task: &Tagging, width: usize) -> Result<Self, BuildError> {
        let labels = task.labels.len();
        let linear = Linear::new(builder, width, labels)?;
        let crf = (CRF && task.crf).then(|| builder.scope("crf", |b| Crf::new(b, labels)));
        Ok(Self { linear, crf: crf.transpose()? })
    }

    /// `rows x labels`.
    pub(super) fn logits<'g>(&self, rows: Expr<'g>) -> Expr<'g> {
        self.linear.forward(rows)
    }

    /// What scores the tags of a sentence together.
    pub fn crf(&self) -> Option<Crf> {
        // The compiler leaves out what is done with none.
        if CRF { self.crf } else { None }
    }
}
