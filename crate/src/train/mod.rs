//! Training: from labelled text to a model. Never part of the browser's inference binary.
//!
//! A run is described by a [`Config`] (a TOML file) and is a pure function of it, the data and the seed: every shuffle,
//! mask and Gumbel draw comes from counters, so a run that was interrupted goes on as if it had not been.

mod batches;
mod config;
mod corpus;
pub mod data;
mod evaluate;
mod optimizer;
mod pass;
mod run;
mod state;
mod transfer;
pub mod vectors;

pub use crate::model::{Skims, Verdict};
pub use config::{
    Config, ConfigError, DataConfig, ModelConfig, OutputConfig, Part, Schedule, SkimLoss, Spans, TrainConfig,
};
pub use corpus::{Corpus, CorpusError, Item, read_items};
pub use evaluate::{Evaluation, evaluate};
pub use optimizer::{Adam, AdamConfig, Touched};
pub use pass::pass;
pub use run::{Event, Job, Outcome, TrainError, train};
pub use state::{StateError, write_whole};
pub use transfer::{Source, TransferError, transfer};
