//! Scores by several threads: a piece needs the state that the one before it left, its losses need nothing but its own rows.
//! One thread encodes piece after piece and goes ahead; those beside it compute losses from the rows that it leaves.

use std::sync::mpsc::{self, TrySendError};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::{Piece, Pieces, PredictionScore, Sums, encode, losses};
use crate::device::{Cpu, Device, EngineError};
use crate::graph::{Graph, Strategy};
use crate::model::{Dropouts, Model};
use crate::train::carried::Carried;
use crate::train::dealt::ready;

/// How many pieces may wait, for each thread.
const WAITING: usize = 2;

/// What predicts the words of some pieces of a text.
struct Encoded<'p> {
    number: usize,
    pieces: &'p [Piece],
    rows: Vec<f32>,
}

/// The score of batches, each of which goes on from the one before, to the bit as one thread makes it; none if `go_on` stops it.
///
/// # Errors
/// The first that is met, of the encoder or of the losses of a piece; nothing is encoded after it.
pub(super) fn score(
    model: &Model,
    device: &Device,
    batches: &[Pieces],
    mut go_on: impl FnMut(usize) -> bool,
) -> Result<Option<PredictionScore>, EngineError> {
    let (threads, options) = device.threads();
    let (ahead, waiting) = mpsc::sync_channel(WAITING * threads);
    let (found, results) = mpsc::channel();
    let waiting = Mutex::new(waiting);
    // Whoever waits holds the lock: the others would wait for the same piece.
    let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
    let answer = |device: &Device, piece: Encoded<'_>| (piece.number, piece.losses(model, device));
    let mut answers = vec![Vec::new(); batches.len()];
    let mut take = |(number, losses): (usize, Result<Vec<f32>, EngineError>)| {
        answers[number] = losses?;
        Ok(())
    };
    let all = thread::scope(|scope| {
        for _ in 1..threads {
            let (next, answer, found) = (&next, &answer, found.clone());
            scope.spawn(move || {
                let device = Cpu::new(options).into();
                while let Some(piece) = next() {
                    // Nobody is left to hear it where the scoring was stopped, or has failed.
                    let _ = found.send(answer(&device, piece));
                }
            });
        }
        drop(found);
        let (mut carried, mut done) = (Carried::default(), 0);
        for (number, Pieces(pieces)) in batches.iter().enumerate() {
            let graph = Graph::inference(model.parameters(), device, Strategy::Levels);
            let before = |piece| carried.record(&graph, piece);
            let (rows, states) = encode(model, &graph, pieces, &before, Dropouts::default());
            let rows = ready(rows.value()).unwrap_or_else(later)?;
            carried = Carried::hold(&states)?;
            // As many wait as may: this thread takes one itself.
            if let Err(TrySendError::Full(piece) | TrySendError::Disconnected(piece)) =
                ahead.try_send(Encoded { number, pieces, rows })
            {
                take(answer(device, piece))?;
            }
            results.try_iter().try_for_each(&mut take)?;
            done += pieces.iter().map(|piece| piece.words.len()).sum::<usize>();
            if !go_on(done) {
                return Ok(false);
            }
        }
        drop(ahead);
        while let Some(piece) = next() {
            take(answer(device, piece))?;
        }
        results.iter().try_for_each(take)?;
        Ok(true)
    })?;
    if !all {
        return Ok(None);
    }
    let mut sums = Sums::default();
    for (Pieces(pieces), losses) in batches.iter().zip(answers) {
        sums.add(model, pieces, &losses);
    }
    Ok(Some(sums.score()))
}

impl Encoded<'_> {
    fn losses(self, model: &Model, device: &Device) -> Result<Vec<f32>, EngineError> {
        let graph = Graph::inference(model.parameters(), device, Strategy::Levels);
        let count: usize = self.pieces.iter().map(|piece| piece.words.len()).sum();
        let rows = graph.input(count, self.rows.len() / count.max(1), self.rows);
        ready(losses(model, &graph, rows, self.pieces).value()).unwrap_or_else(later)
    }
}

fn later<T>() -> Result<T, EngineError> {
    Err(EngineError::Unsupported { op: "threads", reason: "the device answers later" })
}
