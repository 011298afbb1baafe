//! What a training run is to do, as a TOML file says it: this file has the runs that learn to classify.

mod parse;
mod predict;
mod tag;
mod tree;

use std::collections::BTreeMap;
use std::path::PathBuf;

use saccade_rnn::model::{Cell, LayerConfig, Pool};
use saccade_rnn::text::Tokenizer;
use saccade_rnn::train::{Classify, ConfigError, Objective, OutputConfig, RunConfig, Spans, TrainConfig};
use serde::{Deserialize, Serialize};

use crate::data::Format;
pub use parse::{ParseConfig, ParseOptions, ParseTask};
pub use predict::{PredictConfig, PredictModel, PredictTask, RunningData};
pub use tag::{CharacterSizes, TagConfig, TagModel, TagOptions, TagTask, TaggedData};
pub use tree::{TreeConfig, TreeData, TreeModel, TreeOptions, TreeTask};

/// What a config of any task says to the library's trainer.
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

/// A training run of any task.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyConfig {
    /// One label for a text.
    Classify(Config),
    /// The next word after every word.
    Predict(PredictConfig),
    /// One label for every word.
    Tag(TagConfig),
    /// A tree over the words of a sentence.
    Parse(ParseConfig),
    /// One label for every node of a tree.
    Tree(TreeConfig),
}

impl AnyConfig {
    /// Reads a config in TOML: a table `[task.predict]` makes it one of a language model, `[task.tag]` of a tagger,
    /// `[task.parse]` of a parser, `[task.tree]` of a tree classifier.
    ///
    /// # Errors
    /// If it is not TOML, or not such a config.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        #[derive(Deserialize)]
        struct Tasks {
            task: Option<BTreeMap<String, serde::de::IgnoredAny>>,
        }
        match toml::from_str::<Tasks>(text)?.task {
            None => toml::from_str(text).map(Self::Classify),
            Some(task) if task.contains_key("tag") => toml::from_str(text).map(Self::Tag),
            Some(task) if task.contains_key("parse") => toml::from_str(text).map(Self::Parse),
            Some(task) if task.contains_key("tree") => toml::from_str(text).map(Self::Tree),
            Some(_) => toml::from_str(text).map(Self::Predict),
        }
    }
}

/// A training run that learns to classify.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u32,
    /// What to learn from.
    pub data: DataConfig,
    /// The network.
    pub model: ModelConfig,
    /// How to learn.
    pub train: TrainConfig,
    /// What to write.
    #[serde(default)]
    pub output: OutputConfig,
}

/// Texts and labels.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The data set's name, for the record.
    pub name: String,
    /// Its licence as known, for the record.
    #[serde(default)]
    pub licence: Option<String>,
    /// Readable names of the labels in the file, in the order of the scores; the file's own if absent.
    #[serde(default)]
    pub labels: Vec<LabelName>,
    /// How text is tokenised (text that the data set has tokenised is split at spaces).
    pub tokenizer: Tokenizer,
    /// Training texts, together.
    pub train: Vec<Part>,
    /// Development texts; all choices are made on them.
    #[serde(default)]
    pub dev: Option<Part>,
    /// If there is no `dev`: how many training texts to hold out. They are one contiguous block if `dev_block`.
    #[serde(default)]
    pub hold_out: usize,
    /// Hold out a block of neighbours rather than a random sample: for sets whose neighbours belong together (IMDb's
    /// reviews of one film).
    #[serde(default)]
    pub dev_block: bool,
    /// Test texts, looked at once, at the end.
    #[serde(default)]
    pub test: Option<Part>,
    /// If above 0: cross-validation. The training texts are cut into as many folds; `fold` is the test set.
    #[serde(default)]
    pub folds: usize,
    /// The fold that is the test set.
    #[serde(default)]
    pub fold: usize,
    /// Learn once from training texts that are equal in words and label (treebanks repeat short phrases).
    #[serde(default)]
    pub distinct: bool,
    /// Train on the last so many tokens of a text; 0 for all. Evaluation reads whole texts.
    #[serde(default)]
    pub last_tokens: usize,
    /// Train on pieces of the texts instead of whole ones.
    #[serde(default)]
    pub spans: Option<Spans>,
    /// Words that occur less often in the training texts are unknown.
    #[serde(default = "one")]
    pub min_count: u64,
    /// The most words, `<unk>` included. Words of `init` fill what the training texts leave.
    #[serde(default)]
    pub max_words: Option<usize>,
}

/// The name of a label.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct LabelName {
    /// As the data set writes it.
    pub file: String,
    /// As people read it.
    pub name: String,
}

/// A file of labelled text.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Below the data folder.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
}

/// The network.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Width of word vectors.
    pub embedding_size: usize,
    /// Layers.
    pub encoder: Vec<LayerConfig>,
    /// How the states of a text become one.
    pub pool: Pool,
    /// Added to fresh biases of LSTM forget gates.
    #[serde(default)]
    pub forget_bias: f32,
    /// Fresh bias of SRU's reset gates.
    #[serde(default)]
    pub highway_bias: f32,
}

impl Settings for Config {
    type Task = Classify;

    fn validate(&self) -> Result<(), ConfigError> {
        let ModelConfig { encoder, forget_bias, highway_bias, .. } = &self.model;
        self.run().validate(encoder, None)?;
        check_biases(encoder, *forget_bias, *highway_bias)?;
        self.objective()?;
        let data = &self.data;
        let fold = data.fold < data.folds.max(1);
        check("data.fold", fold, "below data.folds", data.fold.to_string())?;
        let exclusive = data.dev.is_none() || data.hold_out == 0;
        check("data.hold_out", exclusive, "0 where data.dev is given", data.hold_out.to_string())?;
        let is_held_out = !data.dev_block || data.hold_out > 0;
        check("data.dev_block", is_held_out, "false without data.hold_out", "true".into())?;
        let distinct: BTreeMap<_, _> = data.labels.iter().map(|l| (&l.name, &l.file)).collect();
        check("data.labels", distinct.len() == data.labels.len(), "distinct names", "a repeated one".into())
    }

    fn run(&self) -> RunConfig {
        RunConfig { seed: self.seed, train: self.train.clone(), output: self.output }
    }

    fn objective(&self) -> Result<Classify, ConfigError> {
        Classify::new(&self.train, self.data.last_tokens, self.data.spans)
    }
}

/// Fails unless `ok`.
fn check(field: &'static str, ok: bool, expected: &'static str, found: String) -> Result<(), ConfigError> {
    if ok { Ok(()) } else { Err(ConfigError::Field { field, expected, found }) }
}

/// Checks that biases are given for layers that have them.
fn check_biases(encoder: &[LayerConfig], forget: f32, highway: f32) -> Result<(), ConfigError> {
    let has = |is: fn(&LayerConfig) -> bool| encoder.iter().any(is);
    let forgets =
        has(|layer| matches!(layer, LayerConfig::Lstm { .. } | LayerConfig::Skim { cell: Cell::Lstm, .. }));
    check("model.forget_bias", forget == 0.0 || forgets, "0 without an LSTM", forget.to_string())?;
    let passes = has(|layer| matches!(layer, LayerConfig::Sru(_)));
    check("model.highway_bias", highway == 0.0 || passes, "0 without an SRU", highway.to_string())
}

fn one() -> u64 {
    1
}
