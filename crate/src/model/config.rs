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
//! With `"crf": true` the tags of a sentence are scored together, by tensors under `head.crf.` that are named as the package
//! `pytorch-crf` names them: `start_transitions [labels]`, `end_transitions [labels]`, `transitions [labels, labels]` (from a
//! row's label to a column's).
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
//! - `cell`: `binary`, over trees in brackets, or `child-sum`, over the heads that a parser gives words.

mod classify;
mod parse;
mod predict;
mod stored;
mod tag;
mod training;
mod tree;

use serde::{Deserialize, Serialize};

use super::error::excerpt;
use super::layer_config::{LARGEST_SIZE, LayerConfig, MOST_LAYERS, check_range};
use super::{Elsewhere, ModelError};
use crate::cpu::order::argsort;
use crate::device::number;
use crate::text::{Tokenizer, TokenizerKind, UNIVERSAL};
pub use classify::{Classification, Pool};
pub use parse::Parsing;
pub use predict::{Input, Prediction};
pub(super) use tag::CRF;
use tag::TAGS;
pub use tag::{Characters, Tagging};
pub use training::Training;
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
    #[cfg_attr(
        any(all(feature = "web", not(feature = "graph")), all(feature = "runs", target_arch = "wasm32")),
        serde(skip)
    )]
    Parse(Elsewhere<Parsing>),
    /// One label for every node of a tree; the browser's inference binary reads none.
    #[cfg_attr(
        any(all(feature = "web", not(feature = "graph")), all(feature = "runs", target_arch = "wasm32")),
        serde(skip)
    )]
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
            Self::Tag(task) if TAGS => Some(task),
            Self::Parse(task) if TAGS => Some(&task.tag),
            Self::Classify(_) | Self::Predict(_) | Self::Tag(_) | Self::Parse(_) | Self::Tree(_) => None,
        }
    }

    /// The layers beside the encoder's: what spells words or joins the states of children, and those of a parser.
    #[cfg(feature = "train")]
    pub(crate) fn layers(&self) -> (Option<LayerConfig>, &[LayerConfig]) {
        let spells = self.tagging().and_then(|task| task.characters.as_ref()).map(Characters::layer);
        match self {
            Self::Parse(task) => (spells, &task.layers),
            Self::Tree(task) if task.cell == TreeCell::ChildSum => {
                (Some(LayerConfig::Lstm { hidden_size: task.hidden_size, bidirectional: false }), &[])
            }
            Self::Classify(_) | Self::Predict(_) | Self::Tag(_) | Self::Tree(_) => (spells, &[]),
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
        if !TAGS && matches!(self.task, Task::Tag(_)) {
            return Err(ModelError::config("task", "one that this build has", "a tagger's"));
        }
        if !UNIVERSAL && self.tokenizer.kind() == TokenizerKind::Universal {
            return Err(ModelError::config("tokenizer.kind", "one that this build has", "universal"));
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
                Task::Tag(task) => task.head_weights(width),
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
pub(crate) fn check_distinct(field: &str, texts: &[String]) -> Result<(), ModelError> {
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
