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
use crate::device::{Cpu, EngineError};
use crate::graph::{Gradients, Graph, Strategy};
use crate::model::{self, Dropouts, FreshOptions, Model, ModelError, Storage, Task};
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

/// Trains the model that `config` describes on data below `root` and writes it to `out`. `command` is recorded in
/// the file. With `resume` an interrupted run goes on.
///
/// # Errors
/// See [`TrainError`]. The file of an earlier evaluation stays.
pub async fn train(
    config: &Config,
    root: &Path,
    out: &Path,
    resume: bool,
    command: &str,
    cancel: &AtomicBool,
    mut on_event: impl FnMut(Event),
) -> Result<Outcome, TrainError> {
    config.validate()?;
    let init = config.train.init.as_deref().map(Source::read).transpose()?;
    let more_words = init.as_ref().map_or(&[][..], |source| &source.words);
    let corpus = Corpus::load(&config.data, root, more_words)?;
    let mut run = Run::new(config, &corpus, out, command)?;
    let copied = match &init {
        Some(source) => transfer(&mut run.model, source)?,
        None => (0, Vec::new()),
    };
    run.adam = Adam::new(run.adam_config(), run.model.parameters());
    on_event(Event::Loaded {
        texts: [corpus.train.len(), corpus.dev.len(), corpus.test.len()],
        words: corpus.vocabulary.len(),
        parameters: run.model.parameters().iter().map(|(_, p)| p.values.len()).sum(),
        copied,
    });
    let state_path = state::path_for(out);
    if resume {
        let (parameters, adam) = (run.model.parameters_mut(), &mut run.adam);
        run.progress = state::load(&state_path, &run.progress.config, parameters, adam)?;
    }
    while run.progress.epoch < config.train.epochs && !run.is_stale() {
        if !run.epoch(cancel, &mut on_event).await? {
            state::save(&state_path, &run.progress, run.model.parameters(), &run.adam)?;
            return Ok(Outcome::Cancelled);
        }
    }
    let outcome = run.finish(cancel).await?;
    if matches!(outcome, Outcome::Done { .. }) && state_path.exists() {
        std::fs::remove_file(&state_path).map_err(|source| StateError::Io { path: state_path, source })?;
    }
    Ok(outcome)
}

struct Run<'a> {
    config: &'a Config,
    corpus: &'a Corpus,
    out: &'a Path,
    model: Model,
    dropouts: Dropouts,
    adam: Adam,
    gradients: Gradients<Cpu>,
    progress: Progress,
}

impl<'a> Run<'a> {
    fn new(config: &'a Config, corpus: &'a Corpus, out: &'a Path, command: &str) -> Result<Self, TrainError> {
        let t = &config.train;
        let dropouts = Dropouts {
            embedding: t.dropout_embedding,
            embedding_per_sequence: t.dropout_per_sequence,
            encoder: t.dropout_encoder,
            head: t.dropout_head,
        };
        let fresh =
            FreshOptions { forget_bias: config.model.forget_bias, highway_bias: config.model.highway_bias };
        let model_config = model::Config {
            format: model::FORMAT,
            task: Task::Classify,
            tokenizer: config.data.tokenizer,
            vocabulary: corpus.vocabulary.words().to_vec(),
            labels: corpus.labels.clone(),
            data_labels: if corpus.data_labels == corpus.labels {
                Vec::new()
            } else {
                corpus.data_labels.clone()
            },
            embedding_size: config.model.embedding_size,
            encoder: config.model.encoder.clone(),
            pool: config.model.pool,
            threshold: t.skim.map(|_| model::DEFAULT_THRESHOLD),
            training: model::Training {
                command: Some(command.to_owned()),
                seed: Some(u64::from(config.seed)),
                data_set: Some(config.data.name.clone()),
                licence: config.data.licence.clone(),
                ..model::Training::default()
            },
        };
        let model = Model::fresh(model_config, dropouts, fresh, config.seed)?;
        let json = serde_json::to_string(config)
            .map_err(|error| ModelError::ConfigSyntax { reason: error.to_string() })?;
        Ok(Self {
            config,
            corpus,
            out,
            dropouts,
            adam: Adam::new(AdamConfig::default(), model.parameters()),
            gradients: Gradients::zeros(model.parameters()),
            model,
            progress: Progress { config: json, ..Progress::default() },
        })
    }

    fn adam_config(&self) -> AdamConfig {
        let t = &self.config.train;
        let (weight_decay, clip, average) = (t.weight_decay, t.clip, t.average);
        AdamConfig { weight_decay, clip, average, ..AdamConfig::default() }
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
            &Cpu,
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
        let value = total.value().await?[0];
        let not_finite = |what, value| TrainError::NotFinite {
            what,
            value,
            step,
            epoch: self.progress.epoch,
            kept: self.out.to_owned(),
        };
        if !value.is_finite() {
            return Err(not_finite("loss", value));
        }
        total.backward_into(&mut self.gradients).await?;
        let event = Event::Step {
            loss: loss.value().await?[0],
            skim_loss: match skim_loss {
                Some((skim, _)) => Some(skim.value().await?[0]),
                None => None,
            },
        };
        drop(graph);

        let table = self.model.network().embedding.weight;
        let rows: BTreeSet<u32> = batch.iter().flat_map(|item| item.ids.iter().copied()).collect();
        let touched = Touched::from([(table, rows.into_iter().collect())]);
        let rate = t.learning_rate * self.schedule(steps);
        let norm = self.adam.update(self.model.parameters_mut(), &mut self.gradients, &touched, |id| {
            if id == table { rate * t.embedding_rate } else { rate }
        });
        if !norm.is_finite() {
            return Err(not_finite("gradient norm", norm));
        }
        self.progress.step += 1;
        Ok(event)
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
        self.adam.swap_average(self.model.parameters_mut());
        let result = evaluate(&self.model, &self.corpus.dev, self.model.threshold(), |_| {
            !cancel.load(Ordering::Relaxed)
        })
        .await;
        let kept = match &result {
            Ok(Some(dev)) => self.keep(epoch, dev),
            _ => Ok(false),
        };
        self.adam.swap_average(self.model.parameters_mut());
        let (Some(dev), kept) = (result?, kept?) else { return Ok(None) };
        Ok(Some(Event::Evaluated { epoch, dev, kept }))
    }

    fn keep(&mut self, epoch: f64, dev: &Evaluation) -> Result<bool, TrainError> {
        let qualified = self.config.train.skim.is_none_or(|skim| dev.skim_rate >= skim.min_rate);
        let best = Best { qualified, accuracy: dev.accuracy, loss: dev.loss, epoch };
        if self.progress.best.is_some_and(|old| !best.beats(&old)) {
            self.progress.stale += 1;
            return Ok(false);
        }
        self.progress.best = Some(best);
        self.progress.stale = 0;
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
        let Some(dev) = evaluate(&stored, &self.corpus.dev, threshold, go_on).await? else {
            return Ok(Outcome::Cancelled);
        };
        let test = match self.corpus.test.is_empty() {
            true => None,
            false => match evaluate(&stored, &self.corpus.test, threshold, go_on).await? {
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
