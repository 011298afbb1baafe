//! The layers of a network, as a config describes them.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::ModelError;

/// The largest width of anything.
pub(super) const LARGEST_SIZE: usize = 65_536;
/// The most layers in an encoder, and in one SRU.
pub(super) const MOST_LAYERS: usize = 32;
/// One layer of an encoder. Its input has the width of the layer before it, or of the embedding.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "type", rename_all = "snake_case", try_from = "Fields")]
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

/// A stack of simple recurrent units, with the options of the `sru` package's `SRU`, and its defaults
/// where a file leaves one out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SruConfig {
    /// The width of the state, in each direction.
    pub hidden_size: usize,
    /// The layers of the stack.
    pub num_layers: usize,
    /// Whether each layer also reads from the end; the states are joined.
    pub bidirectional: bool,
    /// The first version: the gates do not see the state.
    pub v1: bool,
    /// Whether the skip term is scaled.
    pub rescale: bool,
    /// Whether a layer's input is added to its output.
    pub has_skip_term: bool,
    /// Whether the state passes through tanh on its way out.
    pub use_tanh: bool,
    /// Whether layers are normalised.
    pub layer_norm: bool,
    /// Whether it is a layer's output, and not its input, that is normalised.
    pub normalize_after: bool,
    /// The rank of the input product; 0 for a full product.
    pub projection_size: usize,
    /// Whether a linear map of the input to the layers' width comes first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub proj_input_to_hidden_first: bool,
}

/// The fields of all kinds of layers, as a config has them. Serde's own reading of a tagged enum first keeps all that it meets
/// in a form of its own, and takes three times the code.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields {
    r#type: Kind,
    hidden_size: usize,
    bidirectional: Option<bool>,
    nonlinearity: Option<Nonlinearity>,
    num_layers: Option<usize>,
    v1: Option<bool>,
    rescale: Option<bool>,
    has_skip_term: Option<bool>,
    use_tanh: Option<bool>,
    layer_norm: Option<bool>,
    normalize_after: Option<bool>,
    projection_size: Option<usize>,
    proj_input_to_hidden_first: Option<bool>,
    cell: Option<Cell>,
    small_size: Option<usize>,
    small_reads: Option<SmallReads>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Elman,
    Lstm,
    Gru,
    Sru,
    Skim,
}

impl TryFrom<Fields> for LayerConfig {
    type Error = String;

    fn try_from(mut fields: Fields) -> Result<Self, String> {
        fn need<T>(field: &mut Option<T>, name: &str) -> Result<T, String> {
            field.take().ok_or_else(|| format!("missing field `{name}`"))
        }
        let hidden_size = fields.hidden_size;
        let mut bidirectional = || need(&mut fields.bidirectional, "bidirectional");
        let layer = match fields.r#type {
            Kind::Elman => Self::Elman {
                hidden_size,
                bidirectional: bidirectional()?,
                nonlinearity: need(&mut fields.nonlinearity, "nonlinearity")?,
            },
            Kind::Lstm => Self::Lstm { hidden_size, bidirectional: bidirectional()? },
            Kind::Gru => Self::Gru { hidden_size, bidirectional: bidirectional()? },
            Kind::Sru => Self::Sru(SruConfig {
                hidden_size,
                num_layers: need(&mut fields.num_layers, "num_layers")?,
                bidirectional: fields.bidirectional.take().unwrap_or(false),
                v1: fields.v1.take().unwrap_or(false),
                rescale: fields.rescale.take().unwrap_or(false),
                has_skip_term: fields.has_skip_term.take().unwrap_or(true),
                use_tanh: fields.use_tanh.take().unwrap_or(false),
                layer_norm: fields.layer_norm.take().unwrap_or(false),
                normalize_after: fields.normalize_after.take().unwrap_or(false),
                projection_size: fields.projection_size.take().unwrap_or(0),
                proj_input_to_hidden_first: fields.proj_input_to_hidden_first.take().unwrap_or(false),
            }),
            Kind::Skim => Self::Skim {
                hidden_size,
                cell: need(&mut fields.cell, "cell")?,
                small_size: need(&mut fields.small_size, "small_size")?,
                small_reads: need(&mut fields.small_reads, "small_reads")?,
            },
        };
        match fields.left() {
            Some(name) => Err(format!("unknown field `{name}`")),
            None => Ok(layer),
        }
    }
}

impl Fields {
    /// A field that was given and that nothing has taken.
    fn left(&self) -> Option<&'static str> {
        let fields = [
            (self.bidirectional.is_some(), "bidirectional"),
            (self.nonlinearity.is_some(), "nonlinearity"),
            (self.num_layers.is_some(), "num_layers"),
            (self.v1.is_some(), "v1"),
            (self.rescale.is_some(), "rescale"),
            (self.has_skip_term.is_some(), "has_skip_term"),
            (self.use_tanh.is_some(), "use_tanh"),
            (self.layer_norm.is_some(), "layer_norm"),
            (self.normalize_after.is_some(), "normalize_after"),
            (self.projection_size.is_some(), "projection_size"),
            (self.proj_input_to_hidden_first.is_some(), "proj_input_to_hidden_first"),
            (self.cell.is_some(), "cell"),
            (self.small_size.is_some(), "small_size"),
            (self.small_reads.is_some(), "small_reads"),
        ];
        fields.iter().find(|(given, _)| *given).map(|(_, name)| *name)
    }
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

/// Reads an encoder's layers; a message says that it is about them.
pub(super) fn encoder<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LayerConfig>, D::Error> {
    named("encoder", deserializer)
}

/// Reads a parser's layers; a message says that it is about them.
pub(super) fn layers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<LayerConfig>, D::Error> {
    named("layers", deserializer)
}

fn named<'de, D: Deserializer<'de>>(field: &str, deserializer: D) -> Result<Vec<LayerConfig>, D::Error> {
    Vec::deserialize(deserializer).map_err(|error| D::Error::custom(format!("{field}: {error}")))
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

    /// Whether it reads from the end as well.
    pub(super) fn is_bidirectional(&self) -> bool {
        match *self {
            Self::Elman { bidirectional, .. }
            | Self::Lstm { bidirectional, .. }
            | Self::Gru { bidirectional, .. } => bidirectional,
            Self::Sru(ref sru) => sru.bidirectional,
            Self::Skim { .. } => false,
        }
    }

    pub(super) fn validate(&self, place: &str) -> Result<(), ModelError> {
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
    pub(super) fn weights(&self, input: u64) -> u64 {
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
    /// The package's defaults: one direction, the second version, with the skip term.
    pub fn new(hidden_size: usize, num_layers: usize) -> Self {
        Self {
            hidden_size,
            num_layers,
            bidirectional: false,
            v1: false,
            rescale: false,
            has_skip_term: true,
            use_tanh: false,
            layer_norm: false,
            normalize_after: false,
            projection_size: 0,
            proj_input_to_hidden_first: false,
        }
    }

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
        let (first, input) = if self.proj_input_to_hidden_first && input != output {
            (input * output, output)
        } else {
            (0, input)
        };
        first + layer(input) + (self.num_layers as u64 - 1) * layer(output)
    }
}

fn directions(bidirectional: bool) -> usize {
    if bidirectional { 2 } else { 1 }
}

pub(super) fn check_range(field: &str, value: usize, least: usize, most: usize) -> Result<(), ModelError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(ModelError::config(field, format!("{least} to {most}"), value.to_string()))
}
