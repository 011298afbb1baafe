//! Ctrl-C asks a long command to stop cleanly, and one that reads lines a SIGTERM as well; a second one ends it at once.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::failure::Failure;

/// Sets the flag on Ctrl-C.
pub(crate) fn sets(flag: &Arc<AtomicBool>) -> Result<(), Failure> {
    let flag = Arc::clone(flag);
    let handler = move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        // With standard error closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "stopping after this step; press Ctrl-C again to stop at once");
    };
    Ok(ctrlc::set_handler(handler)?)
}

/// Calls a function with the number of the signal, on a thread of its own, on Ctrl-C and SIGTERM.
#[cfg(unix)]
pub(crate) fn ends(stop: impl Fn(i32) + Send + 'static) -> Result<(), Failure> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]).map_err(Failure::Listen)?;
    std::thread::spawn(move || {
        let mut signals = signals.forever();
        let Some(signal) = signals.next() else { return };
        std::thread::spawn(move || stop(signal));
        if let Some(signal) = signals.next() {
            std::process::exit(128 + signal);
        }
    });
    Ok(())
}

/// Calls a function with the number of the signal, on a thread of its own, on Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn ends(stop: impl Fn(i32) + Send + 'static) -> Result<(), Failure> {
    const SIGINT: i32 = 2;
    let mut asked = false;
    let handler = move || {
        if std::mem::replace(&mut asked, true) {
            std::process::exit(128 + SIGINT);
        }
        stop(SIGINT);
    };
    Ok(ctrlc::set_handler(handler)?)
}
