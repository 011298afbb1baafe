//! Skim-RNN (Seo, Min, Farhadi, Hajishirzi 2018): every step either *reads* with the big cell or *skims* with the
//! small one, which updates the first `small` values of the state and copies the rest (Eq. 1-3, 5, 6).
//!
//! Two kernels. [`hard`] decides (`skim iff p_skim > threshold`, or as forced) and does only the work of the branch
//! it takes; the big cell's input product is computed for tokens that are read and for no other. [`crate::skim_soft`] mixes both
//! branches with Gumbel-softmax weights, for training.
//!
//! Column 0 of the logits is *read*, column 1 *skim*.

use crate::Ragged;
use crate::cell::Cell;
use crate::matmul::{View, matmul};
use crate::recurrence::block_mut;

/// Operands that both kernels share.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    /// Hoisted input product of the small cell with its bias, `GATES * small` columns.
    pub small_x: Ragged<'a>,
    /// Hoisted input product of the decision with its bias, 2 columns.
    pub decision_x: Ragged<'a>,
    /// Initial state, a row a lane; zeros if absent.
    pub h0: Option<Ragged<'a>>,
    /// Initial memory, a row a lane; zeros if absent.
    pub c0: Option<Ragged<'a>>,
    /// `[GATES * hidden, hidden]`.
    pub big_weight_hh: &'a [f32],
    /// `[GATES * hidden]`.
    pub big_bias_hh: &'a [f32],
    /// `[GATES * small, small_reads]`.
    pub small_weight_hh: &'a [f32],
    /// `[GATES * small]`.
    pub small_bias_hh: &'a [f32],
    /// `[2, input + hidden]`; the last `hidden` columns multiply the state.
    pub decision_weight: &'a [f32],
    /// Width of the state, d.
    pub hidden: usize,
    /// Width of the part that skimming updates, d'.
    pub small: usize,
    /// How many values of the state the small cell reads: d' or d.
    pub small_reads: usize,
}

impl<'a> Arguments<'a> {
    /// The part of the decision's weight that multiplies the state.
    pub(super) fn decision_hh(&self) -> View<'a> {
        let width = self.decision_weight.len() / 2;
        View::strided(&self.decision_weight[width - self.hidden..], 2, self.hidden, width)
    }
}

/// Results of either kernel.
pub struct Forward {
    /// `h_t` of every row.
    pub rows: Vec<f32>,
    /// Last `h`, a row a lane.
    pub h: Vec<f32>,
    /// Last `c`, a row a lane; empty for cells without a memory.
    pub c: Vec<f32>,
    /// Decision logits, 2 a row.
    pub logits: Vec<f32>,
    /// Hard: 1 where skimmed, 0 where read. Soft: the mixture's weight of skimming.
    pub decisions: Vec<f32>,
    /// Soft: what the backward step needs.
    pub saved: Vec<f32>,
}

/// A decision imposed from outside.
pub const FORCE_READ: u32 = 1;
/// A decision imposed from outside.
pub const FORCE_SKIM: u32 = 2;

/// Operands of [`hard`] alone.
#[derive(Clone, Copy)]
pub struct Hard<'a> {
    /// The input itself, `input` columns.
    pub x: Ragged<'a>,
    /// `[GATES * hidden, input]`.
    pub big_weight_ih: &'a [f32],
    /// `[GATES * hidden]`.
    pub big_bias_ih: &'a [f32],
    /// Skim iff the probability of skimming exceeds this.
    pub threshold: f32,
    /// Nothing, or one of 0 (free), [`FORCE_READ`], [`FORCE_SKIM`] for every row.
    pub force: Option<&'a [u32]>,
}

/// Decides step by step and runs one branch.
pub fn hard<C: Cell>(a: Arguments<'_>, hard: Hard<'_>) -> Forward {
    let (n, d, input) = (a.hidden, a.small, hard.x.columns);
    let (gates, small_gates) = (C::GATES * n, C::GATES * d);
    let memory = if C::MEMORY { n } else { 0 };
    let small_memory = if C::MEMORY { d } else { 0 };
    let (lanes, total) = (hard.x.lanes(), hard.x.total_rows());
    let mut out = Forward {
        rows: vec![0.0; total * n],
        h: vec![0.0; lanes * n],
        c: vec![0.0; lanes * memory],
        logits: vec![0.0; total * 2],
        decisions: vec![0.0; total],
        saved: Vec::new(),
    };
    let (mut x, mut w) = (vec![0.0; gates], vec![0.0; gates]);
    let mut saved = vec![0.0; C::SAVED * n];
    let (mut h_next, mut c_next) = (vec![0.0; n], vec![0.0; memory]);
    for lane in 0..lanes {
        let h = block_mut(&mut out.h, lane, n);
        let c = block_mut(&mut out.c, lane, memory);
        if let Some(h0) = a.h0 {
            h.copy_from_slice(h0.row(lane));
        }
        if let Some(c0) = a.c0.filter(|_| C::MEMORY) {
            c.copy_from_slice(c0.row(lane));
        }
        for row in hard.x.start(lane)..hard.x.start(lane) + hard.x.rows(lane) {
            let logits = block_mut(&mut out.logits, row, 2);
            logits.copy_from_slice(a.decision_x.row(row));
            matmul(logits, 2, true, View::new(h, 1, n), a.decision_hh().t());
            let skim = match hard.force.map(|force| force[row]) {
                Some(FORCE_READ) => false,
                Some(FORCE_SKIM) => true,
                _ => probability_of_skimming(logits) > hard.threshold,
            };
            if skim && d > 0 {
                let w = &mut w[..small_gates];
                w.copy_from_slice(a.small_bias_hh);
                let weight = View::new(a.small_weight_hh, small_gates, a.small_reads).t();
                matmul(w, small_gates, true, View::new(&h[..a.small_reads], 1, a.small_reads), weight);
                let (h_small, c_small) = (&mut h_next[..d], &mut c_next[..small_memory]);
                let saved = &mut saved[..C::SAVED * d];
                C::forward(a.small_x.row(row), w, &h[..d], &c[..small_memory], saved, h_small, c_small);
                h[..d].copy_from_slice(h_small);
                c[..small_memory].copy_from_slice(c_small);
            } else if !skim {
                x.copy_from_slice(hard.big_bias_ih);
                w.copy_from_slice(a.big_bias_hh);
                let weight_ih = View::new(hard.big_weight_ih, gates, input).t();
                matmul(&mut x, gates, true, View::new(hard.x.row(row), 1, input), weight_ih);
                let weight_hh = View::new(a.big_weight_hh, gates, n).t();
                matmul(&mut w, gates, true, View::new(h, 1, n), weight_hh);
                C::forward(&x, &w, h, c, &mut saved, &mut h_next, &mut c_next);
                h.copy_from_slice(&h_next);
                c.copy_from_slice(&c_next);
            }
            out.decisions[row] = f32::from(u8::from(skim));
            block_mut(&mut out.rows, row, n).copy_from_slice(h);
        }
    }
    out
}

/// `p_skim` of a pair of logits, in double precision: the comparison with a threshold should not add its own error.
pub fn probability_of_skimming(logits: &[f32]) -> f32 {
    (1.0 / (1.0 + (f64::from(logits[0]) - f64::from(logits[1])).exp())) as f32
}
