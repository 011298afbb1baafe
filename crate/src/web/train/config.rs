//! The settings of a run as JSON: those of the command line's TOML, but for where texts come from.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::super::error::Failure;
use crate::text::Tokenizer;
use crate::train::{
    ClassifyConfig, ConfigError, Part, PredictConfig, Set, Settings, TagConfig, check_lines, check_share,
};

/// The settings of any task that a page can train.
pub(super) enum AnyConfig {
    Classify(ClassifyConfig<Apart>),
    Predict(PredictConfig<Share>),
    Tag(TagConfig<Beside>),
}

/// Labelled texts are given beside the config: it can name none.
#[derive(Deserialize, Serialize)]
pub(super) enum Apart {}

impl Part for Apart {}

/// Tagged texts are given beside the config, which has an empty object in their place: null would be none.
#[derive(Deserialize, Serialize)]
pub(super) struct Beside {}

impl Part for Beside {}

/// A part of the running text that is given beside the config.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Share {
    /// Of which text.
    pub(super) of: Of,
    pub(super) format: Layout,
    /// Where it begins, as a share of the bytes.
    pub(super) from: f64,
    /// Where it ends.
    pub(super) to: f64,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Of {
    Train,
    Dev,
    Test,
}

impl From<Of> for Set {
    fn from(of: Of) -> Self {
        match of {
            Of::Train => Self::Train,
            Of::Dev => Self::Dev,
            Of::Test => Self::Test,
        }
    }
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Layout {
    /// A document, hard-wrapped or not.
    Text,
    /// One sentence a line.
    Lines,
}

impl Part for Share {
    fn validate(&self, tokenizer: &Tokenizer) -> Result<(), ConfigError> {
        check_share(self.from, self.to)?;
        match self.format {
            Layout::Text => Ok(()),
            Layout::Lines => check_lines(tokenizer),
        }
    }
}

impl AnyConfig {
    /// Reads a config, which has a `task` unless it is one of a classifier.
    pub(super) fn parse(json: &str) -> Result<Self, Failure> {
        #[derive(Deserialize)]
        struct Named {
            task: Option<Task>,
        }
        #[derive(Deserialize)]
        struct Task {
            tag: Option<IgnoredAny>,
        }
        let named: Named = serde_json::from_str(json).map_err(Failure::option)?;
        let config = match named.task {
            None => Self::Classify(serde_json::from_str(json).map_err(Failure::option)?),
            Some(Task { tag: None }) => Self::Predict(serde_json::from_str(json).map_err(Failure::option)?),
            Some(_) => Self::Tag(serde_json::from_str(json).map_err(Failure::option)?),
        };
        let (valid, train) = match &config {
            Self::Classify(config) => (config.validate(), &config.train),
            Self::Predict(config) => (config.validate(), &config.train),
            Self::Tag(config) => (config.validate(), &config.train),
        };
        valid?;
        if train.distill.is_some() {
            return Err(Failure::option("train.distill: a page has no file of a teacher"));
        }
        Ok(config)
    }
}
