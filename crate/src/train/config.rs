//! What a training run is to do, as a TOML file says it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::data::Format;
use crate::model::{LayerConfig, Pool};
use crate::text::Tokenizer;

/// A training run.
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

/// Pieces of long texts: each epoch cuts every text anew, from a random start, into pieces of random length. A piece
/// has its text's label.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Spans {
    /// Shortest usual piece, in tokens.
    pub min: usize,
    /// Longest piece.
    pub max: usize,
    /// Share of pieces that are shorter than `min` (but at least 4 tokens).
    #[serde(default)]
    pub short: f32,
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

/// How to learn.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// A model, or word vectors, to start from: see [`mod@super::transfer`].
    #[serde(default)]
    pub init: Option<PathBuf>,
    /// Texts a step.
    pub batch: usize,
    /// Passes over the training texts.
    pub epochs: usize,
    /// Stop when the development figure has not risen for so many evaluations; 0 never.
    #[serde(default)]
    pub patience: usize,
    /// Evaluations an epoch.
    #[serde(default = "one_usize")]
    pub evaluations: usize,
    /// Adam's step size.
    pub learning_rate: f32,
    /// Multiplies the step size for word vectors; 0 leaves them as they are.
    #[serde(default = "one_f32")]
    pub embedding_rate: f32,
    /// How the step size changes.
    #[serde(default)]
    pub schedule: Schedule,
    /// Decoupled weight decay.
    #[serde(default)]
    pub weight_decay: f32,
    /// The largest global norm of a gradient; 0 for none.
    #[serde(default)]
    pub clip: f32,
    /// Weights are averaged over steps with this decay, and it is the average that is evaluated and kept; 0 for none.
    #[serde(default)]
    pub average: f32,
    /// Dropout of word vectors.
    #[serde(default)]
    pub dropout_embedding: f32,
    /// One mask for all words of a text.
    #[serde(default)]
    pub dropout_per_sequence: bool,
    /// Dropout between layers and inside SRU's highways.
    #[serde(default)]
    pub dropout_encoder: f32,
    /// Dropout in front of the head.
    #[serde(default)]
    pub dropout_head: f32,
    /// Required by models that skim.
    #[serde(default)]
    pub skim: Option<SkimLoss>,
}

/// How the step size changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// Linearly to a twentieth at the last step.
    Linear,
}

/// How a model learns to skim (Skim-RNN, Eq. 5 and 8).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SkimLoss {
    /// Weight of the loss `1/T Σ -log p_skim`.
    pub gamma: f32,
    /// The temperature is `max(0.5, exp(-rate n))` at step n.
    pub temperature_rate: f32,
    /// Of the evaluations whose skim rate on the development texts is at least this, the most accurate is kept.
    #[serde(default)]
    pub min_rate: f64,
}

impl SkimLoss {
    /// tau at step `n`.
    pub fn temperature(&self, n: u64) -> f32 {
        (-self.temperature_rate * n as f32).exp().max(0.5)
    }
}

/// What to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputConfig {
    /// Storage of word vectors.
    pub embedding: StorageName,
    /// Storage of other matrices; vectors are always f32.
    pub weights: StorageName,
}

/// How a tensor is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StorageName {
    /// 4 bytes a value.
    #[default]
    F32,
    /// 2 bytes a value.
    F16,
    /// 1 byte a value and a scale a row.
    Int8,
}

/// A config that cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A field out of its range.
    #[error("{field}: expected {expected}, found {found}")]
    Field {
        /// Its path.
        field: &'static str,
        /// What would do.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}

impl Config {
    /// Checks ranges that the types do not.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let t = &self.train;
        let check = |field, ok: bool, expected, found: String| {
            if ok { Ok(()) } else { Err(ConfigError::Field { field, expected, found }) }
        };
        check("train.batch", t.batch > 0, "at least 1", t.batch.to_string())?;
        check("train.evaluations", t.evaluations > 0, "at least 1", t.evaluations.to_string())?;
        let positive = t.learning_rate > 0.0 && t.learning_rate.is_finite();
        check("train.learning_rate", positive, "a positive number", t.learning_rate.to_string())?;
        for (field, rate) in [
            ("train.dropout_embedding", t.dropout_embedding),
            ("train.dropout_encoder", t.dropout_encoder),
            ("train.dropout_head", t.dropout_head),
            ("train.average", t.average),
        ] {
            check(field, (0.0..1.0).contains(&rate), "from 0 to below 1", rate.to_string())?;
        }
        for (field, value) in [
            ("train.embedding_rate", t.embedding_rate),
            ("train.weight_decay", t.weight_decay),
            ("train.clip", t.clip),
        ] {
            check(field, value >= 0.0 && value.is_finite(), "0 or above", value.to_string())?;
        }
        let skims = self.model.encoder.iter().any(|l| matches!(l, LayerConfig::Skim { .. }));
        let found = if skims { "none, and a layer that skims" } else { "one, and no layer that skims" };
        check("train.skim", skims == t.skim.is_some(), "one iff a layer skims", found.into())?;
        if let Some(spans) = self.data.spans {
            let fits = spans.min >= 4 && spans.max >= spans.min;
            check("data.spans", fits, "4 <= min <= max", format!("{} to {}", spans.min, spans.max))?;
        }
        let fold = self.data.folds == 0 || self.data.fold < self.data.folds;
        check("data.fold", fold, "below data.folds", self.data.fold.to_string())?;
        let exclusive = self.data.dev.is_none() || self.data.hold_out == 0;
        check("data.hold_out", exclusive, "0 where data.dev is given", self.data.hold_out.to_string())?;
        let distinct: BTreeMap<_, _> = self.data.labels.iter().map(|l| (&l.name, &l.file)).collect();
        check(
            "data.labels",
            distinct.len() == self.data.labels.len(),
            "distinct names",
            "a repeated one".into(),
        )
    }
}

fn one() -> u64 {
    1
}

fn one_usize() -> usize {
    1
}

fn one_f32() -> f32 {
    1.0
}
