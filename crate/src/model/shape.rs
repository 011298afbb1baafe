//! The sizes of a layer by itself: as somebody asks for them, or read off the shapes of stored tensors.

use serde::Deserialize;

use super::error::excerpt;
use super::layer_config::{LARGEST_SIZE, MOST_LAYERS, check_range};
use super::state_dict::StateDict;
use super::{Cell, LayerConfig, ModelError, Nonlinearity, SmallReads, SruConfig};
use crate::nn::Tensors;

/// The most weights that are drawn: 1 GiB.
pub(super) const MOST_WEIGHTS: u64 = 1 << 28;

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
    /// Columns of an LSTM's h, in each direction, where it is projected to fewer; 0 where it is not.
    #[serde(default)]
    pub proj_size: usize,
    /// The kind, its sizes and its choices.
    pub layer: LayerConfig,
}

/// A kind of layer, and what its tensors cannot say themselves, with the defaults of the original. Sizes that are given are
/// held against the file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum StoredLayer {
    /// `torch.nn.RNN`, `torch.nn.RNNCell`.
    Elman(StoredSizes),
    /// `torch.nn.LSTM`, `torch.nn.LSTMCell`.
    Lstm(StoredSizes),
    /// `torch.nn.GRU`, `torch.nn.GRUCell`.
    Gru(StoredSizes),
    /// The `sru` package's `SRU`.
    Sru(StoredSru),
    /// A Skim layer over an LSTM or a GRU.
    Skim(StoredSkim),
}

/// The arguments of `torch.nn.RNN`, `LSTM` and `GRU`. The tensors tell those that are not given, but for the nonlinearity.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StoredSizes {
    /// Of an Elman network; tanh unless given.
    pub nonlinearity: Option<Nonlinearity>,
    /// Columns of the input.
    pub input_size: Option<usize>,
    /// The width of each direction's state.
    pub hidden_size: Option<usize>,
    /// Layers on top of one another.
    pub num_layers: Option<usize>,
    /// Whether there are bias vectors.
    pub bias: Option<bool>,
    /// Whether a second network reads from the end.
    pub bidirectional: Option<bool>,
    /// See [`LayerShape::proj_size`].
    pub proj_size: Option<usize>,
}

/// The arguments of the `sru` package's `SRU`. The tensors tell sizes that are not given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StoredSru {
    /// Columns of the input.
    pub input_size: Option<usize>,
    /// See [`SruConfig::hidden_size`].
    pub hidden_size: Option<usize>,
    /// See [`SruConfig::num_layers`].
    pub num_layers: Option<usize>,
    /// See [`SruConfig::layer_norm`].
    pub layer_norm: Option<bool>,
    /// See [`SruConfig::projection_size`].
    pub projection_size: Option<usize>,
    /// See [`SruConfig::bidirectional`].
    pub bidirectional: bool,
    /// See [`SruConfig::v1`].
    pub v1: bool,
    /// See [`SruConfig::rescale`]; unless given, true if the file has a scale other than 1.
    pub rescale: Option<bool>,
    /// See [`SruConfig::has_skip_term`]; true unless given.
    pub has_skip_term: Option<bool>,
    /// See [`SruConfig::use_tanh`].
    pub use_tanh: bool,
    /// See [`SruConfig::normalize_after`].
    pub normalize_after: bool,
}

/// The sizes and choices of a Skim layer. The tensors tell those that are not given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct StoredSkim {
    /// Columns of the input.
    pub input_size: Option<usize>,
    /// The width of the state.
    pub hidden_size: Option<usize>,
    /// The width of the part that skimming updates.
    pub small_size: Option<usize>,
    /// The kind of both cells.
    pub cell: Option<Cell>,
    /// What the small cell sees of the state.
    pub small_reads: Option<SmallReads>,
}

impl LayerShape {
    /// One layer, with biases.
    pub(super) fn single(input_size: usize, layer: LayerConfig) -> Self {
        Self { input_size, num_layers: 1, bias: true, proj_size: 0, layer }
    }

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
    /// Its name.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Elman(_) => "Elman",
            Self::Lstm(_) => "Lstm",
            Self::Gru(_) => "Gru",
            Self::Sru(_) => "Sru",
            Self::Skim(_) => "Skim",
        }
    }

    /// The sizes given, or those that the tensors' shapes tell.
    pub(super) fn shape(&self, tensors: &StateDict<'_>) -> Result<LayerShape, ModelError> {
        let shapes = Shapes(tensors);
        match self {
            Self::Elman(sizes) => shapes.recurrent(1, sizes, |hidden_size, bidirectional| {
                let nonlinearity = sizes.nonlinearity.unwrap_or(Nonlinearity::Tanh);
                LayerConfig::Elman { hidden_size, nonlinearity, bidirectional }
            }),
            Self::Lstm(sizes) => shapes.recurrent(4, sizes, |hidden_size, bidirectional| LayerConfig::Lstm {
                hidden_size,
                bidirectional,
            }),
            Self::Gru(sizes) => shapes.recurrent(3, sizes, |hidden_size, bidirectional| LayerConfig::Gru {
                hidden_size,
                bidirectional,
            }),
            Self::Sru(given) => shapes.sru(given),
            Self::Skim(given) => shapes.skim(given),
        }
    }

    /// What values tell, and no shape: the `sru` package stores a scale other than 1 only where it is used.
    pub(super) fn learn(&self, shape: &mut LayerShape, tensors: &Tensors) {
        if let (Self::Sru(StoredSru { rescale: None, .. }), LayerConfig::Sru(sru)) = (self, &mut shape.layer)
        {
            sru.rescale = tensors.iter().any(|(name, t)| name.ends_with(".scale_x") && t.values != [1.0]);
        }
    }
}

/// The shapes of stored tensors by name. Whether all fit one another is for who builds the layer.
struct Shapes<'a>(&'a StateDict<'a>);

impl Shapes<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.shape(name).is_some()
    }

    fn sizes<const N: usize>(&self, name: &str, expected: &str) -> Result<[usize; N], ModelError> {
        let Some(shape) = self.0.shape(name) else {
            let tensor = excerpt(&self.0.whole_name(name));
            return Err(ModelError::Missing { tensor, expected: expected.into() });
        };
        shape.try_into().map_err(|_| self.wrong(name, expected))
    }

    fn matrix(&self, name: &str) -> Result<[usize; 2], ModelError> {
        self.sizes(name, "[rows, columns]")
    }

    /// `size` in so many equal parts.
    fn part(&self, name: &str, size: usize, parts: usize) -> Result<usize, ModelError> {
        if size.is_multiple_of(parts) {
            return Ok(size / parts);
        }
        Err(self.wrong(name, &format!("of a multiple of {parts} rows")))
    }

    fn wrong(&self, name: &str, expected: &str) -> ModelError {
        ModelError::Shape {
            tensor: excerpt(&self.0.whole_name(name)),
            expected: expected.into(),
            found: format!("{:?}", self.0.shape(name).unwrap_or_default()),
        }
    }

    fn recurrent(
        &self,
        gates: usize,
        given: &StoredSizes,
        layer: impl Fn(usize, bool) -> LayerConfig,
    ) -> Result<LayerShape, ModelError> {
        if given.nonlinearity.is_some() && gates > 1 {
            return Err(ModelError::config("nonlinearity", "none but for an Elman network", "one"));
        }
        let (first, projection) = ("weight_ih_l0", "weight_hr_l0");
        let hidden_size = match given.hidden_size {
            Some(size) => size,
            None if self.has(projection) => self.matrix(projection)?[1],
            None => self.part(first, self.matrix(first)?[0], gates)?,
        };
        let proj_size = match given.proj_size {
            None if self.has(projection) => self.matrix(projection)?[0],
            size => size.unwrap_or(0),
        };
        let any = |is: fn(&str) -> bool| self.0.names().any(is);
        Ok(LayerShape {
            input_size: given
                .input_size
                .map_or_else(|| self.matrix(first).map(|[_, columns]| columns), Ok)?,
            num_layers: given.num_layers.unwrap_or_else(|| self.layers()),
            bias: given.bias.unwrap_or_else(|| any(|name| name.starts_with("bias_"))),
            proj_size,
            layer: layer(
                hidden_size,
                given.bidirectional.unwrap_or_else(|| any(|name| name.ends_with("_reverse"))),
            ),
        })
    }

    fn sru(&self, given: &StoredSru) -> Result<LayerShape, ModelError> {
        let weight = |i: usize| format!("rnn_lst.{i}.weight");
        let projection = |i: usize| format!("rnn_lst.{i}.weight_proj");
        let (first, memory) = ("input_to_hidden.weight", "rnn_lst.0.weight_c");
        let num_layers = given.num_layers.unwrap_or_else(|| self.layers());
        // The product passes through a projection only where that is narrower; the first that does has its width.
        let projected = (0..num_layers.min(MOST_LAYERS)).map(projection).find(|name| self.has(name));
        let input_size = match given.input_size {
            Some(size) => size,
            None if self.has(first) => self.matrix(first)?[1],
            None => self.matrix(&if self.has(&projection(0)) { projection(0) } else { weight(0) })?[0],
        };
        let hidden_size = match given.hidden_size {
            Some(size) => size,
            None => {
                let [rows] = self.sizes(memory, "[rows]")?;
                self.part(memory, rows, if given.bidirectional { 4 } else { 2 })?
            }
        };
        let projection_size = match (given.projection_size, projected) {
            (Some(size), _) => size,
            (None, Some(name)) => self.matrix(&name)?[1],
            (None, None) => 0,
        };
        let layer = LayerConfig::Sru(SruConfig {
            hidden_size,
            num_layers,
            bidirectional: given.bidirectional,
            v1: given.v1,
            rescale: given.rescale.unwrap_or(false),
            has_skip_term: given.has_skip_term.unwrap_or(true),
            use_tanh: given.use_tanh,
            layer_norm: given.layer_norm.unwrap_or_else(|| self.has("rnn_lst.0.layer_norm.weight")),
            normalize_after: given.normalize_after,
            projection_size,
            proj_input_to_hidden_first: self.has(first),
        });
        Ok(LayerShape::single(input_size, layer))
    }

    fn skim(&self, given: &StoredSkim) -> Result<LayerShape, ModelError> {
        let (big, small) = ("big.weight_hh", "small.weight_hh");
        let hidden_size = match given.hidden_size {
            Some(size) => size,
            None => self.matrix(big)?[1],
        };
        let cell = match given.cell {
            Some(cell) => cell,
            None if self.matrix(big)?[0] == hidden_size.saturating_mul(4) => Cell::Lstm,
            None => Cell::Gru,
        };
        let [small_rows, reads] = self.0.shape(small).and_then(|s| s.try_into().ok()).unwrap_or([0, 0]);
        let small_size = match (given.small_size, cell) {
            (Some(size), _) => size,
            (None, Cell::Lstm) => self.part(small, small_rows, 4)?,
            (None, Cell::Gru) => self.part(small, small_rows, 3)?,
        };
        let all = small_size > 0 && reads == hidden_size;
        let small_reads = given.small_reads.unwrap_or(if all { SmallReads::All } else { SmallReads::Slice });
        let input_size = match given.input_size {
            Some(size) => size,
            None => self.matrix("big.weight_ih")?[1],
        };
        Ok(LayerShape::single(input_size, LayerConfig::Skim { cell, hidden_size, small_size, small_reads }))
    }

    /// How many layers the names have numbers for.
    fn layers(&self) -> usize {
        self.0.names().filter_map(layer_after).max().unwrap_or(1)
    }
}

/// The number of the layer that a tensor belongs to by its name, and one more.
fn layer_after(name: &str) -> Option<usize> {
    let number = match name.strip_prefix("rnn_lst.") {
        Some(rest) => rest.split('.').next()?,
        None => {
            let (tensor, rest) = name.split_once("_l")?;
            let is_known = matches!(tensor, "weight_ih" | "weight_hh" | "weight_hr" | "bias_ih" | "bias_hh");
            is_known.then(|| rest.strip_suffix("_reverse").unwrap_or(rest))?
        }
    };
    number.parse::<usize>().ok()?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use super::super::header::Header;
    use super::*;

    fn shape(json: &str, shapes: &[(&str, &[usize])]) -> Result<LayerShape, ModelError> {
        let stored: StoredLayer = serde_json::from_str(json).unwrap();
        stored.shape(&StateDict::under(&Header::of(shapes), ""))
    }

    #[test]
    fn shapes_tell_the_sizes() {
        let lstm: &[(&str, &[usize])] = &[
            ("weight_ih_l0", &[20, 3]),
            ("weight_ih_l0_reverse", &[20, 3]),
            ("weight_ih_l1", &[20, 10]),
            ("bias_ih_l0", &[20]),
        ];
        let layer = LayerConfig::Lstm { hidden_size: 5, bidirectional: true };
        let expected = LayerShape { num_layers: 2, ..LayerShape::single(3, layer) };
        assert_eq!(shape(r#"{"type":"lstm"}"#, lstm), Ok(expected));

        let projected: &[(&str, &[usize])] = &[("weight_ih_l0", &[20, 3]), ("weight_hr_l0", &[2, 5])];
        let layer = LayerConfig::Lstm { hidden_size: 5, bidirectional: false };
        let expected = LayerShape { bias: false, proj_size: 2, ..LayerShape::single(3, layer) };
        assert_eq!(shape(r#"{"type":"lstm"}"#, projected), Ok(expected));

        let sru: &[(&str, &[usize])] = &[
            ("rnn_lst.0.weight", &[7, 24]),
            ("rnn_lst.0.weight_c", &[16]),
            ("rnn_lst.1.weight", &[2, 24]),
            ("rnn_lst.1.weight_proj", &[8, 2]),
        ];
        let found = shape(r#"{"type":"sru","bidirectional":true,"hasSkipTerm":false}"#, sru).unwrap();
        let LayerConfig::Sru(config) = &found.layer else { panic!("{found:?}") };
        assert_eq!((found.input_size, config.hidden_size, config.num_layers), (7, 4, 2));
        assert_eq!((config.projection_size, config.has_skip_term, config.layer_norm), (2, false, false));

        let skim: &[(&str, &[usize])] =
            &[("big.weight_hh", &[15, 5]), ("big.weight_ih", &[15, 3]), ("small.weight_hh", &[6, 5])];
        let layer = LayerConfig::Skim {
            cell: Cell::Gru,
            hidden_size: 5,
            small_size: 2,
            small_reads: SmallReads::All,
        };
        assert_eq!(shape(r#"{"type":"skim"}"#, skim), Ok(LayerShape::single(3, layer)));
    }

    #[test]
    fn sizes_that_are_given_are_not_read_off_the_tensors() {
        let json =
            r#"{"type":"gru","inputSize":7,"hiddenSize":4,"numLayers":3,"bias":false,"bidirectional":true}"#;
        let layer = LayerConfig::Gru { hidden_size: 4, bidirectional: true };
        let expected = LayerShape { num_layers: 3, bias: false, ..LayerShape::single(7, layer) };
        assert_eq!(shape(json, &[]), Ok(expected.clone()));
        assert_eq!(shape(json, &[("weight_ih_l0", &[6, 2]), ("bias_ih_l0", &[6])]), Ok(expected));
        let sru: &[(&str, &[usize])] = &[("rnn_lst.0.weight", &[7, 12]), ("rnn_lst.0.weight_c", &[8])];
        let found = shape(r#"{"type":"sru","numLayers":4}"#, sru).unwrap();
        assert!(matches!(found.layer, LayerConfig::Sru(SruConfig { num_layers: 4, .. })), "{found:?}");
    }

    #[test]
    fn what_is_no_such_layer_is_named() {
        let refused = |json: &str, shapes: &[(&str, &[usize])], code: &str, message: &str| {
            let error = shape(json, shapes).unwrap_err();
            assert_eq!((error.code(), error.to_string().contains(message)), (code, true), "{error}");
        };
        let tensors = "MODEL_TENSORS";
        let lstm = r#"{"type":"lstm"}"#;
        refused(lstm, &[], tensors, "\"weight_ih_l0\" of shape [rows, columns] is missing");
        refused(lstm, &[("weight_ih_l0", &[6, 2])], tensors, "a multiple of 4 rows, the file has [6, 2]");
        let gru = r#"{"type":"gru"}"#;
        refused(gru, &[("weight_ih_l0", &[6])], tensors, "shape [rows, columns], the file has [6]");
        refused(r#"{"type":"skim"}"#, &[("big.weight_hh", &[20, 5])], tensors, "\"big.weight_ih\"");
        let relu = r#"{"type":"gru","nonlinearity":"relu"}"#;
        refused(relu, &[("weight_ih_l0", &[6, 2])], "MODEL_CONFIG", "`nonlinearity`");
        let unknown = serde_json::from_str::<StoredLayer>(r#"{"type":"lstm","v1":true}"#).unwrap_err();
        assert!(unknown.to_string().contains("unknown field `v1`"), "{unknown}");
    }
}
