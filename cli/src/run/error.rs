//! Why a run may fail.

use std::path::PathBuf;

use saccade_rnn::model::ModelError;
use saccade_rnn::train::{self, ConfigError, TeacherError, TrainError, TransferError};

use crate::corpus::CorpusError;
use crate::files::FileError;

/// Why a run ended without a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data.
    #[error("{}{}", .0, .0.advice())]
    Corpus(#[from] CorpusError),
    /// Nothing to learn from is left.
    #[error(
        "data.hold_out: {hold_out} of {texts} texts are to be held out; without them, and those of a fold or of the test set, \
         none is left to learn from"
    )]
    HeldOut {
        /// How many were to be held out.
        hold_out: usize,
        /// How many texts to learn from were read.
        texts: usize,
    },
    /// The model to start from.
    #[error("{}: {source}", .path.display())]
    Init {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TransferError,
    },
    /// The model to learn from.
    #[error("{}: {source}", .path.display())]
    Teacher {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TeacherError,
    },
    /// The model that makes trees.
    #[error("{}: {source}", .path.display())]
    Parser {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ModelError,
    },
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A file, in the midst of the run, whose state is kept.
    #[error("{source}; once that is mended, `--resume` goes on from {}", .state.display())]
    Broken {
        /// What was refused.
        source: FileError,
        /// The file of the state.
        state: PathBuf,
    },
    /// A file, in the midst of the run, whose state cannot be kept either.
    #[error("{source}; nor can the state of the run be written to {}", .state.display())]
    Lost {
        /// What was refused.
        source: FileError,
        /// The file of the state.
        state: PathBuf,
    },
    /// Two runs would write over each other's models.
    #[error("{}: another run writes to this file; name another with `--out`", .0.display())]
    Busy(PathBuf),
    /// A state file is none.
    #[error("{}: {source}", .path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TrainError,
    },
    /// A run that is to begin would write over the state of another.
    #[error("an interrupted run is kept in {}: go on with `--resume`, or remove it", .0.display())]
    Interrupted(PathBuf),
    /// There is no state file.
    #[error("there is no interrupted run to go on with: {} does not exist", .0.display())]
    NothingToResume(PathBuf),
    /// A state file is another run's.
    #[error(
        "{}: it belongs to a run with another config, other texts, or another --threads or --device; remove it, or go on \
         with that run",
        .0.display()
    )]
    OtherRun(PathBuf),
    /// The model that an evaluation has kept is no model any more.
    #[error("the model that this run has kept, {}: {source}", .path.display())]
    Kept {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ModelError,
    },
    /// Another model lies where an evaluation has kept one.
    #[error("{}: a model of another run lies here, where this run had kept its own", .0.display())]
    OtherModel(PathBuf),
    /// A loss or a gradient is no number, and an evaluation has kept a model.
    #[error("{source}; the last good model is kept in {}", .kept.display())]
    NotFinite {
        /// What is no number, and when.
        source: TrainError,
        /// The model file, as the evaluation has written it.
        kept: PathBuf,
    },
    /// Anything else that stops the trainer.
    #[error(transparent)]
    Train(TrainError),
}

impl RunError {
    /// For [`Result::map_err`] on preparing a run on so many texts to learn from, of which so many are to be held out.
    pub(super) fn preparing(hold_out: usize, texts: usize) -> impl FnOnce(TrainError) -> Self {
        move |error| match error {
            TrainError::Corpus(train::CorpusError::Empty("training")) if hold_out > 0 && texts > 0 => {
                Self::HeldOut { hold_out, texts }
            }
            error => Self::Train(error),
        }
    }
}
