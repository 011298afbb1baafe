//! The config of a model that predicts: the next word after every word.

use serde::{Deserialize, Serialize};

use super::{Config, LayerConfig, ModelError, excerpt};
use crate::model::model::from_build;
use crate::nn::{AdaptiveInputConfig, AdaptiveSoftmaxConfig};

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

    pub(super) fn validate(&self, config: &Config) -> Result<(), ModelError> {
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
    pub(in crate::model) fn adaptive_input(&self, config: &Config) -> AdaptiveInputConfig {
        AdaptiveInputConfig {
            words: config.vocabulary.len(),
            cutoffs: self.cutoffs.clone(),
            size: self.softmax(config).input_size,
            div_value: self.div_value,
            output_size: config.embedding_size,
        }
    }

    /// The numbers in the matrices of the word vectors that the softmax has not.
    pub(super) fn input_weights(&self, config: &Config) -> u64 {
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
    pub(in crate::model) fn softmax(&self, config: &Config) -> AdaptiveSoftmaxConfig {
        AdaptiveSoftmaxConfig {
            div_value: self.div_value,
            head_bias: self.head_bias,
            ..AdaptiveSoftmaxConfig::new(config.output_size(), config.vocabulary.len(), &self.cutoffs)
        }
    }
}
