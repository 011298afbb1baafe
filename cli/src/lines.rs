//! Texts in, one a line; for each a record in JSON out, in the same order.
//!
//! One thread cuts the input into chunks of lines, others answer these, and whoever calls writes what was answered, in order.
//! Between them is room for a few chunks and no more: input is read no faster than the answers are written, so that memory
//! stays bounded however long the input. A chunk ends where the input has no more for now: who writes lines and waits for
//! their records gets them.

mod answer;
mod input;

use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use saccade_rnn::device::Device;

use crate::failure::Failure;
use crate::interrupt;
use answer::Answered;
pub(crate) use answer::{Answers, Format, Question};
use input::Chunk;
pub(crate) use input::Lines;

/// What happens to the lines, in their order.
enum Event {
    /// A chunk was cut. Its answer comes by this way.
    Cut(Receiver<Answered>),
    /// There are no more lines.
    End,
    /// The input fails.
    Failed(io::Error),
    /// A signal asks to stop.
    Stopped(i32),
}

/// A chunk, and where its answer goes.
type Job = (Chunk, SyncSender<Answered>);

/// Answers all lines, `threads` chunks at a time.
///
/// # Errors
/// Where input or output fails. Also if some records tell of mistakes, once all are written, or if a signal asks to stop, once
/// those of what was cut are.
pub(crate) fn answer(
    answers: Answers,
    lines: Lines<impl Read + Send + 'static>,
    threads: NonZeroUsize,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let threads = threads.get();
    let (events, happened) = mpsc::sync_channel(2 * threads);
    let (work, jobs) = mpsc::sync_channel(threads);
    let stopped = events.clone();
    // Without anybody who listens the program is about to end.
    interrupt::ends(move |signal| drop(stopped.send(Event::Stopped(signal))))?;
    let shared = Arc::new((answers, Mutex::new(jobs)));
    for _ in 0..threads {
        let shared = Arc::clone(&shared);
        thread::spawn(move || take_jobs(&shared.0, &shared.1));
    }
    thread::spawn(move || cut(lines, &events, &work));
    let (mut written, mut mistakes) = (0, 0);
    for event in happened {
        match event {
            Event::Cut(answer) => {
                let Answered { records, lines, mistakes: of_chunk } =
                    answer.recv().map_err(|_| Failure::Thread)?;
                out.write_all(&records)?;
                out.flush()?;
                written += lines;
                mistakes += of_chunk;
            }
            Event::End => break,
            Event::Failed(error) => return Err(Failure::Input(error)),
            Event::Stopped(signal) => return Err(Failure::Ended { signal, lines: written }),
        }
    }
    if mistakes > 0 { Err(Failure::Lines { mistakes, lines: written }) } else { Ok(()) }
}

/// Cuts the input, and ends where nobody wants its chunks any more.
fn cut(mut lines: Lines<impl Read>, events: &SyncSender<Event>, work: &SyncSender<Job>) {
    loop {
        let event = match lines.next_chunk() {
            Ok(Some(chunk)) => {
                let (answer, answered) = mpsc::sync_channel(1);
                if events.send(Event::Cut(answered)).is_err() || work.send((chunk, answer)).is_err() {
                    return;
                }
                continue;
            }
            Ok(None) => Event::End,
            Err(error) => Event::Failed(error),
        };
        // As above.
        let _ = events.send(event);
        return;
    }
}

/// Answers chunks until there are no more, on a device of its own: caches of products are then never waited for.
fn take_jobs(answers: &Answers, jobs: &Mutex<Receiver<Job>>) {
    let device = Device::cpu();
    loop {
        let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((chunk, answer)) = job else { return };
        if answer.send(answers.chunk(&device, chunk)).is_err() {
            return;
        }
    }
}
