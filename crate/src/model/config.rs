//! What a checkpoint's tensors mean: the network, its words, its task, how it was made.
//!
//! A model that predicts:
//!
//! ```json
//! {
//!   "format": 2,
//!   "task": { "predict": { "cutoffs": [2000, 10000], "div_value": 4.0, "head_bias": false,
//!                          "input": "tied", "start": "<eos>" } },
//!   "tokenizer": { "kind": "treebank", "lowercase": true, "ends": "paragraph" },
//!   "vocabulary": ["<unk>", ",", "the", "…"],
//!   "embedding_size": 256,
//!   "encoder": [{ "type": "lstm", "hidden_size": 256, "bidirectional": false }]
//! }
//! ```
//! - `tokenizer.kind`: words by `treebank`, `universal` or `spaces`, or `characters`. `ends` says what the token `<eos>` ends: a
//!   `line`, a `paragraph` or a `document`; absent if there is no such token, as in running text.
//! - `vocabulary`: by decreasing frequency after `<unk>`, as `cutoffs` count.
//! - `input`: `table` (absent: `embedding.weight`), `adaptive` (bands of their own), `tied` (the softmax's bands) or
//!   `tied_projections` (its projections too). Tied weights are stored once, under the softmax's names.
//! - `start`: the word that a text begins after, so that its first word has a probability too; absent if it has none.
//!
//! The task of a tagger whose letters are read by an LSTM of 64 in each direction:
//!
//! ```json
//! { "tag": { "labels": ["ADJ", "ADP", "…"],
//!            "characters": { "alphabet": ["<unk>", "e", "t", "…"], "embedding_size": 32, "hidden_size": 64 } } }
//! ```
//!
//! The task of a parser, which tags as well:
//!
//! ```json
//! { "parse": { "tag": { "labels": ["ADJ", "…"], "characters": { "…": "…" } }, "relations": ["acl", "advcl", "…"],
//!              "tag_size": 32, "layers": [{ "type": "lstm", "hidden_size": 128, "bidirectional": true }],
//!              "hidden_size": 100 } }
//! ```
//!
//! The task of a tree classifier, whose encoder may have no layer:
//!
//! ```json
//! { "tree": { "labels": ["negative", "neutral", "positive"], "data_labels": ["0", "1", "2"], "cell": "binary",
//!             "hidden_size": 150 } }
//! ```

mod parse;
mod stored;
mod tag;
mod tree;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::excerpt;
use super::layer_config::{LARGEST_SIZE, LayerConfig, MOST_LAYERS, check_range};
use super::model::from_build;
use super::{Elsewhere, ModelError};
use crate::cpu::order::argsort;
use crate::device::number;
use crate::nn::{AdaptiveInputConfig, AdaptiveSoftmaxConfig};
use crate::text::{Tokenizer, TokenizerKind, UNIVERSAL};
pub use parse::Parsing;
pub use tag::{Characters, Tagging};
pub use tree::{TreeCell, TreeLabels};

/// The metadata key under which a model's config is stored.
pub const CONFIG_KEY: &str = "saccade";
/// The version of the config that is written. Version 1 is read as well.
pub const FORMAT: u32 = 2;
/// The probability of skimming above which a token is skimmed, where neither caller nor file says otherwise: the
/// likelier of the two (Skim-RNN's argmax).
pub const DEFAULT_THRESHOLD: f32 = 0.5;
/// The word that stands for every word outside the vocabulary; always the first.
const UNKNOWN: &str = "<unk>";

/// A network and the text it reads, as stored in a model file.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(try_from = "stored::Stored")]
pub struct Config {
    /// The version of this record: [`FORMAT`].
    pub format: u32,
    /// What the network is asked, and what only that task has.
    pub task: Task,
    /// How text becomes words.
    pub tokenizer: Tokenizer,
    /// The words in the order of the embedding's rows, each once; the first is `<unk>`.
    pub vocabulary: Vec<String>,
    /// The width of a word's vector.
    pub embedding_size: usize,
    /// The layers that a sequence passes through, in order.
    pub encoder: Vec<LayerConfig>,
    /// The skim probability above which a word is skimmed, where the caller gives none. Skim models only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// How the model was made and what it reached.
    pub training: Training,
}

/// What a network is asked: `{"classify": {"labels": [...], "pool": "last"}}`, `{"predict": {"cutoffs": [2000]}}`,
/// `{"tag": {"labels": [...]}}` or `{"tree": {"labels": [...], "cell": "binary", "hidden_size": 150}}`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One label for a text.
    Classify(Classification),
    /// The next word after every word.
    Predict(Prediction),
    /// One label for every word.
    Tag(Tagging),
    /// A tree over the words of a sentence; the browser's inference binary reads none.
    #[cfg_attr(all(feature = "web", not(feature = "graph")), serde(skip))]
    Parse(Elsewhere<Parsing>),
    /// One label for every node of a tree; the browser's inference binary reads none.
    #[cfg_attr(all(feature = "web", not(feature = "graph")), serde(skip))]
    Tree(Elsewhere<TreeLabels>),
}

impl Task {
    /// The task's name, as files and JavaScript spell it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Classify(_) => "classify",
            Self::Predict(_) => "predict",
            Self::Tag(_) => "tag",
            Self::Parse(_) => "parse",
            Self::Tree(_) => "tree",
        }
    }

    /// The names of the classes in the order of the scores; of a task without classes none.
    pub fn labels(&self) -> &[String] {
        match self {
            Self::Classify(task) => &task.labels,
            Self::Tag(task) => &task.labels,
            Self::Parse(task) => &task.tag.labels,
            Self::Tree(task) => &task.labels,
            Self::Predict(_) => &[],
        }
    }

    /// The names of what words are to their heads; of a task without trees none.
    pub fn relations(&self) -> &[String] {
        match self {
            Self::Parse(task) => &task.relations,
            Self::Classify(_) | Self::Predict(_) | Self::Tag(_) | Self::Tree(_) => &[],
        }
    }

    /// How words are tagged, and spelled, if they are.
    pub fn tagging(&self) -> Option<&Tagging> {
        match self {
            Self::Tag(task) if UNIVERSAL => Some(task),
            Self::Parse(task) if UNIVERSAL => Some(&task.tag),
            Self::Classify(_) | Self::Predict(_) | Self::Tag(_) | Self::Parse(_) | Self::Tree(_) => None,
        }
    }

    /// The labels as the data set writes them, in the order of the scores.
    pub fn data_labels(&self) -> &[String] {
        match self {
            Self::Classify(task) if task.data_labels.is_empty() => &task.labels,
            Self::Classify(task) => &task.data_labels,
            Self::Tree(task) => task.data_labels(),
            Self::Tag(_) | Self::Parse(_) | Self::Predict(_) => self.labels(),
        }
    }
}

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
    fn validate(&self) -> Result<(), ModelError> {
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

/// The next word after every word, by an adaptive softmax over the vocabulary, which is in order of decreasing frequency.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Prediction {
    /// The first word of every tail, increasing; none for a softmax over all words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cutoffs: Vec<usize>,
    /// How many times narrower each tail is than the one before it.
    #[serde(default = "quarter")]
    pub div_value: f64,
    /// Whether the head has a bias.
    #[serde(default)]
    pub head_bias: bool,
    /// Where word vectors come from.
    #[serde(default, skip_serializing_if = "Input::is_table")]
    pub input: Input,
    /// The word that every text begins after; none if a text's first word is read and not predicted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<String>,
}

/// Where the word vectors of a model that predicts come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A table of vectors of one width.
    #[default]
    Table,
    /// Adaptive input, cut like the softmax, with weights of its own.
    Adaptive,
    /// Adaptive input whose vectors are the softmax's.
    Tied,
    /// Adaptive input whose vectors and projections are the softmax's.
    TiedProjections,
}

impl Input {
    fn is_table(&self) -> bool {
        *self == Self::Table
    }
}

fn quarter() -> f64 {
    4.0
}

impl Prediction {
    /// A softmax over all words, or an adaptive one with these tails, each a quarter as wide as the one before it.
    pub fn new(cutoffs: &[usize]) -> Self {
        Self {
            cutoffs: cutoffs.to_vec(),
            div_value: quarter(),
            head_bias: false,
            input: Input::Table,
            start: None,
        }
    }

    fn validate(&self, config: &Config) -> Result<(), ModelError> {
        if config.encoder.iter().any(LayerConfig::is_bidirectional) {
            return Err(ModelError::config(
                "encoder",
                "layers that read forwards, to predict",
                "one that reads both ways",
            ));
        }
        if let Some(start) = &self.start
            && !config.vocabulary.contains(start)
        {
            let found = format!("{:?}", excerpt(start));
            return Err(ModelError::config("start", "a word of the vocabulary", found));
        }
        let softmax = self.softmax(config);
        softmax.check().map_err(from_build)?;
        match self.input {
            Input::Table => Ok(()),
            Input::TiedProjections if softmax.input_size != config.embedding_size => {
                let expected = format!("{}, the width of the last layer", softmax.input_size);
                Err(ModelError::config("embedding_size", expected, config.embedding_size.to_string()))
            }
            _ => Ok(()),
        }
    }

    /// The sizes of the adaptive input: its bands are as wide as the softmax's.
    pub(super) fn adaptive_input(&self, config: &Config) -> AdaptiveInputConfig {
        AdaptiveInputConfig {
            words: config.vocabulary.len(),
            cutoffs: self.cutoffs.clone(),
            size: self.softmax(config).input_size,
            div_value: self.div_value,
            output_size: config.embedding_size,
        }
    }

    /// The numbers in the matrices of the word vectors that the softmax has not.
    fn input_weights(&self, config: &Config) -> u64 {
        let bands = self.adaptive_input(config);
        let [tables, projections] = bands.weights();
        match self.input {
            Input::Table => config.vocabulary.len() as u64 * config.embedding_size as u64,
            Input::Adaptive => tables + projections,
            Input::Tied => projections,
            Input::TiedProjections => bands.size as u64 * bands.output_size as u64,
        }
    }

    /// The sizes of the softmax.
    pub(super) fn softmax(&self, config: &Config) -> AdaptiveSoftmaxConfig {
        AdaptiveSoftmaxConfig {
            div_value: self.div_value,
            head_bias: self.head_bias,
            ..AdaptiveSoftmaxConfig::new(config.output_size(), config.vocabulary.len(), &self.cutoffs)
        }
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

/// How a model was made and what it reached. Every part may be absent.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Training {
    /// The command that made the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The seed of every random choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// The commit of the code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// The data set's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_set: Option<String>,
    /// The data set's licence, as known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// Measured figures by name: `dev_accuracy`, `test_accuracy`, `skim_rate`, …, as fractions of 1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub figures: BTreeMap<String, f64>,
    /// Anything else worth keeping, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
}

impl Config {
    /// Reads a config and checks it.
    ///
    /// # Errors
    /// [`ModelError::Format`] for another version; [`ModelError::ConfigSyntax`] for a text that is not a config;
    /// [`ModelError::Config`] for a value out of its range.
    pub fn from_json(text: &str) -> Result<Self, ModelError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let syntax = |error| ModelError::syntax(&error);
        // The version comes first: another format's fields would be reported as unknown.
        let Version { format } = serde_json::from_str(text).map_err(syntax)?;
        let config: Self = match format {
            1 | FORMAT => serde_json::from_str(text).map_err(syntax)?,
            found => return Err(ModelError::Format { expected: FORMAT, found }),
        };
        config.validate()?;
        Ok(config)
    }

    /// Checks the config and writes it, to be stored under [`CONFIG_KEY`]. Equal configs give equal texts.
    ///
    /// # Errors
    /// [`ModelError::Format`] or [`ModelError::Config`] for a config that could not be read back.
    pub fn to_json(&self) -> Result<String, ModelError> {
        self.validate()?;
        serde_json::to_string(self).map_err(|error| ModelError::syntax(&error))
    }

    /// Checks every field against its range.
    ///
    /// # Errors
    /// [`ModelError::Format`], or [`ModelError::Config`] with the first field that is wrong.
    pub fn validate(&self) -> Result<(), ModelError> {
        if self.format != FORMAT {
            return Err(ModelError::Format { expected: FORMAT, found: self.format });
        }
        let is_universal = self.tokenizer.kind() == TokenizerKind::Universal;
        if !UNIVERSAL && (is_universal || matches!(self.task, Task::Tag(_))) {
            return Err(ModelError::config("task", "one that this build has", "a tagger's"));
        }
        match self.vocabulary.first() {
            Some(first) if first == UNKNOWN => {}
            Some(first) => {
                return Err(ModelError::config("vocabulary[0]", UNKNOWN, format!("{:?}", excerpt(first))));
            }
            None => return Err(ModelError::config("vocabulary", "at least one word", "none")),
        }
        check_distinct("vocabulary", &self.vocabulary)?;
        if let Task::Classify(task) = &self.task {
            task.validate()?;
        }
        check_range("embedding_size", self.embedding_size, 1, LARGEST_SIZE)?;
        // A tree may stand on the word vectors themselves.
        let least = usize::from(!matches!(self.task, Task::Tree(_)));
        check_range("the number of layers in encoder", self.encoder.len(), least, MOST_LAYERS)?;
        for (index, layer) in self.encoder.iter().enumerate() {
            layer.validate(&format!("encoder[{index}]"))?;
        }
        match &self.task {
            Task::Predict(task) => task.validate(self)?,
            Task::Tag(task) => task.validate(self)?,
            Task::Parse(task) => task.validate(self)?,
            Task::Tree(task) => task.validate(self)?,
            Task::Classify(_) => {}
        }
        match self.threshold {
            Some(_) if !self.skims() => {
                return Err(ModelError::config("threshold", "none: no layer skims", "one"));
            }
            Some(threshold) if !(0.0..=1.0).contains(&threshold) => {
                return Err(ModelError::config("threshold", "0 to 1", number(threshold)));
            }
            _ => {}
        }
        match self.training.figures.iter().find(|(_, figure)| !figure.is_finite()) {
            Some((name, figure)) => {
                let field = format!("training.figures.{}", excerpt(name));
                Err(ModelError::config(field, "a finite number", number(*figure)))
            }
            None => Ok(()),
        }
    }

    /// The width of the first layer's input.
    pub(super) fn input_size(&self) -> usize {
        self.embedding_size + self.task.tagging().map_or(0, Tagging::letters_size)
    }

    /// The width of the last layer.
    pub(super) fn output_size(&self) -> usize {
        self.encoder.last().map_or(self.embedding_size, LayerConfig::output_size)
    }

    /// Whether the word vectors share weights with the head.
    pub(super) fn ties(&self) -> bool {
        matches!(&self.task, Task::Predict(task) if matches!(task.input, Input::Tied | Input::TiedProjections))
    }

    /// Whether a layer decides what to skim.
    pub fn skims(&self) -> bool {
        self.encoder.iter().any(|layer| matches!(layer, LayerConfig::Skim { .. }))
    }

    /// The threshold used where the caller gives none.
    pub fn default_threshold(&self) -> f32 {
        self.threshold.unwrap_or(DEFAULT_THRESHOLD)
    }

    /// The weights of the network's matrices: no file with fewer numbers can hold it. Biases and other vectors are
    /// not counted. The config must be [valid](Self::validate).
    pub fn least_parameters(&self) -> u64 {
        let table = self.vocabulary.len() as u64 * self.embedding_size as u64;
        let mut width = self.input_size() as u64;
        let mut weights = match &self.task {
            Task::Classify(_) | Task::Tree(_) => table,
            Task::Predict(task) => task.input_weights(self),
            Task::Tag(_) | Task::Parse(_) => table + self.task.tagging().map_or(0, Tagging::letters_weights),
        };
        for layer in &self.encoder {
            weights += layer.weights(width);
            width = layer.output_size() as u64;
        }
        weights
            + match &self.task {
                Task::Classify(task) => task.labels.len() as u64 * width,
                Task::Predict(task) => task.softmax(self).weights(),
                Task::Tag(task) => task.labels.len() as u64 * width,
                Task::Parse(task) => task.head_weights(width),
                Task::Tree(task) => task.weights(width),
            }
    }

    /// The names of what is scored: the classes, or the words of which one is next.
    pub fn outcomes(&self) -> &[String] {
        match &self.task {
            Task::Classify(task) => &task.labels,
            Task::Tag(_) | Task::Parse(_) | Task::Tree(_) => self.task.labels(),
            Task::Predict(_) => &self.vocabulary,
        }
    }
}

/// Checks that no text is empty and none appears twice.
fn check_distinct(field: &str, texts: &[String]) -> Result<(), ModelError> {
    let order = argsort(texts.len(), &|a, b| texts[a].cmp(&texts[b]));
    if let Some(&first) = order.first()
        && texts[first].is_empty()
    {
        return Err(ModelError::config(format!("{field}[{first}]"), "a text", "an empty one"));
    }
    match order.windows(2).find(|pair| texts[pair[0]] == texts[pair[1]]) {
        Some(pair) => {
            let found = format!("{:?}, which is also at [{}]", excerpt(&texts[pair[0]]), pair[0]);
            Err(ModelError::config(format!("{field}[{}]", pair[1]), "a text of its own", found))
        }
        None => Ok(()),
    }
}
