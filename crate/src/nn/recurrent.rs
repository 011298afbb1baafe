//! The structure that Elman, LSTM and GRU share in PyTorch: stacked layers, each in one or both directions.
//!
//! The input product of all rows of all sequences is hoisted out of the time loop (one matrix product), the
//! recurrence then runs inside one kernel. `elman.rs`, `lstm.rs` and `gru.rs` hold the equations.

use super::inspect::{CellExprs, Gates, gate_names};
use super::step::{self, Ask};
use super::{BuildError, Builder, Flops, Init, Trace};
use crate::cpu::matmul::{View, matmul};
use crate::device::{CellKind, EngineError, Op, ParamId, WeightView};
use crate::graph::Expr;

/// Sizes of a stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RecurrentConfig {
    /// Columns of the input.
    pub input_size: usize,
    /// Width of each direction's state.
    pub hidden_size: usize,
    /// Layers on top of one another.
    pub num_layers: usize,
    /// Whether each layer also runs from the last row to the first.
    pub bidirectional: bool,
    /// Whether there are bias vectors.
    pub bias: bool,
    /// Dropout between layers, in training.
    pub dropout: f32,
    /// Of an LSTM: columns of each direction's h, if above 0; as many as of c otherwise. Such a layer cannot be trained.
    pub proj_size: usize,
}

impl RecurrentConfig {
    /// One layer in one direction with biases.
    pub fn new(input_size: usize, hidden_size: usize) -> Self {
        let (num_layers, bidirectional, bias) = (1, false, true);
        Self { input_size, hidden_size, num_layers, bidirectional, bias, dropout: 0.0, proj_size: 0 }
    }

    /// Columns of each direction's h.
    fn state_size(&self) -> usize {
        if self.proj_size > 0 { self.proj_size } else { self.hidden_size }
    }
}

/// Elman, LSTM or GRU (PyTorch `nn.RNN`, `nn.LSTM`, `nn.GRU`).
///
/// ```
/// use saccade_rnn::device::CellKind;
/// use saccade_rnn::nn::{Builder, Recurrent, RecurrentConfig};
///
/// let config = RecurrentConfig { num_layers: 2, bidirectional: true, ..RecurrentConfig::new(3, 4) };
/// let mut builder = Builder::fresh(0);
/// let layer = Recurrent::new(&mut builder, CellKind::Gru, config)?;
/// assert_eq!(layer.output_size(), 2 * 4);
/// let parameters = builder.finish()?;
/// let weight = parameters.id("weight_ih_l1_reverse").expect("a name as in PyTorch's `state_dict`");
/// assert_eq!(parameters.get(weight).shape, [3 * 4, 2 * 4]);
/// # Ok::<(), saccade_rnn::nn::BuildError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Recurrent {
    cell: CellKind,
    config: RecurrentConfig,
    /// Layer by layer, forward then backward.
    directions: Vec<Direction>,
}

#[derive(Clone, Copy, Debug)]
struct Direction {
    weight_ih: ParamId,
    /// What the recurrence multiplies its state with.
    weight_hh: ParamId,
    biases: Option<(ParamId, ParamId)>,
    projection: Option<Projection>,
}

/// What makes h of an LSTM's m = o ⊙ tanh(c): `h = W_hr m`. Its gates read `W_hh h = (W_hh W_hr) m`, so over m it is an
/// LSTM like any other, with that product in place of `W_hh`; all h come from one more product behind the recurrence, and
/// an h to begin with is added, as `W_hh h`, to the input of the first step.
#[derive(Clone, Copy, Debug)]
struct Projection {
    weight_hh: ParamId,
    weight_hr: ParamId,
}

/// States of every layer and direction, in PyTorch's order (layer by layer, forward then backward), a row each.
#[derive(Clone)]
pub struct States<'g> {
    /// h.
    pub h: Vec<Expr<'g>>,
    /// c, for cells with a memory.
    pub c: Vec<Expr<'g>>,
}

impl<'g> States<'g> {
    /// The h of all, then the c of all.
    pub fn into_rows(self) -> Vec<Expr<'g>> {
        [self.h, self.c].concat()
    }
}

/// What a stack computes.
pub struct RecurrentOutput<'g> {
    /// `rows x output_size`, of the last layer.
    pub rows: Expr<'g>,
    /// Last states.
    pub states: States<'g>,
}

impl Recurrent {
    /// Parameters `weight_ih_l0 [gates * hidden, in]`, `weight_hh_l0 [gates * hidden, hidden]`, `bias_ih_l0`,
    /// `bias_hh_l0 [gates * hidden]`, then `…_l0_reverse`, `…_l1` and so on, drawn uniformly in ±1/sqrt(hidden). With a
    /// `proj_size` also `weight_hr_l0 [proj, hidden]`, and h has as many columns.
    ///
    /// # Errors
    /// See [`Builder::parameter`]; also if a size is 0, or `proj_size` is not below `hidden_size` or not an LSTM's.
    pub fn new(builder: &mut Builder, cell: CellKind, config: RecurrentConfig) -> Result<Self, BuildError> {
        if config.hidden_size == 0 || config.num_layers == 0 {
            return Err(BuildError::size("hidden_size and num_layers", "at least 1", 0));
        }
        if config.proj_size > 0 && (cell != CellKind::Lstm || config.proj_size >= config.hidden_size) {
            let expected = "one below hidden_size, of an LSTM";
            return Err(BuildError::size("proj_size", expected, config.proj_size));
        }
        let (hidden, state) = (config.hidden_size, config.state_size());
        let gates = cell.gates() * hidden;
        let init = Init::Uniform(1.0 / (hidden as f32).sqrt());
        let suffixes: &[&str] = if config.bidirectional { &["", "_reverse"] } else { &[""] };
        let mut directions = Vec::new();
        for layer in 0..config.num_layers {
            let inputs = if layer == 0 { config.input_size } else { state * suffixes.len() };
            for suffix in suffixes {
                let mut parameter = |name: &str, shape: &[usize]| {
                    builder.parameter(&format!("{name}_l{layer}{suffix}"), shape, init)
                };
                let weight_ih = parameter("weight_ih", &[gates, inputs])?;
                let weight_hh = parameter("weight_hh", &[gates, state])?;
                let biases = if config.bias {
                    Some((parameter("bias_ih", &[gates])?, parameter("bias_hh", &[gates])?))
                } else {
                    None
                };
                let mut direction = Direction { weight_ih, weight_hh, biases, projection: None };
                if state < hidden {
                    let weight_hr = parameter("weight_hr", &[state, hidden])?;
                    direction.projection = Some(Projection { weight_hh, weight_hr });
                    let name = format!("weight_hh_l{layer}{suffix} weight_hr_l{layer}{suffix}");
                    direction.weight_hh = builder.derived(&name, &[gates, hidden], |parameters| {
                        let [hh, hr] = [weight_hh, weight_hr].map(|id| parameters.values(id));
                        let mut product = vec![0.0; gates * hidden];
                        let (hh, hr) = (View::new(hh, gates, state), View::new(hr, state, hidden));
                        matmul(&mut product, hidden, false, hh, hr);
                        product
                    })?;
                }
                directions.push(direction);
            }
        }
        Ok(Self { cell, config, directions })
    }

    /// The cell.
    pub fn cell(&self) -> CellKind {
        self.cell
    }

    /// Input biases of every layer and direction, for initialisations of their own.
    pub(super) fn input_biases(&self) -> impl Iterator<Item = ParamId> {
        self.directions.iter().filter_map(|d| d.biases.map(|(ih, _)| ih))
    }

    fn directions_per_layer(&self) -> usize {
        if self.config.bidirectional { 2 } else { 1 }
    }

    /// Columns of the output.
    pub fn output_size(&self) -> usize {
        self.config.state_size() * self.directions_per_layer()
    }

    /// The columns of each row of [`States::into_rows`].
    pub(super) fn state_columns(&self) -> Vec<usize> {
        let mut columns = vec![self.config.state_size(); self.directions.len()];
        if self.cell.has_memory() {
            columns.resize(2 * self.directions.len(), self.config.hidden_size);
        }
        columns
    }

    /// Whether no row depends on a later one.
    pub fn is_causal(&self) -> bool {
        !self.config.bidirectional
    }

    /// Takes this stack's states from rows in the order of [`States::into_rows`]; `None` if there are no rows.
    pub fn states<'g>(&self, rows: &mut dyn Iterator<Item = Expr<'g>>) -> Option<States<'g>> {
        let cells = self.directions.len();
        let memories = if self.cell.has_memory() { cells } else { 0 };
        let h: Vec<_> = (&mut *rows).take(cells).collect();
        let c = rows.take(memories).collect();
        if h.is_empty() { None } else { Some(States { h, c }) }
    }

    /// Runs a sequence, from zeros or from given states.
    pub fn forward<'g>(&self, x: Expr<'g>, initial: Option<&States<'g>>) -> RecurrentOutput<'g> {
        self.run(x, initial, Ask::Rows).0
    }

    /// Runs a sequence; if asked to inspect, returns also what every cell does at every row (on the CPU).
    pub(super) fn run<'g>(
        &self,
        x: Expr<'g>,
        initial: Option<&States<'g>>,
        ask: Ask,
    ) -> (RecurrentOutput<'g>, Vec<CellExprs<'g>>) {
        let mut rows = x;
        let mut states = States { h: Vec::new(), c: Vec::new() };
        let mut cells = Vec::new();
        for (layer, directions) in self.directions.chunks(self.directions_per_layer()).enumerate() {
            if layer > 0 {
                rows = rows.dropout(self.config.dropout, false);
            }
            let mut parts = Vec::new();
            for (side, direction) in directions.iter().enumerate() {
                let at = layer * self.directions_per_layer() + side;
                let initial_h = initial.and_then(|initial| initial.h.get(at).copied());
                let initial = initial.map(|initial| {
                    [initial.h.get(at), initial.c.get(at)].into_iter().flatten().copied().collect()
                });
                let out = self.direction(rows, *direction, side == 1, initial, ask);
                let (h, last) = match direction.projection {
                    None => (out[0], out[1]),
                    Some(projection) => projection.of(&out, initial_h),
                };
                parts.push(h);
                states.h.push(last);
                if self.cell.has_memory() {
                    states.c.push(out[2]);
                }
                if ask.inspects() {
                    cells.push(self.cell_exprs(layer, side == 1, &out));
                }
            }
            rows = if parts.len() == 1 { parts[0] } else { x.graph().concat_columns(&parts) };
        }
        (RecurrentOutput { rows, states }, cells)
    }

    /// One step: a row, from zeros or from the states that the step before has left. Every layer records one node, which runs
    /// together with those of other sequences ([`Self::lstm`] and [`Self::gru`] have examples); with a `proj_size` some
    /// more. Rows that are known beforehand are better given to [`Self::forward`], which multiplies them all at once.
    ///
    /// More rows than one, none, or a stack in both directions are a mistake ([`Graph::record`](crate::graph::Graph::record)).
    #[track_caller]
    pub fn step<'g>(&self, x: Expr<'g>, states: Option<&States<'g>>) -> RecurrentOutput<'g> {
        self.run(step::row(x, self.is_causal()), states, Ask::Step).0
    }

    /// Rows, last h and last c of one direction; if asked to inspect also gates and memories of every row.
    fn direction<'g>(
        &self,
        x: Expr<'g>,
        direction: Direction,
        reverse: bool,
        initial: Option<Vec<Expr<'g>>>,
        ask: Ask,
    ) -> Vec<Expr<'g>> {
        let op = Op::Recurrence {
            cell: self.cell,
            weight_hh: direction.weight_hh,
            bias_hh: direction.biases.map(|b| b.1),
            reverse,
            initial: initial.is_some(),
            inspect: ask.inspects(),
        };
        let weight = WeightView::whole(x.graph().parameters(), direction.weight_ih);
        let product = Op::Affine { weight, bias: direction.biases.map(|b| b.0) };
        let mut operands = vec![x];
        operands.extend(initial.into_iter().flatten());
        let Some(projection) = direction.projection else { return step::record(ask, operands, product, op) };
        operands[0] = x.then(product);
        projection.begin(&mut operands, reverse, self.config.hidden_size);
        x.graph().record(op, &operands, Vec::new())
    }

    /// A cell by the outputs of its inspected operation.
    fn cell_exprs<'g>(&self, layer: usize, backward: bool, out: &[Expr<'g>]) -> CellExprs<'g> {
        let size = self.config.hidden_size;
        let name = if self.config.num_layers > 1 { format!("l{layer}") } else { String::new() };
        let kind = match self.cell {
            CellKind::ElmanTanh | CellKind::ElmanRelu => "elman",
            CellKind::Gru => "gru",
            CellKind::Lstm => "lstm",
        };
        let gate_names = gate_names(self.cell);
        CellExprs {
            trace: Trace { name, kind, size, backward, ..Trace::default() },
            gate_names,
            states: out[0],
            gates: (!gate_names.is_empty()).then(|| Gates { values: out[3], first: 0, width: size }),
            cells: self.cell.has_memory().then(|| out[4]),
            skim: None,
        }
    }

    /// The last layer's last h of both directions side by side: `1 x output_size`; of an empty sequence the one
    /// that it began with, zeros where none was given.
    pub fn last<'g>(&self, output: &RecurrentOutput<'g>) -> Expr<'g> {
        let h = &output.states.h[output.states.h.len() - self.directions_per_layer()..];
        if h.len() == 1 { h[0] } else { h[0].graph().concat_columns(h) }
    }

    /// `2 T gates hidden (in + hidden)` for every layer and direction, and `2 T hidden proj` for a projection.
    pub fn flops(&self, rows: usize) -> Flops {
        let RecurrentConfig { hidden_size, proj_size, .. } = self.config;
        let per_layer =
            |inputs: usize| 2 * hidden_size * (self.cell.gates() * (inputs + hidden_size) + proj_size);
        let first = per_layer(self.config.input_size);
        let others = (self.config.num_layers - 1) * per_layer(self.output_size());
        Flops::per_row(self.directions_per_layer() * (first + others), rows)
    }
}

impl Projection {
    /// The operands of the recurrence over m, of those over h: the h to begin with, if one is given, enters by the input.
    fn begin(self, operands: &mut [Expr<'_>], reverse: bool, hidden: usize) {
        let x = operands[0];
        if x.graph().is_training() {
            let reason = "a layer with proj_size cannot be trained";
            operands[0] = x.graph().mistaken(EngineError::Unsupported { op: "lstm", reason });
        }
        if let [x, h, _] = operands {
            let rows = x.shape().rows as u32;
            if rows > 0 {
                let (first, others) = if reverse { (rows - 1, 0..rows - 1) } else { (0, 1..rows) };
                let first = x.rows(&[first]) + h.affine(self.weight_hh, None);
                let others = x.rows(&others.collect::<Vec<_>>());
                *x = x.graph().concat_rows(&if reverse { [others, first] } else { [first, others] });
            }
            *h = x.graph().input(1, hidden, vec![0.0; hidden]);
        }
    }

    /// All h and the last one, of the recurrence over m.
    fn of<'g>(self, out: &[Expr<'g>], initial: Option<Expr<'g>>) -> (Expr<'g>, Expr<'g>) {
        let last = match initial {
            Some(h) if out[0].shape().rows == 0 => h,
            _ => out[1].affine(self.weight_hr, None),
        };
        (out[0].affine(self.weight_hr, None), last)
    }
}
