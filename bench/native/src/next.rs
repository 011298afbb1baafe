//! Questions about the next word, asked of the softmax of a language model.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use saccade_rnn::cpu::noise;
use saccade_rnn::device::Device;
use saccade_rnn::model::{SoftmaxLayer, StoredSoftmax};
use saccade_rnn::nn::Ask;

/// What is asked.
const QUESTIONS: [(&str, Ask); 4] = [
    ("argmax", Ask::Top(1)),
    ("top 10", Ask::Top(10)),
    ("all", Ask::All),
    ("score of the last word", Ask::Score { word: u32::MAX, rank: false }),
];
/// Rows, so that answers differ in what they depend on.
const ROWS: u32 = 32;
/// Values up to it, as states of an LSTM have.
const LARGEST: f32 = 0.5;

/// Prints microseconds of every question about one row, in the mean over drawn rows of a model's softmax: the median of rounds
/// and the least.
///
/// # Errors
/// If the file cannot be read, or holds no softmax.
pub fn compare(model: &Path, rounds: usize) -> Result<(), Box<dyn std::error::Error>> {
    let layer = SoftmaxLayer::from_bytes(&fs::read(model)?, "head.", &StoredSoftmax::default())?;
    let device = Device::cpu();
    let columns = layer.input_size() as u32;
    let last = layer.softmax().words() as u32 - 1;
    let value = |row, column| {
        let bits = noise::bits(1, row, column);
        (f64::from(bits) / f64::from(u32::MAX) * 2.0 - 1.0) as f32 * LARGEST
    };
    let rows: Vec<Vec<f32>> =
        (0..ROWS).map(|row| (0..columns).map(|column| value(row, column)).collect()).collect();
    let mut times = QUESTIONS.map(|_| Vec::new());
    for _ in 0..rounds.max(1) {
        for ((_, ask), times) in QUESTIONS.iter().zip(&mut times) {
            let ask = match *ask {
                Ask::Score { rank, .. } => Ask::Score { word: last, rank },
                ask => ask,
            };
            let begun = Instant::now();
            for row in &rows {
                layer.answers(&device, row, &[ask], |answer| drop(black_box(answer)))?;
            }
            times.push(begun.elapsed().as_secs_f64() / f64::from(ROWS));
        }
    }
    for ((name, _), mut times) in QUESTIONS.into_iter().zip(times) {
        times.sort_by(f64::total_cmp);
        println!("{name:<24} {:>9.1} us {:>9.1} least", times[times.len() / 2] * 1e6, times[0] * 1e6);
    }
    Ok(())
}
