//! Reading many texts together: one example at a time is recorded, and the graph batches them.

use std::iter::Peekable;
use std::ops::ControlFlow;
use std::vec::IntoIter;

use web_time::Instant;

use super::network::Dropouts;
use super::pieces::{Outcome, PIECE_MS, Watch};
use super::reading::check;
use super::{Method, Model, ReadError, ReadOptions, Reading, Timing};
use crate::device::Device;
use crate::graph::{Graph, Strategy};
use crate::nn::SkimControl;
use crate::text::Token;

/// Fewest and most tokens of a batch; a text that is longer is a batch of its own.
const BOUNDS: [usize; 2] = [256, 8192];

impl Model {
    /// Reads texts in batches of as many as take about as long as a piece of one long text, which a text that is longer
    /// had better be read in ([`Self::read`]): here no text is cut. `watch` hears after each batch how many texts are
    /// read, and may stop them all. Of the options, forced decisions and repetition belong to one text and are not looked
    /// at.
    ///
    /// # Errors
    /// See [`ReadError`]; the first text that cannot be read ends the call.
    pub async fn read_all<W: Watch>(
        &self,
        device: &Device,
        texts: Vec<Vec<Token>>,
        options: &ReadOptions,
        watch: &mut W,
    ) -> Result<Vec<Reading>, ReadError> {
        let threshold = options.checked_threshold(self)?;
        let total = texts.len();
        let mut batches = Batches { texts: texts.into_iter().peekable(), most: 2 * BOUNDS[0] };
        let mut readings = Vec::with_capacity(total);
        while let Some(batch) = batches.next() {
            let begun = Instant::now();
            let ids: Vec<_> = batch.iter().map(|text| self.ids(text)).collect();
            let outcomes = self.outcomes(device, &ids, threshold).await?;
            let ms = begun.elapsed().as_secs_f64() * 1e3;
            batches.took(&batch, ms);
            self.share(batch, &ids, outcomes, ms, device.name(), &mut readings)?;
            let done = readings.len();
            if let ControlFlow::Break(()) = watch.progress(done, total).await {
                return Err(ReadError::Cancelled { done, total });
            }
        }
        Ok(readings)
    }

    /// One graph for all of the texts: their scores, and every Skim layer's decisions and probabilities.
    async fn outcomes(
        &self,
        device: &Device,
        texts: &[Vec<u32>],
        threshold: f32,
    ) -> Result<Vec<Vec<f32>>, ReadError> {
        let graph = Graph::inference(self.parameters(), device, Strategy::Agenda);
        let network = self.network();
        let mut wanted = Vec::new();
        for ids in texts {
            let control = SkimControl::Decide { threshold, force: &[] };
            let encoded = network.encode(&graph, ids, Vec::new(), control, Dropouts::default());
            wanted.push(network.conclude(network.gather(None, &encoded), ids.len()).softmax());
            for skim in encoded.skims {
                wanted.extend([skim.decisions, skim.logits.softmax().columns(1..2)]);
            }
        }
        Ok(graph.values(&wanted).await?)
    }

    /// Makes readings of what [`Self::outcomes`] has, each with its share of the time.
    fn share(
        &self,
        batch: Vec<Vec<Token>>,
        ids: &[Vec<u32>],
        values: Vec<Vec<f32>>,
        ms: f64,
        device: &str,
        readings: &mut Vec<Reading>,
    ) -> Result<(), ReadError> {
        let (together, all) = (batch.len(), batch.iter().map(Vec::len).sum::<usize>());
        let of_token = if all == 0 { 0.0 } else { ms / all as f64 };
        let each = values.len() / together.max(1);
        let mut values = values.into_iter();
        for (tokens, ids) in batch.into_iter().zip(ids) {
            let mut next = || values.next().unwrap_or_default();
            let scores = next();
            let outcome = Outcome { scores, layers: (0..each / 2).map(|_| (next(), next())).collect() };
            check(&outcome)?;
            let timing = Timing {
                device: device.into(),
                total_ms: of_token * tokens.len() as f64,
                microseconds_per_token: if tokens.is_empty() { 0.0 } else { of_token * 1e3 },
                method: Method::Share { texts: together, elapsed_ms: ms },
            };
            readings.push(self.reading(tokens, ids, outcome, timing));
        }
        Ok(())
    }
}

/// Texts, as many at a time as fit.
struct Batches {
    texts: Peekable<IntoIter<Vec<Token>>>,
    /// Tokens of a batch, by how long the batch before took.
    most: usize,
}

impl Batches {
    fn next(&mut self) -> Option<Vec<Vec<Token>>> {
        let mut batch = vec![self.texts.next()?];
        let mut tokens = batch[0].len();
        while let Some(next) = self.texts.next_if(|next| tokens + next.len() <= self.most) {
            tokens += next.len();
            batch.push(next);
        }
        Some(batch)
    }

    fn took(&mut self, batch: &[Vec<Token>], ms: f64) {
        let tokens: usize = batch.iter().map(Vec::len).sum();
        let fitting = (tokens as f64 * PIECE_MS / ms.max(1e-3)) as usize;
        self.most = fitting.min(2 * self.most).clamp(BOUNDS[0], BOUNDS[1]);
    }
}
