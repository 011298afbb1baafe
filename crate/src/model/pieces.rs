//! Reading a text piece by piece: the device's memory stays bounded however long the text, and whoever follows the
//! reading learns how far it is and may stop it.
//!
//! A piece is encoded from the states that the one before left, which never leave the device, as does what the pool
//! has gathered; decisions and probabilities are collected on the host. Each piece has a graph of its own. Where a
//! text is cut changes rounding alone (matrix products sum in an order that depends on their size), and so at most a
//! decision that hangs on it. A network in which a row depends on later ones reads everything as one piece.

use std::ops::{ControlFlow, Range, RangeInclusive};
use std::pin::Pin;
use std::time::Duration;

use web_time::Instant;

use super::network::{Dropouts, Network};
use super::{Model, ReadError};
use crate::device::{Device, EngineError};
use crate::graph::{Expr, Graph, Held, Strategy};
use crate::nn::SkimControl;

/// About how long one piece may take, in milliseconds: a page drops no more than a few frames, and whoever stops a
/// reading waits no longer.
pub(super) const PIECE_MS: f64 = 50.0;

/// Follows a reading, and may stop it. `()` does neither.
#[allow(async_fn_in_trait, reason = "readings run on one thread; wasm futures are never Send")]
pub trait Watch {
    /// `done` of `total` tokens are read. Called between pieces and when all is done; `done` never falls. The reading
    /// waits for the answer, and the clock with it, so that in a browser the event loop can have its turn here. The
    /// reading goes on, or ends with [`ReadError::Cancelled`].
    async fn progress(&mut self, done: usize, total: usize) -> ControlFlow<()>;

    /// What the first Skim layer decided of the tokens from `from` on, 1 to skim and 0 to read, with its probabilities
    /// of skimming; nothing without such a layer. Called for each piece, before the word of its progress; a reading that
    /// is repeated, or begun again on another device, tells it again.
    fn decided(&mut self, _from: usize, _decisions: &[f32], _probabilities: &[f32]) {}
}

impl Watch for () {
    async fn progress(&mut self, _: usize, _: usize) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// What is to be read, and how.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    /// Ids of the words.
    pub(super) ids: &'a [u32],
    /// Skim iff the probability exceeds this.
    pub(super) threshold: f32,
    /// As in [`SkimControl::Decide`].
    pub(super) force: &'a [u32],
}

/// What a text was found to be.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Outcome {
    /// Probabilities of the labels.
    pub(super) scores: Vec<f32>,
    /// Of every Skim layer, the decisions and the probabilities of skimming.
    pub(super) layers: Vec<(Vec<f32>, Vec<f32>)>,
}

/// An outcome, computed so often in so many milliseconds.
pub(super) struct Measured {
    pub(super) outcome: Outcome,
    pub(super) runs: u32,
    pub(super) elapsed_ms: f64,
}

/// How long the next piece is, by how long the pieces before took.
struct Pace {
    bounds: RangeInclusive<usize>,
    tokens: usize,
}

impl Pace {
    fn of(network: &Network) -> Self {
        if network.is_causal() {
            Self { bounds: 16..=8192, tokens: 256 }
        } else {
            Self { bounds: usize::MAX..=usize::MAX, tokens: usize::MAX }
        }
    }

    /// Takes note of a piece. The time of one is hardly ever that of the next, so the length at most doubles.
    fn took(&mut self, tokens: usize, ms: f64) {
        let fitting = (tokens as f64 * PIECE_MS / ms) as usize;
        let next = fitting.min(self.tokens.saturating_mul(2));
        self.tokens = next.clamp(*self.bounds.start(), *self.bounds.end());
    }
}

/// A clock that stands still while others have their turn.
struct Clock {
    begun: Instant,
    paused: Duration,
}

impl Clock {
    fn ms(&self) -> f64 {
        self.begun.elapsed().saturating_sub(self.paused).as_secs_f64() * 1e3
    }
}

/// What one piece leaves to the next.
struct Carried {
    state: Vec<Held>,
    gathered: Option<Held>,
}

/// A text being read.
pub(super) struct Pieces<'a, W> {
    model: &'a Model,
    device: &'a Device,
    text: Text<'a>,
    watch: &'a mut W,
    pace: Pace,
    clock: Clock,
    /// The clock when the watcher was last asked.
    asked: f64,
    /// The most tokens that the watcher has heard of.
    reported: usize,
}

impl<'a, W: Watch> Pieces<'a, W> {
    /// Starts the clock.
    pub(super) fn new(model: &'a Model, device: &'a Device, text: Text<'a>, watch: &'a mut W) -> Self {
        let pace = Pace::of(model.network());
        let clock = Clock { begun: Instant::now(), paused: Duration::ZERO };
        Self { model, device, text, watch, pace, clock, asked: 0.0, reported: 0 }
    }

    /// Reads the text again and again until that has lasted `least_ms`, at least once. The watcher is asked between
    /// pieces, between readings once [`PIECE_MS`] have passed, and at the end.
    ///
    /// Behind a pointer, since every caller would otherwise contain the code of all that is below.
    pub(super) fn read_for(
        self,
        least_ms: f64,
    ) -> Pin<Box<dyn Future<Output = Result<Measured, ReadError>> + 'a>> {
        Box::pin(self.repeat(least_ms))
    }

    async fn repeat(mut self, least_ms: f64) -> Result<Measured, ReadError> {
        let total = self.text.ids.len();
        let mut runs = 0;
        loop {
            let outcome = self.read().await?;
            runs += 1;
            let elapsed_ms = self.clock.ms();
            let enough = elapsed_ms >= least_ms;
            if enough || elapsed_ms - self.asked >= PIECE_MS {
                self.ask(total).await?;
            }
            if enough {
                return Ok(Measured { outcome, runs, elapsed_ms });
            }
        }
    }

    /// Reads the text once.
    async fn read(&mut self) -> Result<Outcome, ReadError> {
        let total = self.text.ids.len();
        let mut outcome = Outcome::default();
        let mut carried = Carried { state: Vec::new(), gathered: None };
        let mut done = 0;
        loop {
            let tokens = self.pace.tokens.min(total - done);
            let begun = self.clock.ms();
            carried = self.piece(done..done + tokens, carried, &mut outcome).await?;
            self.pace.took(tokens, self.clock.ms() - begun);
            if let Some((decisions, probabilities)) = outcome.layers.first() {
                self.watch.decided(done, &decisions[done..], &probabilities[done..]);
            }
            done += tokens;
            if done == total {
                return Ok(outcome);
            }
            self.ask(done).await?;
        }
    }

    /// Has the watcher's answer.
    async fn ask(&mut self, done: usize) -> Result<(), ReadError> {
        let total = self.text.ids.len();
        self.reported = self.reported.max(done);
        self.asked = self.clock.ms();
        let begun = Instant::now();
        let answer = self.watch.progress(self.reported, total).await;
        self.clock.paused += begun.elapsed();
        match answer {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(ReadError::Cancelled { done: self.reported, total }),
        }
    }

    /// Reads a piece and adds what it finds to the outcome.
    async fn piece(
        &self,
        tokens: Range<usize>,
        carried: Carried,
        outcome: &mut Outcome,
    ) -> Result<Carried, EngineError> {
        let Text { ids, threshold, force } = self.text;
        let network = self.model.network();
        let graph = Graph::inference(self.model.parameters(), self.device, Strategy::Agenda);
        let state: Vec<_> = carried.state.into_iter().map(|value| graph.held(value)).collect();
        let before = carried.gathered.map(|value| graph.held(value));
        // Without forced decisions there is no such range.
        let force = force.get(tokens.clone()).unwrap_or_default();
        let control = SkimControl::Decide { threshold, force };
        let encoded = network.encode(&graph, &ids[tokens.clone()], state, control, Dropouts::default());
        let gathered = network.gather(before, &encoded);

        let last = tokens.end == ids.len();
        // Something is read back of every piece, so that it is done before the next one begins.
        let first = if last { network.conclude(gathered, ids.len()).softmax() } else { gathered };
        let mut wanted = vec![first];
        for skim in &encoded.skims {
            wanted.extend([skim.decisions, skim.logits.softmax().columns(1..2)]);
        }
        let mut values = graph.values(&wanted).await?.into_iter();
        let first = values.next().unwrap_or_default();
        if last {
            outcome.scores = first;
        }
        outcome.layers.resize_with(encoded.skims.len(), Default::default);
        for (decisions, probabilities) in &mut outcome.layers {
            decisions.extend(values.next().unwrap_or_default());
            probabilities.extend(values.next().unwrap_or_default());
        }
        let state = encoded.state.into_iter().map(Expr::hold).collect::<Result<_, _>>()?;
        Ok(Carried { state, gathered: Some(gathered.hold()?) })
    }
}

#[cfg(test)]
mod tests;
