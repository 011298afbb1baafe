//! A reading whose state is kept after every token: text that is still being written is read on from where it changed,
//! and what each cell did can be looked at.
//!
//! It runs on the CPU, since few steps at a time are what a GPU is slowest at.

use std::ops::ControlFlow;

use web_time::Instant;

use super::pieces::{Outcome, Watch};
use super::reading::{check, force_list};
use super::{Method, Model, ReadError, ReadOptions, Reading, Timing};
use crate::device::{Device, EngineError};
use crate::graph::{Graph, Strategy};
use crate::nn::{SkimControl, Trace};
use crate::text::Token;

/// Tokens read between two looks at the watcher.
const PIECE: usize = 256;

/// What the network did at every token of a text so far.
#[derive(Debug, Default)]
pub struct Trail {
    ids: Vec<u32>,
    /// A decision for every token: 0 free, 1 read, 2 skim.
    force: Vec<u32>,
    threshold: f32,
    /// Word vectors, then every cell, every one as long as `ids`.
    cells: Vec<Trace>,
    /// What the pool has gathered after each token, `tokens x out`: the last state, the sum or the maximum. One row for a
    /// network in which rows depend on later ones.
    pooled: Vec<f32>,
    computed: usize,
}

impl Trail {
    /// Nothing read.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many tokens the last call of [`Self::read`] computed; the others stood as they were.
    pub fn computed(&self) -> usize {
        self.computed
    }

    /// Word vectors, then every cell in the order of the layers, forward then backward.
    pub fn cells(&self) -> &[Trace] {
        &self.cells
    }

    /// Reads a text from the first token that is not what it was, or is decided otherwise; from the first one when the
    /// threshold changed or the network reads backwards as well. A reading that is stopped, or fails, keeps what it has.
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read<W: Watch>(
        &mut self,
        model: &Model,
        device: &Device,
        tokens: Vec<Token>,
        options: &ReadOptions,
        watch: &mut W,
    ) -> Result<Reading, ReadError> {
        let threshold = options.checked_threshold(model)?;
        let mut force = force_list(&options.force, tokens.len())?;
        force.resize(tokens.len(), 0);
        let ids = model.ids(&tokens);
        let begun = Instant::now();
        let causal = model.network().is_causal();
        let pairs = ids.iter().zip(&force).zip(self.ids.iter().zip(&self.force));
        let mut done = pairs.take_while(|(new, old)| new == old).count();
        let unchanged = done == ids.len() && done == self.ids.len();
        if threshold != self.threshold || !(causal || unchanged) {
            done = 0;
        }
        self.truncate(done, model.network().output_size());
        self.threshold = threshold;
        self.computed = ids.len() - done;
        let mut first = self.cells.is_empty();
        while first || done < ids.len() {
            first = false;
            let piece = if causal { PIECE } else { usize::MAX };
            let end = ids.len().min(done.saturating_add(piece));
            self.extend(model, device, &ids[done..end], &force[done..end])?;
            done = end;
            if let ControlFlow::Break(()) = watch.progress(done, ids.len()).await {
                return Err(ReadError::Cancelled { done, total: ids.len() });
            }
        }
        let out = model.network().output_size();
        let last = match self.pooled.len().checked_sub(out) {
            Some(at) => self.pooled[at..].to_vec(),
            None => vec![0.0; out],
        };
        let scores = score(model, device, last, ids.len())?;
        let skims = self.cells.iter().filter(|cell| cell.kind == "skim");
        let layers = skims.map(|cell| (cell.decisions.clone(), probabilities(&cell.logits))).collect();
        let outcome = Outcome { scores, layers };
        check(&outcome)?;
        let total_ms = begun.elapsed().as_secs_f64() * 1e3;
        let method = Method::Rest { tokens: self.computed };
        let microseconds_per_token =
            if self.computed == 0 { 0.0 } else { total_ms * 1e3 / self.computed as f64 };
        let timing = Timing { device: "cpu".into(), total_ms, microseconds_per_token, method };
        Ok(model.reading(tokens, &self.ids, outcome, timing))
    }

    /// Probabilities of the labels if the text ended after each token, `tokens x labels`; one row, those of the whole
    /// text, for a network in which rows depend on later ones.
    ///
    /// # Errors
    /// What the graph reports.
    pub fn scores(&self, model: &Model, device: &Device) -> Result<Vec<f32>, EngineError> {
        let first = if model.network().is_causal() { 1 } else { self.ids.len() };
        score(model, device, self.pooled.clone(), first)
    }

    fn truncate(&mut self, rows: usize, out: usize) {
        self.ids.truncate(rows);
        self.force.truncate(rows);
        self.pooled.truncate(rows * out);
        self.cells.iter_mut().for_each(|cell| cell.truncate(rows));
    }

    fn extend(
        &mut self,
        model: &Model,
        device: &Device,
        ids: &[u32],
        force: &[u32],
    ) -> Result<(), EngineError> {
        let network = model.network();
        let graph = Graph::inference(model.parameters(), device, Strategy::Agenda);
        let before = self.ids.len();
        let mut state = Vec::new();
        if let Some(row) = before.checked_sub(1) {
            self.cells.iter().for_each(|cell| state.append(&mut cell.state_at(row)));
        }
        let control = SkimControl::Decide { threshold: self.threshold, force };
        let words = network.embedding.forward(&graph, ids);
        let cells = network.trace(words, state, control, &mut self.pooled)?;
        if self.cells.is_empty() {
            self.cells = cells;
        } else {
            self.cells.iter_mut().zip(cells).for_each(|(all, piece)| all.extend(piece));
        }
        self.ids.extend_from_slice(ids);
        self.force.extend_from_slice(force);
        Ok(())
    }
}

/// Probabilities of the labels, a row for every row that the pool has gathered, the first of them from so many tokens.
fn score(model: &Model, device: &Device, pooled: Vec<f32>, first: usize) -> Result<Vec<f32>, EngineError> {
    let graph = Graph::inference(model.parameters(), device, Strategy::Agenda);
    let scores = model.network().scores(&graph, pooled, first);
    Ok(graph.ready_values(&[scores])?.pop().unwrap_or_default())
}

/// Of skimming, from logits of reading and skimming.
fn probabilities(logits: &[f32]) -> Vec<f32> {
    let mut probabilities: Vec<f32> = logits.chunks_exact(2).map(|pair| pair[1] - pair[0]).collect();
    crate::cpu::elementwise::sigmoid(&mut probabilities);
    probabilities
}
