//! The sizes of a layer by itself: as somebody asks for them, or read off the shapes of stored tensors.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::error::excerpt;
use super::header::Header;
use super::layer_config::{LARGEST_SIZE, MOST_LAYERS, check_range};
use super::{Cell, LayerConfig, ModelError, Nonlinearity, SmallReads, SruConfig};

/// The most weights that are drawn: 1 GiB.
const MOST_WEIGHTS: u64 = 1 << 28;

/// What makes a layer.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LayerShape {
    /// Columns of the input.
    pub input_size: usize,
    /// Layers on top of one another, for Elman, LSTM and GRU.
    pub num_layers: usize,
    /// Whether those have bias vectors.
    pub bias: bool,
    /// The kind, its sizes and its choices.
    pub layer: LayerConfig,
}

/// A kind of layer, and what its tensors cannot say themselves, with the defaults of the original.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum StoredLayer {
    /// `torch.nn.RNN`.
    Elman {
        /// tanh unless given.
        #[serde(default = "tanh")]
        nonlinearity: Nonlinearity,
    },
    /// `torch.nn.LSTM`.
    Lstm {},
    /// `torch.nn.GRU`.
    Gru {},
    /// The `sru` package's `SRU`.
    Sru {
        /// See [`SruConfig::bidirectional`].
        #[serde(default)]
        bidirectional: bool,
        /// See [`SruConfig::v1`].
        #[serde(default)]
        v1: bool,
        /// See [`SruConfig::rescale`].
        #[serde(default)]
        rescale: bool,
        /// See [`SruConfig::has_skip_term`]; true unless given.
        #[serde(default = "yes")]
        has_skip_term: bool,
        /// See [`SruConfig::use_tanh`].
        #[serde(default)]
        use_tanh: bool,
        /// See [`SruConfig::normalize_after`].
        #[serde(default)]
        normalize_after: bool,
    },
    /// A Skim layer over an LSTM or a GRU.
    Skim {},
}

fn tanh() -> Nonlinearity {
    Nonlinearity::Tanh
}

fn yes() -> bool {
    true
}

impl LayerShape {
    pub(super) fn validate(&self) -> Result<(), ModelError> {
        check_range("inputSize", self.input_size, 1, LARGEST_SIZE)?;
        check_range("numLayers", self.num_layers, 1, MOST_LAYERS)?;
        self.layer.validate("layer")?;
        let first = self.layer.weights(self.input_size as u64);
        let above = self.layer.weights(self.layer.output_size() as u64) * (self.num_layers as u64 - 1);
        if first + above > MOST_WEIGHTS {
            let found = format!("{} weights", first + above);
            return Err(ModelError::config("layer", format!("at most {MOST_WEIGHTS} weights"), found));
        }
        Ok(())
    }

    /// The parts of a state that a call takes and gives, in their order: `h`, `c`, or both.
    pub(super) fn state_parts(&self) -> &'static str {
        match self.layer {
            LayerConfig::Lstm { .. } | LayerConfig::Skim { cell: Cell::Lstm, .. } => "hc",
            LayerConfig::Elman { .. } | LayerConfig::Gru { .. } | LayerConfig::Skim { .. } => "h",
            LayerConfig::Sru(_) => "c",
        }
    }
}

impl StoredLayer {
    /// The sizes that the tensors' shapes tell.
    pub(super) fn shape(&self, shapes: &Shapes<'_>) -> Result<LayerShape, ModelError> {
        match *self {
            Self::Elman { nonlinearity } => shapes.recurrent(1, |hidden_size, bidirectional| {
                LayerConfig::Elman { hidden_size, nonlinearity, bidirectional }
            }),
            Self::Lstm {} => shapes
                .recurrent(4, |hidden_size, bidirectional| LayerConfig::Lstm { hidden_size, bidirectional }),
            Self::Gru {} => shapes
                .recurrent(3, |hidden_size, bidirectional| LayerConfig::Gru { hidden_size, bidirectional }),
            Self::Sru { bidirectional, v1, rescale, has_skip_term, use_tanh, normalize_after } => {
                shapes.sru(SruConfig {
                    hidden_size: 0,
                    num_layers: 0,
                    bidirectional,
                    v1,
                    rescale,
                    has_skip_term,
                    use_tanh,
                    layer_norm: false,
                    normalize_after,
                    projection_size: 0,
                    proj_input_to_hidden_first: false,
                })
            }
            Self::Skim {} => shapes.skim(),
        }
    }
}

/// The shapes of stored tensors by name. Whether all fit one another is for who builds the layer.
pub(super) struct Shapes<'a>(BTreeMap<&'a str, &'a [usize]>);

impl<'a> Shapes<'a> {
    /// Of the tensors whose names begin with `prefix`, without it.
    pub(super) fn under(header: &'a Header, prefix: &str) -> Self {
        let under = header.entries.iter().filter_map(|(name, entry)| {
            name.strip_prefix(prefix).map(|name| (name, entry.shape.0.as_slice()))
        });
        Self(under.collect())
    }

    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// How many of the names that a number makes are there, from 0 on.
    fn count(&self, name: impl Fn(usize) -> String) -> usize {
        (0..).take_while(|&i| self.has(&name(i))).count()
    }

    fn sizes<const N: usize>(&self, name: &str, expected: &str) -> Result<[usize; N], ModelError> {
        let Some(&shape) = self.0.get(name) else {
            return Err(ModelError::Missing { tensor: excerpt(name), expected: expected.into() });
        };
        shape.try_into().map_err(|_| wrong(name, expected, shape))
    }

    fn matrix(&self, name: &str) -> Result<[usize; 2], ModelError> {
        self.sizes(name, "[rows, columns]")
    }

    /// `size` in so many equal parts.
    fn part(&self, name: &str, size: usize, parts: usize) -> Result<usize, ModelError> {
        if size.is_multiple_of(parts) {
            return Ok(size / parts);
        }
        let found = self.0.get(name).copied().unwrap_or_default();
        Err(wrong(name, &format!("of a multiple of {parts} rows"), found))
    }

    fn recurrent(
        &self,
        gates: usize,
        layer: impl Fn(usize, bool) -> LayerConfig,
    ) -> Result<LayerShape, ModelError> {
        let first = "weight_ih_l0";
        let [rows, input_size] = self.matrix(first)?;
        Ok(LayerShape {
            input_size,
            num_layers: self.count(|i| format!("weight_ih_l{i}")),
            bias: self.has("bias_ih_l0"),
            layer: layer(self.part(first, rows, gates)?, self.has("weight_ih_l0_reverse")),
        })
    }

    fn sru(&self, choices: SruConfig) -> Result<LayerShape, ModelError> {
        let weight = |i: usize| format!("rnn_lst.{i}.weight");
        let projection = |i: usize| format!("rnn_lst.{i}.weight_proj");
        let memory = "rnn_lst.0.weight_c";
        let [rows] = self.sizes(memory, "[rows]")?;
        let num_layers = self.count(weight);
        // The product passes through a projection only where that is narrower; the first that does has its width.
        let projected = (0..num_layers).map(projection).find(|name| self.has(name));
        let first = self.has("input_to_hidden.weight");
        let [input_size] = if first {
            let [_, columns] = self.matrix("input_to_hidden.weight")?;
            [columns]
        } else {
            let [rows, _] = self.matrix(&if self.has(&projection(0)) { projection(0) } else { weight(0) })?;
            [rows]
        };
        Ok(LayerShape {
            input_size,
            num_layers: 1,
            bias: true,
            layer: LayerConfig::Sru(SruConfig {
                hidden_size: self.part(memory, rows, if choices.bidirectional { 4 } else { 2 })?,
                num_layers,
                layer_norm: self.has("rnn_lst.0.layer_norm.weight"),
                projection_size: projected.map_or(Ok(0), |name| self.matrix(&name).map(|[_, p]| p))?,
                proj_input_to_hidden_first: first,
                ..choices
            }),
        })
    }

    fn skim(&self) -> Result<LayerShape, ModelError> {
        let (big, small) = ("big.weight_hh", "small.weight_hh");
        let [rows, hidden_size] = self.matrix(big)?;
        let (cell, gates) =
            if rows == hidden_size.saturating_mul(4) { (Cell::Lstm, 4) } else { (Cell::Gru, 3) };
        let [small_rows, reads] = if self.has(small) { self.matrix(small)? } else { [0, 0] };
        let small_size = self.part(small, small_rows, gates)?;
        let small_reads =
            if small_size > 0 && reads == hidden_size { SmallReads::All } else { SmallReads::Slice };
        let [_, input_size] = self.matrix("big.weight_ih")?;
        Ok(LayerShape {
            input_size,
            num_layers: 1,
            bias: true,
            layer: LayerConfig::Skim { cell, hidden_size, small_size, small_reads },
        })
    }
}

fn wrong(name: &str, expected: &str, found: &[usize]) -> ModelError {
    ModelError::Shape { tensor: excerpt(name), expected: expected.into(), found: format!("{found:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensors<'a>(shapes: &[(&'a str, &'a [usize])]) -> Shapes<'a> {
        Shapes(shapes.iter().copied().collect())
    }

    fn stored(json: &str) -> StoredLayer {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn shapes_tell_the_sizes() {
        let lstm = tensors(&[
            ("weight_ih_l0", &[20, 3]),
            ("weight_ih_l0_reverse", &[20, 3]),
            ("weight_ih_l1", &[20, 10]),
            ("bias_ih_l0", &[20]),
        ]);
        let layer = LayerConfig::Lstm { hidden_size: 5, bidirectional: true };
        let expected = LayerShape { input_size: 3, num_layers: 2, bias: true, layer };
        assert_eq!(stored(r#"{"type":"lstm"}"#).shape(&lstm), Ok(expected));

        let sru = tensors(&[
            ("rnn_lst.0.weight", &[7, 24]),
            ("rnn_lst.0.weight_c", &[16]),
            ("rnn_lst.1.weight", &[2, 24]),
            ("rnn_lst.1.weight_proj", &[8, 2]),
        ]);
        let shape = stored(r#"{"type":"sru","bidirectional":true,"hasSkipTerm":false}"#).shape(&sru).unwrap();
        let LayerConfig::Sru(config) = &shape.layer else { panic!("{shape:?}") };
        assert_eq!((shape.input_size, config.hidden_size, config.num_layers), (7, 4, 2));
        assert_eq!((config.projection_size, config.has_skip_term, config.layer_norm), (2, false, false));

        let skim = tensors(&[
            ("big.weight_hh", &[15, 5]),
            ("big.weight_ih", &[15, 3]),
            ("small.weight_hh", &[6, 5]),
        ]);
        let layer = LayerConfig::Skim {
            cell: Cell::Gru,
            hidden_size: 5,
            small_size: 2,
            small_reads: SmallReads::All,
        };
        let expected = LayerShape { input_size: 3, num_layers: 1, bias: true, layer };
        assert_eq!(stored(r#"{"type":"skim"}"#).shape(&skim), Ok(expected));
    }

    #[test]
    fn what_is_no_such_layer_is_named() {
        let refused = |json: &str, shapes: &[(&str, &[usize])], message: &str| {
            let error = stored(json).shape(&tensors(shapes)).unwrap_err();
            assert_eq!(
                (error.code(), error.to_string().contains(message)),
                ("MODEL_TENSORS", true),
                "{error}"
            );
        };
        refused(r#"{"type":"lstm"}"#, &[], "\"weight_ih_l0\" of shape [rows, columns] is missing");
        refused(
            r#"{"type":"lstm"}"#,
            &[("weight_ih_l0", &[6, 2])],
            "a multiple of 4 rows, the file has [6, 2]",
        );
        refused(r#"{"type":"gru"}"#, &[("weight_ih_l0", &[6])], "shape [rows, columns], the file has [6]");
        refused(r#"{"type":"skim"}"#, &[("big.weight_hh", &[20, 5])], "\"big.weight_ih\"");
        let unknown = serde_json::from_str::<StoredLayer>(r#"{"type":"lstm","v1":true}"#).unwrap_err();
        assert!(unknown.to_string().contains("unknown field `v1`"), "{unknown}");
    }
}
