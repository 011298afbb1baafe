//! Skim-RNN (Seo, Min, Farhadi, Hajishirzi 2018): every step either *reads* with the big cell or *skims* with the
//! small one, which updates the first `small` values of the state and copies the rest (Eq. 1-3, 5, 6).
//!
//! Two kernels. [`hard`] decides (`skim iff p_skim > threshold`, or as forced) and does only the work of the branch
//! it takes; the big cell's input product is computed for tokens that are read and for no other. [`crate::skim_soft`] mixes both
//! branches with Gumbel-softmax weights, for training.
//!
//! Column 0 of the logits is *read*, column 1 *skim*.
//!
//! WGSL twin: `shaders/skim.wgsl`.

use crate::cell::CellKind;
use crate::math::{flush_all, is_flushed};
use crate::packed::{Packed, Rows, Start, multiply, multiply_backwards};
use crate::recurrence::{block, block_mut, step};
use crate::registers::prefetch;
use crate::vectorize::vectorize;
use crate::word_products::WordProducts;
use crate::{BufferPool, Ragged};

/// Operands that both kernels share.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    /// Hoisted input product of the small cell with its bias, `gates * small` columns.
    pub small_x: Ragged<'a>,
    /// Hoisted input product of the decision with its bias, 2 columns.
    pub decision_x: Ragged<'a>,
    /// Initial state, a row a lane; zeros if absent.
    pub h0: Option<Ragged<'a>>,
    /// Initial memory, a row a lane; zeros if absent.
    pub c0: Option<Ragged<'a>>,
    /// `[gates * hidden]`.
    pub big_bias_hh: &'a [f32],
    /// `[gates * small]`.
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
    /// The two rows of the decision's weight that multiply the state: read, skim.
    fn decision_hh(&self) -> [&'a [f32]; 2] {
        let width = self.decision_weight.len() / 2;
        let (read, skim) = self.decision_weight.split_at(width);
        [&read[width - self.hidden..], &skim[width - self.hidden..]]
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
    /// Soft: what the backward step needs. Hard, if kept: the gates of the cell that ran, `cell.saved() * hidden` a row;
    /// of the small cell in the first `small` columns of each gate.
    pub saved: Vec<f32>,
    /// Hard, if kept: `c_t` of every row.
    pub cells: Vec<f32>,
}

/// A decision imposed from outside.
pub const FORCE_READ: u32 = 1;
/// A decision imposed from outside.
pub const FORCE_SKIM: u32 = 2;

/// Operands of [`hard`] alone.
pub struct Hard<'a> {
    /// The input itself, `input` columns; where `words` are given, its rows need not be there.
    pub x: Ragged<'a>,
    /// `[input, gates * hidden]`.
    pub big_weight_ih: &'a Packed,
    /// `[gates * hidden]`.
    pub big_bias_ih: &'a [f32],
    /// `[hidden, gates * hidden]`.
    pub big_weight_hh: &'a Packed,
    /// `[small_reads, gates * small]`; nothing if nothing is small.
    pub small_weight_hh: Option<&'a Packed>,
    /// Skim iff the probability of skimming exceeds this.
    pub threshold: f32,
    /// Nothing, or one of 0 (free), [`FORCE_READ`], [`FORCE_SKIM`] for every row.
    pub force: Option<&'a [u32]>,
    /// The rows of `x` as those of a table.
    pub words: Option<Words<'a>>,
    /// Kept input products of the big cell by word, with their bias.
    pub word_products: Option<&'a mut WordProducts>,
    /// Keep gates and memories of every row.
    pub keep: bool,
}

/// Rows of a table by their ids.
#[derive(Clone, Copy)]
pub struct Words<'a> {
    /// The table, row by row.
    pub table: &'a [f32],
    /// The number of every row in it.
    pub ids: &'a [u32],
}

/// Decides step by step and runs one branch.
pub fn hard(buffers: &BufferPool, cell: CellKind, a: Arguments<'_>, mut hard: Hard<'_>) -> Forward {
    let (n, d) = (a.hidden, a.small);
    let (gates, small_gates) = (cell.gates() * n, cell.gates() * d);
    let (memory, small_memory) = (cell.memory(n), cell.memory(d));
    let (lanes, total) = (hard.x.lanes(), hard.x.total_rows());
    let (kept, saved) = if hard.keep { (total, cell.saved() * n) } else { (0, 0) };
    let mut out = Forward {
        rows: buffers.take(total * n),
        h: vec![0.0; lanes * n],
        c: vec![0.0; lanes * memory],
        logits: a.decision_x.all().to_vec(),
        decisions: vec![0.0; total],
        saved: vec![0.0; kept * saved],
        cells: vec![0.0; kept * memory],
    };
    let mut small_saved = vec![0.0; if hard.keep { cell.saved() * d } else { 0 }];
    let (decision, threshold) = (a.decision_hh(), Threshold::new(hard.threshold));
    let (mut x, mut w) = (vec![0.0; gates], vec![0.0; gates]);
    let (mut h_next, mut c_next) = (vec![0.0; n], vec![0.0; memory]);
    let mut forwards = true;
    for lane in 0..lanes {
        let h = block_mut(&mut out.h, lane, n);
        let c = block_mut(&mut out.c, lane, memory);
        if let Some(h0) = a.h0 {
            h.copy_from_slice(h0.row(lane));
        }
        if let Some(c0) = a.c0.filter(|_| cell.has_memory()) {
            c.copy_from_slice(c0.row(lane));
        }
        for row in hard.x.start(lane)..hard.x.start(lane) + hard.x.rows(lane) {
            let logits = block_mut(&mut out.logits, row, 2);
            add_decision(logits, h, decision[0], decision[1]);
            let skim = match hard.force.map(|force| force[row]) {
                Some(FORCE_READ) => false,
                Some(FORCE_SKIM) => true,
                _ => threshold.is_exceeded(logits),
            };
            if !skim {
                // Both weights are read to and fro: what was read last is in the nearest cache.
                let product = if forwards { multiply } else { multiply_backwards };
                let recurrent =
                    |w: &mut [f32]| product(w, Start::Bias(a.big_bias_hh), Rows::one(h), hard.big_weight_hh);
                let input = |x: &mut [f32]| {
                    let row = match hard.words {
                        Some(words) => block(words.table, words.ids[row] as usize, hard.x.columns),
                        None => hard.x.row(row),
                    };
                    product(x, Start::Bias(hard.big_bias_ih), Rows::one(row), hard.big_weight_ih);
                };
                let x = match hard.word_products.as_mut().zip(hard.words) {
                    Some((kept, words)) => {
                        let x = kept.row(words.ids[row], input);
                        prefetch(x);
                        recurrent(&mut w);
                        x
                    }
                    None if forwards => {
                        input(&mut x);
                        recurrent(&mut w);
                        &x
                    }
                    None => {
                        recurrent(&mut w);
                        input(&mut x);
                        &x
                    }
                };
                forwards = !forwards;
                let saved = block_mut(&mut out.saved, row, saved);
                step(cell, [x, &w, h, c], saved, [&mut h_next, &mut c_next]);
                h.copy_from_slice(&h_next);
                c.copy_from_slice(&c_next);
            } else if let Some(weight) = hard.small_weight_hh {
                let w = &mut w[..small_gates];
                multiply(w, Start::Bias(a.small_bias_hh), Rows::one(&h[..a.small_reads]), weight);
                let (h_small, c_small) = (&mut h_next[..d], &mut c_next[..small_memory]);
                let before = [a.small_x.row(row), w, &h[..d], &c[..small_memory]];
                step(cell, before, &mut small_saved, [h_small, c_small]);
                let gates = block_mut(&mut out.saved, row, saved).chunks_exact_mut(n);
                for (gate, small) in gates.zip(small_saved.chunks_exact(d)) {
                    gate[..d].copy_from_slice(small);
                }
                h[..d].copy_from_slice(h_small);
                c[..small_memory].copy_from_slice(c_small);
            }
            if is_flushed(row - hard.x.start(lane), hard.x.rows(lane)) {
                flush_all(h);
                flush_all(c);
            }
            out.decisions[row] = f32::from(u8::from(skim));
            block_mut(&mut out.rows, row, n).copy_from_slice(h);
            if hard.keep {
                block_mut(&mut out.cells, row, memory).copy_from_slice(c);
            }
        }
    }
    out
}

vectorize! {
    /// Adds the products of the state with the decision's two rows.
    fn add_decision(logits: &mut [f32], h: &[f32], read: &[f32], skim: &[f32]) {
        let mut sums = [[0.0; 16]; 2];
        let (h, h_rest) = h.as_chunks::<16>();
        let (read, read_rest) = read.as_chunks::<16>();
        let (skim, skim_rest) = skim.as_chunks::<16>();
        for ((h, read), skim) in h.iter().zip(read).zip(skim) {
            for j in 0..16 {
                sums[0][j] += h[j] * read[j];
                sums[1][j] += h[j] * skim[j];
            }
        }
        for ((h, read), skim) in h_rest.iter().zip(read_rest).zip(skim_rest) {
            sums[0][0] += h * read;
            sums[1][0] += h * skim;
        }
        for (logit, sums) in logits.iter_mut().zip(&mut sums) {
            // Halves upon halves: one after the other, each addition would wait for the one before.
            for half in [8, 4, 2, 1] {
                for j in 0..half {
                    sums[j] += sums[j + half];
                }
            }
            *logit += sums[0];
        }
    }
}

/// What the probability of skimming is compared with.
struct Threshold {
    probability: f32,
    /// The difference of logits that has it; none where probabilities next to each other differ too little.
    logit: Option<f64>,
}

impl Threshold {
    fn new(probability: f32) -> Self {
        let logit = f64::from((probability / (1.0 - probability)).ln());
        Self { probability, logit: (0.01..0.99).contains(&probability).then_some(logit) }
    }

    /// Whether the probability of a pair of logits is above. It is computed only where it may be about the same: every
    /// step waits for this.
    fn is_exceeded(&self, logits: &[f32]) -> bool {
        let margin = |logit| f64::from(logits[1]) - f64::from(logits[0]) - logit;
        match self.logit.map(margin).filter(|margin| margin.abs() > 1e-3) {
            Some(margin) => margin > 0.0,
            None => probability_of_skimming(logits) > self.probability,
        }
    }
}

/// `p_skim` of a pair of logits, in double precision: the comparison with a threshold should not add its own error.
pub fn probability_of_skimming(logits: &[f32]) -> f32 {
    (1.0 / (1.0 + (f64::from(logits[0]) - f64::from(logits[1])).exp())) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_threshold_is_exceeded_as_its_probability_is(
            read in -60.0f32..60.0,
            difference in prop_oneof![-60.0f32..60.0, -0.01f32..0.01, Just(0.0)],
            near: bool,
            threshold in prop_oneof![Just(0.0f32), Just(1.0), Just(0.5), 0.0f32..1.0, -2.0f32..3.0, 0.98f32..1.0],
        ) {
            // Near: the difference of logits that has the threshold's probability, and a little.
            let at = (threshold / (1.0 - threshold)).ln();
            let difference = if near && at.is_finite() { at + difference } else { difference };
            let logits = [read, read + difference];
            let expected = probability_of_skimming(&logits) > threshold;
            prop_assert_eq!(Threshold::new(threshold).is_exceeded(&logits), expected);
        }
    }
}
