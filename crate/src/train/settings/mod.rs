//! A run as its config says it, by task: what to make of the texts, the network, and how to learn. Where texts come from is
//! for whoever reads them, so a command line's config and a page's are one type.

mod classify;
mod predict;
mod tag;

use serde::Serialize;

pub use classify::{ClassifyConfig, LabelName, LabelledData, LabelledNetwork};
pub use predict::{PredictConfig, PredictNetwork, PredictTask, RunningData};
pub use tag::{CharacterSizes, TagConfig, TagOptions, TagTask, TaggedData, TaggedNetwork};

use super::config::{ConfigError, RunConfig, check_number};
use super::{Objective, Texts};
use crate::model::{self, Cell, LayerConfig, Model};
use crate::text::Tokenizer;

/// What a config of any task says to the trainer.
pub trait Settings: Serialize {
    /// The task.
    type Task: Objective;

    /// Checks ranges that the types do not.
    ///
    /// # Errors
    /// The first field that is wrong.
    fn validate(&self) -> Result<(), ConfigError>;

    /// What the trainer is to be told.
    fn run(&self) -> RunConfig;

    /// The task to learn.
    ///
    /// # Errors
    /// If its options contradict each other.
    fn objective(&self) -> Result<Self::Task, ConfigError>;
}

/// Where texts of a set come from, as a config says it.
pub trait Part: Serialize {
    /// Checks ranges that the types do not, and that the tokenizer suits the texts.
    ///
    /// # Errors
    /// The first field that is wrong.
    fn validate(&self, _tokenizer: &Tokenizer) -> Result<(), ConfigError> {
        Ok(())
    }
}

/// An untrained model and the texts of its run.
#[derive(Debug)]
pub struct Prepared<O: Objective> {
    /// Untrained.
    pub model: Model,
    /// To learn from, choose by and report on.
    pub texts: Texts<O::Item>,
}

/// What a model's file says of its run before that has figures.
pub fn record(command: Option<&str>, seed: u32, data_set: &str, licence: Option<&String>) -> model::Training {
    model::Training {
        command: command.map(str::to_owned),
        seed: Some(u64::from(seed)),
        data_set: Some(data_set.to_owned()),
        licence: licence.cloned(),
        ..model::Training::default()
    }
}

/// Checks that biases are given for layers that have them.
///
/// # Errors
/// If one could have no effect, or is no finite number.
pub fn check_biases(encoder: &[LayerConfig], forget: f32, highway: f32) -> Result<(), ConfigError> {
    let has = |is: fn(&LayerConfig) -> bool| encoder.iter().any(is);
    let forgets =
        has(|layer| matches!(layer, LayerConfig::Lstm { .. } | LayerConfig::Skim { cell: Cell::Lstm, .. }));
    let finite = "a finite number, 0 without an LSTM";
    check_number("model.forget_bias", forget == 0.0 || forgets && forget.is_finite(), finite, forget)?;
    let passes = has(|layer| matches!(layer, LayerConfig::Sru(_)));
    let finite = "a finite number, 0 without an SRU";
    check_number("model.highway_bias", highway == 0.0 || passes && highway.is_finite(), finite, highway)
}

/// Serde's default for a count.
fn one() -> u64 {
    1
}
