//! A bar that follows a long command, which Ctrl-C stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use crate::failure::Failure;
use crate::interrupt;

/// Shows how many texts are done, and hears Ctrl-C. One for each command: the signal has one handler.
pub(crate) struct Progress {
    bar: ProgressBar,
    cancel: Arc<AtomicBool>,
}

impl Progress {
    /// Of so many texts.
    pub(crate) fn of(texts: usize) -> Result<Self, Failure> {
        let cancel = Arc::new(AtomicBool::new(false));
        interrupt::sets(&cancel)?;
        let bar = ProgressBar::new(texts as u64);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} texts, {per_sec}, {eta} left")
        {
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
