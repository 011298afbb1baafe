//! A training run from files to a file: the library's trainer, told what to do next until it is done or Ctrl-C.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use saccade_rnn::device::Device;
use saccade_rnn::model::{self, Classification, FreshOptions, Model, ModelError, Task};
use saccade_rnn::train::{
    Classify, ConfigError, Due, Evaluation, Finished, Loss, Position, Source, TrainError, Trainer,
    TransferError, transfer,
};

use crate::config::Config;
use crate::corpus::{Corpus, CorpusError};
use crate::files::{self, FileError};

/// Why a run ended without a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The model to start from.
    #[error("{}: {source}", .path.display())]
    Init {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TransferError,
    },
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// A state file is none.
    #[error("{}: {source}", .path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// Why.
        source: TrainError,
    },
    /// There is no state file.
    #[error("there is no interrupted run to go on with: {} does not exist", .0.display())]
    NothingToResume(PathBuf),
    /// A state file is another run's.
    #[error("{}: it belongs to a run with another config; remove it, or run that config", .0.display())]
    OtherRun(PathBuf),
    /// The loss or a gradient is no number.
    #[error("{source}; the last good model is kept in {}", .kept.display())]
    NotFinite {
        /// What is no number, and when.
        source: TrainError,
        /// The model file, if an evaluation has written one.
        kept: PathBuf,
    },
    /// Anything else that stops the trainer.
    #[error(transparent)]
    Train(TrainError),
}

/// What a run tells while it goes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The data are read.
    Loaded {
        /// Texts to learn from, choose by, report on.
        texts: [usize; 3],
        /// Words.
        words: usize,
        /// Weights.
        parameters: usize,
        /// Words and tensors copied from `init`.
        copied: (usize, Vec<String>),
    },
    /// An epoch begins, or goes on after an interruption.
    Epoch(Position),
    /// A step is done, with these losses.
    Step(Vec<Loss>),
    /// An evaluation is done.
    Evaluated {
        /// Epochs so far, with fraction.
        epoch: f64,
        /// On the development texts.
        dev: Evaluation,
        /// Whether this model is kept.
        kept: bool,
    },
}

/// How a run ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The model is in the file, with these figures (of the model as stored).
    Done {
        /// On the development texts.
        dev: Evaluation,
        /// On the test texts.
        test: Option<Evaluation>,
    },
    /// Stopped by the cancel flag; `resume` goes on.
    Cancelled,
}

/// What to train, from what, and where to.
#[derive(Clone, Copy, Debug)]
pub struct Job<'a> {
    /// The run.
    pub config: &'a Config,
    /// The folder that the config's data paths are below.
    pub data: &'a Path,
    /// The model file to write.
    pub out: &'a Path,
    /// Whether an interrupted run is to go on.
    pub resume: bool,
    /// What is recorded in the file as the command that made it.
    pub command: &'a str,
}

/// Trains a model on a device. The best model so far is in the file at every moment; beside it, after `cancel`, lies the
/// state from which the run goes on.
///
/// # Errors
/// See [`RunError`]. The file of an earlier evaluation stays.
pub async fn train(
    device: &Device,
    job: Job<'_>,
    cancel: &AtomicBool,
    mut on_event: impl FnMut(Event),
) -> Result<Outcome, RunError> {
    job.config.validate()?;
    files::check_writable(job.out)?;
    let mut run = Run::load(device, job, &mut on_event)?;
    if job.resume {
        run.restore()?;
    }
    let cancelled = || cancel.load(Ordering::Relaxed);
    let outcome = run.drive(cancelled, &mut on_event).await?;
    match outcome {
        Outcome::Done { .. } => files::remove(&run.state)?,
        Outcome::Cancelled => run.save().await?,
    }
    Ok(outcome)
}

struct Run<'a> {
    trainer: Trainer<Classify>,
    /// The config as JSON, so that another config cannot go on from the state.
    config: String,
    out: &'a Path,
    /// The file of the state.
    state: PathBuf,
}

impl<'a> Run<'a> {
    /// Reads the texts and prepares the model.
    fn load(device: &Device, job: Job<'a>, on_event: &mut impl FnMut(Event)) -> Result<Self, RunError> {
        let config = job.config;
        let init = config.train.init.as_ref().map(Init::read).transpose()?;
        let more_words = init.as_ref().map_or(&[][..], |init| &init.source.words);
        let corpus = Corpus::load(&config.data, job.data, more_words)?;
        let mut model = fresh(config, &corpus, job.command)?;
        let copied = match &init {
            Some(Init { path, source }) => transfer(&mut model, source).map_err(init_error(path))?,
            None => (0, Vec::new()),
        };
        let Corpus { texts, vocabulary, .. } = corpus;
        on_event(Event::Loaded {
            texts: [texts.train.len(), texts.dev.len(), texts.test.len()],
            words: vocabulary.len(),
            parameters: model.parameters().iter().map(|(_, p)| p.values.len()).sum(),
            copied,
        });
        let json = serde_json::to_string(config)
            .map_err(|error| ModelError::ConfigSyntax { reason: error.to_string() })?;
        let trainer = Trainer::new(device, model, config.objective()?, texts, config.run());
        let mut state = job.out.as_os_str().to_owned();
        state.push(".state");
        Ok(Self {
            trainer: trainer.map_err(RunError::Train)?,
            config: json,
            out: job.out,
            state: state.into(),
        })
    }

    /// Does what is due until nothing is.
    async fn drive(
        &mut self,
        cancelled: impl Fn() -> bool,
        on_event: &mut impl FnMut(Event),
    ) -> Result<Outcome, RunError> {
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
                    on_event(Event::Step(self.trainer.step().await.map_err(|error| self.stopped(error))?));
                }
                Due::Evaluation => {
                    let evaluated = self.trainer.evaluate(go_on).await.map_err(RunError::Train)?;
                    let Some(evaluated) = evaluated else { return Ok(Outcome::Cancelled) };
                    if let Some(model) = &evaluated.kept {
                        files::write_whole(self.out, model)?;
                    }
                    let kept = evaluated.kept.is_some();
                    on_event(Event::Evaluated { epoch: evaluated.epoch, dev: evaluated.score, kept });
                }
                Due::Finish => {
                    let kept = files::read(self.out)?;
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
            TrainError::NotFinite { .. } => RunError::NotFinite { source, kept: self.out.to_owned() },
            other => RunError::Train(other),
        }
    }

    /// Goes on where a run was interrupted.
    fn restore(&mut self) -> Result<(), RunError> {
        if !self.state.exists() {
            return Err(RunError::NothingToResume(self.state.clone()));
        }
        let bytes = files::read(&self.state)?;
        self.trainer.restore(&bytes, &self.config).map_err(|source| match source {
            TrainError::OtherRun => RunError::OtherRun(self.state.clone()),
            source => RunError::State { path: self.state.clone(), source },
        })
    }

    /// Keeps what an interrupted run goes on from.
    async fn save(&mut self) -> Result<(), RunError> {
        let snapshot = self.trainer.snapshot(&self.config).await;
        let bytes = snapshot.map_err(|source| RunError::State { path: self.state.clone(), source })?;
        Ok(files::write_whole(&self.state, &bytes)?)
    }
}

/// What a model is started from, and the file that holds it.
struct Init {
    path: PathBuf,
    source: Source,
}

impl Init {
    fn read(path: impl AsRef<Path>) -> Result<Self, RunError> {
        let path = path.as_ref();
        let source = Source::from_bytes(&files::read(path)?).map_err(init_error(path))?;
        Ok(Self { path: path.to_owned(), source })
    }
}

fn init_error(path: &Path) -> impl FnOnce(TransferError) -> RunError {
    move |source| RunError::Init { path: path.to_owned(), source }
}

/// The model that a config describes, untrained.
fn fresh(config: &Config, corpus: &Corpus, command: &str) -> Result<Model, ModelError> {
    let options =
        FreshOptions { forget_bias: config.model.forget_bias, highway_bias: config.model.highway_bias };
    let model_config = model::Config {
        format: model::FORMAT,
        task: Task::Classify(Classification {
            labels: corpus.labels.clone(),
            data_labels: if corpus.data_labels == corpus.labels {
                Vec::new()
            } else {
                corpus.data_labels.clone()
            },
            pool: config.model.pool,
        }),
        tokenizer: config.data.tokenizer,
        vocabulary: corpus.vocabulary.words().to_vec(),
        embedding_size: config.model.embedding_size,
        encoder: config.model.encoder.clone(),
        threshold: config.train.skim.map(|_| model::DEFAULT_THRESHOLD),
        training: model::Training {
            command: Some(command.to_owned()),
            seed: Some(u64::from(config.seed)),
            data_set: Some(config.data.name.clone()),
            licence: config.data.licence.clone(),
            ..model::Training::default()
        },
    };
    Model::fresh(model_config, config.train.dropouts(), options, config.seed)
}
