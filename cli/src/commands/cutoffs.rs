//! `saccade cutoffs`: where to cut a vocabulary, by what the parts of an adaptive softmax take on a device.

mod grid;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::ProgressBar;
use saccade_rnn::cpu::noise;
use saccade_rnn::nn::Cutoffs;
use saccade_rnn::text::{Tokenizer, Vocabulary};
use serde::Serialize;

use crate::corpus::CorpusError;
use crate::data::Source;
use crate::device::Hardware;
use crate::failure::Failure;
use crate::softmax_costs::{Measured, Workload};
use crate::{interrupt, output};
use grid::Held;

/// The most weights of a softmax, and numbers between its layers: 4 GiB each.
const MOST_NUMBERS: usize = 1 << 30;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Text whose words are counted: files of UTF-8
    #[arg(required = true, value_name = "FILE")]
    text: Vec<PathBuf>,
    /// Words are what stands between spaces; otherwise the Penn Treebank's tokens in lower case
    #[arg(long)]
    spaces: bool,
    /// Every line ends with the word <eos>; blank lines are passed over
    #[arg(long)]
    lines: bool,
    /// Words in the vocabulary, at most; others are <unk>
    #[arg(long, value_name = "COUNT")]
    words: Option<NonZeroUsize>,
    /// Occurrences that give a word a number of its own
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    min_count: u64,
    /// Columns of the softmax's input
    #[arg(long, value_name = "COLUMNS", default_value = "256")]
    hidden: NonZeroUsize,
    /// How many times narrower each tail is than the one before it
    #[arg(long, default_value_t = 4.0)]
    div_value: f64,
    /// Rows of a training step: texts side by side times words of each
    #[arg(long, value_name = "ROWS", default_value = "640")]
    batch: NonZeroUsize,
    /// The share of the text that the head is to hold
    #[arg(long, default_value_t = 0.85)]
    coverage: f64,
    /// Tails, at most
    #[arg(long, default_value_t = 3)]
    tails: usize,
    /// Measure also every cut of a grid of at most 500, then the fastest in turn with the one that was found, and say how
    /// near that comes to it
    #[arg(long)]
    grid: bool,
    /// Where to measure
    #[arg(long, value_enum, default_value_t = Hardware::Cpu)]
    device: Hardware,
}

/// What was found, as `--json` prints it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report {
    words: usize,
    tokens: u64,
    hidden: usize,
    training: Part,
    one_row: Part,
}

/// Cuts for one use.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    rows: usize,
    /// Milliseconds of a head with so many outputs.
    head: Vec<(usize, f64)>,
    /// The best with each number of tails.
    cuts: Vec<Cut>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Cut {
    cutoffs: Vec<usize>,
    /// The share of the text in the head, and in each tail.
    shares: Vec<f64>,
    predicted_ms: f64,
    measured_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    grid: Option<Held>,
}

pub(crate) fn run(args: &Arguments, json: bool) -> Result<(), Failure> {
    check(args)?;
    let counts = count(args)?;
    let hidden = args.hidden.get();
    check_sizes(args, counts.len())?;
    let workload = |batch| Workload { hidden, div_value: args.div_value, batch };
    let beyond = least_head(&counts, args.coverage).map_or(0, |head| counts.len() - head);
    let tails = workload(None).tails(args.tails.min(beyond));
    if args.grid {
        grid::check(&counts, args.coverage, tails)?;
    }
    let device = args.device.device(NonZeroUsize::MIN)?;
    let cancel = Arc::new(AtomicBool::new(false));
    interrupt::sets(&cancel)?;
    let part = |batch: Option<usize>| -> Result<Part, Failure> {
        let workload = workload(batch);
        let bar = ProgressBar::new(0).with_message("measuring");
        let go_on = |done: usize, total: usize| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
            !cancel.load(Ordering::Relaxed)
        };
        let measured = Measured::new(&workload, &device, counts.len(), tails, go_on);
        let measured = pollster::block_on(measured);
        bar.finish_and_clear();
        let measured = measured?.ok_or_else(|| Failure::Cancelled("nothing was measured".into()))?;
        let mut cuts = Vec::new();
        for count in 0..=tails {
            let best = Cutoffs::cheapest(&counts, count, args.coverage, &measured)?;
            let time = |cutoffs: &[usize]| -> Result<f64, Failure> {
                if cancel.load(Ordering::Relaxed) {
                    let (rows, all) = (batch.unwrap_or(1), tails + 1);
                    let done = format!("{count} of {all} cuts were measured for batches of {rows}");
                    return Err(Failure::Cancelled(done));
                }
                let whole = workload.time_whole(&device, counts.len(), cutoffs, targets(&counts));
                Ok(1e3 * pollster::block_on(whole)?)
            };
            let measured_ms = time(&best.cutoffs)?;
            let grid = if args.grid && count > 0 {
                grid::hold(&counts, args.coverage, &best.cutoffs, time)?
            } else {
                None
            };
            cuts.push(Cut {
                predicted_ms: 1e3 * best.cost,
                cutoffs: best.cutoffs,
                shares: best.shares,
                measured_ms,
                grid,
            });
        }
        let head = measured.head_times().map(|(outputs, seconds)| (outputs, 1e3 * seconds)).collect();
        Ok(Part { rows: batch.unwrap_or(1), head, cuts })
    };
    let report = Report {
        words: counts.len(),
        tokens: counts.iter().sum(),
        hidden,
        training: part(Some(args.batch.get()))?,
        one_row: part(None)?,
    };
    if json { output::json(&report) } else { Ok(report.print()?) }
}

fn check(args: &Arguments) -> Result<(), Failure> {
    let reason = |option, reason| Err(Failure::Option { option, reason });
    if !(1.0..f64::INFINITY).contains(&args.div_value) {
        return reason("--div-value", "expected a finite number of at least 1");
    }
    if !(0.0..=1.0).contains(&args.coverage) {
        return reason("--coverage", "expected a share of the text, from 0 to 1");
    }
    Ok(())
}

fn check_sizes(args: &Arguments, words: usize) -> Result<(), Failure> {
    let reason = |option, reason| Err(Failure::Option { option, reason });
    if words.saturating_mul(args.hidden.get()) > MOST_NUMBERS {
        return reason("--hidden", "too many: words times columns are more than 2^30 weights");
    }
    if words.max(args.hidden.get()).saturating_mul(args.batch.get()) > MOST_NUMBERS {
        return reason("--batch", "too many: rows times words, or times columns, are more than 2^30 numbers");
    }
    Ok(())
}

/// How many of the most frequent words hold `coverage` of the text; none if it is empty.
fn least_head(counts: &[u64], coverage: f64) -> Option<usize> {
    let all: u64 = counts.iter().sum();
    let mut held = 0;
    let holds = |count: &u64| {
        held += count;
        held as f64 / all as f64 >= coverage
    };
    counts.iter().position(holds).map(|last| last + 1)
}

/// How often each word of the texts' vocabulary occurs; some word does.
fn count(args: &Arguments) -> Result<Vec<u64>, Failure> {
    let tokenizer = if args.spaces { Tokenizer::spaces() } else { Tokenizer::treebank() };
    let mut tokens = Vec::new();
    for path in &args.text {
        let source = Source::open(path).map_err(CorpusError::from)?;
        for line in source.utf8().map_err(CorpusError::from)?.lines() {
            let before = tokens.len();
            tokens.extend(tokenizer.tokenize(line).into_iter().map(|token| token.text));
            if args.lines && tokens.len() > before {
                tokens.push("<eos>".into());
            }
        }
    }
    if tokens.is_empty() {
        return Err(Failure::NoWords(args.text.clone()));
    }
    let vocabulary = Vocabulary::build(&tokens, args.min_count, args.words.map(NonZeroUsize::get));
    let mut counts = vec![0; vocabulary.len()];
    tokens.iter().for_each(|token| counts[vocabulary.id(token) as usize] += 1);
    Ok(counts)
}

/// Draws words as often as they occur, the same for every cut.
fn targets(counts: &[u64]) -> impl FnMut() -> u32 {
    let mut sums = Vec::with_capacity(counts.len());
    let mut sum = 0;
    for count in counts {
        sum += count;
        sums.push(sum);
    }
    let mut drawn = 0;
    move || {
        drawn += 1;
        let point = f64::from(noise::uniform(1, 0, drawn)) * sum as f64;
        sums.partition_point(|&sum| sum as f64 <= point) as u32
    }
}

impl Report {
    fn print(&self) -> Result<(), Failure> {
        use std::io::Write as _;
        let mut out = std::io::stdout().lock();
        let tokens = output::count(self.tokens);
        writeln!(
            out,
            "{} words, {tokens} tokens, {} columns",
            output::count(self.words as u64),
            self.hidden
        )?;
        for (what, part) in [("training step", &self.training), ("generation", &self.one_row)] {
            writeln!(out, "\n{what}, {} rows", part.rows)?;
            writeln!(out, "  outputs of a head   time")?;
            for &(outputs, ms) in &part.head {
                writeln!(out, "  {outputs:>17}   {}", output::duration(ms))?;
            }
            writeln!(out, "  predicted    measured     in the head   cut-offs")?;
            for cut in &part.cuts {
                let cutoffs: Vec<String> = cut.cutoffs.iter().map(usize::to_string).collect();
                writeln!(
                    out,
                    "  {:<10}   {:<10}   {:>9.1} %   {}",
                    output::duration(cut.predicted_ms),
                    output::duration(cut.measured_ms),
                    100.0 * cut.shares[0],
                    if cutoffs.is_empty() { "none".into() } else { cutoffs.join(", ") }
                )?;
                if let Some(Held { cutoffs, measured_ms, ratio, .. }) = &cut.grid {
                    let cutoffs: Vec<String> = cutoffs.iter().map(usize::to_string).collect();
                    let (fastest, cutoffs) = (output::duration(*measured_ms), cutoffs.join(", "));
                    writeln!(out, "    {ratio:.2} of the fastest of a grid: {fastest} at {cutoffs}")?;
                }
            }
        }
        Ok(out.flush()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_drawn_as_often_as_they_occur() {
        let counts = [700, 0, 200, 100];
        let (mut draw, mut drawn) = (targets(&counts), [0u32; 4]);
        (0..10_000).for_each(|_| drawn[draw() as usize] += 1);
        assert_eq!(drawn[1], 0);
        for (count, drawn) in counts.iter().zip(drawn) {
            assert!((f64::from(drawn) / 10.0 - *count as f64).abs() < 20.0, "{drawn} of {count}");
        }
    }
}
