//! What a layer did at every row: states, memories and gates, for people to look at and for a reading to begin again
//! from any token.
//!
//! The kernels keep no gates. They follow from what is known: gates at row t depend on the input of row t and on the
//! state of the row before it, so the products of all rows are two matrix products, and the cell's own step
//! ([`crate::cpu::recurrence::step`]) takes them apart on the host.

use crate::cpu::recurrence::step;
use crate::device::{CellKind, EngineError};
use crate::graph::{Expr, Graph};

use super::{Layer, SkimControl};

/// One cell over a sequence. Matrices are row-major, a row a token.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// Where the cell stands, as its tensors' names begin: `encoder.0`.
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

    /// The state after row `row` as [`Layer::trace`] takes it: what [`super::LayerOutput::state`] has of this cell.
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

/// A layer's rows, and what its cells did.
pub struct Traced<'g> {
    /// `rows x out`.
    pub rows: Expr<'g>,
    /// The state after the sequence, `1 x out`.
    pub last: Expr<'g>,
    /// Layer by layer, forward then backward.
    pub cells: Vec<Trace>,
}

impl Layer {
    /// Runs a sequence as [`Self::forward`] does and tells what every cell did at every row. `state` holds rows of
    /// [`Trace::state_at`], or nothing.
    ///
    /// # Errors
    /// What the graph reports; [`EngineError::Unsupported`] for a [`super::Bidirectional`], and on a browser's GPU.
    pub fn trace<'g>(
        &self,
        x: Expr<'g>,
        state: &mut impl Iterator<Item = Vec<f32>>,
        control: SkimControl<'_, 'g>,
    ) -> Result<Traced<'g>, EngineError> {
        match self {
            Layer::Recurrent(layer) => layer.trace(x, state),
            Layer::Sru(layer) => layer.trace(x, state),
            Layer::Skim(layer) => layer.trace(x, state, control),
            Layer::Bidirectional(_) => {
                let reason = "a wrapped pair of layers is not traced; trace each of the two";
                Err(EngineError::Unsupported { op: "trace", reason })
            }
        }
    }
}

/// The rows before those of `rows`: `first`, then all but the last; for a backward cell the rows after them.
pub(super) fn shifted<'g>(rows: Expr<'g>, first: Vec<f32>, backward: bool) -> Expr<'g> {
    let (n, graph) = (rows.shape().rows as u32, rows.graph());
    let first = graph.input(1, first.len(), first);
    match (n, backward) {
        (0, _) => rows,
        (_, false) => graph.concat_rows(&[first, rows.rows(&(0..n - 1).collect::<Vec<_>>())]),
        (_, true) => graph.concat_rows(&[rows.rows(&(1..n).collect::<Vec<_>>()), first]),
    }
}

/// Takes the next state row, or zeros.
pub(super) fn take(state: &mut impl Iterator<Item = Vec<f32>>, size: usize) -> Vec<f32> {
    state.next().unwrap_or_else(|| vec![0.0; size])
}

/// A row of the graph for every state row.
pub(super) fn inputs<'g>(graph: &'g Graph, rows: &[Vec<f32>]) -> Vec<Expr<'g>> {
    rows.iter().map(|row| graph.input(1, row.len(), row.clone())).collect()
}

/// Products of one cell over all rows.
pub(super) struct Products {
    /// `W_ih x + b_ih`, `rows x gates * width`.
    pub(super) x: Vec<f32>,
    /// `W_hh h + b_hh` of the state before each row.
    pub(super) h: Vec<f32>,
    /// Columns of the state that the cell updates.
    pub(super) width: usize,
}

/// Takes the steps of a sequence apart. `trace` has its kind, sizes and states; memories and gates are added to it.
/// `products` says which of the cells made a step. `h` and `c` are the state before the first step.
pub(super) fn unfold(
    cell: CellKind,
    trace: &mut Trace,
    products: &[&Products],
    chosen: &dyn Fn(usize) -> usize,
    (mut h, mut c): (Vec<f32>, Vec<f32>),
) {
    let names: &[&str] = match cell {
        CellKind::ElmanTanh | CellKind::ElmanRelu => &[],
        CellKind::Gru => &["reset", "update", "new"],
        CellKind::Lstm => &["input", "forget", "cell", "output"],
    };
    let (rows, size) = (trace.rows(), trace.size);
    trace.gates = names.iter().map(|name| (*name, vec![0.0; rows * size])).collect();
    if cell.has_memory() {
        trace.cells = vec![0.0; rows * size];
    }
    // The GRU's step saves its recurrent product as well.
    let mut saved = vec![0.0; 4 * size];
    let (mut h_next, mut c_next) = (h.clone(), c.clone());
    for t in 0..rows {
        let row = if trace.backward { rows - 1 - t } else { t };
        let Products { x, h: w, width } = products[chosen(row)];
        let product = cell.gates() * width;
        let memory = if cell.has_memory() { *width } else { 0 };
        if *width > 0 {
            let at = row * product..(row + 1) * product;
            let (h_next, c_next) = (&mut h_next[..*width], &mut c_next[..memory]);
            step(cell, [&x[at.clone()], &w[at], &h[..*width], &c[..memory]], &mut saved, [h_next, c_next]);
        }
        for (i, (_, gate)) in trace.gates.iter_mut().enumerate() {
            gate[row * size..row * size + width].copy_from_slice(&saved[i * width..(i + 1) * width]);
        }
        // The kernel's own state, so that rounding does not add up.
        h.copy_from_slice(&trace.states[row * size..(row + 1) * size]);
        c[..memory].copy_from_slice(&c_next[..memory]);
        if cell.has_memory() {
            trace.cells[row * size..(row + 1) * size].copy_from_slice(&c);
        }
    }
}
