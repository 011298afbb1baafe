//! How a model is trained and stored, whatever the texts.

mod effect;
mod layers;

use std::borrow::Cow;
use std::fmt::Display;

use serde::{Deserialize, Serialize};

use super::distill::Distill;
use crate::device::number;
use crate::model::{Dropouts, LayerConfig, Prediction, Storage, Tensor};
pub use layers::{LayerRate, LayerRates};

/// A training run but for its texts and its network.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunConfig {
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u32,
    /// How to learn.
    pub train: TrainConfig,
    /// How the model is stored.
    #[serde(default)]
    pub output: OutputConfig,
}

impl RunConfig {
    /// Checks ranges that the types do not, and that options can have an effect on a network of these layers, which predicts
    /// words as said or classifies. Beside the encoder's are stacks of those that spell words or join the states of children,
    /// and of a parser's.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn validate(
        &self,
        encoder: &[LayerConfig],
        beside: &[&[LayerConfig]],
        predicts: Option<&Prediction>,
    ) -> Result<(), ConfigError> {
        self.train.validate(encoder.iter().any(|layer| matches!(layer, LayerConfig::Skim { .. })))?;
        effect::check(self, encoder, beside, predicts)
    }
}

/// How to learn.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// A model, or word vectors, to start from, by a name that whoever prepares the run can find it by; the trainer is
    /// given the model that has it ([`super::transfer`](fn@super::transfer)).
    #[serde(default)]
    pub init: Option<String>,
    /// Texts a step.
    pub batch: usize,
    /// Passes over the training texts.
    pub epochs: usize,
    /// Stop when the development figure has not risen for so many evaluations; 0 never.
    #[serde(default)]
    pub patience: usize,
    /// Evaluations an epoch.
    #[serde(default = "one")]
    pub evaluations: usize,
    /// How a gradient becomes a step.
    #[serde(default)]
    pub optimizer: OptimizerName,
    /// The step size.
    pub learning_rate: f32,
    /// Multiplies the step size for word vectors that are not the softmax's; 0 leaves them as they are.
    #[serde(default = "unchanged")]
    pub embedding_rate: f32,
    /// How single layers learn.
    #[serde(default)]
    pub layers: LayerRates,
    /// How the step size changes.
    #[serde(default)]
    pub schedule: Schedule,
    /// Decoupled weight decay.
    #[serde(default)]
    pub weight_decay: f32,
    /// The largest global norm of a gradient; 0 for none.
    #[serde(default)]
    pub clip: f32,
    /// The weights of all steps are averaged with this decay, and it is the average that is evaluated and kept; 0 for none.
    #[serde(default)]
    pub average: f32,
    /// The weights of all steps after so many epochs are averaged alike (ASGD), and it is the average that is evaluated
    /// and kept from then on.
    #[serde(default)]
    pub average_after: Option<usize>,
    /// Dropout of the recurrent weights of LSTMs, GRUs and Elman networks, one mask a batch (Merity et al. 2018).
    #[serde(default)]
    pub dropout_weights: f32,
    /// Dropout of whole word vectors: all occurrences of a word in a batch together (Gal & Ghahramani 2016), or in each part
    /// of it, where several threads or workers learn from one.
    #[serde(default)]
    pub dropout_words: f32,
    /// Dropout of word vectors.
    #[serde(default)]
    pub dropout_embedding: f32,
    /// One mask for all words of a text.
    #[serde(default)]
    pub dropout_per_sequence: bool,
    /// One mask for all words of a text between layers, and in front of the head of a model that predicts, too
    /// ("variational"; Gal & Ghahramani 2016).
    #[serde(default)]
    pub dropout_variational: bool,
    /// Dropout between layers and inside SRU's highways.
    #[serde(default)]
    pub dropout_encoder: f32,
    /// Dropout in front of the head.
    #[serde(default)]
    pub dropout_head: f32,
    /// Learns from every batch once more, its word vectors moved by so much of their norm to where the loss is greater; 0 for
    /// none (after Miyato, Dai & Goodfellow 2017). A step takes twice as long.
    #[serde(default)]
    pub adversarial: f32,
    /// Required by models that skim.
    #[serde(default)]
    pub skim: Option<SkimLoss>,
    /// A teacher, of a model that classifies.
    #[serde(default)]
    pub distill: Option<Distill>,
}

impl TrainConfig {
    /// So many texts a step, so many passes, this step size; everything else as a config has it that does not name it.
    pub fn new(batch: usize, epochs: usize, learning_rate: f32) -> Self {
        Self {
            init: None,
            batch,
            epochs,
            patience: 0,
            evaluations: one(),
            optimizer: OptimizerName::default(),
            learning_rate,
            embedding_rate: unchanged(),
            layers: LayerRates::default(),
            schedule: Schedule::default(),
            weight_decay: 0.0,
            clip: 0.0,
            average: 0.0,
            average_after: None,
            dropout_weights: 0.0,
            dropout_words: 0.0,
            dropout_embedding: 0.0,
            dropout_per_sequence: false,
            dropout_variational: false,
            dropout_encoder: 0.0,
            dropout_head: 0.0,
            adversarial: 0.0,
            skim: None,
            distill: None,
        }
    }

    /// The dropouts of the network.
    pub fn dropouts(&self) -> Dropouts {
        Dropouts {
            words: self.dropout_words,
            embedding: self.dropout_embedding,
            embedding_per_sequence: self.dropout_per_sequence || self.dropout_variational,
            encoder: self.dropout_encoder,
            encoder_per_sequence: self.dropout_variational,
            head: self.dropout_head,
        }
    }

    /// Checks ranges that the types do not. `skims` says whether a layer of the network does.
    pub(super) fn validate(&self, skims: bool) -> Result<(), ConfigError> {
        check("train.batch", self.batch > 0, "at least 1", self.batch)?;
        check("train.evaluations", self.evaluations > 0, "at least 1", self.evaluations)?;
        let positive = self.learning_rate > 0.0 && self.learning_rate.is_finite();
        check_number("train.learning_rate", positive, "a positive number", self.learning_rate)?;
        let found = format!("{} and train.average_after", number(self.average));
        let single = self.average == 0.0 || self.average_after.is_none();
        check("train.average", single, "0 where train.average_after is given", found)?;
        self.schedule.validate()?;
        for (field, rate) in [
            ("train.dropout_weights", self.dropout_weights),
            ("train.dropout_words", self.dropout_words),
            ("train.dropout_embedding", self.dropout_embedding),
            ("train.dropout_encoder", self.dropout_encoder),
            ("train.dropout_head", self.dropout_head),
            ("train.average", self.average),
        ] {
            check_number(field, (0.0..1.0).contains(&rate), "from 0 to below 1", rate)?;
        }
        for (field, value) in [
            ("train.embedding_rate", self.embedding_rate),
            ("train.weight_decay", self.weight_decay),
            ("train.clip", self.clip),
            ("train.adversarial", self.adversarial),
        ] {
            check_number(field, value >= 0.0 && value.is_finite(), "0 or above", value)?;
        }
        if let Some(distill) = &self.distill {
            distill.validate()?;
        }
        if let Some(skim) = &self.skim {
            skim.validate()?;
        }
        let found = if skims { "none, and a layer that skims" } else { "one, and no layer that skims" };
        check("train.skim", skims == self.skim.is_some(), "one iff a layer skims", found)
    }
}

/// How a gradient becomes a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OptimizerName {
    /// By moments of the gradient.
    #[default]
    Adam,
    /// Along the gradient.
    Sgd,
}

/// How the step size changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Schedule {
    /// Not at all.
    #[default]
    Constant,
    /// Linearly to a twentieth at the last step.
    Linear,
    /// By a factor in every epoch after the first `after`.
    Decay {
        /// Epochs of the whole step size.
        after: usize,
        /// The factor, 0.5 to halve.
        factor: f32,
    },
    /// By a factor after every evaluation that is no better than the best.
    Plateau {
        /// The factor.
        factor: f32,
    },
}

impl Schedule {
    fn validate(self) -> Result<(), ConfigError> {
        match self {
            Self::Constant | Self::Linear => Ok(()),
            Self::Decay { factor, .. } | Self::Plateau { factor } => {
                let shrinks = factor > 0.0 && factor <= 1.0;
                check_number("train.schedule.factor", shrinks, "above 0, at most 1", factor)
            }
        }
    }
}

/// How a model learns to skim (Skim-RNN, Eq. 5 and 8).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SkimLoss {
    /// Weight of the loss `1/T Σ -log p_skim`.
    pub gamma: f32,
    /// The temperature is `max(0.5, exp(-rate n))` at step n.
    pub temperature_rate: f32,
    /// Steps in which the weight rises from 0 to `gamma`.
    #[serde(default)]
    pub rise: u64,
    /// Of the evaluations whose skim rate on the development texts is at least this, the most accurate is kept.
    #[serde(default)]
    pub min_rate: f64,
}

impl SkimLoss {
    fn validate(&self) -> Result<(), ConfigError> {
        for (field, value) in
            [("train.skim.gamma", self.gamma), ("train.skim.temperature_rate", self.temperature_rate)]
        {
            check_number(field, value >= 0.0 && value.is_finite(), "0 or above", value)?;
        }
        check_number(
            "train.skim.min_rate",
            (0.0..=1.0).contains(&self.min_rate),
            "from 0 to 1",
            self.min_rate,
        )
    }

    /// The weight of the loss at step `n`.
    pub fn weight(&self, n: u64) -> f32 {
        if n < self.rise { self.gamma * (n as f32 / self.rise as f32) } else { self.gamma }
    }

    /// tau at step `n`.
    pub fn temperature(&self, n: u64) -> f32 {
        (-self.temperature_rate * n as f32).exp().max(0.5)
    }
}

/// What to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputConfig {
    /// Storage of a table of word vectors; bands are stored as other matrices.
    pub embedding: StorageName,
    /// Storage of other matrices; vectors are always f32.
    pub weights: StorageName,
}

impl OutputConfig {
    /// How a tensor of a model is stored.
    pub(super) fn storage(self, name: &str, tensor: &Tensor) -> Storage {
        let named = match tensor.shape.len() {
            2 if name == "embedding.weight" => self.embedding,
            2 => self.weights,
            _ => StorageName::F32,
        };
        match named {
            StorageName::F32 => Storage::F32,
            StorageName::F16 => Storage::F16,
            StorageName::Int8 => Storage::Int8Rows,
        }
    }
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

impl StorageName {
    /// As configs spell it.
    fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Int8 => "int8",
        }
    }
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

impl Spans {
    /// Checks that the lengths go together, and that a share is one.
    ///
    /// # Errors
    /// If they do not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let fits = self.min >= 4 && self.max >= self.min;
        check("data.spans", fits, "4 <= min <= max", format_args!("{} to {}", self.min, self.max))?;
        check_number("data.spans.short", (0.0..=1.0).contains(&self.short), "from 0 to 1", self.short)
    }
}

/// A config that cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A field out of its range.
    #[error("{field}: expected {expected}, found {found}")]
    Field {
        /// Its path in a config file.
        field: Cow<'static, str>,
        /// What would do.
        expected: &'static str,
        /// What is there.
        found: String,
    },
}

/// Checks a field of a config.
///
/// # Errors
/// One that says what was expected and found, unless `ok`.
pub fn check(
    field: &'static str,
    ok: bool,
    expected: &'static str,
    found: impl Display,
) -> Result<(), ConfigError> {
    if ok {
        Ok(())
    } else {
        Err(ConfigError::Field { field: field.into(), expected, found: found.to_string() })
    }
}

/// [`check`] of a number that is not whole.
///
/// # Errors
/// Those of [`check`].
pub(super) fn check_number(
    field: &'static str,
    ok: bool,
    expected: &'static str,
    found: impl Into<f64> + Serialize + Copy,
) -> Result<(), ConfigError> {
    check(field, ok, expected, number(found))
}

fn one() -> usize {
    1
}

/// Serde's default for a factor.
pub(super) fn unchanged() -> f32 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_from_0_to_1() {
        let skim = |min_rate| SkimLoss { gamma: 0.1, temperature_rate: 0.1, rise: 0, min_rate }.validate();
        let spans = |short| Spans { min: 4, max: 9, short }.validate();
        assert_eq!((skim(0.0), skim(1.0), spans(0.0), spans(1.0)), (Ok(()), Ok(()), Ok(()), Ok(())));
        for wrong in [50.0, -0.1, f32::NAN] {
            let errors =
                [skim(wrong.into()), spans(wrong)].map(|result| result.expect_err("no share").to_string());
            assert!(
                errors[0].starts_with("train.skim.min_rate: expected from 0 to 1, found "),
                "{}",
                errors[0]
            );
            assert!(errors[1].starts_with("data.spans.short: expected from 0 to 1, found "), "{}", errors[1]);
        }
    }
}
