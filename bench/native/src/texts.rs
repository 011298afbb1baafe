//! Whole texts: a Skim-LSTM beside our own LSTM, whose input product is hoisted, on a test set.

use std::fs;
use std::path::Path;
use std::time::Instant;

use saccade_rnn::device::{Cpu, CpuOptions, Device};
use saccade_rnn::model::{Model, ReadOptions, Reading};

use crate::ready;

/// Texts that a model reads before it is the next one's turn, as in the browser: a model that reads texts one after the
/// other finds its own weights in the caches.
const TURN: usize = 20;

/// One model on one text, milliseconds.
#[derive(Clone, Copy)]
struct Least {
    /// From token ids to scores, by the engine's clock.
    ids: f64,
    /// Everything that a caller waits for.
    text: f64,
}

/// A model and what it did.
struct Side {
    model: Model,
    device: Device,
    least: Vec<Least>,
    /// Of each text.
    spent: Vec<u64>,
    right: usize,
    skimmed: f64,
    tokens: usize,
}

impl Side {
    fn open(file: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let model = Model::from_bytes(&fs::read(file)?)?;
        Ok(Self {
            model,
            device: Device::cpu(),
            least: Vec::new(),
            spent: Vec::new(),
            right: 0,
            skimmed: 0.0,
            tokens: 0,
        })
    }

    fn read(&self, text: &str) -> Result<(Reading, Least), Box<dyn std::error::Error>> {
        let begun = Instant::now();
        let reading = ready(self.model.read(&self.device, text, &ReadOptions::default(), &mut ()))?;
        let least = Least { ids: reading.timing.total_ms, text: begun.elapsed().as_secs_f64() * 1e3 };
        Ok((reading, least))
    }

    fn count(&mut self, label: &str, reading: &Reading, least: Least) {
        self.least.push(least);
        self.spent.push(reading.flops.spent);
        // The model writes out what the data abbreviate: neg, pos.
        self.right += usize::from(reading.label.starts_with(label));
        self.skimmed += reading.skim_rate * reading.tokens.len() as f64;
        self.tokens += reading.tokens.len();
    }
}

/// Reads texts (IMDb's lines: label, id, rating, text between tabs; every `every`th), twenty with one model and then with
/// the next, the Skim-LSTM with products of words kept and without, `rounds` times, and prints what the least times of each text come to.
///
/// # Errors
/// If a file cannot be read, or a text.
pub fn compare(
    lstm: &Path,
    skim: &Path,
    data: &Path,
    every: usize,
    rounds: usize,
) -> Result<(), Box<dyn std::error::Error>> {
    let (mut lstm, mut forgetful, mut skim) = (Side::open(lstm)?, Side::open(skim)?, Side::open(skim)?);
    forgetful.device = Cpu::new(CpuOptions { word_cache_bytes: 0, ..CpuOptions::default() }).into();
    let data = fs::read_to_string(data)?;
    let fields = |line: &'_ str| {
        line.split('\t').next().zip(line.split('\t').nth(3)).map(|(a, b)| (a.to_owned(), b.to_owned()))
    };
    let texts: Vec<_> = data.lines().step_by(every).filter_map(fields).collect();
    for round in 0..rounds.max(1) {
        for (turn, some) in texts.chunks(TURN).enumerate() {
            let mut order = [&mut lstm, &mut skim, &mut forgetful];
            order.rotate_left((turn + round) % 3);
            for side in order {
                for (i, (label, text)) in some.iter().enumerate() {
                    let (reading, least) = side.read(text)?;
                    if round == 0 {
                        side.count(label, &reading, least);
                    } else {
                        let known = &mut side.least[turn * TURN + i];
                        *known = Least { ids: known.ids.min(least.ids), text: known.text.min(least.text) };
                    }
                }
            }
        }
    }
    let n = texts.len();
    println!(
        "{n} texts, {:.1} tokens each, {:.1} % skimmed; right: LSTM {:.2} %, Skim-LSTM {:.2} %",
        skim.tokens as f64 / n as f64,
        100.0 * skim.skimmed / skim.tokens as f64,
        100.0 * lstm.right as f64 / n as f64,
        100.0 * skim.right as f64 / n as f64,
    );
    let reduction = lstm.spent.iter().sum::<u64>() as f64 / skim.spent.iter().sum::<u64>() as f64;
    println!("{reduction:.2}x fewer FLOP");
    for (name, skim) in [("", &skim), (", no product of a word kept", &forgetful)] {
        report(&format!("from token ids{name}"), reduction, &lstm.least, &skim.least, |least| least.ids);
        report(&format!("from text{name}"), reduction, &lstm.least, &skim.least, |least| least.text);
    }
    Ok(())
}

fn report(what: &str, reduction: f64, lstm: &[Least], skim: &[Least], of: impl Fn(&Least) -> f64) {
    let mut ratios: Vec<f64> = lstm.iter().zip(skim).map(|(lstm, skim)| of(lstm) / of(skim)).collect();
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN);
    let mean = |least: &[Least]| least.iter().map(&of).sum::<f64>() / least.len() as f64;
    let (lstm, skim) = (mean(lstm), mean(skim));
    println!(
        "{what}: LSTM {lstm:.4} ms, Skim-LSTM {skim:.4} ms, {:.2}x (median {median:.2}x): {:.0} %",
        lstm / skim,
        100.0 * lstm / skim / reduction,
    );
}
