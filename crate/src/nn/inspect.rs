//! What cells do at every row: states, memories and gates. People look at them, and a reading begins again with them from
//! any token. Kernels return what they keep anyway; nothing is computed twice.

use std::ops::Range;

use super::LayerOutput;
use crate::device::CellKind;
use crate::graph::Expr;

/// One cell over a sequence. Matrices are row-major, a row a token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The layer that the cell belongs to, by the beginning of its tensors' names: `encoder.0`.
    pub name: String,
    /// `embedding`, `elman`, `lstm`, `gru`, `sru` or `skim`.
    pub kind: &'static str,
    /// Columns of the state.
    pub size: usize,
    /// Columns that skimming updates; 0 for all other kinds.
    pub small_size: usize,
    /// Whether the cell runs from the last row to the first.
    pub backward: bool,
    /// The state after each row, `rows x size`.
    pub states: Vec<f32>,
    /// The memory after each row, `rows x size`; empty for cells without one.
    pub cells: Vec<f32>,
    /// The gates at each row by name, `rows x size` each. Where a Skim cell skimmed they are those of the small cell in
    /// the first `small_size` columns, and 0 in the others.
    pub gates: Vec<(&'static str, Vec<f32>)>,
    /// `rows x 2`: read, skim; empty for all other kinds.
    pub logits: Vec<f32>,
    /// 1 where a Skim cell skimmed, otherwise 0; empty for all other kinds.
    pub decisions: Vec<f32>,
}

impl Trace {
    /// How many rows were traced.
    pub fn rows(&self) -> usize {
        self.states.len() / self.size.max(1)
    }

    /// Every matrix with its columns.
    fn matrices(&mut self) -> Vec<(usize, &mut Vec<f32>)> {
        let size = self.size;
        let mut matrices = vec![(size, &mut self.states), (size, &mut self.cells)];
        for (_, gate) in &mut self.gates {
            matrices.push((size, gate));
        }
        matrices.push((2, &mut self.logits));
        matrices.push((1, &mut self.decisions));
        matrices
    }

    /// Forgets all rows from `rows` on.
    pub fn truncate(&mut self, rows: usize) {
        for (columns, matrix) in self.matrices() {
            matrix.truncate(rows * columns);
        }
    }

    /// Adds the rows that follow, of the same cell.
    pub fn extend(&mut self, mut next: Self) {
        for ((_, matrix), (_, more)) in self.matrices().into_iter().zip(next.matrices()) {
            matrix.append(more);
        }
    }

    /// The state of this cell after row `row`, a row for each part: of a layer of one cell in the order of
    /// [`LayerOutput::state`], where a recurrent layer of several has the states of all cells before their memories. An LSTM with
    /// a `proj_size` does not begin again with it, since what is traced is the state before its projection.
    pub fn state_at(&self, row: usize) -> Vec<Vec<f32>> {
        let kept: &[&Vec<f32>] = match self.kind {
            "embedding" => &[],
            "sru" => &[&self.cells],
            _ if self.cells.is_empty() => &[&self.states],
            _ => &[&self.states, &self.cells],
        };
        kept.iter().map(|matrix| matrix[row * self.size..(row + 1) * self.size].to_vec()).collect()
    }
}

/// What a layer computes, and what its cells do.
pub struct Inspected<'g> {
    /// What the layer computes.
    pub output: LayerOutput<'g>,
    /// Layer by layer, forward then backward.
    pub cells: Vec<CellExprs<'g>>,
}

/// The values that make a [`Trace`] once they are there.
pub struct CellExprs<'g> {
    /// Name, kind and sizes; no values.
    pub trace: Trace,
    pub(super) gate_names: &'static [&'static str],
    /// The states, `rows x size`.
    pub(super) states: Expr<'g>,
    /// Gates, side by side in the order of their names: in column `first + g * width` on, `size` columns of gate g.
    pub(super) gates: Option<Gates<'g>>,
    /// The memories, `rows x size`.
    pub(super) cells: Option<Expr<'g>>,
    /// Logits and decisions of a Skim cell.
    pub(super) skim: Option<[Expr<'g>; 2]>,
}

/// Gates of a cell among those of others.
pub(super) struct Gates<'g> {
    pub(super) values: Expr<'g>,
    /// The first column of the first gate.
    pub(super) first: usize,
    /// From a column of a gate to the same of the next gate.
    pub(super) width: usize,
}

/// The usual names of a cell's gates, in the order in which its kernel keeps them.
pub(super) fn gate_names(cell: CellKind) -> &'static [&'static str] {
    match cell {
        CellKind::ElmanTanh | CellKind::ElmanRelu => &[],
        CellKind::Gru => &["reset", "update", "new"],
        CellKind::Lstm => &["input", "forget", "cell", "output"],
    }
}

impl<'g> CellExprs<'g> {
    /// The expressions whose values [`Self::trace`] takes, in its order.
    pub fn wanted(&self) -> Vec<Expr<'g>> {
        let gates = self.gates.as_ref().map(|gates| gates.values);
        [Some(self.states), gates, self.cells]
            .into_iter()
            .flatten()
            .chain(self.skim.into_iter().flatten())
            .collect()
    }

    /// The trace, with values in the order of [`Self::wanted`].
    pub fn trace(self, values: &mut impl Iterator<Item = Vec<f32>>) -> Trace {
        let mut next = || values.next().unwrap_or_default();
        let Trace { name, kind, size, small_size, backward, .. } = self.trace;
        let states = next();
        let gates = self.gates.map_or_else(Vec::new, |gates| {
            let (values, columns) = (next(), gates.values.shape().columns);
            let gate = |(g, name): (usize, &&'static str)| {
                let first = gates.first + g * gates.width;
                (*name, columns_of(&values, columns, first..first + size))
            };
            self.gate_names.iter().enumerate().map(gate).collect()
        });
        let cells = if self.cells.is_some() { next() } else { Vec::new() };
        let (logits, decisions) = if self.skim.is_some() { (next(), next()) } else { Default::default() };
        Trace { name, kind, size, small_size, backward, states, cells, gates, logits, decisions }
    }
}

/// Some columns of every row.
fn columns_of(values: &[f32], columns: usize, range: Range<usize>) -> Vec<f32> {
    values.chunks_exact(columns.max(1)).flat_map(|row| &row[range.clone()]).copied().collect()
}
