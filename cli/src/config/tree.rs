//! A run that learns to label the nodes of trees.

use std::collections::BTreeSet;
use std::path::PathBuf;

use saccade_rnn::model::{LayerConfig, TreeCell};
use saccade_rnn::text::Tokenizer;
use saccade_rnn::train::{
    ConfigError, LabelName, OutputConfig, RunConfig, Settings, TrainConfig, Tree, check, check_biases,
};
use serde::{Deserialize, Serialize};

/// A training run of a tree classifier.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TreeConfig {
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u32,
    /// What to learn from.
    pub data: TreeData,
    /// What the network is asked.
    pub task: TreeTask,
    /// What stands under the trees.
    pub model: TreeModel,
    /// How to learn.
    pub train: TrainConfig,
    /// What to write.
    #[serde(default)]
    pub output: OutputConfig,
}

/// `[task.tree]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TreeTask {
    /// The network over the trees.
    pub tree: TreeOptions,
}

/// The network over the trees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TreeOptions {
    /// What makes a node's state of its children's.
    pub cell: TreeCell,
    /// Width of a node's state.
    pub hidden_size: usize,
}

/// Trees in brackets.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TreeData {
    /// The data set's name, for the record.
    pub name: String,
    /// Its licence as known, for the record.
    #[serde(default)]
    pub licence: Option<String>,
    /// The labels in the order of the scores, from one pole to the other, with names for people.
    pub labels: Vec<LabelName>,
    /// How the model spells words (the trees' are not cut).
    pub tokenizer: Tokenizer,
    /// Training trees, below the data folder.
    pub train: PathBuf,
    /// Development trees; all choices are made on them.
    pub dev: PathBuf,
    /// Test trees, looked at once, at the end.
    #[serde(default)]
    pub test: Option<PathBuf>,
    /// The file of a parser, beside the config, that makes other trees of the trees' words, for a cell that sums children.
    #[serde(default)]
    pub parser: Option<PathBuf>,
    /// Words that occur less often in the training trees are unknown.
    #[serde(default = "super::one")]
    pub min_count: u64,
    /// The most words, `<unk>` included. Words of `init` fill what the training trees leave.
    #[serde(default)]
    pub max_words: Option<usize>,
}

/// What stands under the trees.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TreeModel {
    /// Width of word vectors.
    pub embedding_size: usize,
    /// Layers over the words; none for the vectors alone.
    #[serde(default)]
    pub encoder: Vec<LayerConfig>,
    /// Added to fresh biases of LSTM forget gates.
    #[serde(default)]
    pub forget_bias: f32,
}

impl Settings for TreeConfig {
    type Task = Tree;

    fn validate(&self) -> Result<(), ConfigError> {
        let TreeModel { encoder, forget_bias, .. } = &self.model;
        let TreeOptions { cell, hidden_size, .. } = self.task.tree;
        let sums = LayerConfig::Lstm { hidden_size, bidirectional: false };
        let beside = if cell == TreeCell::ChildSum { &[sums][..] } else { &[] };
        self.run().validate(encoder, &[beside], None)?;
        check_biases(encoder, *forget_bias, 0.0)?;
        let labels = &self.data.labels;
        let distinct: BTreeSet<_> = labels.iter().map(|label| &label.file).collect();
        check("data.labels", distinct.len() == labels.len(), "distinct ones", "a repeated one")?;
        self.objective().map(drop)
    }

    fn run(&self) -> RunConfig {
        RunConfig { seed: self.seed, train: self.train.clone(), output: self.output }
    }

    fn objective(&self) -> Result<Tree, ConfigError> {
        Tree::new(&self.train)
    }
}
