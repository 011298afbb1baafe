//! Heads: what a network makes of an encoder's rows, one file a task.

mod classify;
mod parse;
mod predict;
mod tag;
#[cfg(any(feature = "graph", not(feature = "web")))]
mod tree;
#[cfg(not(any(feature = "graph", not(feature = "web"))))]
#[path = "without_trees.rs"]
mod tree;

pub use classify::Classify;
pub use parse::{Parse, Read};
pub use predict::Predict;
pub use tag::Tag;
#[cfg(any(feature = "graph", not(feature = "web")))]
pub(in crate::model) use tree::Nodes;
#[cfg(any(feature = "graph", not(feature = "web")))]
pub use tree::NumberedTree;
pub use tree::TreeHead;

use super::encoder::{Dropouts, FreshOptions};
use super::{Config, Task};
use crate::device::Pool;
use crate::graph::Expr;
use crate::nn::{AdaptiveSoftmax, BuildError, Builder, LayerOutput};

/// The head of a task.
#[derive(Clone, Debug)]
pub enum Head {
    /// One label for a text.
    Classify(Classify),
    /// The next word after every word.
    Predict(Predict),
    /// One label for every word.
    Tag(Tag),
    /// A tree over the words of a sentence.
    Parse(Box<Parse>),
    /// One label for every node of a tree.
    Tree(TreeHead),
}

impl Head {
    /// Builds the head of a valid config over an encoder's rows of `width` columns, with parameters under `head.`.
    ///
    /// # Errors
    /// See [`Builder::parameter`].
    pub fn new(
        builder: &mut Builder,
        config: &Config,
        width: usize,
        dropouts: Dropouts,
        fresh: FreshOptions,
    ) -> Result<Self, BuildError> {
        builder.scope("head", |b| match &config.task {
            Task::Classify(task) => Ok(Self::Classify(Classify::new(b, task, width)?)),
            Task::Predict(task) => Ok(Self::Predict(Predict::new(b, task.softmax(config))?)),
            Task::Tag(task) => Ok(Self::Tag(Tag::new(b, task, width)?)),
            Task::Parse(task) => Ok(Self::Parse(Parse::new(b, task, width, dropouts, fresh)?.into())),
            Task::Tree(task) => Ok(Self::Tree(TreeHead::new(b, task, width)?)),
        })
    }

    /// The distribution over words of a head that predicts.
    pub fn softmax(&self) -> Option<&AdaptiveSoftmax> {
        match self {
            Self::Classify(_) | Self::Tag(_) | Self::Parse(_) | Self::Tree(_) => None,
            Self::Predict(head) => Some(&head.softmax),
        }
    }

    /// What the head has gathered after a piece of a text, given what it had gathered before: all that it needs to know
    /// of the rows so far.
    pub fn gather<'g>(&self, before: Option<Expr<'g>>, piece: &LayerOutput<'g>) -> Expr<'g> {
        match self {
            Self::Classify(head) => head.gather(before, piece.rows, piece.last),
            Self::Predict(_) | Self::Tag(_) | Self::Parse(_) | Self::Tree(_) => {
                latest(before, piece.rows, piece.last)
            }
        }
    }

    /// What the head has gathered after all of a causal encoder's rows so far.
    pub fn gather_rows<'g>(&self, rows: Expr<'g>) -> Expr<'g> {
        match self {
            Self::Classify(head) => head.gather(None, rows, rows.pool(Pool::Last)),
            Self::Predict(_) | Self::Tag(_) | Self::Parse(_) | Self::Tree(_) => rows.pool(Pool::Last),
        }
    }

    /// The logits of a text of `tokens`, given what the head has gathered from all of its pieces; `dropout` in training.
    pub fn logits<'g>(&self, gathered: Expr<'g>, tokens: usize, dropout: f32) -> Expr<'g> {
        match self {
            Self::Classify(head) => head.logits(gathered, tokens, dropout),
            Self::Predict(head) => head.logits(gathered.dropout(dropout, false)),
            Self::Tag(head) => head.logits(gathered.dropout(dropout, false)),
            Self::Parse(head) => head.tags(gathered.dropout(dropout, false)),
            Self::Tree(head) => head.logits(gathered.dropout(dropout, false)),
        }
    }

    /// The logits if the text ended after each of its rows, of a causal encoder: `rows x labels`.
    pub fn logits_at_every_row<'g>(&self, rows: Expr<'g>) -> Expr<'g> {
        match self {
            Self::Classify(head) => head.logits_at_every_row(rows),
            Self::Predict(head) => head.logits(rows),
            Self::Tag(head) => head.logits(rows),
            Self::Parse(head) => head.tags(rows),
            Self::Tree(head) => head.logits(rows),
        }
    }
}

/// The last row so far: a piece without rows changes nothing.
fn latest<'g>(before: Option<Expr<'g>>, rows: Expr<'g>, last: Expr<'g>) -> Expr<'g> {
    if rows.shape().rows == 0 { before.unwrap_or(last) } else { last }
}
