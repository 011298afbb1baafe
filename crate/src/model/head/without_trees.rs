//! A build without cells: there is no head of trees.

use super::super::TreeLabels;
use crate::graph::Expr;
use crate::nn::{BuildError, Builder};

/// A head of trees, of which there is none.
#[derive(Clone, Debug)]
pub enum TreeHead {}

impl TreeHead {
    /// Never called, since there is no such task ([`Elsewhere`](super::super::Elsewhere)).
    pub(super) fn new(_: &mut Builder, _: &TreeLabels, _: usize) -> Result<Self, BuildError> {
        Err(BuildError::size("trees", "none in this build", "some"))
    }

    pub(super) fn logits<'g>(&self, _: Expr<'g>) -> Expr<'g> {
        match *self {}
    }
}
