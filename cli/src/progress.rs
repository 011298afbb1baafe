//! A bar that follows a long command, which Ctrl-C stops.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};
use saccade_rnn::model::Watch;

use crate::failure::Failure;
use crate::interrupt;

/// Shows how much is done, and hears Ctrl-C. One for each command: the signal has one handler.
pub(crate) struct Progress {
    bar: ProgressBar,
    cancel: Arc<AtomicBool>,
}

impl Progress {
    /// Of so many `texts` or `words`.
    pub(crate) fn of(total: usize, what: &str) -> Result<Self, Failure> {
        let cancel = Arc::new(AtomicBool::new(false));
        interrupt::sets(&cancel)?;
        let progress = Self { bar: ProgressBar::no_length(), cancel };
        progress.begin(total, what);
        Ok(progress)
    }

    /// Begins anew.
    pub(crate) fn begin(&self, total: usize, what: &str) {
        self.bar.reset();
        self.bar.set_length(total as u64);
        let template = format!("{{wide_bar}} {{pos}}/{{len}} {what}, {{per_sec}}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            self.bar.set_style(style);
        }
    }

    /// So many are done. Whether to go on.
    pub(crate) fn at(&self, done: usize) -> bool {
        self.bar.set_position(done as u64);
        !self.cancel.load(Ordering::Relaxed)
    }

    /// Takes the bar away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress {
    async fn progress(&mut self, done: usize, _total: usize) -> ControlFlow<()> {
        if self.at(done) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}
