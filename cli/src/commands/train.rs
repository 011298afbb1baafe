//! `saccade train`: a model from a config and data.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use saccade_rnn::train::{Kept, Loss, Position, Taken, TrainConfig, Transferred};
use serde_json::json;

use super::check_apart;
use crate::config::AnyConfig;
use crate::device::{Hardware, threads};
use crate::failure::Failure;
use crate::interrupt;
use crate::output;
use crate::run::{self, Event, Figures, Folders, Job, Outcome, Recipe};

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
    /// How many threads of the processor learn from a minibatch together, a part each, and share the texts that are scored. A run
    /// gives the same bytes again with the same number.
    #[arg(long, value_name = "COUNT", default_value = "1", value_parser = threads)]
    threads: NonZeroUsize,
}

pub(crate) fn run(args: &Arguments, json: bool) -> Result<(), Failure> {
    let bytes = std::fs::read(&args.config).map_err(Failure::file(&args.config))?;
    let config = parse(&bytes).map_err(|reason| Failure::Config { path: args.config.clone(), reason })?;
    match config {
        AnyConfig::Classify(mut config) => {
            args.change(&mut config.train, &mut config.seed)?;
            config.data.fold = args.fold.unwrap_or(config.data.fold);
            let folds = config.data.folds > 0;
            if args.fold.is_some() && !folds {
                return Err(Failure::Option { option: "--fold", reason: "the config has no folds" });
            }
            let fold = if folds { format!(" --fold {}", config.data.fold) } else { String::new() };
            train(args, &config, &args.command(config.seed, &fold), json)
        }
        AnyConfig::Predict(mut config) => {
            if args.fold.is_some() {
                let reason = "a language model has no folds: its config names its development text";
                return Err(Failure::Option { option: "--fold", reason });
            }
            args.change(&mut config.train, &mut config.seed)?;
            train(args, &config, &args.command(config.seed, ""), json)
        }
        AnyConfig::Tag(mut config) => {
            if args.fold.is_some() {
                let reason = "a tagger has no folds: its config names its development text";
                return Err(Failure::Option { option: "--fold", reason });
            }
            args.change(&mut config.train, &mut config.seed)?;
            train(args, &config, &args.command(config.seed, ""), json)
        }
        AnyConfig::Parse(mut config) => {
            if args.fold.is_some() {
                let reason = "a parser has no folds: its config names its development text";
                return Err(Failure::Option { option: "--fold", reason });
            }
            args.change(&mut config.train, &mut config.seed)?;
            train(args, &config, &args.command(config.seed, ""), json)
        }
        AnyConfig::Tree(mut config) => {
            if args.fold.is_some() {
                let reason = "a tree classifier has no folds: its config names its development trees";
                return Err(Failure::Option { option: "--fold", reason });
            }
            args.change(&mut config.train, &mut config.seed)?;
            train(args, &config, &args.command(config.seed, ""), json)
        }
    }
}

fn train<C: Recipe>(args: &Arguments, config: &C, command: &str, json: bool) -> Result<(), Failure> {
    let out = args.out.clone().unwrap_or_else(|| args.config.with_extension("safetensors"));
    // So that a run can be started from anywhere, and go on from anywhere else.
    let models = args.config.parent().unwrap_or(Path::new(""));
    let folders = Folders { data: &args.data, models };
    check_apart(&out, config.inputs(folders).iter().chain([&args.config]))?;
    let cancel = Arc::new(AtomicBool::new(false));
    interrupt::sets(&cancel)?;
    let mut screen = Screen::new(json);
    let job = Job { config, folders, out: &out, resume: args.resume, command };
    let show = |event| screen.show(event);
    let outcome = pollster::block_on(run::train(&args.device.device(args.threads)?, job, &cancel, show));
    screen.clear();
    match outcome? {
        Outcome::Done { dev, test } => {
            screen.said?;
            if json {
                let [dev, test] = [Some(dev), test].map(|figures| figures.map(|figures| figures.json()));
                let out = out.display().to_string();
                return output::json(&json!({ "done": { "out": out, "dev": dev, "test": test } }));
            }
            output::line(format_args!("dev   {}", dev.in_words()))?;
            if let Some(test) = test {
                output::line(format_args!("test  {}", test.in_words()))?;
            }
            output::line(format_args!("wrote {}", out.display()))
        }
        Outcome::Cancelled => {
            Err(Failure::Cancelled(format!("`--resume` goes on from the state beside {}", out.display())))
        }
    }
}

impl Arguments {
    /// Changes what the arguments say otherwise than the config.
    fn change(&self, train: &mut TrainConfig, seed: &mut u32) -> Result<(), Failure> {
        if let Some(init) = &self.init {
            // Not beside the config, as the path that it names itself would be.
            let path = std::path::absolute(init).map_err(Failure::file(init.as_ref()))?;
            let reason = "the path of this folder is not UTF-8, as a config is";
            let path = path.into_os_string().into_string();
            train.init = Some(path.map_err(|_| Failure::Option { option: "--init", reason })?);
        }
        *seed = self.seed.unwrap_or(*seed);
        Ok(())
    }

    /// The command as it is recorded in the model: enough to repeat the run, without this machine's folders.
    fn command(&self, seed: u32, options: &str) -> String {
        let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let init = self.init.as_ref().map(|init| format!(" --init {}", name(init.as_ref())));
        // The CPU's runs are reproducible to the byte by as many threads; a GPU's depend on its rounding.
        let device = match (self.device, self.threads) {
            (Hardware::Gpu, _) => " --device gpu".into(),
            (Hardware::Cpu, NonZeroUsize::MIN) => String::new(),
            (Hardware::Cpu, threads) => format!(" --threads {threads}"),
        };
        let (config, init) = (name(&self.config), init.unwrap_or_default());
        format!("saccade train {config} --seed {seed}{options}{init}{device}")
    }
}

/// A config in TOML, or what is wrong with it, and in which line.
fn parse(bytes: &[u8]) -> Result<AnyConfig, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = 1 + bytes[..at].iter().filter(|&&byte| byte == b'\n').count();
        format!("line {line}: is not UTF-8: byte {at} of the file begins no character")
    })?;
    let text = text.trim_start_matches('\u{feff}');
    AnyConfig::parse(text).map_err(|error| in_one_line(text, &error))
}

/// What is wrong with a config, and in which line.
fn in_one_line(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
    let prefix = line.map_or(String::new(), |line| format!("line {line}: "));
    format!("{prefix}{}", error.message().trim().replace('\n', " "))
}

/// What a model took from the file that it starts from, and what it did not, in three lines at most.
fn in_words(init: &Transferred) -> String {
    let taken = init.taken.iter().map(|Taken { name, rows, of }| match rows == of {
        true => name.clone(),
        false => format!("{rows} of {of} rows of {name}"),
    });
    let kept = init.kept.iter().map(Kept::to_string);
    let lists = [
        ("taken from init", taken.collect::<Vec<_>>()),
        ("drawn afresh", kept.collect()),
        ("not used of init", init.unused.clone()),
    ];
    let lines = lists.iter().filter(|(_, list)| !list.is_empty());
    lines.map(|(what, list)| format!("{what}: {}", list.join(", "))).collect::<Vec<_>>().join("\n")
}

fn speed(rate: f64) -> String {
    format!("{rate:.0} words/s")
}

/// Progress on a terminal, or JSON lines.
struct Screen {
    json: bool,
    bar: ProgressBar,
    begun: Instant,
    /// Running means of the losses, by their names: not every batch has all.
    losses: BTreeMap<&'static str, f32>,
    /// Words that were learned from, and how long that took.
    learned: (usize, Duration),
    /// When the last event was.
    last: Instant,
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
        let now = Instant::now();
        let learned = (0, Duration::ZERO);
        Self { json, bar, begun: now, losses: BTreeMap::new(), learned, last: now, said: Ok(()) }
    }

    fn show<S: Figures>(&mut self, event: Event<S>) {
        match event {
            Event::Taught { done, of } => {
                self.bar.set_prefix("the teacher reads");
                self.bar.set_length(of as u64);
                self.bar.set_position(done as u64);
            }
            Event::Loaded { texts: [train, dev, test], words, parameters, init } => {
                let said = format!(
                    "{train} texts to learn from, {dev} to choose by, {test} to report on; {words} words, {parameters} \
                     weights"
                );
                let told = init.as_ref().map(|init| format!("\n{}", in_words(init))).unwrap_or_default();
                let json = json!({ "train": train, "dev": dev, "test": test, "words": words,
                                   "parameters": parameters, "init": init });
                self.say(said + &told, json!({ "loaded": json }));
            }
            Event::Epoch(Position { epoch, steps, done }) => {
                self.bar.set_prefix(format!("epoch {}", epoch + 1));
                self.bar.reset();
                self.bar.set_length(steps as u64);
                self.bar.set_position(done as u64);
            }
            Event::Step { losses, words } => {
                self.learned.0 += words;
                self.learned.1 += self.last.elapsed();
                let means = losses.iter().map(|&Loss { name, value }| {
                    let mean = self.losses.entry(name).or_insert(value);
                    *mean += 0.02 * (value - *mean);
                    S::of_loss(name, *mean)
                });
                let mut said: Vec<String> = means.collect();
                said.extend(self.rate().map(speed));
                self.bar.set_message(said.join(", "));
                self.bar.inc(1);
            }
            Event::Evaluated { epoch, dev, kept } => {
                let (seconds, rate) = (self.begun.elapsed().as_secs_f64(), self.rate());
                let loss = self.losses.get("loss").copied();
                let training = loss.map(|loss| format!("training {}", S::of_loss("loss", loss)));
                let said = [training, rate.map(speed), Some(format!("{seconds:.0} s"))];
                let said = said.into_iter().flatten().collect::<Vec<_>>().join(", ");
                self.say(
                    format!(
                        "epoch {epoch:.2}  dev {}  ({said}){}",
                        dev.in_words(),
                        if kept { "  kept" } else { "" }
                    ),
                    json!({ "evaluated": { "epoch": epoch, "dev": dev.json(), "kept": kept, "training_loss": loss,
                                           "words_per_second": rate, "seconds": seconds } }),
                );
            }
        }
        self.last = Instant::now();
    }

    /// Words learned from a second; none before the first step.
    fn rate(&self) -> Option<f64> {
        let (words, time) = self.learned;
        (words > 0).then(|| words as f64 / time.as_secs_f64().max(1e-9))
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
