//! A signal asks a long command to stop cleanly; a second one ends it at once.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use crate::failure::Failure;

/// Ctrl-C.
const INT: i32 = 2;

/// The signal that has set a flag; 0 where none has.
static HEARD: AtomicI32 = AtomicI32::new(0);

/// Sets the flag on Ctrl-C, and on Unix on SIGTERM and SIGHUP.
pub(crate) fn sets(flag: &Arc<AtomicBool>) -> Result<(), Failure> {
    let flag = Arc::clone(flag);
    let set = move |signal| {
        HEARD.store(signal, Ordering::Relaxed);
        flag.store(true, Ordering::Release);
        // With standard error closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "stopping after this step; press Ctrl-C again to stop at once");
    };
    hear(true, set)
}

/// Calls a function with the number of the signal on Ctrl-C, and on Unix on SIGTERM.
pub(crate) fn ends(stop: impl FnOnce(i32) + Send + 'static) -> Result<(), Failure> {
    hear(false, stop)
}

/// The exit status of a command that was stopped: 1 by Ctrl-C, otherwise as shells have it.
pub(crate) fn status() -> u8 {
    match HEARD.load(Ordering::Relaxed) {
        0 | INT => 1,
        signal => of(signal) as u8,
    }
}

/// The exit status that tells of a signal.
fn of(signal: i32) -> i32 {
    128 + signal
}

/// Calls `stop` with the first signal, on a thread of its own; the second ends the program. Whether to hear a terminal that
/// hangs up as well, unless the program was told to outlive it, as by `nohup`.
#[cfg(unix)]
fn hear(hangup: bool, stop: impl FnOnce(i32) + Send + 'static) -> Result<(), Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let hangup = (hangup && !is_ignored(SIGHUP)).then_some(SIGHUP);
    let signals = [SIGINT, SIGTERM].into_iter().chain(hangup);
    let mut signals = signal_hook::iterator::Signals::new(signals).map_err(Failure::Listen)?;
    std::thread::spawn(move || {
        let mut signals = signals.forever();
        let Some(signal) = signals.next() else { return };
        std::thread::spawn(move || stop(signal));
        if let Some(signal) = signals.next() {
            std::process::exit(of(signal));
        }
    });
    Ok(())
}

#[cfg(unix)]
fn is_ignored(signal: i32) -> bool {
    let mut found = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: it asks what is done on the signal, changes nothing, and writes what it finds if it returns 0.
    unsafe {
        libc::sigaction(signal, std::ptr::null(), found.as_mut_ptr()) == 0
            && found.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

#[cfg(not(unix))]
fn hear(_hangup: bool, stop: impl FnOnce(i32) + Send + 'static) -> Result<(), Failure> {
    let mut stop = Some(stop);
    let handler = move || match stop.take() {
        Some(stop) => stop(INT),
        None => std::process::exit(of(INT)),
    };
    ctrlc::set_handler(handler).map_err(|error| Failure::Listen(io::Error::other(error)))
}
