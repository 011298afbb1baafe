//! The config of a classifier: one label for a text.

use serde::{Deserialize, Serialize};

use super::{ModelError, check_distinct};

/// One label for a text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Classification {
    /// The names of the classes in the order of the scores, each once.
    pub labels: Vec<String>,
    /// The labels as the data set writes them, in the same order; empty where they are those of `labels`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_labels: Vec<String>,
    /// How a sequence of states becomes one.
    pub pool: Pool,
}

impl Classification {
    pub(super) fn validate(&self) -> Result<(), ModelError> {
        if self.labels.is_empty() {
            return Err(ModelError::config("labels", "at least one label", "none"));
        }
        check_distinct("labels", &self.labels)?;
        if !self.data_labels.is_empty() && self.data_labels.len() != self.labels.len() {
            let (expected, found) = (self.labels.len().to_string(), self.data_labels.len().to_string());
            return Err(ModelError::config("the number of data_labels", expected, found));
        }
        check_distinct("data_labels", &self.data_labels)
    }
}

/// How a sequence of states becomes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pool {
    /// The state after the last word read, of each direction.
    Last,
    /// The mean over the words.
    Mean,
    /// The largest value over the words, feature by feature.
    Max,
}
