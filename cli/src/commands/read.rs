//! `saccade read`: one text, token by token.

mod parsed;
mod tagged;
mod tree;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Read as _, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use saccade_rnn::device::Device;
use saccade_rnn::model::{Decision, Model, ReadError, ReadOptions, Reading, Task, Watch};
use saccade_rnn::runner::{Preference, Run, Runner, Steps};
use saccade_rnn::text::Token;

use super::lines;
use crate::corpus::trees::sums_children;
use crate::device::{self, DeviceName};
use crate::failure::Failure;
use crate::interrupt;
use crate::labelled;
use crate::lines::Question;
use crate::output::{self, count, duration, printable};
use crate::reasons;

/// The scores that are printed, of a model with many.
const MOST_SCORES: usize = 10;
const READ: Style = AnsiColor::Cyan.on_default().bold();
const SKIMMED: Style = Style::new().dimmed();

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The model file.
    #[arg(long, short, value_name = "FILE")]
    model: PathBuf,
    /// Skim a token when its probability of skimming is above this, 0 to 1, in place of the model's own.
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    threshold: Option<f32>,
    /// Decisions to impose on tokens, by number from 0: `0:read,3:skim`.
    #[arg(long, value_name = "N:DECISION", value_delimiter = ',', value_parser = parse_forced)]
    force: Vec<(usize, Decision)>,
    /// Repeat the computation for this many milliseconds and report the mean time.
    #[arg(long, value_name = "MS", default_value_t = 0.0, allow_negative_numbers = true)]
    measure_ms: f64,
    /// The file of a parser, of a tree classifier that labels the words of any text by its trees.
    #[arg(long, value_name = "FILE")]
    parser: Option<PathBuf>,
    /// Where to compute.
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceName,
    /// Measure besides what one read and one skimmed token cost, and on a GPU what each kernel took.
    #[arg(long)]
    steps: bool,
    #[command(flatten)]
    many: lines::Options,
    /// The text, in UTF-8, of a tree classifier without `--parser` a tree in brackets; standard input without it. One newline at its end is not part of it.
    text: Option<String>,
}

fn parse_forced(text: &str) -> Result<(usize, Decision), String> {
    let (token, decision) = text.split_once(':').ok_or("expected a token's number and `:read` or `:skim`")?;
    let token = token.trim().parse().map_err(|_| format!("{token:?} is no number of a token"))?;
    match decision.trim() {
        "read" => Ok((token, Decision::Read)),
        "skim" => Ok((token, Decision::Skim)),
        other => Err(format!("{other:?} is no decision: expected `read` or `skim`")),
    }
}

pub(crate) fn run(arguments: Arguments, json: bool) -> Result<(), Failure> {
    let path = arguments.model.as_path();
    let bytes = fs::read(path).map_err(Failure::file(path))?;
    let model = Model::from_bytes(&bytes).map_err(Failure::model(path))?;
    if arguments.parser.is_some() && !matches!(model.config().task, Task::Tree(_)) {
        let reason = "only a tree classifier labels a parser's trees";
        return Err(Failure::Option { option: "--parser", reason });
    }
    if arguments.many.lines.is_some() {
        return read_lines(&arguments, model);
    }
    if let Some(option) = arguments.many.first_given() {
        return Err(Failure::Option { option, reason: "belongs to --lines" });
    }
    match model.config().task {
        Task::Tag(_) => return tagged::run(arguments, &model, json),
        Task::Parse(_) => return parsed::run(arguments, &model, json),
        Task::Tree(_) => return tree::run(arguments, &model, json),
        Task::Classify(_) | Task::Predict(_) => {}
    }
    labelled::threshold(arguments.threshold, &model)?;
    let force: BTreeMap<_, _> = arguments.force.iter().copied().collect();
    if !force.is_empty() && !model.skims() {
        return Err(Failure::Option { option: "--force", reason: labelled::NEVER_SKIMS });
    }
    if force.len() < arguments.force.len() {
        return Err(Failure::Option { option: "--force", reason: "names a token twice" });
    }
    let runner = Runner::new(Rc::new(model), Device::cpu(), device::devices());
    let model = runner.model();
    let mut text = match arguments.text {
        Some(text) => text,
        None => standard_input()?,
    };
    strip_newline(&mut text);
    let options = ReadOptions { threshold: arguments.threshold, force, measure_ms: arguments.measure_ms };
    let tokens = model.tokenizer().tokenize(&text);
    let mut screen = Screen::new(tokens.len())?;
    let run = pollster::block_on(read(&runner, &text, &options, arguments.device.into(), &mut screen));
    screen.bar.finish_and_clear();
    let run = run?;
    let steps = match arguments.steps {
        true => Some(pollster::block_on(runner.steps(arguments.device.into(), &mut Asking(screen.cancel)))?),
        false => None,
    };
    if json {
        output::json(&Measured { run, steps })
    } else {
        // Without colours where nobody would see them, or NO_COLOR is set.
        let out = &mut anstream::stdout().lock();
        print(out, &text, &tokens, &run, model.skims())?;
        steps.map_or(Ok(()), |steps| print_steps(out, &steps))
    }
}

/// Reads texts, one a line, whatever the model's task.
fn read_lines(arguments: &Arguments, model: Model) -> Result<(), Failure> {
    let given = [
        (arguments.text.is_some(), "TEXT"),
        (!arguments.force.is_empty(), "--force"),
        (arguments.measure_ms != 0.0, "--measure-ms"),
        (arguments.steps, "--steps"),
        (arguments.device != DeviceName::Cpu, "--device"),
        (arguments.parser.is_some(), "--parser"),
    ];
    if let Some((_, option)) = given.into_iter().find(|(given, _)| *given) {
        return Err(Failure::Option { option, reason: "cannot be given with --lines" });
    }
    if sums_children(&model) {
        let reason = "labels trees in brackets, and this model those that a parser makes";
        return Err(Failure::Option { option: "--lines", reason });
    }
    let question = Question::of(&model.config().task);
    if arguments.threshold.is_some() {
        if question != Question::Read {
            return Err(Failure::Option { option: "--threshold", reason: "is for models that classify" });
        }
        labelled::threshold(arguments.threshold, &model)?;
    }
    let options = ReadOptions { threshold: arguments.threshold, ..ReadOptions::default() };
    arguments.many.run(model, question, options)
}

/// A reading, with what its steps cost if that was asked for.
#[derive(serde::Serialize)]
struct Measured {
    #[serde(flatten)]
    run: Run,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Steps>,
}

async fn read(
    runner: &Runner,
    text: &str,
    options: &ReadOptions,
    preference: Preference,
    screen: &mut Screen,
) -> Result<Run, ReadError> {
    if preference == Preference::Auto {
        // What is measured is measured on the text itself.
        runner.read(text, options, Preference::Cpu, screen).await?;
        runner.calibrate(&mut Asking(Arc::clone(&screen.cancel))).await?;
    }
    runner.read(text, options, preference, screen).await
}

/// How long a reading may last without a word.
const SILENCE: Duration = Duration::from_secs(1);

/// How far the reading is, on a terminal, if it lasts; Ctrl-C stops it.
struct Screen {
    begun: Instant,
    bar: ProgressBar,
    cancel: Arc<AtomicBool>,
}

impl Screen {
    fn new(tokens: usize) -> Result<Self, Failure> {
        let cancel = Arc::new(AtomicBool::new(false));
        interrupt::sets(&cancel)?;
        let bar = ProgressBar::with_draw_target(Some(tokens as u64), ProgressDrawTarget::hidden());
        let template = "{wide_bar} {human_pos} of {human_len} tokens, {per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Ok(Self { begun: Instant::now(), bar, cancel })
    }
}

impl Watch for Screen {
    async fn progress(&mut self, done: usize, total: usize) -> ControlFlow<()> {
        if self.bar.is_hidden() && self.begun.elapsed() >= SILENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(done as u64);
        Asking(Arc::clone(&self.cancel)).progress(done, total).await
    }
}

/// Asks whether Ctrl-C has stopped what is measured.
struct Asking(Arc<AtomicBool>);

impl Watch for Asking {
    async fn progress(&mut self, _done: usize, _total: usize) -> ControlFlow<()> {
        if self.0.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn standard_input() -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let mut input = io::stdin().lock();
    if input.is_terminal() {
        // A hint only: without standard error the text is read all the same.
        let _ = writeln!(io::stderr(), "Type a text; end it with Ctrl-D (Windows: Ctrl-Z, Enter).");
    }
    input.read_to_end(&mut bytes).map_err(Failure::Input)?;
    let mut text = String::from_utf8(bytes)
        .map_err(|error| Failure::Encoding { at: error.utf8_error().valid_up_to() })?;
    // A byte order mark says how the text is written, and is none of it.
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    Ok(text)
}

/// `echo` and editors end a text with a newline that nobody typed.
fn strip_newline(text: &mut String) {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
}

fn print(
    out: &mut impl Write,
    text: &str,
    tokens: &[Token],
    Run { reading, device_reason }: &Run,
    skims: bool,
) -> Result<(), Failure> {
    if tokens.is_empty() {
        writeln!(out, "The text has no tokens; this is what the model says of nothing.")?;
    } else {
        print_text(out, text, tokens, reading, skims)?;
    }
    writeln!(out)?;
    if skims && !tokens.is_empty() {
        let skimmed = reading.tokens.iter().filter(|token| token.decision == Decision::Skim).count();
        write!(out, "{} of {} tokens ", count((tokens.len() - skimmed) as u64), count(tokens.len() as u64))?;
        writeln!(
            out,
            "{READ}read{READ:#}, {} {SKIMMED}(skimmed){SKIMMED:#}: skim rate {:.1} %",
            count(skimmed as u64),
            reading.skim_rate * 100.0
        )?;
    }
    let mut scores: Vec<_> = reading.scores.iter().collect();
    scores.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    scores.truncate(MOST_SCORES);
    let widest = scores.iter().map(|score| score.label.chars().count()).max().unwrap_or(0).min(40);
    for score in scores {
        let label = printable(&score.label).replace('\n', " ");
        let style = if score.label == reading.label { READ } else { Style::new() };
        writeln!(out, "{style}{label:widest$}{style:#}  {:5.1} %", score.probability * 100.0)?;
    }
    let flops = &reading.flops;
    writeln!(
        out,
        "{} FLOPs of {} ({:.2} times fewer)",
        count(flops.spent),
        count(flops.full),
        flops.reduction
    )?;
    let timing = &reading.timing;
    writeln!(
        out,
        "{}, {} a token: {}",
        duration(timing.total_ms),
        duration(timing.microseconds_per_token / 1e3),
        reasons::method(timing)
    )?;
    writeln!(out, "{}", reasons::reason(device_reason))?;
    Ok(out.flush()?)
}

fn print_steps(out: &mut impl Write, steps: &Steps) -> Result<(), Failure> {
    // A long text that took no longer than a short one tells of other work. Below this a cost would be printed as nothing.
    let cost = |us: f64| match us >= 0.05 {
        true => duration(us / 1e3),
        false => "(the machine is too busy to tell)".into(),
    };
    write!(out, "\n{} a token that is read", cost(steps.read_us))?;
    if let Some(skim_us) = steps.skim_us {
        write!(out, ", {} one that is skimmed", cost(skim_us))?;
    }
    writeln!(out, ": {} (the clock ticks every {:.3} µs)", reasons::replay(steps), steps.clock_us)?;
    for time in steps.kernels.iter().flatten() {
        let took = duration(time.nanoseconds as f64 / 1e6);
        writeln!(out, "{:24} {:>4} x {took:>9}", time.kernel, time.launches)?;
    }
    Ok(out.flush()?)
}

/// The text as it stands, tokens coloured, those that were skimmed in parentheses besides.
fn print_text(
    out: &mut impl Write,
    text: &str,
    tokens: &[Token],
    reading: &Reading,
    skims: bool,
) -> Result<(), Failure> {
    let mut end = 0;
    for (token, seen) in tokens.iter().zip(&reading.tokens) {
        let span = &token.span.bytes;
        let source = printable(&text[span.clone()]);
        write!(out, "{}", printable(&text[end..span.start]))?;
        match seen.decision {
            Decision::Skim => write!(out, "{SKIMMED}({source}){SKIMMED:#}")?,
            Decision::Read if skims => write!(out, "{READ}{source}{READ:#}")?,
            Decision::Read => write!(out, "{source}")?,
        }
        end = span.end;
    }
    Ok(writeln!(out, "{}", printable(&text[end..]))?)
}

#[cfg(test)]
mod tests {
    use saccade_rnn::runner::Replay;

    use super::*;

    #[test]
    fn a_cost_that_cannot_be_told_is_not_said_to_be_nothing() {
        let method = Replay { lengths: [128, 256], sample_ms: 20.0, samples: 3 };
        let printed = |read_us, skim_us| {
            let device = "cpu".to_owned();
            let steps =
                Steps { device, read_us, skim_us: Some(skim_us), clock_us: 0.03, method, kernels: None };
            let mut out = Vec::new();
            print_steps(&mut out, &steps).unwrap();
            String::from_utf8(out).unwrap()
        };
        let (told, lost) = (printed(9.0, 2.0), printed(0.0, 0.02));
        assert!(told.starts_with("\n9.0 µs a token that is read, 2.0 µs one that is skimmed: "), "{told}");
        assert_eq!(lost.matches("too busy to tell").count(), 2, "{lost}");
        assert!(!lost.contains("0.0 µs"), "{lost}");
    }
}
