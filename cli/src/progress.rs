//! A bar that follows a long command, which Ctrl-C stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

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
        let bar = ProgressBar::new(total as u64);
        let template = format!("{{wide_bar}} {{pos}}/{{len}} {what}, {{per_sec}}, {{eta}} left");
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style);
        }
        Ok(Self { bar, cancel })
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
