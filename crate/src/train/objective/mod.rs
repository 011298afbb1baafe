//! What a task asks of the training loop, which knows no task.

mod classify;
mod parse;
mod predict;
mod tag;
mod tree;

use std::future::Future;
use std::hash::Hash;

use crate::device::{Device, EngineError};
use crate::graph::{Expr, Graph};
use crate::model::Model;
pub use classify::{Classify, Item};
pub use parse::{Parse, ParseScore, ParsedBatch, ParsedText};
pub use predict::{Pieces, Predict, PredictionScore, Reset};
pub use tag::{Tag, TagScore, TaggedText};
pub use tree::{Polarity, Tree, TreeScore, TreeText};

/// What the batch before left: of its part with a number, some rows; none of a number that it had not.
pub type Before<'b, 'g> = dyn Fn(usize) -> Vec<Expr<'g>> + 'b;

/// A task as it is learned: what a batch is, which losses it records, what is scored.
///
/// What one batch hands to the next, [`Losses::states`], the training loop keeps and gives back; [`Classify`] hands on nothing.
pub trait Objective: Sync {
    /// A text, as word ids, and what is to be said of it.
    type Item: Hash;
    /// What one step learns from.
    type Batch: Sync;
    /// The figures of a model.
    type Score;
    /// The names of [`Losses::parts`], also of those that not every batch has.
    const LOSSES: &'static [&'static str];

    /// The batches of an epoch, about `size` texts each: a pure function of the texts, the seed and the epoch.
    fn batches(&self, texts: &[Self::Item], size: usize, seed: u32, epoch: usize) -> Vec<Self::Batch>;

    /// The words that a batch reads, in any order: only their vectors have a gradient.
    fn words(&self, batch: &Self::Batch) -> impl Iterator<Item = u32>;

    /// A batch as at most `most` batches in a row, of about the same work.
    fn split(&self, batch: &Self::Batch, most: usize) -> Vec<Self::Batch>;

    /// How many texts, words or nodes the losses of a batch are the mean of: what each part of a batch weighs.
    fn weight(&self, batch: &Self::Batch) -> usize;

    /// Records the losses of a batch on a graph that trains; it may go on from what the one `before` left.
    fn losses<'g>(
        &self,
        model: &Model,
        graph: &'g Graph,
        batch: &Self::Batch,
        before: &Before<'_, 'g>,
        skimming: Skimming,
    ) -> Losses<'g>;

    /// Scores a model on texts. `go_on` hears how many texts are done, or how many words where a text may be long, and
    /// stops the scoring by returning false; the score is then `None`.
    fn score(
        &self,
        model: &Model,
        device: &Device,
        texts: &[Self::Item],
        go_on: impl FnMut(usize) -> bool,
    ) -> impl Future<Output = Result<Option<Self::Score>, EngineError>>;

    /// What models are chosen by: the first number decides, among equals the next. Greater is better.
    fn rank(&self, score: &Self::Score) -> [f64; 3];

    /// Adds the figures worth keeping to a model's record, under names that begin with `set`.
    fn record(&self, score: &Self::Score, set: &str, model: &mut Model);
}

/// How a step learns to skim; of no effect where nothing skims.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Skimming {
    /// The weight of the loss of skimming.
    pub weight: f32,
    /// tau.
    pub temperature: f32,
}

/// The losses of a batch.
pub struct Losses<'g> {
    /// What the optimiser makes smaller.
    pub total: Expr<'g>,
    /// What it is made of, by name, the task's own loss first.
    pub parts: Vec<(&'static str, Expr<'g>)>,
    /// What the next batch begins with: of every part of this one, some rows.
    pub states: Vec<Vec<Expr<'g>>>,
}
