//! Errors of training as JavaScript has them.

use super::super::error::Failure;
use crate::train::{ConfigError, CorpusError, TrainError, TransferError};

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::option(error)
    }
}

impl From<CorpusError> for Failure {
    fn from(error: CorpusError) -> Self {
        Self::new("TRAINING_DATA", error)
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Model(error) => error.into(),
            TransferError::Engine(error) => error.into(),
            TransferError::Nothing(_) => Self::option(format_args!("from: {error}")),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Config(error) => error.into(),
            TrainError::Corpus(error) => error.into(),
            TrainError::NoTexts(_) | TrainError::FewWords { .. } => Self::new("TRAINING_DATA", error),
            TrainError::Model(error) => error.into(),
            TrainError::Engine(error) => error.into(),
            TrainError::NotFinite { .. } => Self::new("TRAINING_DIVERGED", error),
            TrainError::OtherRun | TrainError::OtherWorker => Self::new("TRAINING_STATE", error),
        }
    }
}
