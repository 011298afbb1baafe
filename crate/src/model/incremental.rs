//! Text that is still being written: the state after every token is kept, so that a text is read on from where it changed, and
//! what each cell did can be looked at.
//!
//! It runs on the CPU, since few steps at a time are what a GPU is slowest at.

use std::ops::ControlFlow;

use web_time::Instant;

use super::reading::force_in;
use super::session::{Before, Found, Piece, Session};
use super::{Method, Model, ReadError, ReadOptions, Reading, Timing, Watch};
use crate::cpu::softmax::softmax;
use crate::device::{Device, EngineError};
use crate::graph::{Graph, Strategy};
use crate::nn::Trace;
use crate::text::Token;

/// Tokens read between two looks at the watcher.
const PIECE: usize = 256;

/// A text so far, and what the network did at every token of it.
#[derive(Debug, Default)]
pub struct Incremental {
    ids: Vec<u32>,
    /// A decision for every token: 0 free, 1 read, 2 skim.
    force: Vec<u32>,
    threshold: f32,
    /// Word vectors, then every cell, each with as many rows as there are ids.
    cells: Vec<Trace>,
    /// Of every Skim layer, decisions and probabilities of skimming.
    layers: Vec<(Vec<f32>, Vec<f32>)>,
    /// Of the text as it is; empty after a reading that was stopped.
    logits: Vec<f32>,
    computed: usize,
}

impl Incremental {
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
    /// threshold changed or the network reads backwards as well. A forced decision waits for its token. A reading that
    /// is stopped, or fails, keeps what it has.
    /// `device` is a CPU.
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
        let mut force = vec![0; tokens.len()];
        // One about a token that is not there yet waits for it.
        let _ = force_in(&mut force, &options.force);
        let ids = model.ids(&tokens);
        let begun = Instant::now();
        let causal = model.network().is_causal();
        let pairs = ids.iter().zip(&force).zip(self.ids.iter().zip(&self.force));
        let mut done = pairs.take_while(|(new, old)| new == old).count();
        let unchanged = done == ids.len() && done == self.ids.len() && !self.logits.is_empty();
        if threshold != self.threshold || !(causal || unchanged) {
            done = 0;
        }
        self.threshold = threshold;
        self.computed = ids.len() - done;
        let session = Session { model, device, threshold };
        let mut current = unchanged && done == ids.len();
        if !current {
            self.truncate(done);
        }
        while !current {
            let end = ids.len().min(done.saturating_add(if causal { PIECE } else { usize::MAX }));
            let ends = (end == ids.len()).then_some(end);
            self.extend(&session, &ids[done..end], &force[done..end], ends).await?;
            done = end;
            current = done == ids.len();
            if let ControlFlow::Break(()) = watch.progress(done, ids.len()).await {
                return Err(ReadError::Cancelled { done, total: ids.len() });
            }
        }
        let found = Found { logits: self.logits.clone(), layers: self.layers.clone(), ..Found::default() };
        found.check()?;
        let total_ms = begun.elapsed().as_secs_f64() * 1e3;
        let method = Method::Rest { tokens: self.computed };
        let microseconds_per_token =
            if self.computed == 0 { 0.0 } else { total_ms * 1e3 / self.computed as f64 };
        let timing = Timing { device: "cpu".into(), total_ms, microseconds_per_token, method };
        Ok(model.reading(tokens, &self.ids, found, timing))
    }

    /// Probabilities of the labels if the text ended after each token, `tokens x labels`; one row, those of the whole
    /// text, for a network in which rows depend on later ones.
    ///
    /// # Errors
    /// What the graph reports.
    pub fn scores(&self, model: &Model, device: &Device) -> Result<Vec<f32>, EngineError> {
        let network = model.network();
        let labels = model.config().outcomes().len();
        let mut scores = if network.is_causal() {
            let graph = Graph::inference(model.parameters(), device, Strategy::Levels);
            let out = network.encoder.output_size();
            let rows = graph.input(self.ids.len(), out, self.rows().to_vec());
            let logits = network.head.logits_at_every_row(rows);
            graph.ready_values(&[logits])?.pop().unwrap_or_default()
        } else {
            self.logits.clone()
        };
        softmax(&mut scores, labels);
        Ok(scores)
    }

    /// The encoder's rows, of a causal network: the states of its last cell.
    fn rows(&self) -> &[f32] {
        self.cells.last().map_or(&[], |cell| &cell.states)
    }

    fn truncate(&mut self, rows: usize) {
        self.ids.truncate(rows);
        self.force.truncate(rows);
        self.logits.clear();
        self.cells.iter_mut().for_each(|cell| cell.truncate(rows));
        for (decisions, probabilities) in &mut self.layers {
            decisions.truncate(rows);
            probabilities.truncate(rows);
        }
    }

    /// Reads on.
    async fn extend(
        &mut self,
        session: &Session<'_>,
        ids: &[u32],
        force: &[u32],
        ends: Option<usize>,
    ) -> Result<(), EngineError> {
        let state: Vec<Vec<f32>> = match self.ids.len().checked_sub(1) {
            Some(row) => self.cells.iter().flat_map(|cell| cell.state_at(row)).collect(),
            None => Vec::new(),
        };
        // Only where the text ends are its rows gathered.
        let rows = if ends.is_some() { self.rows() } else { &[] };
        let before = match state.is_empty() {
            true => Before::Nothing,
            false => Before::Traced { state: &state, rows },
        };
        let piece = Piece { ids, force, before, ends, inspect: true };
        let Found { logits, layers, traces, .. } = session.read(&[piece]).await?.pop().unwrap_or_default();
        self.logits = logits;
        self.layers.resize_with(layers.len(), Default::default);
        for (all, (decisions, probabilities)) in self.layers.iter_mut().zip(layers) {
            all.0.extend(decisions);
            all.1.extend(probabilities);
        }
        if self.cells.is_empty() {
            self.cells = traces;
        } else {
            self.cells.iter_mut().zip(traces).for_each(|(all, piece)| all.extend(piece));
        }
        self.ids.extend_from_slice(ids);
        self.force.extend_from_slice(force);
        Ok(())
    }
}
