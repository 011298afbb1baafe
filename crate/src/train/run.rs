//! The training loop.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use super::batches::{batches, epoch_items};
use super::config::{Config, ConfigError, Schedule, StorageName};
use super::corpus::{Corpus, CorpusError, Item};
use super::evaluate::{Evaluation, evaluate};
use super::optimizer::{Adam, AdamConfig, Touched};
use super::state::{self, Best, Progress, StateError};
use super::transfer::{Source, TransferError, transfer};
use crate::cpu::noise;
use crate::device::{Device, EngineError};
use crate::graph::{Gradients, Graph, Strategy};
use crate::model::{self, Classification, Dropouts, FreshOptions, Model, ModelError, Storage, Task};
use crate::nn::SkimControl;

/// Why a run ended without a model.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The config.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The model to start from.
    #[error(transparent)]
    Transfer(#[from] TransferError),
    /// The model.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The engine.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The state file.
    #[error(transparent)]
    State(#[from] StateError),
    /// The loss or a gradient is no number.
    #[error(
        "the {what} is {value} at step {step} (epoch {epoch}); the last good model is kept in {}; a lower \
         learning_rate or clip may help",
        .kept.display()
    )]
    NotFinite {
        /// `loss` or `gradient norm`.
        what: &'static str,
        /// Its value.
        value: f32,
        /// Optimiser step.
        step: u64,
        /// Epoch.
        epoch: usize,
        /// The model file, if an evaluation has written one.
        kept: PathBuf,
    },
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
    /// An epoch begins.
    Epoch {
        /// From 0.
        epoch: usize,
        /// Optimiser steps in it.
        steps: usize,
        /// Steps of it that are done (after a resumption).
        done: usize,
    },
    /// A step is done.
    Step {
        /// Cross entropy.
        loss: f32,
        /// `1/T Σ -log p_skim`, of models that skim.
        skim_loss: Option<f32>,
    },
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

/// Trains a model on a device, on which weights, gradients and the optimiser's state stay from step to step.
///
/// # Errors
/// See [`TrainError`]. The file of an earlier evaluation stays.
pub async fn train(
    device: &Device,
    job: Job<'_>,
    cancel: &AtomicBool,
    mut on_event: impl FnMut(Event),
) -> Result<Outcome, TrainError> {
    let config = job.config;
    config.validate()?;
    let init = config.train.init.as_deref().map(Source::read).transpose()?;
    let more_words = init.as_ref().map_or(&[][..], |source| &source.words);
    let corpus = Corpus::load(&config.data, job.data, more_words)?;
    let (mut model, dropouts) = fresh(config, &corpus, job.command)?;
    let copied = match &init {
        Some(source) => transfer(&mut model, source)?,
        None => (0, Vec::new()),
    };
    on_event(Event::Loaded {
        texts: [corpus.train.len(), corpus.dev.len(), corpus.test.len()],
        words: corpus.vocabulary.len(),
        parameters: model.parameters().iter().map(|(_, p)| p.values.len()).sum(),
        copied,
    });
    let state_path = state::path_for(job.out);
    let mut run = Run::new(device, config, &corpus, job.out, model, dropouts)?;
    if job.resume {
        run.restore(&state_path)?;
    }
    while run.progress.epoch < config.train.epochs && !run.is_stale() {
        if !run.epoch(cancel, &mut on_event).await? {
            run.save(&state_path).await?;
            return Ok(Outcome::Cancelled);
        }
    }
    let outcome = run.finish(cancel).await?;
    if matches!(outcome, Outcome::Done { .. }) && state_path.exists() {
        std::fs::remove_file(&state_path).map_err(|source| StateError::Io { path: state_path, source })?;
    }
    Ok(outcome)
}

/// The model that a config describes, untrained.
fn fresh(config: &Config, corpus: &Corpus, command: &str) -> Result<(Model, Dropouts), ModelError> {
    let t = &config.train;
    let dropouts = Dropouts {
        embedding: t.dropout_embedding,
        embedding_per_sequence: t.dropout_per_sequence,
        encoder: t.dropout_encoder,
        head: t.dropout_head,
    };
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
        threshold: t.skim.map(|_| model::DEFAULT_THRESHOLD),
        training: model::Training {
            command: Some(command.to_owned()),
            seed: Some(u64::from(config.seed)),
            data_set: Some(config.data.name.clone()),
            licence: config.data.licence.clone(),
            ..model::Training::default()
        },
    };
    Ok((Model::fresh(model_config, dropouts, options, config.seed)?, dropouts))
}

struct Run<'a> {
    device: &'a Device,
    config: &'a Config,
    corpus: &'a Corpus,
    out: &'a Path,
    /// Its weights on the host may lie behind those on the device: see [`Device::fetch`].
    model: Model,
    dropouts: Dropouts,
    adam: Adam,
    gradients: Gradients,
    progress: Progress,
}

impl<'a> Run<'a> {
    fn new(
        device: &'a Device,
        config: &'a Config,
        corpus: &'a Corpus,
        out: &'a Path,
        model: Model,
        dropouts: Dropouts,
    ) -> Result<Self, TrainError> {
        let json = serde_json::to_string(config)
            .map_err(|error| ModelError::ConfigSyntax { reason: error.to_string() })?;
        let t = &config.train;
        let (weight_decay, clip, average) = (t.weight_decay, t.clip, t.average);
        let adam = AdamConfig { weight_decay, clip, average, ..AdamConfig::default() };
        Ok(Self {
            device,
            config,
            corpus,
            out,
            dropouts,
            adam: Adam::new(adam, device, model.parameters())?,
            gradients: Gradients::zeros(model.parameters()),
            model,
            progress: Progress { config: json, ..Progress::default() },
        })
    }

    /// Goes on where a run was interrupted.
    fn restore(&mut self, path: &Path) -> Result<(), TrainError> {
        let averaged = self.config.train.average > 0.0;
        let parameters = self.model.parameters_mut();
        let (progress, moments) = state::load(path, &self.progress.config, parameters, averaged)?;
        self.adam.restore(self.device, progress.step, moments)?;
        self.progress = progress;
        Ok(())
    }

    /// Keeps what an interrupted run goes on from.
    async fn save(&mut self, path: &Path) -> Result<(), TrainError> {
        self.device.fetch(self.model.parameters_mut()).await?;
        let moments = self.adam.snapshot(self.device, self.model.parameters()).await?;
        Ok(state::save(path, &self.progress, self.model.parameters(), moments)?)
    }

    fn is_stale(&self) -> bool {
        self.config.train.patience > 0 && self.progress.stale >= self.config.train.patience
    }

    /// One pass, or what is left of it; false if cancelled.
    async fn epoch(
        &mut self,
        cancel: &AtomicBool,
        on_event: &mut impl FnMut(Event),
    ) -> Result<bool, TrainError> {
        let (t, epoch) = (&self.config.train, self.progress.epoch);
        let data = &self.config.data;
        let items = epoch_items(&self.corpus.train, data.last_tokens, data.spans, self.config.seed, epoch);
        let batches = batches(&items, t.batch, self.config.seed, epoch);
        let steps = batches.len();
        on_event(Event::Epoch { epoch, steps, done: self.progress.batch });
        for (i, batch) in batches.iter().enumerate().skip(self.progress.batch) {
            if cancel.load(Ordering::Relaxed) {
                return Ok(false);
            }
            let chosen: Vec<&Item> = batch.iter().map(|&i| &items[i]).collect();
            on_event(self.step(&chosen, steps).await?);
            self.progress.batch = i + 1;
            // Evaluations at equal distances, the last at the end of the epoch.
            let due = (i + 1) * t.evaluations / steps > i * t.evaluations / steps;
            if due {
                let at = epoch as f64 + (i + 1) as f64 / steps as f64;
                let Some(event) = self.evaluate(at, cancel).await? else { return Ok(false) };
                on_event(event);
                if self.is_stale() {
                    break;
                }
            }
        }
        self.progress.epoch += 1;
        self.progress.batch = 0;
        Ok(true)
    }

    /// One minibatch: a loop over single texts, which the graph batches.
    async fn step(&mut self, batch: &[&Item], steps: usize) -> Result<Event, TrainError> {
        let t = &self.config.train;
        let step = self.progress.step;
        let graph = Graph::training(
            self.model.parameters(),
            self.device,
            Strategy::Agenda,
            noise::bits(self.config.seed, 3, step as u32),
        );
        let control = match t.skim {
            Some(skim) => SkimControl::Mix { temperature: skim.temperature(step), noise: None },
            None => SkimControl::Decide { threshold: 1.0, force: &[] },
        };
        let (mut losses, mut skim_losses) = (Vec::new(), Vec::new());
        for item in batch {
            let out = self.model.network().classify(&graph, &item.ids, control, self.dropouts);
            losses.push(out.logits.cross_entropy(&[item.label]));
            skim_losses.extend(out.skims.iter().map(|skim| skim.loss()));
        }
        let mean = |losses: &[_]| graph.concat_rows(losses).pool(crate::device::Pool::Mean);
        let loss = mean(&losses);
        let skim_loss = t.skim.map(|skim| (mean(&skim_losses), skim.gamma));
        let total = match skim_loss {
            Some((skim, gamma)) => loss + skim.scale(gamma),
            None => loss,
        };
        total.backward_into(&mut self.gradients).await?;
        let mut read = vec![total.hold()?.elements(), loss.hold()?.elements()];
        if let Some((skim, _)) = skim_loss {
            read.push(skim.hold()?.elements());
        }
        drop(graph);

        let table = self.model.network().encoder.embedding.weight;
        let rows: BTreeSet<u32> = batch.iter().flat_map(|item| item.ids.iter().copied()).collect();
        let touched = Touched::from([(table, rows.into_iter().collect())]);
        let rate = t.learning_rate * self.schedule(steps);
        let rate = |id| if id == table { rate * t.embedding_rate } else { rate };
        let (parameters, gradients) = (self.model.parameters_mut(), &mut self.gradients);
        let (norm, values) =
            self.adam.update(self.device, parameters, gradients, &touched, rate, &read).await?;
        let not_finite = |what, value| TrainError::NotFinite {
            what,
            value,
            step,
            epoch: self.progress.epoch,
            kept: self.out.to_owned(),
        };
        if !values[0][0].is_finite() {
            return Err(not_finite("loss", values[0][0]));
        }
        if !norm.is_finite() {
            return Err(not_finite("gradient norm", norm));
        }
        self.progress.step += 1;
        Ok(Event::Step { loss: values[1][0], skim_loss: values.get(2).map(|skim| skim[0]) })
    }

    /// What the step size is multiplied by. The length of the run is estimated from this epoch's.
    fn schedule(&self, steps: usize) -> f32 {
        match self.config.train.schedule {
            Schedule::Constant => 1.0,
            Schedule::Linear => {
                let total = (steps * self.config.train.epochs).max(1) as f32;
                (1.0 - 0.95 * self.progress.step as f32 / total).max(0.05)
            }
        }
    }

    /// Evaluates the averaged weights on the development texts and keeps the model if it is the best; `None` if
    /// cancelled.
    async fn evaluate(&mut self, epoch: f64, cancel: &AtomicBool) -> Result<Option<Event>, TrainError> {
        self.adam.swap_average(self.device, self.model.parameters_mut())?;
        let go_on = |_: usize| !cancel.load(Ordering::Relaxed);
        let (dev, threshold) = (&self.corpus.dev, self.model.threshold());
        let result = evaluate(&self.model, self.device, dev, threshold, go_on).await;
        let kept = match &result {
            Ok(Some(dev)) => self.keep(epoch, dev).await,
            _ => Ok(false),
        };
        self.adam.swap_average(self.device, self.model.parameters_mut())?;
        let (Some(dev), kept) = (result?, kept?) else { return Ok(None) };
        Ok(Some(Event::Evaluated { epoch, dev, kept }))
    }

    async fn keep(&mut self, epoch: f64, dev: &Evaluation) -> Result<bool, TrainError> {
        let qualified = self.config.train.skim.is_none_or(|skim| dev.skim_rate >= skim.min_rate);
        let best = Best { qualified, accuracy: dev.accuracy, loss: dev.loss, epoch };
        if self.progress.best.is_some_and(|old| !best.beats(&old)) {
            self.progress.stale += 1;
            return Ok(false);
        }
        self.progress.best = Some(best);
        self.progress.stale = 0;
        self.device.fetch(self.model.parameters_mut()).await?;
        self.write(&self.model)?;
        Ok(true)
    }

    fn write(&self, model: &Model) -> Result<(), TrainError> {
        let output = self.config.output;
        let storage = |name: StorageName| match name {
            StorageName::F32 => Storage::F32,
            StorageName::F16 => Storage::F16,
            StorageName::Int8 => Storage::Int8Rows,
        };
        let bytes = model.to_bytes(|name, tensor| match tensor.shape.len() {
            2 if name == "embedding.weight" => storage(output.embedding),
            2 => storage(output.weights),
            _ => Storage::F32,
        })?;
        Ok(state::write_whole(self.out, &bytes)?)
    }

    /// Evaluates the model as stored and records its figures in it.
    async fn finish(&mut self, cancel: &AtomicBool) -> Result<Outcome, TrainError> {
        if self.progress.best.is_none() {
            // No epoch ran to an evaluation: the model as it is.
            let Some(_) = self.evaluate(0.0, cancel).await? else { return Ok(Outcome::Cancelled) };
        }
        let read = |source| StateError::Io { path: self.out.to_owned(), source };
        let mut stored = Model::from_bytes(&std::fs::read(self.out).map_err(read)?)?;
        let go_on = |_: usize| !cancel.load(Ordering::Relaxed);
        let threshold = stored.threshold();
        let Some(dev) = evaluate(&stored, self.device, &self.corpus.dev, threshold, go_on).await? else {
            return Ok(Outcome::Cancelled);
        };
        let test = match self.corpus.test.is_empty() {
            true => None,
            false => match evaluate(&stored, self.device, &self.corpus.test, threshold, go_on).await? {
                None => return Ok(Outcome::Cancelled),
                test => test,
            },
        };
        dev.record("dev", &mut stored);
        if let Some(test) = &test {
            test.record("test", &mut stored);
        }
        if let Some(best) = self.progress.best {
            stored.config_mut().training.figures.insert("epochs".into(), best.epoch);
        }
        self.write(&stored)?;
        Ok(Outcome::Done { dev, test })
    }
}
