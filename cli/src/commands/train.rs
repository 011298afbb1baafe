//! `saccade train`: a model from a config and data.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use saccade_rnn::train::{Evaluation, Position};
use serde_json::json;

use crate::config::Config;
use crate::device::Hardware;
use crate::failure::Failure;
use crate::interrupt;
use crate::output;
use crate::run::{self, Event, Job, Outcome};

/// Trains a model.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The run, as TOML (see `models/*.toml`).
    config: PathBuf,
    /// The folder that the config's data paths are below.
    #[arg(long, default_value = "data", env = "SACCADE_DATA")]
    data: PathBuf,
    /// The model file to write; the config's name with `.safetensors` if absent.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Another seed than the config's.
    #[arg(long)]
    seed: Option<u32>,
    /// Another cross-validation fold than the config's.
    #[arg(long)]
    fold: Option<usize>,
    /// A file to start from other than the config's `init`.
    #[arg(long)]
    init: Option<String>,
    /// Go on with an interrupted run.
    #[arg(long)]
    resume: bool,
    /// Where to compute.
    #[arg(long, value_enum, default_value = "cpu")]
    device: Hardware,
}

pub(crate) fn run(args: Arguments, json: bool) -> Result<(), Failure> {
    let bytes = std::fs::read(&args.config).map_err(Failure::file(&args.config))?;
    let mut config = parse(&bytes).map_err(|reason| Failure::Config { path: args.config.clone(), reason })?;
    // Paths of files to start from are relative to the config, so that a run can be started from anywhere.
    if let Some(init) = &mut config.train.init {
        let beside = args.config.parent().unwrap_or(Path::new("")).join(&*init);
        *init = beside.to_string_lossy().into_owned();
    }
    if let Some(init) = &args.init {
        config.train.init = Some(init.clone());
    }
    config.seed = args.seed.unwrap_or(config.seed);
    config.data.fold = args.fold.unwrap_or(config.data.fold);
    let out = args.out.clone().unwrap_or_else(|| args.config.with_extension("safetensors"));

    let cancel = Arc::new(AtomicBool::new(false));
    interrupt::sets(&cancel)?;
    let mut screen = Screen::new(json);
    let command = command(&args, &config);
    let job = Job { config: &config, data: &args.data, out: &out, resume: args.resume, command: &command };
    let show = |event| screen.show(event);
    let outcome = pollster::block_on(run::train(&args.device.device()?, job, &cancel, show));
    screen.clear();
    match outcome? {
        Outcome::Done { dev, test } => {
            screen.said?;
            if json {
                return output::json(&json!({ "done": { "out": out, "dev": dev, "test": test } }));
            }
            output::line(format_args!("dev   {}", figures(&dev)))?;
            if let Some(test) = test {
                output::line(format_args!("test  {}", figures(&test)))?;
            }
            output::line(format_args!("wrote {}", out.display()))
        }
        Outcome::Cancelled => {
            Err(Failure::Cancelled(format!("`--resume` goes on from the state beside {}", out.display())))
        }
    }
}

/// A config in TOML, or what is wrong with it, and in which line.
fn parse(bytes: &[u8]) -> Result<Config, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = 1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count();
        format!("line {line}: is not UTF-8: byte {at} of the file begins no character")
    })?;
    let text = text.trim_start_matches('\u{feff}');
    toml::from_str(text).map_err(|error| in_one_line(text, &error))
}

/// What is wrong with a config, and in which line.
fn in_one_line(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
    let prefix = line.map_or(String::new(), |line| format!("line {line}: "));
    format!("{prefix}{}", error.message().trim().replace('\n', " "))
}

/// The command as it is recorded in the model: enough to repeat the run, without this machine's folders.
fn command(args: &Arguments, config: &Config) -> String {
    let name = args.config.file_name().unwrap_or_default().to_string_lossy();
    let fold = if config.data.folds > 0 { format!(" --fold {}", config.data.fold) } else { String::new() };
    // The CPU's runs are reproducible to the byte; a GPU's depend on its rounding.
    let device = if args.device == Hardware::Gpu { " --device gpu" } else { "" };
    format!("saccade train {name} --seed {}{fold}{device}", config.seed)
}

fn figures(e: &Evaluation) -> String {
    let skim = if e.skim_rate > 0.0 {
        format!(", {:.1} % skimmed, {:.2} x fewer FLOPs", 100.0 * e.skim_rate, e.flop_reduction)
    } else {
        String::new()
    };
    format!("{:.2} % of {} right, loss {:.4}{skim}", 100.0 * e.accuracy, e.n, e.loss)
}

/// Progress on a terminal, or JSON lines.
struct Screen {
    json: bool,
    bar: ProgressBar,
    begun: Instant,
    /// Running means of the losses, the task's own first.
    losses: Vec<f32>,
    /// The first line that could not be written, after which no other is: a run goes on without its reader.
    said: Result<(), Failure>,
}

impl Screen {
    fn new(json: bool) -> Self {
        let bar = if json || !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(0)
        };
        let template = "{prefix} {wide_bar} {pos}/{len} steps, {per_sec}, {eta} left, {msg}";
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { json, bar, begun: Instant::now(), losses: Vec::new(), said: Ok(()) }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Loaded { texts: [train, dev, test], words, parameters, copied } => self.say(
                format!(
                    "{train} texts to learn from, {dev} to choose by, {test} to report on; {words} words, {parameters} \
                     weights; {} word vectors and {} tensors from init",
                    copied.0,
                    copied.1.len()
                ),
                json!({ "loaded": { "train": train, "dev": dev, "test": test, "words": words,
                                    "parameters": parameters, "words_copied": copied.0, "copied": copied.1 } }),
            ),
            Event::Epoch(Position { epoch, steps, done }) => {
                self.bar.set_prefix(format!("epoch {}", epoch + 1));
                self.bar.reset();
                self.bar.set_length(steps as u64);
                self.bar.set_position(done as u64);
            }
            Event::Step(losses) => {
                self.losses.resize(losses.len(), 0.0);
                let means = self.losses.iter_mut().zip(&losses).map(|(mean, loss)| {
                    *mean = if *mean == 0.0 { loss.value } else { *mean + 0.02 * (loss.value - *mean) };
                    format!("{} {mean:.3}", loss.name)
                });
                self.bar.set_message(means.collect::<Vec<_>>().join(", "));
                self.bar.inc(1);
            }
            Event::Evaluated { epoch, dev, kept } => {
                let seconds = self.begun.elapsed().as_secs_f64();
                let loss = self.losses.first().copied().unwrap_or_default();
                self.say(
                    format!(
                        "epoch {epoch:.2}  dev {}  (training loss {:.3}, {seconds:.0} s){}",
                        figures(&dev),
                        loss,
                        if kept { "  kept" } else { "" }
                    ),
                    json!({ "evaluated": { "epoch": epoch, "dev": dev, "kept": kept,
                                           "training_loss": loss, "seconds": seconds } }),
                );
            }
        }
    }

    fn say(&mut self, text: String, json: serde_json::Value) {
        if self.said.is_ok() {
            let write = || if self.json { output::json(&json) } else { output::line(text) };
            self.said = self.bar.suspend(write);
        }
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
