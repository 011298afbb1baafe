//! Simple recurrent unit (Lei & Zhang 2017; Lei, Zhang, Wang, Dai, Artzi 2018), with the semantics and names of the
//! `sru` package 2.6.
//!
//! ```text
//! U   = LN?(x) (P) W                                    one product for all time steps
//! f_t = sigmoid(U_f + v_f ⊙ c_{t-1} + b_f)              v_f = v_r = 0 in version 1
//! r_t = sigmoid(U_r + v_r ⊙ c_{t-1} + b_r)
//! c_t = f_t ⊙ c_{t-1} + (1 - f_t) ⊙ U_x
//! h_t = r_t ⊙ g(c_t) + (1 - r_t) ⊙ skip                 g = identity or tanh
//! skip = U_skip if in ≠ D (k = 4), otherwise alpha x with rescale, x without (k = 3), or 0 without the skip term
//! ```
//! D = hidden * directions, alpha = sqrt(1 + 2 exp(highway_bias)).

use super::inspect::{CellExprs, Gates};
use super::step::{self, Ask};
use super::{BuildError, Builder, Flops, Init, Trace};
use crate::device::{Op, ParamId, Real, Sru as SruOp, WeightView};
use crate::graph::Expr;

/// Sizes and variants of a stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SruConfig {
    /// Columns of the input.
    pub input_size: usize,
    /// Width of each direction's state.
    pub hidden_size: usize,
    /// Layers on top of one another.
    pub num_layers: usize,
    /// Whether each layer also runs from the last row to the first (with one weight for both directions).
    pub bidirectional: bool,
    /// The first version: no `v_f`, `v_r`.
    pub v1: bool,
    /// Multiply the skip input by alpha.
    pub rescale: bool,
    /// Whether the highway carries the input.
    pub has_skip_term: bool,
    /// g = tanh.
    pub use_tanh: bool,
    /// Layer normalisation of the product's input.
    pub layer_norm: bool,
    /// Layer normalisation of the output instead of the input.
    pub normalize_after: bool,
    /// If above 0 and below a layer's input and output sizes, the product passes through this many columns.
    pub projection_size: usize,
    /// Fresh value of b_r.
    pub highway_bias: f32,
    /// Dropout inside the highway of every layer but the last, in training.
    pub dropout: f32,
    /// A linear map of the input to D columns in front of the first layer.
    pub proj_input_to_hidden_first: bool,
}

impl SruConfig {
    /// The package's defaults for the given sizes.
    pub fn new(input_size: usize, hidden_size: usize, num_layers: usize) -> Self {
        Self {
            input_size,
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
            highway_bias: 0.0,
            dropout: 0.0,
            proj_input_to_hidden_first: false,
        }
    }

    /// Columns of the output, D.
    pub fn output_size(&self) -> usize {
        self.hidden_size * if self.bidirectional { 2 } else { 1 }
    }
}

/// A stack of SRU layers: parameters `rnn_lst.{i}.weight [in, D k]`, `weight_proj`, `weight_c [2 D]`, `bias [2 D]`,
/// `scale_x [1]`, `layer_norm.{weight,bias}`.
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{Builder, Sru, SruConfig};
/// # pollster::block_on(async {
/// let mut builder = Builder::fresh(0);
/// let layer = Sru::new(&mut builder, SruConfig::new(3, 4, 2))?;
/// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
/// let first = layer.forward(graph.input(5, 3, vec![0.5; 15]), None);
/// assert_eq!(first.rows.value().await?.len(), 5 * 4);
/// // One more row, from the memories of both layers.
/// let next = layer.forward(graph.input(1, 3, vec![0.5; 3]), Some(&first.c));
/// let whole = layer.forward(graph.input(6, 3, vec![0.5; 18]), None);
/// assert_eq!(next.rows.value().await?, whole.rows.rows(&[5]).value().await?);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Sru {
    config: SruConfig,
    input_to_hidden: Option<ParamId>,
    layers: Vec<SruLayer>,
}

#[derive(Clone, Copy, Debug)]
struct SruLayer {
    inputs: usize,
    k: usize,
    weight: ParamId,
    weight_proj: Option<(ParamId, usize)>,
    weight_c: ParamId,
    bias: ParamId,
    scale_x: ParamId,
    layer_norm: Option<(ParamId, ParamId)>,
    dropout: f32,
}

/// What a stack computes.
pub struct SruOutput<'g> {
    /// `rows x D`, of the last layer.
    pub rows: Expr<'g>,
    /// Last memory of every layer, `1 x D` each.
    pub c: Vec<Expr<'g>>,
}

impl Sru {
    /// Draws the weights like the `sru` package (`SRUCell.reset_parameters`).
    ///
    /// # Errors
    /// See [`Builder::parameter`]; also if a size is 0.
    pub fn new(builder: &mut Builder, config: SruConfig) -> Result<Self, BuildError> {
        if config.hidden_size == 0 || config.num_layers == 0 {
            return Err(BuildError::size("hidden_size and num_layers", "at least 1", 0));
        }
        let d = config.output_size();
        let mut first = config.input_size;
        let mut input_to_hidden = None;
        if config.proj_input_to_hidden_first && config.input_size != d {
            let init = Init::Uniform((3.0 / first.max(1) as f32).sqrt());
            input_to_hidden = Some(builder.parameter("input_to_hidden.weight", &[d, first], init)?);
            first = d;
        }
        let mut layers = Vec::new();
        for i in 0..config.num_layers {
            let inputs = if i == 0 { first } else { d };
            let last = i + 1 == config.num_layers;
            let dropout = if last { 0.0 } else { config.dropout };
            let layer =
                builder.scope(&format!("rnn_lst.{i}"), |b| SruLayer::new(b, &config, inputs, dropout))?;
            layers.push(layer);
        }
        Ok(Self { config, input_to_hidden, layers })
    }

    /// Columns of the output, D.
    pub fn output_size(&self) -> usize {
        self.config.output_size()
    }

    /// Whether no row depends on a later one.
    pub fn is_causal(&self) -> bool {
        !self.config.bidirectional
    }

    /// How many layers there are, each with a memory of its own.
    pub fn layers(&self) -> usize {
        self.layers.len()
    }

    /// Runs a sequence, from zeros or from a given memory of every layer (`1 x D` each); that one is missing is a mistake
    /// ([`Graph::record`](crate::graph::Graph::record)).
    pub fn forward<'g>(&self, x: Expr<'g>, initial: Option<&[Expr<'g>]>) -> SruOutput<'g> {
        self.run(x, initial, Ask::Rows).0
    }

    /// Runs a sequence; if asked to inspect, returns also what every cell does at every row (on the CPU). Both directions of
    /// a layer are cells of their own, whose memories are halves of one row.
    pub(super) fn run<'g>(
        &self,
        x: Expr<'g>,
        initial: Option<&[Expr<'g>]>,
        ask: Ask,
    ) -> (SruOutput<'g>, Vec<CellExprs<'g>>) {
        let mut rows = self.first(x);
        let (mut c, mut cells) = (Vec::new(), Vec::new());
        let (d, size) = (self.output_size(), self.config.hidden_size);
        for (i, layer) in self.layers.iter().enumerate() {
            let before = initial.map(|c| c.get(i).copied());
            let (out, recorded) = layer.forward(&self.config, rows, before, ask);
            rows = out;
            c.push(recorded[1]);
            if ask.inspects() {
                cells.extend((0..d / size).map(|side| CellExprs {
                    trace: Trace {
                        name: format!("rnn_lst.{i}"),
                        kind: "sru",
                        size,
                        backward: side == 1,
                        ..Trace::default()
                    },
                    gate_names: &["forget", "reset"],
                    states: out.columns(side * size..(side + 1) * size),
                    gates: Some(Gates { values: recorded[2], first: side * size, width: d }),
                    cells: Some(recorded[3].columns(side * size..(side + 1) * size)),
                    skim: None,
                }));
            }
        }
        (SruOutput { rows, c }, cells)
    }

    /// One step: a row, from zeros or from the memories that the step before has left, one of every layer. A layer records one
    /// node, and one each for a normalisation and a projection that it has. Rows that are known beforehand are better given to
    /// [`Self::forward`], which multiplies them all at once.
    ///
    /// More rows than one, none, or a stack in both directions are a mistake ([`Graph::record`](crate::graph::Graph::record)).
    ///
    /// ```
    /// use saccade_rnn::device::Device;
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// use saccade_rnn::nn::{Builder, Sru, SruConfig};
    /// # pollster::block_on(async {
    /// let mut builder = Builder::fresh(0);
    /// let sru = Sru::new(&mut builder, SruConfig::new(3, 4, 2))?;
    /// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
    /// let x = graph.input(2, 3, vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
    /// let first = sru.step(x.rows(&[0]), None);
    /// let second = sru.step(x.rows(&[1]), Some(&first.c));
    /// // The same as both at once.
    /// let both = sru.forward(x, None);
    /// assert_eq!(second.rows.value().await?, both.rows.rows(&[1]).value().await?);
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn step<'g>(&self, x: Expr<'g>, c: Option<&[Expr<'g>]>) -> SruOutput<'g> {
        self.run(step::row(x, self.is_causal()), c, Ask::Step).0
    }

    /// What the first layer reads.
    fn first<'g>(&self, x: Expr<'g>) -> Expr<'g> {
        self.input_to_hidden.map_or(x, |weight| x.affine(weight, None))
    }

    /// The last row of the forward direction beside the first row of the backward one: `1 x D`, zeros for an empty
    /// sequence.
    pub fn last<'g>(&self, output: &SruOutput<'g>) -> Expr<'g> {
        let rows = output.rows;
        if !self.config.bidirectional || rows.shape().rows == 0 {
            return rows.pool(crate::device::Pool::Last);
        }
        let n = self.config.hidden_size;
        let forward = rows.columns(0..n).pool(crate::device::Pool::Last);
        rows.graph().concat_columns(&[forward, rows.columns(n..2 * n).rows(&[0])])
    }

    /// `2 T in D k` for every layer, or `2 T p (in + D k)` through a projection of p columns.
    pub fn flops(&self, rows: usize) -> Flops {
        let d = self.output_size();
        let of_layer = |layer: &SruLayer| match layer.weight_proj {
            Some((_, p)) => 2 * p * (layer.inputs + d * layer.k),
            None => 2 * layer.inputs * d * layer.k,
        };
        let first = self.input_to_hidden.map_or(0, |_| 2 * self.config.input_size * d);
        Flops::per_row(first + self.layers.iter().map(of_layer).sum::<usize>(), rows)
    }
}

impl SruLayer {
    fn new(
        builder: &mut Builder,
        config: &SruConfig,
        inputs: usize,
        dropout: f32,
    ) -> Result<Self, BuildError> {
        let d = config.output_size();
        let k = if config.has_skip_term && inputs != d { 4 } else { 3 };
        let p = config.projection_size;
        let projected = p > 0 && p < inputs && p < d;
        let bound = |rows: usize| Init::Uniform((3.0 / rows.max(1) as f32).sqrt());
        let weight_proj = if projected {
            Some((builder.parameter("weight_proj", &[inputs, p], bound(inputs))?, p))
        } else {
            None
        };
        let rows = if projected { p } else { inputs };
        let weight = builder.parameter("weight", &[rows, d * k], bound(rows))?;
        let c_init = if config.v1 { Init::Constant(0.0) } else { Init::Uniform(3f32.sqrt() * 0.5f32.sqrt()) };
        let weight_c = if config.v1 {
            builder.constant("weight_c", &[2 * d], c_init)?
        } else {
            builder.parameter("weight_c", &[2 * d], c_init)?
        };
        let bias = builder.parameter("bias", &[2 * d], Init::Constant(0.0))?;
        let alpha = (1.0 + 2.0 * config.highway_bias.exp()).sqrt();
        let scales = config.rescale && config.has_skip_term;
        let scale = if scales { alpha } else { 1.0 };
        let scale_x = builder.constant("scale_x", &[1], Init::Constant(scale))?;
        let normal_size = if config.normalize_after { d } else { inputs };
        let layer_norm = if config.layer_norm {
            Some(builder.scope("layer_norm", |b| {
                let weight = b.parameter("weight", &[normal_size], Init::Constant(1.0))?;
                Ok((weight, b.parameter("bias", &[normal_size], Init::Constant(0.0))?))
            })?)
        } else {
            None
        };
        builder.adjust_fresh(bias, |b| b[d..].fill(config.highway_bias));
        builder.adjust_fresh(weight, |w| {
            let gates = if config.v1 { 1.0 } else { 0.5f32.sqrt() };
            let factors = [(1.0 - dropout).sqrt(), gates, gates, scale];
            let normal = if config.layer_norm { 0.1 } else { 1.0 };
            w.iter_mut().enumerate().for_each(|(i, w)| *w *= factors[i % k] * normal);
        });
        Ok(Self { inputs, k, weight, weight_proj, weight_c, bias, scale_x, layer_norm, dropout })
    }

    /// What U, `rows x D k`, is the product of.
    fn product<'g>(&self, config: &SruConfig, x: Expr<'g>) -> (Expr<'g>, Op) {
        let mut input = x;
        if let (Some((weight, bias)), false) = (self.layer_norm, config.normalize_after) {
            input = input.layer_norm(weight, bias);
        }
        let view = |param| WeightView::input_major(x.graph().parameters(), param);
        if let Some((projection, _)) = self.weight_proj {
            input = input.affine_view(view(projection), None);
        }
        (input, Op::Affine { weight: view(self.weight), bias: None })
    }

    /// The layer's rows, and the outputs of its recurrence.
    fn forward<'g>(
        &self,
        config: &SruConfig,
        x: Expr<'g>,
        initial: Option<Option<Expr<'g>>>,
        ask: Ask,
    ) -> (Expr<'g>, Vec<Expr<'g>>) {
        let graph = x.graph();
        let (input, product) = self.product(config, x);
        let mut operands = vec![input];
        let skip = self.k == 3 && config.has_skip_term;
        if skip {
            operands.push(x);
        }
        operands.extend(initial.flatten());
        let op = Op::Sru(SruOp {
            weight_c: (!config.v1).then_some(self.weight_c),
            bias: self.bias,
            scale: config.rescale.then_some(self.scale_x),
            skip,
            initial: initial.is_some(),
            use_tanh: config.use_tanh,
            bidirectional: config.bidirectional,
            dropout: Real(if graph.is_training() { self.dropout } else { 0.0 }),
            inspect: ask.inspects(),
        });
        let out = step::record(ask, operands, product, op);
        let rows = match self.layer_norm {
            Some((weight, bias)) if config.normalize_after => out[0].layer_norm(weight, bias),
            _ => out[0],
        };
        (rows, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flops_of_five_tokens(config: SruConfig) -> Flops {
        Sru::new(&mut Builder::fresh(0), config).unwrap().flops(5)
    }

    #[test]
    fn flops_are_those_counted_by_hand() {
        // The first layer's W is 3 x 8 (k = 4, as 3 columns are not 2), the second's 2 x 6 (k = 3).
        let two = SruConfig::new(3, 2, 2);
        assert_eq!(flops_of_five_tokens(two), Flops::fixed(2 * 5 * (24 + 12)));
        // In both directions D = 4: 3 x 16, then 4 x 12.
        let both = SruConfig { bidirectional: true, ..two };
        assert_eq!(flops_of_five_tokens(both), Flops::fixed(2 * 5 * (48 + 48)));
        // Without the skip term k = 3 everywhere: 3 x 6, then 2 x 6.
        let plain = SruConfig { has_skip_term: false, ..two };
        assert_eq!(flops_of_five_tokens(plain), Flops::fixed(2 * 5 * (18 + 12)));
    }

    #[test]
    fn flops_count_projections() {
        // P 3 x 2 and W 2 x 16 (k = 4), then P 4 x 2 and W 2 x 12 (k = 3).
        let factorised = SruConfig { projection_size: 2, ..SruConfig::new(3, 4, 2) };
        assert_eq!(flops_of_five_tokens(factorised), Flops::fixed(2 * 5 * (6 + 32 + 8 + 24)));
        // 3 columns to 2, then W 2 x 6 (k = 3).
        let first = SruConfig { proj_input_to_hidden_first: true, ..SruConfig::new(3, 2, 1) };
        assert_eq!(flops_of_five_tokens(first), Flops::fixed(2 * 5 * (6 + 12)));
    }
}
