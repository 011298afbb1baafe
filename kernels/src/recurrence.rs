//! The time loop that Elman, LSTM and GRU share: lanes of unequal length run in lock step, longest first, so that
//! step `t` is one matrix product over the lanes that still have a row, without padding or mask.
//!
//! WGSL twins: `shaders/recurrence.wgsl` and `shaders/recurrence_backward.wgsl`.

use crate::cell::{Cell, CellKind, with_cell};
use crate::column_sums::add_columns;
use crate::math::{FLUSHED, flush_all, is_flushed};
use crate::matmul::{View, matmul};
use crate::order::longest_first;
use crate::packed::{Packed, Rows, Start, begin, multiply, multiply_backwards};
use crate::registers::prefetch;
use crate::{BufferPool, Ragged};

/// One step of one lane by itself: from `x` (`W_ih x + b_ih`), `w` (`W_hh h + b_hh`) and the state `h` and `c` before,
/// the state after. `saved` is empty or has 4 blocks of a unit's values; the first ones are then the gates, in PyTorch's
/// order. Cells without a memory have empty slices for it.
pub fn step(kind: CellKind, [x, w, h, c]: [&[f32]; 4], saved: &mut [f32], [h_next, c_next]: [&mut [f32]; 2]) {
    with_cell!(kind, C => C::forward(x, w, h, c, saved, h_next, c_next));
}

/// The order in which lanes run: by decreasing length, so that the lanes alive at step `t` are a prefix.
pub struct LockStep {
    /// Lanes by decreasing length.
    pub order: Vec<usize>,
    starts: Vec<usize>,
    lengths: Vec<usize>,
    reverse: bool,
}

impl LockStep {
    /// Plans lanes of `x`; `reverse` runs each from its last row to its first.
    pub fn new(x: Ragged<'_>, reverse: bool) -> Self {
        let order = longest_first(x.offsets);
        let starts = order.iter().map(|&lane| x.start(lane)).collect();
        let lengths = order.iter().map(|&lane| x.rows(lane)).collect();
        Self { order, starts, lengths, reverse }
    }

    /// Steps of the longest lane.
    pub fn steps(&self) -> usize {
        self.lengths.first().copied().unwrap_or(0)
    }

    /// How many places (a prefix of `order`) are alive at step `t`.
    pub fn alive(&self, t: usize) -> usize {
        self.lengths.partition_point(|&length| length > t)
    }

    /// The row, counted over all lanes, that a place computes at step `t`.
    pub fn row(&self, place: usize, t: usize) -> usize {
        self.starts[place] + if self.reverse { self.lengths[place] - 1 - t } else { t }
    }

    /// A state with a row a place, from values with a row a lane; zeros if absent.
    pub fn gather(&self, lanes: Option<&[f32]>, columns: usize) -> Vec<f32> {
        let mut state = vec![0.0; self.order.len() * columns];
        if let Some(lanes) = lanes {
            for (place, &lane) in self.order.iter().enumerate() {
                block_mut(&mut state, place, columns).copy_from_slice(block(lanes, lane, columns));
            }
        }
        state
    }

    /// Puts a state with a row a place back into the order of the lanes.
    pub fn scatter(&self, state: &[f32], columns: usize) -> Vec<f32> {
        let mut lanes = vec![0.0; state.len()];
        for (place, &lane) in self.order.iter().enumerate() {
            lanes[lane * columns..(lane + 1) * columns]
                .copy_from_slice(&state[place * columns..(place + 1) * columns]);
        }
        lanes
    }
}

/// Operands of a recurrence.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    /// Hoisted input product, `gates * hidden` columns.
    pub x: Ragged<'a>,
    /// Initial state, a row a lane; zeros if absent.
    pub h0: Option<Ragged<'a>>,
    /// Initial memory, a row a lane; zeros if absent.
    pub c0: Option<Ragged<'a>>,
    /// `[gates * hidden]`.
    pub bias_hh: Option<&'a [f32]>,
    /// Width of the state.
    pub hidden: usize,
    /// Run each lane backwards.
    pub reverse: bool,
    /// Keep what [`backward`] needs.
    pub keep: bool,
}

/// Results of a recurrence.
pub struct Forward {
    /// `h_t` of every row.
    pub rows: Vec<f32>,
    /// Last `h`, a row a lane.
    pub h: Vec<f32>,
    /// Last `c`, a row a lane; empty for cells without a memory.
    pub c: Vec<f32>,
    /// Gates of every row if kept.
    pub gates: Vec<f32>,
    /// `c_t` of every row if kept.
    pub cells: Vec<f32>,
}

/// The block of `width` values that belongs to a row.
pub fn block(values: &[f32], index: usize, width: usize) -> &[f32] {
    &values[index * width..(index + 1) * width]
}

/// The block of `width` values that belongs to a row, to write to.
pub fn block_mut(values: &mut [f32], index: usize, width: usize) -> &mut [f32] {
    &mut values[index * width..(index + 1) * width]
}

/// Runs the cell over every lane. `weight_hh` is `[hidden, gates * hidden]`.
pub fn forward(buffers: &BufferPool, cell: CellKind, a: Arguments<'_>, weight_hh: &Packed) -> Forward {
    let n = a.hidden;
    let (gates, memory) = (cell.gates() * n, cell.memory(n));
    let plan = LockStep::new(a.x, a.reverse);
    let total = a.x.total_rows();
    let (mut h, mut c) = (
        plan.gather(a.h0.map(|h| h.all()), n),
        plan.gather(a.c0.filter(|_| cell.has_memory()).map(|c| c.all()), memory),
    );
    let (mut h_next, mut c_next) = (h.clone(), c.clone());
    let mut w = vec![0.0; plan.order.len() * gates];
    let kept = if a.keep { total } else { 0 };
    let saved = if a.keep { cell.saved() * n } else { 0 };
    let mut out = Forward {
        rows: buffers.take(total * n),
        h: Vec::new(),
        c: Vec::new(),
        gates: buffers.take(kept * saved),
        cells: buffers.take(kept * memory),
    };
    for t in 0..plan.steps() {
        let alive = plan.alive(t);
        let w = &mut w[..alive * gates];
        let start = Start::bias(a.bias_hh);
        match (t, a.h0) {
            (0, None) => begin(w, gates, gates, start),
            _ => {
                let product = if t % 2 == 0 { multiply } else { multiply_backwards };
                product(w, start, Rows::new(&h, alive, n), weight_hh);
            }
        }
        for place in 0..alive {
            let row = plan.row(place, t);
            if place + 1 < alive {
                // The lanes' rows lie far apart, and the products of a batch in no near cache.
                prefetch(a.x.row(plan.row(place + 1, t)));
            }
            step(
                cell,
                [a.x.row(row), block(w, place, gates), block(&h, place, n), block(&c, place, memory)],
                block_mut(&mut out.gates, row, saved),
                [block_mut(&mut h_next, place, n), block_mut(&mut c_next, place, memory)],
            );
            let (h, c) = (block_mut(&mut h_next, place, n), block_mut(&mut c_next, place, memory));
            if is_flushed(t, plan.lengths[place]) {
                flush_all(h);
                flush_all(c);
            }
            block_mut(&mut out.rows, row, n).copy_from_slice(h);
            if a.keep {
                block_mut(&mut out.cells, row, memory).copy_from_slice(c);
            }
        }
        if alive == plan.order.len() {
            std::mem::swap(&mut h, &mut h_next);
            std::mem::swap(&mut c, &mut c_next);
        } else {
            // Lanes past `alive` have ended: their last state stays.
            h[..alive * n].copy_from_slice(&h_next[..alive * n]);
            c[..alive * memory].copy_from_slice(&c_next[..alive * memory]);
        }
    }
    out.h = plan.scatter(&h, n);
    out.c = plan.scatter(&c, memory);
    out
}

/// Gradients of the results; `None` is zero.
#[derive(Clone, Copy)]
pub struct Upstream<'a> {
    /// Of every row.
    pub rows: Option<&'a [f32]>,
    /// Of the last `h`, a row a lane.
    pub h: Option<&'a [f32]>,
    /// Of the last `c`, a row a lane.
    pub c: Option<&'a [f32]>,
}

/// Gradients of the operands.
pub struct Backward {
    /// Of the hoisted product.
    pub x: Vec<f32>,
    /// Of the initial state, a row a lane.
    pub h0: Vec<f32>,
    /// Of the initial memory, a row a lane.
    pub c0: Vec<f32>,
}

/// Back-propagation through time. `weight_hh` is `[gates * hidden, hidden]`; `rows`, `gates` and `cells` are
/// those of [`Forward`]; the gradients of the weights are added to `d_weight_hh` and `d_bias_hh`.
#[allow(clippy::too_many_arguments, reason = "what the forward call had and left, and the gradients")]
pub fn backward(
    buffers: &BufferPool,
    cell: CellKind,
    a: Arguments<'_>,
    weight_hh: &Packed,
    rows: &[f32],
    gates: &[f32],
    cells: &[f32],
    up: Upstream<'_>,
    d_weight_hh: &mut [f32],
    d_bias_hh: Option<&mut [f32]>,
) -> Backward {
    with_cell!(cell, C => run_back::<C>(buffers, a, weight_hh, rows, gates, cells, up, d_weight_hh, d_bias_hh))
}

#[allow(clippy::too_many_arguments, reason = "as above")]
fn run_back<C: Cell>(
    buffers: &BufferPool,
    a: Arguments<'_>,
    weight_hh: &Packed,
    rows: &[f32],
    gates_saved: &[f32],
    cells: &[f32],
    up: Upstream<'_>,
    d_weight_hh: &mut [f32],
    d_bias_hh: Option<&mut [f32]>,
) -> Backward {
    let n = a.hidden;
    let (gates, memory) = (C::GATES * n, if C::MEMORY { n } else { 0 });
    let plan = LockStep::new(a.x, a.reverse);
    let total = a.x.total_rows();
    let (mut dh, mut dc) = (plan.gather(up.h, n), plan.gather(up.c, memory));
    let (h0, c0) = (
        plan.gather(a.h0.map(|h| h.all()), n),
        plan.gather(a.c0.filter(|_| C::MEMORY).map(|c| c.all()), memory),
    );
    let mut dx = buffers.take(total * gates);
    // Gradients of the recurrent product, and the states it was made from: one matrix product at the end gives the
    // gradient of the weight. They lie step by step, so that those of a step are the operand of its product.
    let mut dw = buffers.take(total * gates);
    let mut h_before = buffers.take(total * n);
    let (mut dh_prev, mut dc_prev) = (vec![0.0; n], vec![0.0; memory]);
    let mut first = total;
    for t in (0..plan.steps()).rev() {
        let alive = plan.alive(t);
        first -= alive;
        for place in 0..alive {
            let row = plan.row(place, t);
            let (h_was, c_was) = if t == 0 {
                (block(&h0, place, n), block(&c0, place, memory))
            } else {
                let before = plan.row(place, t - 1);
                (block(rows, before, n), block(cells, before, memory))
            };
            block_mut(&mut h_before, first + place, n).copy_from_slice(h_was);
            if let Some(up) = up.rows {
                for (d, u) in block_mut(&mut dh, place, n).iter_mut().zip(block(up, row, n)) {
                    *d += u;
                }
            }
            if t.is_multiple_of(FLUSHED) {
                flush_all(block_mut(&mut dh, place, n));
                flush_all(block_mut(&mut dc, place, memory));
            }
            C::backward(
                block(gates_saved, row, C::SAVED * n),
                h_was,
                c_was,
                block(rows, row, n),
                block(cells, row, memory),
                block(&dh, place, n),
                block(&dc, place, memory),
                block_mut(&mut dx, row, gates),
                block_mut(&mut dw, first + place, gates),
                &mut dh_prev,
                &mut dc_prev,
            );
            block_mut(&mut dh, place, n).copy_from_slice(&dh_prev);
            block_mut(&mut dc, place, memory).copy_from_slice(&dc_prev);
        }
        // Before the first step there may be no state.
        if t > 0 || a.h0.is_some() {
            multiply(&mut dh, Start::Out, Rows::new(&dw[first * gates..], alive, gates), weight_hh);
        }
    }
    matmul(d_weight_hh, n, true, View::new(&dw, total, gates).t(), View::new(&h_before, total, n));
    if let Some(d_bias) = d_bias_hh {
        add_columns(d_bias, &dw);
    }
    buffers.give_back(dw);
    buffers.give_back(h_before);
    Backward { x: dx, h0: plan.scatter(&dh, n), c0: plan.scatter(&dc, memory) }
}
