//! The Gumbel-softmax mixture of a Skim-RNN's two branches (Eq. 5 and 6), for training, and its gradient. `skim.rs` has
//! the equations and what both kernels share.
//!
//! WGSL twins: `shaders/skim_soft.wgsl` and `shaders/skim_soft_backward.wgsl`.

use crate::cell::{Cell, CellKind, with_cell};
use crate::column_sums::add_columns;
use crate::math::flush;
use crate::matmul::{View, matmul};
use crate::noise::gumbel;
use crate::packed::{Packed, Rows, Start, multiply, multiply_strided};
use crate::recurrence::{LockStep, Upstream, block, block_mut};
use crate::skim::{Arguments, Forward};
use crate::{BufferPool, Ragged};

/// Where [`soft`] keeps what of a row.
struct Layout {
    /// Widths of: big gates, big h, big c, small gates, small h, small c, mixture weights, mixed c.
    widths: [usize; 8],
}

impl Layout {
    fn new<C: Cell>(n: usize, d: usize) -> Self {
        let memory = usize::from(C::MEMORY);
        Self { widths: [C::SAVED * n, n, memory * n, C::SAVED * d, d, memory * d, 2, memory * n] }
    }

    /// Values a row.
    fn width(&self) -> usize {
        self.widths.iter().sum()
    }

    /// The parts of a row, in the order of `widths`.
    fn split<'s>(&self, mut row: &'s [f32]) -> [&'s [f32]; 8] {
        self.widths.map(|width| {
            let (part, rest) = row.split_at(width);
            row = rest;
            part
        })
    }

    /// The parts of a row to write to, in the order of `widths`.
    fn split_mut<'s>(&self, mut row: &'s mut [f32]) -> [&'s mut [f32]; 8] {
        self.widths.map(|width| {
            let (part, rest) = std::mem::take(&mut row).split_at_mut(width);
            row = rest;
            part
        })
    }
}

/// Operands of [`soft`] alone.
#[derive(Clone, Copy)]
pub struct Soft<'a> {
    /// Hoisted input product of the big cell with its bias, `gates * hidden` columns.
    pub big_x: Ragged<'a>,
    /// Temperature of the Gumbel-softmax, tau.
    pub temperature: f32,
    /// Where the Gumbel noise comes from.
    pub noise: Noise<'a>,
}

/// A source of Gumbel noise.
#[derive(Clone, Copy)]
pub enum Noise<'a> {
    /// Drawn from a counter: the seed, and the stream of each lane.
    Counter(u32, &'a [u32]),
    /// Given: 2 columns.
    Given(Ragged<'a>),
}

impl Noise<'_> {
    /// The two values of step `t` of a lane, whose row over all lanes is `row`.
    fn at(&self, lane: usize, t: usize, row: usize) -> [f32; 2] {
        match self {
            Noise::Counter(seed, streams) => {
                let element = 2 * t as u32;
                [gumbel(*seed, streams[lane], element), gumbel(*seed, streams[lane], element + 1)]
            }
            Noise::Given(values) => [values.row(row)[0], values.row(row)[1]],
        }
    }
}

/// The weights that multiply the state: for [`soft`] as they are, for [`soft_backward`] transposed.
#[derive(Clone, Copy)]
pub struct StateWeights<'a> {
    /// `[hidden, gates * hidden]`.
    pub big: &'a Packed,
    /// `[small_reads, gates * small]`; nothing if nothing is small.
    pub small: Option<&'a Packed>,
    /// `[hidden, 2]`.
    pub decision: &'a Packed,
}

/// Products of the state that a soft step needs, a row a place.
struct Products<'a> {
    big: Vec<f32>,
    small: Vec<f32>,
    weights: StateWeights<'a>,
}

impl<'a> Products<'a> {
    fn new(a: &Arguments<'_>, weights: StateWeights<'a>, places: usize) -> Self {
        let (gates, small_gates) = (a.big_bias_hh.len(), a.small_bias_hh.len());
        Self { big: vec![0.0; places * gates], small: vec![0.0; places * small_gates], weights }
    }

    /// Computes them for the first `alive` places, and the decision's into `logits`.
    fn compute(&mut self, a: &Arguments<'_>, h: &[f32], alive: usize, logits: &mut [f32]) {
        let state = Rows::new(h, alive, a.hidden);
        multiply(&mut self.big, Start::Bias(a.big_bias_hh), state, self.weights.big);
        if let Some(small) = self.weights.small {
            multiply(&mut self.small, Start::Bias(a.small_bias_hh), state, small);
        }
        multiply(logits, Start::Zero, state, self.weights.decision);
    }
}

/// Runs both branches and mixes their states (Eq. 5 and 6).
pub fn soft(
    buffers: &BufferPool,
    cell: CellKind,
    a: Arguments<'_>,
    soft: Soft<'_>,
    weights: StateWeights<'_>,
) -> Forward {
    with_cell!(cell, C => run::<C>(buffers, a, soft, weights))
}

fn run<C: Cell>(
    buffers: &BufferPool,
    a: Arguments<'_>,
    soft: Soft<'_>,
    weights: StateWeights<'_>,
) -> Forward {
    let (n, d) = (a.hidden, a.small);
    let memory = if C::MEMORY { n } else { 0 };
    let small_memory = if C::MEMORY { d } else { 0 };
    let (gates, small_gates) = (C::GATES * n, C::GATES * d);
    let plan = LockStep::new(soft.big_x, false);
    let (places, total) = (plan.order.len(), soft.big_x.total_rows());
    let layout = Layout::new::<C>(n, d);
    let (mut h, mut c) = (
        plan.gather(a.h0.map(|h| h.all()), n),
        plan.gather(a.c0.filter(|_| C::MEMORY).map(|c| c.all()), memory),
    );
    let mut products = Products::new(&a, weights, places);
    let mut step_logits = vec![0.0; places * 2];
    let mut out = Forward {
        rows: buffers.take(total * n),
        h: Vec::new(),
        c: Vec::new(),
        logits: vec![0.0; total * 2],
        decisions: vec![0.0; total],
        saved: buffers.zeros(total * layout.width()),
        cells: Vec::new(),
    };
    for t in 0..plan.steps() {
        let alive = plan.alive(t);
        products.compute(&a, &h, alive, &mut step_logits);
        for place in 0..alive {
            let row = plan.row(place, t);
            let (h, c) = (block_mut(&mut h, place, n), block_mut(&mut c, place, memory));
            let [big_gates, big_h, big_c, s_gates, small_h, small_c, weights, mixed_c] =
                layout.split_mut(block_mut(&mut out.saved, row, layout.width()));
            let big_w = block(&products.big, place, gates);
            C::forward(soft.big_x.row(row), big_w, h, c, big_gates, big_h, big_c);
            if d > 0 {
                let small_w = block(&products.small, place, small_gates);
                let c_before = &c[..small_memory];
                C::forward(a.small_x.row(row), small_w, &h[..d], c_before, s_gates, small_h, small_c);
            }
            let logits = block_mut(&mut out.logits, row, 2);
            for k in 0..2 {
                logits[k] = a.decision_x.row(row)[k] + step_logits[2 * place + k];
            }
            let noise = soft.noise.at(plan.order[place], t, row);
            // log p and the logits differ by a constant, which the softmax over the perturbed logits cancels.
            let gap = (logits[1] + noise[1] - logits[0] - noise[0]) / soft.temperature;
            let skim = flush((-softplus(-gap)).exp());
            weights.copy_from_slice(&[1.0 - skim, skim]);
            mix(weights, big_h, small_h, h);
            mix(weights, big_c, small_c, c);
            mixed_c.copy_from_slice(c);
            out.decisions[row] = skim;
            block_mut(&mut out.rows, row, n).copy_from_slice(h);
        }
    }
    out.h = plan.scatter(&h, n);
    out.c = plan.scatter(&c, memory);
    out
}

/// `log(1 + exp(x))` without overflow.
fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `state = w_0 big + w_1 [small; state[small..]]`.
fn mix(weights: &[f32], big: &[f32], small: &[f32], state: &mut [f32]) {
    let d = small.len();
    for j in 0..d {
        state[j] = flush(weights[0] * big[j] + weights[1] * small[j]);
    }
    for j in d..state.len() {
        state[j] = flush(weights[0] * big[j] + weights[1] * state[j]);
    }
}

/// Gradients of [`soft`]'s operands.
pub struct SoftBackward {
    /// Of the big cell's hoisted product.
    pub big_x: Vec<f32>,
    /// Of the small cell's hoisted product.
    pub small_x: Vec<f32>,
    /// Of the decision's hoisted product.
    pub decision_x: Vec<f32>,
    /// Of the initial state, a row a lane.
    pub h0: Vec<f32>,
    /// Of the initial memory, a row a lane.
    pub c0: Vec<f32>,
}

/// Gradients of the weights, added to.
pub struct WeightGradients<'a> {
    /// Of `big_weight_hh`.
    pub big_weight_hh: &'a mut [f32],
    /// Of `big_bias_hh`.
    pub big_bias_hh: &'a mut [f32],
    /// Of `small_weight_hh`.
    pub small_weight_hh: &'a mut [f32],
    /// Of `small_bias_hh`.
    pub small_bias_hh: &'a mut [f32],
    /// Of the last `hidden` columns of `decision_weight`.
    pub decision_weight: &'a mut [f32],
}

/// Back-propagation through the mixture. `up_logits` and `up_decisions` are the gradients of those results.
#[allow(clippy::too_many_arguments, reason = "the values of one sequence and their gradients")]
pub fn soft_backward(
    buffers: &BufferPool,
    cell: CellKind,
    a: Arguments<'_>,
    soft: Soft<'_>,
    transposed: StateWeights<'_>,
    rows: &[f32],
    saved: &[f32],
    up: Upstream<'_>,
    up_logits: Option<&[f32]>,
    up_decisions: Option<&[f32]>,
    weights: WeightGradients<'_>,
) -> SoftBackward {
    with_cell!(cell, C => run_back::<C>(buffers, a, soft, transposed, rows, saved, up, up_logits, up_decisions, weights))
}

#[allow(clippy::too_many_arguments, reason = "as above")]
fn run_back<C: Cell>(
    buffers: &BufferPool,
    a: Arguments<'_>,
    soft: Soft<'_>,
    transposed: StateWeights<'_>,
    rows: &[f32],
    saved: &[f32],
    up: Upstream<'_>,
    up_logits: Option<&[f32]>,
    up_decisions: Option<&[f32]>,
    weights: WeightGradients<'_>,
) -> SoftBackward {
    let (n, d) = (a.hidden, a.small);
    let memory = if C::MEMORY { n } else { 0 };
    let small_memory = if C::MEMORY { d } else { 0 };
    let (gates, small_gates) = (C::GATES * n, C::GATES * d);
    let plan = LockStep::new(soft.big_x, false);
    let (places, total) = (plan.order.len(), soft.big_x.total_rows());
    let layout = Layout::new::<C>(n, d);
    let (mut dh, mut dc) = (plan.gather(up.h, n), plan.gather(up.c, memory));
    let (h0, c0) = (
        plan.gather(a.h0.map(|h| h.all()), n),
        plan.gather(a.c0.filter(|_| C::MEMORY).map(|c| c.all()), memory),
    );
    let mut out = SoftBackward {
        big_x: buffers.zeros(total * gates),
        small_x: buffers.zeros(total * small_gates),
        decision_x: vec![0.0; total * 2],
        h0: Vec::new(),
        c0: Vec::new(),
    };
    let (mut d_big, mut d_small) = (buffers.take(total * gates), buffers.zeros(total * small_gates));
    let mut h_before = buffers.take(total * n);
    let (mut step_big, mut step_small) = (vec![0.0; places * gates], vec![0.0; places * small_gates]);
    let mut step_decision = vec![0.0; places * 2];
    let mut scratch = BackwardScratch::new(n, d, memory, small_memory);
    for t in (0..plan.steps()).rev() {
        let alive = plan.alive(t);
        for place in 0..alive {
            let row = plan.row(place, t);
            let (h_was, c_was) = if t == 0 {
                (block(&h0, place, n), block(&c0, place, memory))
            } else {
                let before = plan.row(place, t - 1);
                (block(rows, before, n), layout.split(block(saved, before, layout.width()))[7])
            };
            block_mut(&mut h_before, row, n).copy_from_slice(h_was);
            let dh = block_mut(&mut dh, place, n);
            let dc = block_mut(&mut dc, place, memory);
            if let Some(up) = up.rows {
                dh.iter_mut().zip(block(up, row, n)).for_each(|(d, u)| *d += u);
            }
            dh.iter_mut().chain(&mut *dc).for_each(|d| *d = flush(*d));
            let [big_gates, big_h, big_c, s_gates, small_h, small_c, r, _] =
                layout.split(block(saved, row, layout.width()));
            // Gradient of the mixture weights, then through the softmax with temperature to the logits.
            let skimmed = |small: &[f32], before: &[f32], grad: &[f32]| -> f32 {
                let d = small.len();
                dot(&grad[..d], small) + dot(&grad[d..], &before[d..])
            };
            let d_read = dot(dh, big_h) + dot(dc, big_c);
            let d_skim = skimmed(small_h, h_was, dh)
                + skimmed(small_c, c_was, dc)
                + up_decisions.map_or(0.0, |up| up[row]);
            let d_gap = r[0] * r[1] * (d_skim - d_read) / soft.temperature;
            let d_logits = block_mut(&mut out.decision_x, row, 2);
            d_logits.copy_from_slice(&[-d_gap, d_gap]);
            if let Some(up) = up_logits {
                d_logits.iter_mut().zip(block(up, row, 2)).for_each(|(d, u)| *d += u);
            }
            block_mut(&mut step_decision, place, 2).copy_from_slice(d_logits);
            // Through the big cell.
            let s = &mut scratch;
            scale(&mut s.dh, dh, r[0]);
            scale(&mut s.dc, dc, r[0]);
            C::backward(
                big_gates,
                h_was,
                c_was,
                big_h,
                big_c,
                &s.dh,
                &s.dc,
                block_mut(&mut out.big_x, row, gates),
                block_mut(&mut step_big, place, gates),
                &mut s.dh_prev,
                &mut s.dc_prev,
            );
            block_mut(&mut d_big, row, gates).copy_from_slice(block(&step_big, place, gates));
            // Through the small cell and the copied part.
            scale(&mut s.dh, dh, r[1]);
            scale(&mut s.dc, dc, r[1]);
            if d > 0 {
                C::backward(
                    s_gates,
                    &h_was[..d],
                    &c_was[..small_memory],
                    small_h,
                    small_c,
                    &s.dh[..d],
                    &s.dc[..small_memory],
                    block_mut(&mut out.small_x, row, small_gates),
                    block_mut(&mut step_small, place, small_gates),
                    &mut s.dh_small,
                    &mut s.dc_small,
                );
                block_mut(&mut d_small, row, small_gates).copy_from_slice(block(
                    &step_small,
                    place,
                    small_gates,
                ));
            }
            join(dh, &s.dh_prev, &s.dh_small, &s.dh);
            join(dc, &s.dc_prev, &s.dc_small, &s.dc);
        }
        // Through the products of the state, of which there is none before the first token.
        if t == 0 && a.h0.is_none() {
            continue;
        }
        multiply(&mut dh, Start::Out, Rows::new(&step_big, alive, gates), transposed.big);
        if let Some(small) = transposed.small {
            let step = Rows::new(&step_small, alive, small_gates);
            multiply_strided(&mut dh, n, Start::Out, step, small);
        }
        multiply(&mut dh, Start::Out, Rows::new(&step_decision, alive, 2), transposed.decision);
    }
    let states = View::new(&h_before, total, n);
    matmul(weights.big_weight_hh, n, true, View::new(&d_big, total, gates).t(), states);
    add_columns(weights.big_bias_hh, &d_big);
    if d > 0 {
        let part = View::strided(&h_before, total, a.small_reads, n);
        matmul(
            weights.small_weight_hh,
            a.small_reads,
            true,
            View::new(&d_small, total, small_gates).t(),
            part,
        );
        add_columns(weights.small_bias_hh, &d_small);
    }
    let width = a.decision_weight.len() / 2;
    let d_decision = &mut weights.decision_weight[width - n..];
    matmul(d_decision, width, true, View::new(&out.decision_x, total, 2).t(), states);
    [d_big, d_small, h_before].into_iter().for_each(|values| buffers.give_back(values));
    out.h0 = plan.scatter(&dh, n);
    out.c0 = plan.scatter(&dc, memory);
    out
}

/// Gradients of one place, reused from step to step.
struct BackwardScratch {
    dh: Vec<f32>,
    dc: Vec<f32>,
    dh_prev: Vec<f32>,
    dc_prev: Vec<f32>,
    dh_small: Vec<f32>,
    dc_small: Vec<f32>,
}

impl BackwardScratch {
    fn new(n: usize, d: usize, memory: usize, small_memory: usize) -> Self {
        Self {
            dh: vec![0.0; n],
            dc: vec![0.0; memory],
            dh_prev: vec![0.0; n],
            dc_prev: vec![0.0; memory],
            dh_small: vec![0.0; d],
            dc_small: vec![0.0; small_memory],
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn scale(out: &mut [f32], values: &[f32], by: f32) {
    out.iter_mut().zip(values).for_each(|(o, v)| *o = flush(v * by));
}

/// `out = through_big + [through_small; copied[small..]]`.
fn join(out: &mut [f32], through_big: &[f32], through_small: &[f32], copied: &[f32]) {
    let d = through_small.len();
    for j in 0..out.len() {
        out[j] = through_big[j] + if j < d { through_small[j] } else { copied[j] };
    }
}
