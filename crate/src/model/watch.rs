//! Who follows a reading.

use std::ops::ControlFlow;

/// Follows a reading, and may stop it. `()` does neither.
#[allow(async_fn_in_trait, reason = "readings run on one thread; wasm futures are never Send")]
pub trait Watch {
    /// `done` of `total` tokens are read. Called between pieces and when all is done, unless nothing was left to read; `done`
    /// never falls. The reading waits for the answer, and the clock with it, so that in a browser the event loop can have its
    /// turn here. The reading goes on, or ends with [`ReadError::Cancelled`](super::ReadError::Cancelled).
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

/// A watcher whose progress never goes back, although words may be met again: on another device, or by another model.
pub(crate) struct Monotone<'a, W> {
    pub(crate) watch: &'a mut W,
    pub(crate) most: usize,
}

impl<W: Watch> Watch for Monotone<'_, W> {
    async fn progress(&mut self, done: usize, total: usize) -> ControlFlow<()> {
        self.most = self.most.max(done);
        self.watch.progress(self.most, total).await
    }

    fn decided(&mut self, from: usize, decisions: &[f32], probabilities: &[f32]) {
        self.watch.decided(from, decisions, probabilities);
    }
}
