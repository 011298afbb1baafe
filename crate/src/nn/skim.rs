//! Skim-RNN (Seo, Min, Farhadi, Hajishirzi 2018) over an LSTM or a GRU.
//!
//! ```text
//! p_t = softmax(W [x_t; h_{t-1}] + b)                                   (1)  p_t^1 read, p_t^2 skim
//! h_t = f(x_t, h_{t-1})                          if read                (3)
//!     = [f'(x_t, h_{t-1}); h_{t-1}[d'..d]]       if skim                     the same for c
//! ```
//! Inference: skim iff `p_t^2 > threshold`, or as forced. Training: both branches, mixed by
//! `r = softmax((log p + g) / tau)` with Gumbel noise g (Eq. 5, 6) and `tau = max(0.5, exp(-rate n))` at step n; the
//! loss gains `gamma / T Σ -log p_t^2` (Eq. 8).
//!
//! What f' reads of `h_{t-1}` is a choice ([`SmallReads`]): its first d' values, as the code nearest the authors'
//! does, or all of it, as Eq. 3 says.
//!
//! FLOPs, with G gates (LSTM 4, GRU 3), R tokens read and S skimmed, T = R + S, and s = d' or d by [`SmallReads`]:
//! ```text
//! spent = 2 [ T 2 (in + d)  +  T G d' in  +  R G d (in + d)  +  S G d' s ]
//! full  = 2 T G d (in + d)
//! ```
//! The small cell's input product is hoisted over all tokens, so it counts for those that are read, too; products of
//! words that the CPU has kept count as if they were computed. (The
//! paper's own column is not reproducible by any such formula: it matches a count in which skimming costs the recurrent
//! product of the small cell alone.)

use super::inspect::{CellExprs, Gates, gate_names};
use super::{BuildError, Builder, Flops, Init, Trace};
use crate::device::{CellKind, Op, ParamId, Real, Skim as SkimOp, SkimMode, WeightView};
use crate::graph::Expr;

/// What the small cell reads of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SmallReads {
    /// Its own first d' values.
    Slice,
    /// All d values (Eq. 3).
    All,
}

/// Sizes of a Skim layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkimConfig {
    /// LSTM or GRU.
    pub cell: CellKind,
    /// Columns of the input.
    pub input_size: usize,
    /// Width of the state, d.
    pub hidden_size: usize,
    /// Width of the part that skimming updates, d' < d; 0 skips.
    pub small_size: usize,
    /// What the small cell reads.
    pub small_reads: SmallReads,
    /// Added to fresh biases of an LSTM's forget gates.
    pub forget_bias: f32,
}

/// A Skim layer: parameters `big.weight_ih [G d, in]`, `big.weight_hh [G d, d]`, `big.bias_ih`, `big.bias_hh [G d]`,
/// `small.…` the same with d', `decision.weight [2, in + d]`, `decision.bias [2]`.
///
/// ```
/// use saccade_rnn::device::{CellKind, Device};
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{Builder, Skim, SkimConfig, SkimControl, SmallReads};
/// # pollster::block_on(async {
/// let config = SkimConfig {
///     cell: CellKind::Lstm,
///     input_size: 3,
///     hidden_size: 8,
///     small_size: 2,
///     small_reads: SmallReads::Slice,
///     forget_bias: 1.0,
/// };
/// let mut builder = Builder::fresh(0);
/// let layer = Skim::new(&mut builder, config)?;
/// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
/// // The first token is read, the second skimmed.
/// let control = SkimControl::Decide { threshold: 0.5, force: &[1, 2] };
/// let out = layer.forward(graph.input(2, 3, vec![0.5; 6]), None, control);
/// assert_eq!(out.decisions.value().await?, [0.0, 1.0]);
/// let rows = out.rows.value().await?;
/// assert_eq!(rows[2..8], rows[10..16], "skimming copies all but the first two columns");
/// assert_ne!(rows[..2], rows[8..10]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Skim {
    config: SkimConfig,
    big: Cell,
    small: Option<Cell>,
    decision: (ParamId, ParamId),
}

#[derive(Clone, Copy, Debug)]
struct Cell {
    weight_ih: ParamId,
    weight_hh: ParamId,
    bias_ih: ParamId,
    bias_hh: ParamId,
}

/// How a Skim layer decides in one call.
pub enum SkimControl<'a, 'g> {
    /// Skim iff the probability exceeds the threshold, except where forced.
    Decide {
        /// Skim iff `p_skim > threshold`: 0 skims everything, 1 reads everything.
        threshold: f32,
        /// Empty, or for every token 0 (free), 1 (read), 2 (skim).
        force: &'a [u32],
    },
    /// The mixture of both branches, for training.
    Mix {
        /// Temperature tau of the Gumbel-softmax.
        temperature: f32,
        /// Gumbel noise, `rows x 2`; drawn from the graph's seed if absent.
        noise: Option<Expr<'g>>,
    },
}

impl Clone for SkimControl<'_, '_> {
    fn clone(&self) -> Self {
        *self
    }
}

impl Copy for SkimControl<'_, '_> {}

/// What a Skim layer computes.
pub struct SkimOutput<'g> {
    /// `rows x d`.
    pub rows: Expr<'g>,
    /// Last h, `1 x d`.
    pub h: Expr<'g>,
    /// Last c, `1 x d` (no column for a GRU).
    pub c: Expr<'g>,
    /// `rows x 2`: read, skim.
    pub logits: Expr<'g>,
    /// `rows x 1`: 1 where skimmed and 0 where read, or the mixture's weight of skimming.
    pub decisions: Expr<'g>,
}

impl Clone for SkimOutput<'_> {
    fn clone(&self) -> Self {
        *self
    }
}

impl Copy for SkimOutput<'_> {}

impl<'g> SkimOutput<'g> {
    /// The last state, which [`Skim::forward`] takes to go on: h, and c for a cell with memory.
    pub fn state(&self) -> impl Iterator<Item = Expr<'g>> {
        std::iter::once(self.h).chain((self.c.shape().columns > 0).then_some(self.c))
    }

    /// `1 / T Σ -log p_skim`, the loss that gamma weighs (Eq. 8): `1 x 1`.
    pub fn loss(&self) -> Expr<'g> {
        self.logits.log_softmax().columns(1..2).pool(crate::device::Pool::Mean).scale(-1.0)
    }
}

impl Skim {
    /// Draws the cells like PyTorch and the decision like [`super::Linear`].
    ///
    /// # Errors
    /// See [`Builder::parameter`]; also if the cell is neither LSTM nor GRU or d' is not below d.
    pub fn new(builder: &mut Builder, config: SkimConfig) -> Result<Self, BuildError> {
        if !matches!(config.cell, CellKind::Lstm | CellKind::Gru) {
            return Err(BuildError::size("cell", "an LSTM or a GRU", "another"));
        }
        let (d, small) = (config.hidden_size, config.small_size);
        if small >= d {
            return Err(BuildError::size("small_size", &format!("below hidden_size {d}"), small));
        }
        let big = builder.scope("big", |b| Cell::new(b, &config, d, d))?;
        let reads = if config.small_reads == SmallReads::Slice { small } else { d };
        let small = match small {
            0 => None,
            small => Some(builder.scope("small", |b| Cell::new(b, &config, small, reads))?),
        };
        let inputs = config.input_size + d;
        let decision = builder.scope("decision", |b| {
            let init = Init::Uniform(1.0 / (inputs as f32).sqrt());
            let weight = b.parameter("weight", &[2, inputs], init)?;
            Ok((weight, b.parameter("bias", &[2], Init::Constant(0.0))?))
        })?;
        Ok(Self { config, big, small, decision })
    }

    /// The sizes.
    pub fn config(&self) -> &SkimConfig {
        &self.config
    }

    /// Runs a sequence, from zeros or from given h and, for an LSTM, c (`1 x d` each).
    pub fn forward<'g>(
        &self,
        x: Expr<'g>,
        initial: Option<&[Expr<'g>]>,
        control: SkimControl<'_, 'g>,
    ) -> SkimOutput<'g> {
        self.run(x, initial, control, false).0
    }

    /// Runs a sequence; with `inspect`, returns also what the cell does at every row (on the CPU, of hard decisions).
    pub(super) fn run<'g>(
        &self,
        x: Expr<'g>,
        initial: Option<&[Expr<'g>]>,
        control: SkimControl<'_, 'g>,
        inspect: bool,
    ) -> (SkimOutput<'g>, Vec<CellExprs<'g>>) {
        let graph = x.graph();
        let (mode, first, noise, force) = match control {
            SkimControl::Decide { threshold, force } => {
                (SkimMode::Hard { threshold: Real(threshold) }, x, None, force)
            }
            SkimControl::Mix { temperature, noise } => {
                let (temperature, given_noise) = (Real(temperature), noise.is_some());
                let product = x.affine(self.big.weight_ih, Some(self.big.bias_ih));
                (SkimMode::Soft { temperature, given_noise }, product, noise, &[][..])
            }
        };
        let mut operands = vec![first];
        operands.extend(self.small.map(|small| x.affine(small.weight_ih, Some(small.bias_ih))));
        let leading = WeightView::leading(graph.parameters(), self.decision.0, self.config.input_size);
        operands.push(x.affine_view(leading, Some(self.decision.1)));
        operands.extend(noise);
        operands.extend(initial.into_iter().flatten());
        let op = Op::Skim(SkimOp {
            cell: self.config.cell,
            hidden: self.config.hidden_size,
            small: self.config.small_size,
            small_reads: self.small_reads(),
            big_weight_ih: self.big.weight_ih,
            big_bias_ih: self.big.bias_ih,
            big_weight_hh: self.big.weight_hh,
            big_bias_hh: self.big.bias_hh,
            small_hh: self.small.map(|small| (small.weight_hh, small.bias_hh)),
            decision_weight: self.decision.0,
            initial: initial.is_some(),
            mode,
            inspect,
        });
        let out = graph.record(op, &operands, force.to_vec());
        let output = SkimOutput { rows: out[0], h: out[1], c: out[2], logits: out[3], decisions: out[4] };
        if !inspect {
            return (output, Vec::new());
        }
        let SkimConfig { cell, hidden_size: size, small_size, .. } = self.config;
        let cell_exprs = CellExprs {
            trace: Trace { kind: "skim", size, small_size, ..Trace::default() },
            gate_names: gate_names(cell),
            states: output.rows,
            gates: Some(Gates { values: out[5], first: 0, width: size }),
            cells: cell.has_memory().then(|| out[6]),
            skim: Some([output.logits, output.decisions]),
        };
        (output, vec![cell_exprs])
    }

    fn small_reads(&self) -> usize {
        match self.config.small_reads {
            SmallReads::Slice => self.config.small_size,
            SmallReads::All => self.config.hidden_size,
        }
    }

    /// The cost of `read` tokens read and `skimmed` tokens skimmed, by the formula at the head of this file.
    pub fn flops(&self, read: usize, skimmed: usize) -> Flops {
        let SkimConfig { input_size, hidden_size: d, small_size: small, cell, .. } = self.config;
        let gates = cell.gates();
        // Of one token: 64 bits for all of a long text, which in a browser are more than a usize has.
        let hoisted = (2 * (input_size + d) + gates * small * input_size) as u64;
        let big = (gates * d * (input_size + d)) as u64;
        let small_state = (gates * small * self.small_reads()) as u64;
        let (read, skimmed) = (read as u64, skimmed as u64);
        let tokens = read + skimmed;
        Flops { spent: 2 * (tokens * hoisted + read * big + skimmed * small_state), full: 2 * tokens * big }
    }
}

impl Cell {
    fn new(
        builder: &mut Builder,
        config: &SkimConfig,
        width: usize,
        reads: usize,
    ) -> Result<Self, BuildError> {
        let gates = config.cell.gates() * width;
        let init = Init::Uniform(1.0 / (width as f32).sqrt());
        let cell = Self {
            weight_ih: builder.parameter("weight_ih", &[gates, config.input_size], init)?,
            weight_hh: builder.parameter("weight_hh", &[gates, reads], init)?,
            bias_ih: builder.parameter("bias_ih", &[gates], init)?,
            bias_hh: builder.parameter("bias_hh", &[gates], init)?,
        };
        if config.cell == CellKind::Lstm {
            builder.adjust_fresh(cell.bias_ih, |bias| {
                bias[width..2 * width].iter_mut().for_each(|b| *b += config.forget_bias);
            });
        }
        Ok(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skim(cell: CellKind, small_size: usize, small_reads: SmallReads) -> Skim {
        let config =
            SkimConfig { cell, input_size: 3, hidden_size: 4, small_size, small_reads, forget_bias: 0.0 };
        Skim::new(&mut Builder::fresh(0), config).unwrap()
    }

    #[test]
    fn flops_are_those_counted_by_hand() {
        // Every token: decision 2 x 7 = 14, small input 8 x 3 = 24. Read: 16 x 3 + 16 x 4 = 112.
        // Skimmed: 8 x 2 = 16 over the slice, 8 x 4 = 32 over all of the state.
        let full = 2 * 5 * 112;
        let slice = Flops { spent: 2 * (5 * (14 + 24) + 2 * 112 + 3 * 16), full };
        assert_eq!(skim(CellKind::Lstm, 2, SmallReads::Slice).flops(2, 3), slice);
        let all = Flops { spent: 2 * (5 * (14 + 24) + 2 * 112 + 3 * 32), full };
        assert_eq!(skim(CellKind::Lstm, 2, SmallReads::All).flops(2, 3), all);
    }

    #[test]
    fn skipping_costs_the_decision_alone() {
        // A GRU reads with 12 x 3 + 12 x 4 = 84.
        let layer = skim(CellKind::Gru, 0, SmallReads::Slice);
        assert_eq!(layer.flops(2, 3), Flops { spent: 2 * (5 * 14 + 2 * 84), full: 2 * 5 * 84 });
        assert_eq!(layer.flops(0, 5), Flops { spent: 2 * 5 * 14, full: 2 * 5 * 84 });
        assert_eq!(layer.flops(0, 5).reduction(), 6.0);
        assert_eq!(layer.flops(0, 0).reduction(), 1.0);
    }
}
