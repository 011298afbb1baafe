//! Any layer run in both directions, with parameters of its own for each.

use std::iter;

use super::{Flops, Layer, LayerOutput, SkimControl};
use crate::graph::Expr;

/// Two layers over the same input, the second from the last row to the first; outputs side by side. (Elman, LSTM,
/// GRU and SRU have their own bidirectional form under PyTorch's names; this is for the others.)
///
/// ```
/// use saccade_rnn::device::{CellKind, Device};
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{Bidirectional, Builder, Layer, Skim, SkimConfig, SkimControl, SmallReads};
/// # pollster::block_on(async {
/// let config = SkimConfig {
///     cell: CellKind::Gru,
///     input_size: 3,
///     hidden_size: 4,
///     small_size: 1,
///     small_reads: SmallReads::All,
///     forget_bias: 0.0,
/// };
/// let mut builder = Builder::fresh(0);
/// let layer = Bidirectional {
///     forward: Box::new(Layer::Skim(builder.scope("forward", |b| Skim::new(b, config))?)),
///     backward: Box::new(Layer::Skim(builder.scope("backward", |b| Skim::new(b, config))?)),
/// };
/// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
/// // Each direction decides for itself; a threshold of 0 skims every token.
/// let control = SkimControl::Decide { threshold: 0.0, force: &[] };
/// let out = layer.forward(graph.input(2, 3, vec![0.5; 6]), control);
/// assert_eq!(out.rows.value().await?.len(), 2 * layer.output_size());
/// assert_eq!(out.skims.len(), 2);
/// assert_eq!(out.skims[1].decisions.value().await?, [1.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Bidirectional {
    /// Parameters under `forward.`.
    pub forward: Box<Layer>,
    /// Parameters under `backward.`.
    pub backward: Box<Layer>,
}

impl Bidirectional {
    /// Columns of the output.
    pub fn output_size(&self) -> usize {
        self.forward.output_size() + self.backward.output_size()
    }

    /// Runs both directions, each from zeros. Forced decisions apply to a token in either direction.
    pub fn forward<'g>(&self, x: Expr<'g>, control: SkimControl<'_, 'g>) -> LayerOutput<'g> {
        let backwards: Vec<u32> = (0..x.shape().rows as u32).rev().collect();
        let mut forward = self.forward.forward(x, &mut iter::empty(), control);
        let reversed_force: Vec<u32>;
        let control = match control {
            SkimControl::Decide { threshold, force } => {
                reversed_force = force.iter().rev().copied().collect();
                SkimControl::Decide { threshold, force: &reversed_force }
            }
            SkimControl::Mix { temperature, noise } => {
                SkimControl::Mix { temperature, noise: noise.map(|n| n.rows(&backwards)) }
            }
        };
        let mut backward = self.backward.forward(x.rows(&backwards), &mut iter::empty(), control);
        for skim in &mut backward.skims {
            skim.logits = skim.logits.rows(&backwards);
            skim.decisions = skim.decisions.rows(&backwards);
            skim.rows = skim.rows.rows(&backwards);
        }
        let graph = x.graph();
        forward.skims.append(&mut backward.skims);
        LayerOutput {
            rows: graph.concat_columns(&[forward.rows, backward.rows.rows(&backwards)]),
            last: graph.concat_columns(&[forward.last, backward.last]),
            skims: forward.skims,
            state: Vec::new(),
        }
    }

    /// The cost of both directions; `skimmed` are the tokens skimmed by each Skim layer inside, in order.
    pub fn flops(&self, rows: usize, skimmed: &mut impl Iterator<Item = usize>) -> Flops {
        self.forward.flops(rows, skimmed) + self.backward.flops(rows, skimmed)
    }
}
