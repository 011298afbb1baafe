//! What a checkpoint's tensors mean: the network, its words and labels, how it was made.

use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::ModelError;
use super::error::excerpt;

/// The metadata key under which a model's config is stored.
pub const CONFIG_KEY: &str = "saccade";
/// The version of the config that is written and read.
pub const FORMAT: u32 = 1;
/// The word that stands for every word outside the vocabulary; always the first.
const UNKNOWN: &str = "<unk>";
/// The largest width of anything.
const LARGEST_SIZE: usize = 65_536;
/// The most layers in an encoder, and in one SRU.
const MOST_LAYERS: usize = 32;
/// The longest text of an encoder, in bytes. A tagged object is buffered, at many times its length, before its
/// tag is known: the limit keeps that small.
const LONGEST_ENCODER: usize = 8 << 10;

/// A network and the text it reads, as stored in a model file.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The version of this record: [`FORMAT`].
    pub format: u32,
    /// What the network is asked.
    pub task: Task,
    /// How text becomes words.
    pub tokenizer: TokenizerConfig,
    /// The words in the order of the embedding's rows, each once; the first is `<unk>`.
    pub vocabulary: Vec<String>,
    /// The names of the classes in the order of the scores, each once.
    pub labels: Vec<String>,
    /// The width of a word's vector.
    pub embedding_size: usize,
    /// The layers that a sequence passes through, in order.
    #[serde(deserialize_with = "encoder")]
    pub encoder: Vec<LayerConfig>,
    /// How a sequence of states becomes one.
    pub pool: Pool,
    /// The skim probability above which a word is skimmed, where the caller gives none. Skim models only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
    /// How the model was made and what it reached.
    #[serde(default)]
    pub training: Training,
}

/// What a network is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// One label for a text.
    Classify,
}

/// How text becomes words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerConfig {
    /// Where words begin and end.
    pub kind: TokenizerKind,
    /// Whether words are looked up in lower case.
    pub lowercase: bool,
}

/// Where words begin and end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenizerKind {
    /// The Penn Treebank's convention.
    Treebank,
    /// At spaces only.
    Spaces,
}

/// One layer of an encoder. Its input has the width of the layer before it, or of the embedding.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum LayerConfig {
    /// An Elman network.
    Elman {
        /// The width of the state, in each direction.
        hidden_size: usize,
        /// What the new state passes through.
        nonlinearity: Nonlinearity,
        /// Whether a second network reads from the end; the states are joined.
        bidirectional: bool,
    },
    /// A long short-term memory.
    Lstm {
        /// The width of the state, in each direction.
        hidden_size: usize,
        /// Whether a second network reads from the end; the states are joined.
        bidirectional: bool,
    },
    /// A gated recurrent unit.
    Gru {
        /// The width of the state, in each direction.
        hidden_size: usize,
        /// Whether a second network reads from the end; the states are joined.
        bidirectional: bool,
    },
    /// A stack of simple recurrent units.
    Sru(SruConfig),
    /// A cell that reads with its whole state, or skims with a part of it.
    Skim {
        /// The kind of both cells.
        cell: Cell,
        /// The width of the state.
        hidden_size: usize,
        /// The width of the part that skimming updates; 0 skips the word.
        small_size: usize,
        /// What the small cell sees of the state.
        small_reads: SmallReads,
    },
}

/// A stack of simple recurrent units, with the options and the defaults of the `sru` package's `SRU`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SruConfig {
    /// The width of the state, in each direction.
    pub hidden_size: usize,
    /// The layers of the stack.
    pub num_layers: usize,
    /// Whether each layer also reads from the end; the states are joined.
    #[serde(default)]
    pub bidirectional: bool,
    /// The first version: the gates do not see the state.
    #[serde(default)]
    pub v1: bool,
    /// Whether the skip term is scaled.
    #[serde(default)]
    pub rescale: bool,
    /// Whether a layer's input is added to its output.
    #[serde(default = "yes")]
    pub has_skip_term: bool,
    /// Whether the state passes through tanh on its way out.
    #[serde(default)]
    pub use_tanh: bool,
    /// Whether layers are normalised.
    #[serde(default)]
    pub layer_norm: bool,
    /// Whether it is a layer's output, and not its input, that is normalised.
    #[serde(default)]
    pub normalize_after: bool,
    /// The rank of the input product; 0 for a full product.
    #[serde(default)]
    pub projection_size: usize,
}

/// What an Elman network's state passes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nonlinearity {
    /// tanh.
    Tanh,
    /// max(0, x).
    Relu,
}

/// The kind of a skim layer's cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// A long short-term memory.
    Lstm,
    /// A gated recurrent unit.
    Gru,
}

/// What the small cell of a skim layer sees of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SmallReads {
    /// The part that it updates.
    Slice,
    /// All of it, as in equation 3 of Seo et al. (2018).
    All,
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

fn yes() -> bool {
    true
}

/// Reads the encoder from a text that is short.
fn encoder<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LayerConfig>, D::Error> {
    fn short<'de, D: Deserializer<'de>, T: DeserializeOwned>(
        deserializer: D,
        most: usize,
    ) -> Result<T, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        if text.len() > most {
            return Err(D::Error::custom(format!("{} bytes long; at most {most} are read", text.len())));
        }
        serde_json::from_str(text).map_err(D::Error::custom)
    }
    short(deserializer, LONGEST_ENCODER)
        .map_err(|error: D::Error| D::Error::custom(format!("encoder: {error}")))
}

impl Config {
    /// Reads a config and checks it.
    ///
    /// # Errors
    /// [`ModelError::Format`] for another version; [`ModelError::ConfigSyntax`] for a text that is not a config;
    /// [`ModelError::Config`] for a value out of its range.
    pub fn from_json(json: &str) -> Result<Self, ModelError> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let syntax =
            |error: serde_json::Error| ModelError::ConfigSyntax { reason: excerpt(&error.to_string()) };
        // The version comes first: another format's fields would be reported as unknown.
        let Version { format } = serde_json::from_str(json).map_err(syntax)?;
        if format != FORMAT {
            return Err(ModelError::Format { expected: FORMAT, found: format });
        }
        let config: Self = serde_json::from_str(json).map_err(syntax)?;
        config.validate()?;
        Ok(config)
    }

    /// Checks the config and writes it, to be stored under [`CONFIG_KEY`]. Equal configs give equal texts.
    ///
    /// # Errors
    /// [`ModelError::Format`] or [`ModelError::Config`] for a config that could not be read back.
    pub fn to_json(&self) -> Result<String, ModelError> {
        self.validate()?;
        serde_json::to_string(self).map_err(|error| ModelError::ConfigSyntax { reason: error.to_string() })
    }

    /// Checks every field against its range.
    ///
    /// # Errors
    /// [`ModelError::Format`], or [`ModelError::Config`] with the first field that is wrong.
    pub fn validate(&self) -> Result<(), ModelError> {
        if self.format != FORMAT {
            return Err(ModelError::Format { expected: FORMAT, found: self.format });
        }
        match self.vocabulary.first() {
            Some(first) if first == UNKNOWN => {}
            Some(first) => {
                return Err(ModelError::config("vocabulary[0]", UNKNOWN, format!("{:?}", excerpt(first))));
            }
            None => return Err(ModelError::config("vocabulary", "at least one word", "none")),
        }
        check_distinct("vocabulary", &self.vocabulary)?;
        if self.labels.is_empty() {
            return Err(ModelError::config("labels", "at least one label", "none"));
        }
        check_distinct("labels", &self.labels)?;
        check_range("embedding_size", self.embedding_size, 1, LARGEST_SIZE)?;
        check_range("the number of layers in encoder", self.encoder.len(), 1, MOST_LAYERS)?;
        for (index, layer) in self.encoder.iter().enumerate() {
            layer.validate(&format!("encoder[{index}]"))?;
        }
        let skims = self.encoder.iter().any(|layer| matches!(layer, LayerConfig::Skim { .. }));
        match self.threshold {
            Some(_) if !skims => return Err(ModelError::config("threshold", "none: no layer skims", "one")),
            Some(threshold) if !(0.0..=1.0).contains(&threshold) => {
                return Err(ModelError::config("threshold", "0 to 1", threshold.to_string()));
            }
            _ => {}
        }
        match self.training.figures.iter().find(|(_, figure)| !figure.is_finite()) {
            Some((name, figure)) => {
                let field = format!("training.figures.{}", excerpt(name));
                Err(ModelError::config(field, "a finite number", figure.to_string()))
            }
            None => Ok(()),
        }
    }

    /// The weights of the network's matrices: no file with fewer numbers can hold it. Biases and other vectors are
    /// not counted. The config must be [valid](Self::validate).
    pub fn least_parameters(&self) -> u64 {
        let mut width = self.embedding_size as u64;
        let mut weights = self.vocabulary.len() as u64 * width;
        for layer in &self.encoder {
            weights += layer.weights(width);
            width = layer.output_size() as u64;
        }
        weights + self.labels.len() as u64 * width
    }
}

impl LayerConfig {
    /// The width of the layer's output: both directions, joined, where there are two.
    pub fn output_size(&self) -> usize {
        match *self {
            Self::Elman { hidden_size, bidirectional, .. }
            | Self::Lstm { hidden_size, bidirectional }
            | Self::Gru { hidden_size, bidirectional } => hidden_size * directions(bidirectional),
            Self::Sru(ref sru) => sru.output_size(),
            Self::Skim { hidden_size, .. } => hidden_size,
        }
    }

    fn validate(&self, place: &str) -> Result<(), ModelError> {
        let size =
            |field: &str, size, least, most| check_range(&format!("{place}.{field}"), size, least, most);
        match *self {
            Self::Elman { hidden_size, .. }
            | Self::Lstm { hidden_size, .. }
            | Self::Gru { hidden_size, .. } => size("hidden_size", hidden_size, 1, LARGEST_SIZE),
            Self::Sru(ref sru) => {
                size("hidden_size", sru.hidden_size, 1, LARGEST_SIZE)?;
                size("num_layers", sru.num_layers, 1, MOST_LAYERS)?;
                size("projection_size", sru.projection_size, 0, LARGEST_SIZE)?;
                if sru.normalize_after && !sru.layer_norm {
                    let field = format!("{place}.normalize_after");
                    return Err(ModelError::config(field, "false without layer_norm", "true"));
                }
                Ok(())
            }
            Self::Skim { hidden_size, small_size, .. } => {
                size("hidden_size", hidden_size, 1, LARGEST_SIZE)?;
                size("small_size", small_size, 0, hidden_size - 1)
            }
        }
    }

    /// The weights of the layer's matrices for an input of width `input`.
    fn weights(&self, input: u64) -> u64 {
        let gated = |gates: u64, hidden: usize, state: usize| gates * hidden as u64 * (input + state as u64);
        match *self {
            Self::Elman { hidden_size, bidirectional, .. } => {
                gated(1, hidden_size, hidden_size) * directions(bidirectional) as u64
            }
            Self::Lstm { hidden_size, bidirectional } => {
                gated(4, hidden_size, hidden_size) * directions(bidirectional) as u64
            }
            Self::Gru { hidden_size, bidirectional } => {
                gated(3, hidden_size, hidden_size) * directions(bidirectional) as u64
            }
            Self::Sru(ref sru) => sru.weights(input),
            Self::Skim { cell, hidden_size, small_size, small_reads } => {
                let gates = match cell {
                    Cell::Lstm => 4,
                    Cell::Gru => 3,
                };
                let small_state = match small_reads {
                    SmallReads::Slice => small_size,
                    SmallReads::All => hidden_size,
                };
                // The decision is a matrix [2, input + hidden_size].
                gated(gates, hidden_size, hidden_size)
                    + gated(gates, small_size, small_state)
                    + gated(1, 2, hidden_size)
            }
        }
    }
}

impl SruConfig {
    /// The width of each layer's output: both directions, joined, where there are two.
    pub fn output_size(&self) -> usize {
        self.hidden_size * directions(self.bidirectional)
    }

    fn weights(&self, input: u64) -> u64 {
        let (output, projection) = (self.output_size() as u64, self.projection_size as u64);
        let layer = |input: u64| {
            let matrices = if self.has_skip_term && input != output { 4 } else { 3 };
            // The package projects only to a width below both the input's and the output's.
            if 0 < projection && projection < input.min(output) {
                projection * (input + output * matrices)
            } else {
                input * output * matrices
            }
        };
        layer(input) + (self.num_layers as u64 - 1) * layer(output)
    }
}

fn directions(bidirectional: bool) -> usize {
    if bidirectional { 2 } else { 1 }
}

fn check_range(field: &str, value: usize, least: usize, most: usize) -> Result<(), ModelError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ModelError::config(field, format!("{least} to {most}"), value.to_string()))
}

/// Checks that no text is empty and none appears twice.
fn check_distinct(field: &str, texts: &[String]) -> Result<(), ModelError> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&index| &texts[index]);
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
