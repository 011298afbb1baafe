//! Texts dealt to threads, and what these find put together in the order of the texts: nothing depends on how many there are.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;

use crate::device::{Cpu, Device, EngineError};

/// The most texts that a thread takes at a time, and how many times it takes some, about.
const MOST: usize = 256;
const TURNS: usize = 16;

/// Runs to its end what waits for nothing but values that are there at once, as a CPU's are.
pub(super) fn ready<T>(program: impl Future<Output = T>) -> Option<T> {
    match pin!(program).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Some(value),
        Poll::Pending => None,
    }
}

/// Has the threads of a device `work` on parts of the texts, and `take` what that gives part by part in their order. `go_on`
/// hears how many texts are done, and stops the threads by returning false. Whether all came to its end.
///
/// # Errors
/// The first that `work` gives, by the order of the texts.
pub(super) fn deal<T: Sync, R: Send, E: Send + From<EngineError>>(
    device: &Device,
    texts: &[T],
    work: impl Fn(&Device, &[T]) -> Option<Result<R, E>> + Sync,
    mut take: impl FnMut(R),
    mut go_on: impl FnMut(usize) -> bool,
) -> Result<bool, E> {
    let (threads, options) = device.threads();
    let parts: Vec<&[T]> = texts.chunks((texts.len() / (threads * TURNS)).clamp(1, MOST)).collect();
    let (next, stopped) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (found, results) = mpsc::channel();
    let run = |found: mpsc::Sender<_>| {
        let device = Cpu::new(options).into();
        while !stopped.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(part) = parts.get(number) else { return };
            let later =
                || Err(EngineError::Unsupported { op: "threads", reason: "the device answers later" }.into());
            if found.send((number, work(&device, part).unwrap_or_else(later))).is_err() {
                return;
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..threads {
            let (run, found) = (&run, found.clone());
            scope.spawn(move || run(found));
        }
        drop(found);
        let (mut early, mut taken, mut done) = (BTreeMap::new(), 0, 0);
        for (number, result) in results {
            done += parts[number].len();
            early.insert(number, result);
            while let Some(result) = early.remove(&taken) {
                taken += 1;
                match result {
                    Ok(found) => take(found),
                    Err(error) => {
                        stopped.store(true, Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
            if !go_on(done) {
                stopped.store(true, Ordering::Relaxed);
                return Ok(false);
            }
        }
        Ok(true)
    })
}
