//! Reading many texts together: one example at a time is recorded, and the graph batches them.

use std::ops::ControlFlow;

use web_time::Instant;

use super::network::Dropouts;
use super::pieces::{Outcome, PIECE_MS, Watch};
use super::reading::check;
use super::{Model, ReadError, ReadOptions, Reading, Timing};
use crate::decimal::Fixed;
use crate::device::Device;
use crate::graph::{Graph, Strategy};
use crate::nn::SkimControl;
use crate::text::Token;

/// Fewest and most tokens of a batch; a text that is longer is read by itself.
const BOUNDS: [usize; 2] = [256, 8192];

impl Model {
    /// Reads texts in batches of as many as take about as long as a piece of one long text. `watch` hears after each
    /// batch how many texts are read, and may stop them all. Of the options, forced decisions and repetition belong to
    /// one text and are not looked at.
    ///
    /// # Errors
    /// See [`ReadError`]; the first text that cannot be read ends the call.
    pub async fn read_all<D: Device, W: Watch>(
        &self,
        device: &D,
        texts: Vec<Vec<Token>>,
        options: &ReadOptions,
        watch: &mut W,
    ) -> Result<Vec<Reading>, ReadError> {
        let options = ReadOptions { threshold: options.threshold, ..ReadOptions::default() };
        let threshold = options.checked_threshold(self)?;
        let total = texts.len();
        let mut readings = Vec::with_capacity(total);
        let mut texts = texts.into_iter().peekable();
        let mut most = 2 * BOUNDS[0];
        while let Some(first) = texts.next() {
            let begun = Instant::now();
            let mut tokens = first.len();
            if tokens > BOUNDS[1] {
                let mut watch = Within { watch, done: readings.len(), total };
                readings.push(self.read_tokens(device, first, &options, &mut watch).await?);
            } else {
                let mut batch = vec![first];
                while let Some(next) = texts.next_if(|next| tokens + next.len() <= most) {
                    tokens += next.len();
                    batch.push(next);
                }
                let outcomes = self.outcomes(device, &batch, threshold).await?;
                let ms = begun.elapsed().as_secs_f64() * 1e3;
                let fitting = (tokens as f64 * PIECE_MS / ms.max(1e-3)) as usize;
                most = fitting.min(2 * most).clamp(BOUNDS[0], BOUNDS[1]);
                let texts = batch.len();
                let of_token = if tokens == 0 { 0.0 } else { ms / tokens as f64 };
                for (tokens, outcome) in batch.into_iter().zip(outcomes) {
                    check(&outcome)?;
                    let total_ms = of_token * tokens.len() as f64;
                    let timing = Timing {
                        device: device.name().into(),
                        total_ms,
                        microseconds_per_token: if tokens.is_empty() { 0.0 } else { of_token * 1e3 },
                        method: format!(
                            "{texts} texts read together in {} ms; this one's share, by tokens",
                            Fixed(ms, 1)
                        ),
                    };
                    readings.push(self.reading(tokens, outcome, timing));
                }
            }
            let done = readings.len();
            if let ControlFlow::Break(()) = watch.progress(done, total).await {
                return Err(ReadError::Cancelled { done, total });
            }
        }
        Ok(readings)
    }

    /// One graph for all of the texts.
    async fn outcomes<D: Device>(
        &self,
        device: &D,
        texts: &[Vec<Token>],
        threshold: f32,
    ) -> Result<Vec<Outcome>, ReadError> {
        let graph = Graph::inference(self.parameters(), device, Strategy::Agenda);
        let mut wanted = Vec::new();
        let mut layers = 0;
        for text in texts {
            let ids: Vec<u32> = text.iter().map(|token| self.vocabulary().id(&token.text)).collect();
            let control = SkimControl::Decide { threshold, force: &[] };
            let classified = self.network().classify(&graph, &ids, control, Dropouts::default());
            wanted.push(classified.logits.softmax());
            layers = classified.skims.len();
            for skim in classified.skims {
                wanted.extend([skim.decisions, skim.logits.softmax().columns(1..2)]);
            }
        }
        let mut values = graph.values(&wanted).await?.into_iter();
        let mut next = || values.next().unwrap_or_default();
        let outcome = |_| Outcome { scores: next(), layers: (0..layers).map(|_| (next(), next())).collect() };
        Ok(texts.iter().map(outcome).collect())
    }
}

/// Hears of a text among others: only whether it is to go on.
struct Within<'a, W> {
    watch: &'a mut W,
    done: usize,
    total: usize,
}

impl<W: Watch> Watch for Within<'_, W> {
    async fn progress(&mut self, _: usize, _: usize) -> ControlFlow<()> {
        self.watch.progress(self.done, self.total).await
    }
}
