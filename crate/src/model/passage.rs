//! One text, read piece by piece: the device's memory stays bounded however long the text, and whoever follows the reading
//! learns how far it is and may stop it.
//!
//! States and what the head has gathered never leave the device between pieces. Where a text is cut changes rounding alone
//! (on a GPU matrix products sum in an order that depends on their size), and so at most a decision that hangs on it. A
//! network in which a row depends on later ones reads everything as one piece.

use std::ops::{ControlFlow, Range};
use std::pin::Pin;
use std::time::Duration;

use web_time::Instant;

use super::session::{Before, Carried, Found, PIECE_MS, Pace, Piece, Session};
use super::{ReadError, Watch};
use crate::device::EngineError;

/// What is to be read.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    /// Ids of the words.
    pub(super) ids: &'a [u32],
    /// Empty, or for every word 0 (free), 1 (read), 2 (skim).
    pub(super) force: &'a [u32],
}

/// What was found of a text, computed so often in so many milliseconds.
pub(super) struct Measured {
    pub(super) found: Found,
    pub(super) runs: u32,
    pub(super) elapsed_ms: f64,
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

/// A text being read.
pub(super) struct Passage<'a, W> {
    session: Session<'a>,
    text: Text<'a>,
    watch: &'a mut W,
    pace: Pace,
    clock: Clock,
    /// The clock when the watcher was last asked.
    asked: f64,
    /// The most tokens that the watcher has heard of.
    reported: usize,
}

impl<'a, W: Watch> Passage<'a, W> {
    /// Starts the clock.
    pub(super) fn new(session: Session<'a>, text: Text<'a>, watch: &'a mut W) -> Self {
        let pace = Pace::of_text(session.model.network());
        let clock = Clock { begun: Instant::now(), paused: Duration::ZERO };
        Self { session, text, watch, pace, clock, asked: 0.0, reported: 0 }
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
            let found = self.read().await?;
            runs += 1;
            let elapsed_ms = self.clock.ms();
            let enough = elapsed_ms >= least_ms;
            if enough || elapsed_ms - self.asked >= PIECE_MS {
                self.ask(total).await?;
            }
            if enough {
                return Ok(Measured { found, runs, elapsed_ms });
            }
        }
    }

    /// Reads the text once: its logits, and the decisions of all pieces end to end.
    async fn read(&mut self) -> Result<Found, ReadError> {
        let total = self.text.ids.len();
        let mut all = Found::default();
        let mut carried = None;
        let mut done = 0;
        loop {
            let tokens = self.pace.tokens.min(total - done);
            let begun = self.clock.ms();
            let found = self.piece(done..done + tokens, carried.as_ref()).await?;
            self.pace.took(tokens, self.clock.ms() - begun);
            if let Some((decisions, probabilities)) = found.layers.first() {
                self.watch.decided(done, decisions, probabilities);
            }
            all.layers.resize_with(found.layers.len(), Default::default);
            for (all, (decisions, probabilities)) in all.layers.iter_mut().zip(found.layers) {
                all.0.extend(decisions);
                all.1.extend(probabilities);
            }
            done += tokens;
            carried = found.carried;
            if done == total {
                all.logits = found.logits;
                return Ok(all);
            }
            self.ask(done).await?;
        }
    }

    async fn piece(&self, tokens: Range<usize>, before: Option<&Carried>) -> Result<Found, EngineError> {
        let Text { ids, force } = self.text;
        let piece = Piece {
            ids: &ids[tokens.clone()],
            // Without forced decisions there is no such range.
            force: force.get(tokens.clone()).unwrap_or_default(),
            before: before.map_or(Before::Nothing, Before::Carried),
            ends: (tokens.end == ids.len()).then_some(ids.len()),
            inspect: false,
        };
        Ok(self.session.read(&[piece]).await?.pop().unwrap_or_default())
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
}

#[cfg(test)]
mod tests;
