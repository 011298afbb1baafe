//! One layer of any kind, and layers on top of one another.

use super::step::Ask;
use super::{Bidirectional, Flops, Inspected, Recurrent, Skim, SkimControl, SkimOutput, Sru};
use crate::device::Pool;
use crate::graph::Expr;

/// A layer that turns `rows x in` into `rows x out`.
#[derive(Clone, Debug)]
pub enum Layer {
    /// Elman, LSTM or GRU.
    Recurrent(Recurrent),
    /// Simple recurrent unit.
    Sru(Sru),
    /// Skim-RNN.
    Skim(Skim),
    /// Another layer in both directions.
    Bidirectional(Bidirectional),
}

/// What a layer or a stack computes.
#[derive(Clone)]
pub struct LayerOutput<'g> {
    /// `rows x out`.
    pub rows: Expr<'g>,
    /// The state after the sequence, `1 x out`; of an empty one the h that it began with, zeros where none was given or
    /// the layer is an SRU.
    pub last: Expr<'g>,
    /// Of every Skim layer inside, in order.
    pub skims: Vec<SkimOutput<'g>>,
    /// The last state of every cell inside, a row each: what the rest of the sequence begins with, if the layer is
    /// causal ([`Layer::is_causal`]).
    pub state: Vec<Expr<'g>>,
}

impl Layer {
    /// Columns of the output.
    pub fn output_size(&self) -> usize {
        match self {
            Layer::Recurrent(layer) => layer.output_size(),
            Layer::Sru(layer) => layer.output_size(),
            Layer::Skim(layer) => layer.config().hidden_size,
            Layer::Bidirectional(layer) => layer.output_size(),
        }
    }

    /// The columns of each row of [`LayerOutput::state`]; none for a layer that takes no state.
    pub fn state_columns(&self) -> Vec<usize> {
        match self {
            Layer::Recurrent(layer) => layer.state_columns(),
            Layer::Sru(layer) => vec![layer.output_size(); layer.layers()],
            Layer::Skim(layer) => {
                vec![layer.config().hidden_size; if layer.config().cell.has_memory() { 2 } else { 1 }]
            }
            Layer::Bidirectional(_) => Vec::new(),
        }
    }

    /// Whether no row depends on a later one, so that a sequence may be run piece by piece, each from the state that
    /// the one before left.
    pub fn is_causal(&self) -> bool {
        match self {
            Layer::Recurrent(layer) => layer.is_causal(),
            Layer::Sru(layer) => layer.is_causal(),
            Layer::Skim(_) => true,
            Layer::Bidirectional(_) => false,
        }
    }

    /// Runs a sequence. The layer takes its rows of an earlier output's state from `state`, or, where none are left,
    /// begins with zeros.
    pub fn forward<'g>(
        &self,
        x: Expr<'g>,
        state: &mut dyn Iterator<Item = Expr<'g>>,
        control: SkimControl<'_, 'g>,
    ) -> LayerOutput<'g> {
        self.run(x, state, control, false).output
    }

    /// Runs a sequence like [`Self::forward`] and returns also what every cell does at every row, on the CPU. A
    /// [`Bidirectional`] returns no cells.
    pub fn inspect<'g>(
        &self,
        x: Expr<'g>,
        state: &mut dyn Iterator<Item = Expr<'g>>,
        control: SkimControl<'_, 'g>,
    ) -> Inspected<'g> {
        self.run(x, state, control, true)
    }

    fn run<'g>(
        &self,
        x: Expr<'g>,
        state: &mut dyn Iterator<Item = Expr<'g>>,
        control: SkimControl<'_, 'g>,
        inspect: bool,
    ) -> Inspected<'g> {
        let ask = if inspect { Ask::Inspect } else { Ask::Rows };
        match self {
            Layer::Recurrent(layer) => {
                let (out, cells) = layer.run(x, layer.states(state).as_ref(), ask);
                let last = layer.last(&out);
                let output =
                    LayerOutput { rows: out.rows, last, skims: Vec::new(), state: out.states.into_rows() };
                Inspected { output, cells }
            }
            Layer::Sru(layer) => {
                let (out, cells) = layer.run(x, take(state, layer.layers()).as_deref(), ask);
                let last = layer.last(&out);
                let output = LayerOutput { rows: out.rows, last, skims: Vec::new(), state: out.c };
                Inspected { output, cells }
            }
            Layer::Skim(layer) => {
                let state = take(state, self.state_columns().len());
                let (out, cells) = layer.run(x, state.as_deref(), control, inspect);
                let state = out.state().collect();
                let output = LayerOutput { rows: out.rows, last: out.h, skims: vec![out], state };
                Inspected { output, cells }
            }
            Layer::Bidirectional(layer) => Inspected { output: layer.forward(x, control), cells: Vec::new() },
        }
    }

    /// The cost of `rows` tokens, of which each Skim layer inside skimmed as many as `skimmed` yields.
    pub fn flops(&self, rows: usize, skimmed: &mut impl Iterator<Item = usize>) -> Flops {
        match self {
            Layer::Recurrent(layer) => layer.flops(rows),
            Layer::Sru(layer) => layer.flops(rows),
            Layer::Skim(layer) => {
                let skims = skimmed.next().unwrap_or(0).min(rows);
                layer.flops(rows - skims, skims)
            }
            Layer::Bidirectional(layer) => layer.flops(rows, skimmed),
        }
    }
}

/// The next `rows` rows; `None` if there are none.
fn take<T>(state: &mut dyn Iterator<Item = T>, rows: usize) -> Option<Vec<T>> {
    let taken: Vec<T> = state.take(rows).collect();
    if taken.is_empty() { None } else { Some(taken) }
}

/// Layers on top of one another.
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{Builder, Layer, Recurrent, RecurrentConfig, SkimControl, Sru, SruConfig, Stack};
/// # pollster::block_on(async {
/// let mut builder = Builder::fresh(0);
/// let sru = builder.scope("0", |b| Sru::new(b, SruConfig::new(3, 4, 1)))?;
/// let lstm = builder.scope("1", |b| Recurrent::lstm(b, RecurrentConfig::new(4, 2), 1.0))?;
/// let stack = Stack { layers: vec![Layer::Sru(sru), Layer::Recurrent(lstm)], dropout: 0.0, dropout_per_sequence: false };
/// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
/// // No layer skims, so the control says nothing to any.
/// let control = SkimControl::Decide { threshold: 0.5, force: &[] };
/// let out = stack.forward(graph.input(5, 3, vec![0.5; 15]), [], control);
/// assert_eq!(out.rows.value().await?.len(), 5 * 2);
/// assert_eq!(out.state.len(), 1 + 2); // the SRU's c, the LSTM's h and c
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Stack {
    /// The layers, the one next to the input first.
    pub layers: Vec<Layer>,
    /// Dropout between layers, in training.
    pub dropout: f32,
    /// Whether all rows share its mask.
    pub dropout_per_sequence: bool,
}

impl Stack {
    /// Columns of the output; `None` without layers.
    pub fn output_size(&self) -> Option<usize> {
        self.layers.last().map(Layer::output_size)
    }

    /// Whether every layer is causal ([`Layer::is_causal`]).
    pub fn is_causal(&self) -> bool {
        self.layers.iter().all(Layer::is_causal)
    }

    /// Runs a sequence from the state that an earlier output left, or from zeros if it has no rows. Without layers the
    /// rows pass unchanged. The same control goes to every Skim layer.
    pub fn forward<'g>(
        &self,
        x: Expr<'g>,
        state: impl IntoIterator<Item = Expr<'g>>,
        control: SkimControl<'_, 'g>,
    ) -> LayerOutput<'g> {
        self.run(x, &mut state.into_iter(), control, false).output
    }

    /// Runs a sequence like [`Self::forward`] and returns also what every cell does at every row, on the CPU. A cell's
    /// name begins with the number of its layer.
    pub fn inspect<'g>(
        &self,
        x: Expr<'g>,
        state: impl IntoIterator<Item = Expr<'g>>,
        control: SkimControl<'_, 'g>,
    ) -> Inspected<'g> {
        self.run(x, &mut state.into_iter(), control, true)
    }

    fn run<'g>(
        &self,
        x: Expr<'g>,
        before: &mut dyn Iterator<Item = Expr<'g>>,
        control: SkimControl<'_, 'g>,
        inspect: bool,
    ) -> Inspected<'g> {
        let (mut rows, mut last) = (x, None);
        let (mut skims, mut state, mut cells) = (Vec::new(), Vec::new(), Vec::new());
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                rows = rows.dropout(self.dropout, self.dropout_per_sequence);
            }
            let Inspected { mut output, cells: inside } = layer.run(rows, before, control, inspect);
            skims.append(&mut output.skims);
            state.append(&mut output.state);
            rows = output.rows;
            last = Some(output.last);
            cells.extend(inside.into_iter().map(|mut cell| {
                let dot = if cell.trace.name.is_empty() { "" } else { "." };
                cell.trace.name = format!("{i}{dot}{}", cell.trace.name);
                cell
            }));
        }
        let last = last.unwrap_or_else(|| x.pool(Pool::Last));
        Inspected { output: LayerOutput { rows, last, skims, state }, cells }
    }

    /// The cost of `rows` tokens, of which each Skim layer skimmed as many as `skimmed` yields, in order.
    pub fn flops(&self, rows: usize, mut skimmed: impl Iterator<Item = usize>) -> Flops {
        self.layers.iter().map(|layer| layer.flops(rows, &mut skimmed)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::CellKind;
    use crate::nn::{BuildError, Builder, RecurrentConfig, SkimConfig, SmallReads};

    fn skim(builder: &mut Builder, name: &str, input_size: usize) -> Result<Layer, BuildError> {
        let config = SkimConfig {
            cell: CellKind::Gru,
            input_size,
            hidden_size: 2,
            small_size: 0,
            small_reads: SmallReads::Slice,
            forget_bias: 0.0,
        };
        builder.scope(name, |b| Ok(Layer::Skim(Skim::new(b, config)?)))
    }

    #[test]
    fn flops_add_up_and_each_skim_layer_takes_its_own_count() -> Result<(), BuildError> {
        let builder = &mut Builder::fresh(0);
        let wrapped = Bidirectional {
            forward: Box::new(skim(builder, "forward", 3)?),
            backward: Box::new(skim(builder, "backward", 3)?),
        };
        let lstm = Recurrent::lstm(builder, RecurrentConfig::new(4, 1), 0.0)?;
        let top = skim(builder, "top", 1)?;
        let layers = vec![Layer::Bidirectional(wrapped), Layer::Recurrent(lstm), top];
        let stack = Stack { layers, dropout: 0.0, dropout_per_sequence: false };
        // Decisions: 2 x 5 over 3 columns, 2 x 3 over 1. Reading: 6 x 3 + 6 x 2 = 30, and 6 x 1 + 6 x 2 = 18.
        // The LSTM: 4 x 4 + 4 x 1 = 20. Five tokens; 1, 2 and 3 of them skimmed.
        let spent = 2 * ((5 * 10 + 4 * 30) + (5 * 10 + 3 * 30) + 5 * 20 + (5 * 6 + 2 * 18));
        let full = 2 * 5 * (30 + 30 + 20 + 18);
        assert_eq!(stack.flops(5, [1, 2, 3].into_iter()), Flops { spent, full });
        Ok(())
    }
}
