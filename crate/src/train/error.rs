//! What may go wrong in a run.

use super::config::ConfigError;
use super::corpus::CorpusError;
use crate::device::{EngineError, number};
use crate::model::ModelError;

/// Why a run cannot begin or go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The texts.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// Nothing to learn from or choose by.
    #[error("there is no {0} text")]
    NoTexts(&'static str),
    /// Texts too short for a batch.
    #[error("the training texts have fewer words to learn from than train.batch, which is {batch}")]
    FewWords {
        /// Texts, or lanes of a text, a step.
        batch: usize,
    },
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The loss, of a batch or of the development texts, or a gradient is no number.
    #[error("the {what} is {} at step {step} (epoch {epoch}); a lower learning_rate or clip may help", number(*value))]
    NotFinite {
        /// `loss`, `gradient norm` or `development loss`.
        what: &'static str,
        /// Its value.
        value: f32,
        /// Optimiser step.
        step: u64,
        /// Epoch.
        epoch: usize,
    },
    /// A snapshot was taken of another run.
    #[error("the snapshot is of another run")]
    OtherRun,
    /// An order or an answer of [`Trainer::step_helped`](super::Trainer::step_helped) was given to another run.
    #[error("what another worker sent is of another run")]
    OtherWorker,
}
