//! The config of a tree classifier: one label for every node of a tree over the words of a text.

use serde::{Deserialize, Serialize};

use super::{Config, LARGEST_SIZE, ModelError, check_distinct, check_range};

/// One label for every node of a tree: `{"tree": {"labels": ["negative", …], "cell": "binary", "hidden_size": 150}}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TreeLabels {
    /// The names of the classes in the order of the scores, each once.
    pub labels: Vec<String>,
    /// The labels as the data set writes them, in the same order; empty where they are those of `labels`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data_labels: Vec<String>,
    /// What makes a node's state of its children's.
    pub cell: TreeCell,
    /// The width of the state.
    pub hidden_size: usize,
}

/// What makes a node's state of its children's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TreeCell {
    /// A Tree-LSTM of a left and a right child (`nn::BinaryTreeLstm`): nodes are words, and what two nodes make together.
    Binary,
    /// A Tree-LSTM of any number of children (`nn::ChildSumTreeLstm`): nodes are words, and children those that depend on them.
    ChildSum,
}

impl TreeLabels {
    /// The labels as the data set writes them.
    pub fn data_labels(&self) -> &[String] {
        if self.data_labels.is_empty() { &self.labels } else { &self.data_labels }
    }

    pub(super) fn validate(&self, config: &Config) -> Result<(), ModelError> {
        if self.labels.is_empty() {
            return Err(ModelError::config("labels", "at least one label", "none"));
        }
        check_distinct("labels", &self.labels)?;
        if !self.data_labels.is_empty() && self.data_labels.len() != self.labels.len() {
            let (expected, found) = (self.labels.len().to_string(), self.data_labels.len().to_string());
            return Err(ModelError::config("the number of data_labels", expected, found));
        }
        check_distinct("data_labels", &self.data_labels)?;
        check_range("hidden_size", self.hidden_size, 1, LARGEST_SIZE)?;
        if config.tokenizer.ends().is_some() {
            return Err(ModelError::config("tokenizer.ends", "none, of trees", "one"));
        }
        if config.skims() {
            return Err(ModelError::config(
                "encoder",
                "layers that read every word of a tree",
                "one that skims",
            ));
        }
        Ok(())
    }

    /// The numbers in the matrices over rows of `width` columns.
    pub(super) fn weights(&self, width: u64) -> u64 {
        let (hidden, labels) = (self.hidden_size as u64, self.labels.len() as u64);
        match self.cell {
            TreeCell::Binary => 3 * hidden * width + 10 * hidden * hidden + labels * hidden,
            TreeCell::ChildSum => 4 * hidden * width + 4 * hidden * hidden + labels * hidden,
        }
    }
}
