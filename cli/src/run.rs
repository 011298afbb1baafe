//! A training run from files to a file: the library's trainer, told what to do next until it is done or Ctrl-C. What a
//! task learns from and how its figures are said has a file of its own.

mod classify;
mod error;
mod parse;
mod predict;
mod tag;
mod tree;

use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use saccade_rnn::device::Device;
use saccade_rnn::model::{Model, ModelError};
use saccade_rnn::train::{
    Due, Evaluation, Finished, Loss, Objective, Position, Prepared, Settings, Source, Texts, TrainConfig,
    TrainError, Trainer, TransferError, Transferred, transfer,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::corpus::CorpusError;
use crate::files::{self, Lock};
pub use error::RunError;

/// A config of a run, by which a task is learned.
pub trait Recipe: Settings<Task: Objective<Score: Figures>> {
    /// The files that the run reads, but for its config.
    fn inputs(&self, folders: Folders<'_>) -> Vec<PathBuf> {
        let TrainConfig { init, distill, .. } = self.run().train;
        let teacher = distill.map(|distill| distill.teacher);
        let models = [init, teacher].into_iter().flatten().map(|path| folders.models.join(path));
        models.chain(self.texts(folders)).collect()
    }

    /// Those of them that hold texts, or make trees of them.
    fn texts(&self, folders: Folders<'_>) -> Vec<PathBuf>;

    /// Reads the texts and draws the model. `more_words` are those of a model to start from; `command` is recorded.
    ///
    /// # Errors
    /// If the texts cannot be had or the config makes no model.
    fn read(
        &self,
        folders: Folders<'_>,
        more_words: &[String],
        command: &str,
    ) -> Result<Prepared<Self::Task>, RunError>;

    /// Has the run's teacher, if it has one, score the texts to learn from, until `go_on` returns false.
    ///
    /// # Errors
    /// If the teacher's file cannot be read, or it cannot teach this model.
    fn teach(
        &self,
        _folders: Folders<'_>,
        _device: &Device,
        _prepared: &mut Prepared<Self::Task>,
        _go_on: impl FnMut(usize) -> bool,
    ) -> impl Future<Output = Result<(), RunError>> {
        async { Ok(()) }
    }
}

/// What three files hold, of which the first is read already, with its path; `number` has it as the trainer wants it.
fn texts<S, T>(
    train: (S, PathBuf),
    dev: &PathBuf,
    test: Option<&PathBuf>,
    read: impl Fn(&PathBuf) -> Result<(S, PathBuf), CorpusError>,
    number: impl Fn(&S, &Path) -> Result<Vec<T>, CorpusError>,
) -> Result<Texts<T>, CorpusError> {
    let numbered = |(all, path): (S, PathBuf)| number(&all, &path);
    let test = test.map(&read).transpose()?;
    Ok(Texts {
        train: numbered(train)?,
        dev: numbered(read(dev)?)?,
        test: test.map(numbered).transpose()?.unwrap_or_default(),
    })
}

/// Figures of a task, for people and for programs.
pub trait Figures: Clone + Serialize {
    /// For people, in a line.
    fn in_words(&self) -> String;

    /// For programs.
    fn json(&self) -> Value {
        json!(self)
    }

    /// What a loss of a step is, for people.
    fn of_loss(name: &str, loss: f32) -> String {
        format!("{name} {loss:.3}")
    }
}

/// What a run tells while it goes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event<S = Evaluation> {
    /// A teacher has scored some of the texts to learn from.
    Taught {
        /// How many.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// The data are read.
    Loaded {
        /// Texts to learn from, choose by, report on.
        texts: [usize; 3],
        /// Words.
        words: usize,
        /// Weights.
        parameters: usize,
        /// What `init` gave, if there is one.
        init: Option<Transferred>,
    },
    /// An epoch begins, or goes on after an interruption.
    Epoch(Position),
    /// A step is done.
    Step {
        /// The losses, the task's own first.
        losses: Vec<Loss>,
        /// Words that were learned from.
        words: usize,
    },
    /// An evaluation is done.
    Evaluated {
        /// Epochs so far, with fraction.
        epoch: f64,
        /// On the development texts.
        dev: S,
        /// Whether this model is kept.
        kept: bool,
    },
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Outcome<S = Evaluation> {
    /// The model is in the file, with these figures (of the model as stored).
    Done {
        /// On the development texts.
        dev: S,
        /// On the test texts.
        test: Option<S>,
    },
    /// Stopped by the cancel flag; `resume` goes on.
    Cancelled,
}

/// Where the files are that a config names.
#[derive(Clone, Copy, Debug)]
pub struct Folders<'a> {
    /// What the paths of texts are below.
    pub data: &'a Path,
    /// What the paths of other models are below.
    pub models: &'a Path,
}

/// What to train, from what, and where to.
#[derive(Debug)]
pub struct Job<'a, C> {
    /// The run.
    pub config: &'a C,
    /// Where its files are.
    pub folders: Folders<'a>,
    /// The model file to write.
    pub out: &'a Path,
    /// Whether an interrupted run is to go on.
    pub resume: bool,
    /// What is recorded in the file as the command that made it. An interrupted run goes on by the same.
    pub command: &'a str,
}

/// Trains a model on a device. The best model so far is in the file at every moment, to which no other run may write; beside
/// it, after `cancel` or where the file cannot be written, lies the state from which the run goes on.
///
/// # Errors
/// See [`RunError`]. The file of an earlier evaluation stays.
pub async fn train<C: Recipe>(
    device: &Device,
    job: Job<'_, C>,
    cancel: &AtomicBool,
    mut on_event: impl FnMut(Event<Score<C::Task>>),
) -> Result<Outcome<Score<C::Task>>, RunError> {
    job.config.validate()?;
    files::check_writable(job.out)?;
    let Some(_lock) = Lock::of(job.out)? else { return Err(RunError::Busy(job.out.to_owned())) };
    let state = state_beside(job.out);
    if !job.resume && state.exists() {
        return Err(RunError::Interrupted(state));
    }
    let cancelled = || cancel.load(Ordering::Relaxed);
    let mut run = Run::load(device, &job, cancelled, &mut on_event).await?;
    if job.resume {
        run.restore()?;
    }
    let outcome = match run.drive(cancelled, &mut on_event).await {
        Err(RunError::File(source)) => {
            // Without the model that it kept no run goes on.
            if source.wanted == "read" {
                return Err(RunError::File(source));
            }
            let state = run.state.clone();
            return Err(match run.save().await {
                Ok(()) => RunError::Broken { source, state },
                Err(_) => RunError::Lost { source, state },
            });
        }
        outcome => outcome?,
    };
    match outcome {
        Outcome::Done { .. } => files::remove(&run.state)?,
        Outcome::Cancelled => run.save().await?,
    }
    Ok(outcome)
}

type Score<O> = <O as Objective>::Score;

/// The file of the state from which a run goes on that is interrupted.
fn state_beside(model: &Path) -> PathBuf {
    let mut state = model.as_os_str().to_owned();
    state.push(".state");
    state.into()
}

struct Run<'a, O: Objective> {
    trainer: Trainer<O>,
    /// The command, and the config as JSON: what the model's bytes hang on besides the texts, so that no other run goes on
    /// from the state.
    name: String,
    out: &'a Path,
    /// The file of the state.
    state: PathBuf,
    /// The digest of the model that an evaluation has kept, if this run has seen it.
    kept: Option<u64>,
}

impl<'a, O: Objective> Run<'a, O> {
    /// Reads the texts and prepares the model.
    async fn load<C: Recipe<Task = O>>(
        device: &Device,
        job: &Job<'a, C>,
        cancelled: impl Fn() -> bool,
        on_event: &mut impl FnMut(Event<O::Score>),
    ) -> Result<Self, RunError> {
        let &Job { config, folders, command, .. } = job;
        let read = |path| Init::read(folders.models.join(path));
        let init = config.run().train.init.map(read).transpose()?;
        let more_words = init.as_ref().map_or(&[][..], |init| init.source.words());
        let mut prepared = config.read(folders, more_words, command)?;
        let of = prepared.texts.train.len();
        let taught = |done| {
            on_event(Event::Taught { done, of });
            !cancelled()
        };
        config.teach(folders, device, &mut prepared, taught).await?;
        let Prepared { mut model, texts } = prepared;
        let init = match &init {
            Some(Init { path, source }) => {
                Some(transfer(&mut model, source).await.map_err(init_error(path))?)
            }
            None => None,
        };
        let loaded = Event::Loaded {
            texts: [texts.train.len(), texts.dev.len(), texts.test.len()],
            words: model.vocabulary().len(),
            parameters: model.parameters().iter().map(|(_, p)| p.values.len()).sum(),
            init,
        };
        let json = serde_json::to_string(config)
            .map_err(|error| ModelError::ConfigSyntax { reason: error.to_string() })?;
        let trainer = Trainer::new(device, model, config.objective()?, texts, config.run());
        let trainer = trainer.map_err(RunError::Train)?;
        on_event(loaded);
        let name = format!("{command}\n{json}");
        Ok(Self { trainer, name, out: job.out, state: state_beside(job.out), kept: None })
    }

    /// Does what is due until nothing is.
    async fn drive(
        &mut self,
        cancelled: impl Fn() -> bool,
        on_event: &mut impl FnMut(Event<O::Score>),
    ) -> Result<Outcome<O::Score>, RunError> {
        let go_on = |_: usize| !cancelled();
        let mut epoch = None;
        loop {
            match self.trainer.due() {
                Due::Step => {
                    if cancelled() {
                        return Ok(Outcome::Cancelled);
                    }
                    let position = self.trainer.position();
                    if epoch.replace(position.epoch) != Some(position.epoch) {
                        on_event(Event::Epoch(position));
                    }
                    let words = self.trainer.words();
                    let losses = self.trainer.step().await.map_err(|error| self.stopped(error))?;
                    on_event(Event::Step { losses, words });
                }
                Due::Evaluation => {
                    let evaluated =
                        self.trainer.evaluate(go_on).await.map_err(|error| self.stopped(error))?;
                    let Some(evaluated) = evaluated else { return Ok(Outcome::Cancelled) };
                    if let Some(model) = &evaluated.kept {
                        if let Err(error) = files::write_whole(self.out, model) {
                            self.trainer.take_back_evaluation();
                            return Err(error.into());
                        }
                        self.kept = Some(digest(model));
                    }
                    let kept = evaluated.kept.is_some();
                    on_event(Event::Evaluated { epoch: evaluated.epoch, dev: evaluated.score, kept });
                }
                Due::Finish => {
                    let kept = self.kept()?;
                    let finished = self.trainer.finish(&kept, go_on).await.map_err(RunError::Train)?;
                    let Some(Finished { model, dev, test }) = finished else {
                        return Ok(Outcome::Cancelled);
                    };
                    files::write_whole(self.out, &model)?;
                    return Ok(Outcome::Done { dev, test });
                }
            }
        }
    }

    fn stopped(&self, source: TrainError) -> RunError {
        match source {
            TrainError::NotFinite { .. } if self.trainer.has_kept() => {
                RunError::NotFinite { source, kept: self.out.to_owned() }
            }
            other => RunError::Train(other),
        }
    }

    /// Goes on where a run was interrupted.
    fn restore(&mut self) -> Result<(), RunError> {
        if !self.state.exists() {
            return Err(RunError::NothingToResume(self.state.clone()));
        }
        let bytes = files::read(&self.state)?;
        self.trainer.restore(&bytes, &self.name).map_err(|source| match source {
            TrainError::OtherRun => RunError::OtherRun(self.state.clone()),
            source => RunError::State { path: self.state.clone(), source },
        })?;
        if self.trainer.has_kept() {
            self.kept = Some(digest(&self.kept()?));
        }
        Ok(())
    }

    /// The model that an evaluation has kept. It may be a later one than that of a state: a run that went on may have ended
    /// without a new state.
    fn kept(&self) -> Result<Vec<u8>, RunError> {
        let bytes = files::read(self.out)?;
        let kept = Model::from_bytes(&bytes);
        let kept = kept.map_err(|source| RunError::Kept { path: self.out.to_owned(), source })?;
        let mut config = kept.config().clone();
        config.training.figures.clear();
        let is_other = self.kept.is_some_and(|kept| kept != digest(&bytes));
        if is_other || config != *self.trainer.model().config() {
            return Err(RunError::OtherModel(self.out.to_owned()));
        }
        Ok(bytes)
    }

    /// Keeps what an interrupted run goes on from.
    async fn save(&mut self) -> Result<(), RunError> {
        let snapshot = self.trainer.snapshot(&self.name).await;
        let bytes = snapshot.map_err(|source| RunError::State { path: self.state.clone(), source })?;
        Ok(files::write_whole(&self.state, &bytes)?)
    }
}

/// Tells the bytes of one model from those of another.
fn digest(model: &[u8]) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(model)
}

/// What a model is started from, and the file that holds it.
struct Init {
    path: PathBuf,
    source: Source,
}

impl Init {
    fn read(path: PathBuf) -> Result<Self, RunError> {
        let source = Source::from_bytes(&files::read(&path)?).map_err(init_error(&path))?;
        Ok(Self { path, source })
    }
}

fn init_error(path: &Path) -> impl FnOnce(TransferError) -> RunError {
    move |source| RunError::Init { path: path.to_owned(), source }
}
