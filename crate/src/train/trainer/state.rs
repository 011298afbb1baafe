//! What a trainer does after the gradients of a step, whatever the task: it is compiled once.

use std::iter::zip;
use std::ops::Range;

use super::helped::Ask;
use crate::cpu::noise;
use crate::device::{Buffer, Device, EngineError, ParamId, Parameter, Parameters};
use crate::graph::{Gradients, Graph, Strategy};
use crate::model::{Model, ModelError, Task};
use crate::train::adversarial::move_words;
use crate::train::carried::Carried;
use crate::train::config::{
    ConfigError, OptimizerName, RunConfig, Schedule, TrainConfig, check, check_number,
};
use crate::train::error::TrainError;
use crate::train::objective::{Losses, Skimming};
use crate::train::optimizer::{Adam, Averaging, Optimizer, OptimizerConfig, Rule, Sgd, Touched};
use crate::train::run::{Adjustment, Loss};
use crate::train::set_aside::SetAside;
use crate::train::snapshot::{self, Best, Progress};
use crate::train::together::Parts;
#[cfg(not(target_arch = "wasm32"))]
use crate::train::together::{Common, Helpers};
use crate::train::weight_drop::Dropped;

/// What of a trainer is the same for every task.
pub(super) struct State {
    pub(super) device: Device,
    pub(super) config: RunConfig,
    /// Its weights on the host may lie behind those on the device: see [`Device::fetch`].
    pub(super) model: Model,
    pub(super) optimizer: Optimizer,
    pub(super) gradients: Gradients,
    /// What the last batch left.
    pub(super) carried: Carried,
    pub(super) progress: Progress,
    /// Where the run stood before the last evaluation.
    before: Option<Progress>,
    /// Another temperature than the steps', which somebody has set in the midst of the run.
    pub(super) temperature: Option<f32>,
    /// The threads that learn beside the caller's.
    #[cfg(not(target_arch = "wasm32"))]
    helpers: Helpers,
}

/// Gradients of zero for all that is trained. None would be zero as well, but the optimiser passes over it: a weight that a
/// batch does not reach would move or rest by whether an earlier batch of the same trainer had reached it.
pub(super) fn zeros(device: &Device, parameters: &Parameters) -> Result<Gradients, EngineError> {
    let mut gradients = Gradients::zeros(parameters);
    fill(device, parameters, &mut gradients)?;
    Ok(gradients)
}

/// Puts a gradient of zero where there is none of what is trained.
fn fill(device: &Device, parameters: &Parameters, gradients: &mut Gradients) -> Result<(), EngineError> {
    let none = |&(id, p): &(ParamId, &Parameter)| p.trainable && gradients.get(id).is_none();
    let (ids, sizes): (Vec<ParamId>, Vec<usize>) =
        parameters.iter().filter(none).map(|(id, p)| (id, p.values.len())).unzip();
    for (id, zeros) in zip(ids, device.zeros_all(&sizes)?) {
        *gradients.get_mut(id) = Some(zeros);
    }
    Ok(())
}

/// What a step begins with.
struct Begun {
    touched: Touched,
    dropped: Dropped,
}

/// What a batch gave beside its gradients.
pub(super) struct Learned {
    /// Where its total loss and its losses are on the device.
    pub(super) read: Vec<(Buffer, Range<usize>)>,
    /// The names of the losses.
    pub(super) names: Vec<&'static str>,
    /// What it leaves to the next batch.
    pub(super) left: Carried,
}

/// Adds the gradients of a batch's loss to those that are there.
async fn differentiate(
    Losses { total, parts, states }: Losses<'_>,
    gradients: &mut Gradients,
) -> Result<Learned, TrainError> {
    total.backward_into(gradients).await?;
    let mut read = vec![total.hold()?.elements()];
    for (_, part) in &parts {
        read.push(part.hold()?.elements());
    }
    let names = parts.iter().map(|(name, _)| *name).collect();
    Ok(Learned { read, names, left: Carried::hold(&states)? })
}

impl State {
    /// Before the first step of a run whose config is checked here.
    pub(super) fn new(device: &Device, model: Model, config: RunConfig) -> Result<Self, TrainError> {
        let predicts = match &model.config().task {
            Task::Predict(task) => Some(task),
            Task::Classify(_) | Task::Tag(_) | Task::Parse(_) | Task::Tree(_) => None,
        };
        let (cell, layers) = model.config().task.layers();
        config.validate(&model.config().encoder, &[cell.as_slice(), layers], predicts)?;
        let TrainConfig { optimizer, weight_decay, clip, average, average_after, .. } = config.train;
        let rule = match optimizer {
            OptimizerName::Adam => Rule::Adam(Adam::default()),
            OptimizerName::Sgd => Rule::Sgd(Sgd::default()),
        };
        let averaging = match average_after {
            Some(_) => Averaging::Mean { since: None },
            None if average > 0.0 => Averaging::Decay(average),
            None => Averaging::Off,
        };
        let optimizer = OptimizerConfig { rule, weight_decay, clip, averaging };
        Ok(Self {
            device: device.clone(),
            optimizer: Optimizer::new(optimizer, device, model.parameters())?,
            gradients: zeros(device, model.parameters())?,
            carried: Carried::default(),
            model,
            progress: Progress::default(),
            before: None,
            temperature: None,
            config,
            #[cfg(not(target_arch = "wasm32"))]
            helpers: Helpers::default(),
        })
    }

    /// See [`Trainer::adjust`](super::Trainer::adjust).
    pub(super) fn adjust(&mut self, adjustment: Adjustment) -> Result<(), ConfigError> {
        let Adjustment { learning_rate, gamma, temperature } = adjustment;
        let mut train = self.config.train.clone();
        train.learning_rate = learning_rate.unwrap_or(train.learning_rate);
        match &mut train.skim {
            Some(skim) => skim.gamma = gamma.unwrap_or(skim.gamma),
            None => {
                let knobs = [("train.skim.gamma", gamma), ("train.skim.temperature", temperature)];
                for (field, value) in knobs {
                    check(field, value.is_none(), "a layer that skims", "none")?;
                }
            }
        }
        if let Some(temperature) = temperature {
            let positive = temperature > 0.0 && temperature.is_finite();
            check_number("train.skim.temperature", positive, "a positive number", temperature)?;
        }
        train.validate(train.skim.is_some())?;
        self.config.train = train;
        self.temperature = temperature.or(self.temperature);
        Ok(())
    }

    /// Computes on another device from now on; what the optimiser knows is to be restored.
    pub(super) fn go_to(&mut self, device: &Device) -> Result<(), EngineError> {
        self.gradients = zeros(device, self.model.parameters())?;
        self.device = device.clone();
        Ok(())
    }

    /// The rows of tables that only these words read.
    pub(super) fn touched(&self, words: Vec<u32>) -> Touched {
        let mut touched = Touched::new();
        touched.extend(self.model.network().encoder.words.own_rows(&words));
        touched
    }

    /// A step from a batch that reads these words, of so many in its epoch.
    pub(super) async fn step(
        &mut self,
        words: Vec<u32>,
        parts: &Parts<'_>,
        ask: Option<Ask<'_>>,
        steps: usize,
    ) -> Result<Vec<Loss>, TrainError> {
        let begun = self.begin(words).await?;
        let learned = self.learn_twice(&begun.touched, parts, ask).await;
        self.take(begun, learned, steps).await
    }

    /// Adds the gradients of a batch, and where training is adversarial those with its word vectors moved as well.
    async fn learn_twice(
        &mut self,
        touched: &Touched,
        parts: &Parts<'_>,
        mut ask: Option<Ask<'_>>,
    ) -> Result<Learned, TrainError> {
        // What is told, and what the next batch begins with, is of the vectors as they are.
        let learned = self.learn_once(touched, parts, &mut ask).await?;
        let size = self.config.train.adversarial;
        if size == 0.0 {
            return Ok(learned);
        }
        let mut whole = SetAside::default();
        let (parameters, device) = (self.model.parameters_mut(), &self.device);
        let moved = move_words(&mut whole, parameters, &self.gradients, touched, size, device).await;
        let again = match moved {
            Ok(()) => self.learn_once(touched, parts, &mut ask).await,
            Err(error) => Err(error.into()),
        };
        whole.restore(self.model.parameters_mut());
        again.map(|_| learned)
    }

    /// Adds the gradients of a batch.
    async fn learn_once(
        &mut self,
        touched: &Touched,
        parts: &Parts<'_>,
        ask: &mut Option<Ask<'_>>,
    ) -> Result<Learned, TrainError> {
        match ask {
            _ if parts.shares.len() < 2 => self.learn(parts).await,
            Some(ask) => self.learn_helped(touched, parts, ask).await,
            #[cfg(not(target_arch = "wasm32"))]
            None => self.learn_together(touched, parts).await,
            #[cfg(target_arch = "wasm32")]
            None => unreachable!("one thread has one part"),
        }
    }

    /// The seed of a step's noise.
    pub(super) fn seed(&self) -> u32 {
        noise::bits(self.config.seed, 3, self.progress.step as u32)
    }

    /// How the next step learns to skim.
    pub(super) fn skimming(&self) -> Skimming {
        let step = self.progress.step;
        self.config.train.skim.map_or_else(Skimming::default, |skim| Skimming {
            weight: skim.weight(step),
            temperature: self.temperature.unwrap_or_else(|| skim.temperature(step)),
        })
    }

    /// Adds the gradients of a whole batch.
    async fn learn(&mut self, parts: &Parts<'_>) -> Result<Learned, TrainError> {
        let seed = self.seed();
        let graph = Graph::training(self.model.parameters(), &self.device, Strategy::Levels, seed);
        let before = |part| self.carried.record(&graph, part);
        let losses = (parts.record)(&self.model, &graph, 0, &before);
        differentiate(losses, &mut self.gradients).await
    }

    /// Adds the gradients of a batch's parts, a thread each.
    #[cfg(not(target_arch = "wasm32"))]
    async fn learn_together(&mut self, touched: &Touched, parts: &Parts<'_>) -> Result<Learned, TrainError> {
        let carried = self.carried.read(&self.device).await?;
        let common = Common { parts, model: &self.model, carried: &carried, seed: self.seed() };
        let found = self.helpers.learn(&self.device, &common, touched, &mut self.gradients)?;
        self.learned(found)
    }

    /// Begins a step that learns from these words.
    async fn begin(&mut self, words: Vec<u32>) -> Result<Begun, TrainError> {
        let TrainConfig { dropout_weights: rate, adversarial, .. } = self.config.train;
        if rate > 0.0 || adversarial > 0.0 {
            self.device.fetch(self.model.parameters_mut()).await?;
        }
        let touched = self.touched(words);
        let seed = noise::bits(self.config.seed, 5, self.progress.step as u32);
        let dropped = Dropped::begin(self.model.parameters_mut(), rate, seed);
        Ok(Begun { touched, dropped })
    }

    /// Moves the weights by what a step of so many in its epoch has learned; its losses.
    async fn take(
        &mut self,
        Begun { touched, mut dropped }: Begun,
        learned: Result<Learned, TrainError>,
        steps: usize,
    ) -> Result<Vec<Loss>, TrainError> {
        dropped.restore(self.model.parameters_mut());
        let Learned { read, names, left } = match learned {
            Ok(learned) => learned,
            Err(error) => {
                // Parts of the batch may have added theirs.
                let parameters = self.model.parameters();
                self.gradients =
                    zeros(&self.device, parameters).unwrap_or_else(|_| Gradients::zeros(parameters));
                return Err(error);
            }
        };
        dropped.correct(&self.device, self.model.parameters(), &mut self.gradients).await?;

        let Progress { step, epoch, batch: place, .. } = self.progress;
        let t = &self.config.train;
        let rate = t.learning_rate * self.schedule(steps);
        let of_layer = |(_, parameter): (_, &Parameter)| t.layers.of(&parameter.name, epoch);
        let layers: Vec<f32> = self.model.parameters().iter().map(of_layer).collect();
        let rate = |id: ParamId| {
            let table = if touched.contains_key(&id) { t.embedding_rate } else { 1.0 };
            rate * table * layers[id.index()]
        };
        let (parameters, gradients) = (self.model.parameters_mut(), &mut self.gradients);
        let (norm, values) =
            self.optimizer.update(&self.device, parameters, gradients, &touched, rate, &read).await?;
        for (what, value) in [("loss", values[0][0]), ("gradient norm", norm)] {
            if !value.is_finite() {
                return Err(TrainError::NotFinite { what, value, step, epoch });
            }
        }
        self.carried = left;
        self.progress.step += 1;
        self.progress.batch += 1;
        // Evaluations at equal distances, the last at the end of the epoch.
        let evaluations = |done: usize| done as u64 * t.evaluations.min(steps) as u64 / steps as u64;
        self.progress.evaluation_due = evaluations(place + 1) > evaluations(place);
        if self.progress.batch == steps {
            self.progress.epoch += 1;
            self.progress.batch = 0;
            // A layer that learns from now on begins as in a run that is resumed here.
            fill(&self.device, self.model.parameters(), &mut self.gradients)?;
        }
        let loss = |(name, value): (&'static str, &Vec<f32>)| Loss { name, value: value[0] };
        Ok(names.into_iter().zip(&values[1..]).map(loss).collect())
    }

    /// Takes note of an evaluation of this rank, in an epoch of so many steps: epochs so far, and the file of the model if it is
    /// the best. A rank that is no number is an error: no later one would be above it.
    pub(super) async fn judge(
        &mut self,
        rank: [f64; 3],
        steps: usize,
    ) -> Result<(f64, Option<Vec<u8>>), TrainError> {
        let Progress { epoch, batch, step, .. } = self.progress;
        if let Some(&rank) = rank.iter().find(|rank| !rank.is_finite()) {
            // Of what models are chosen by, only losses can be so: the rank is less the loss.
            return Err(TrainError::NotFinite { what: "development loss", value: -rank as f32, step, epoch });
        }
        let best = Best { rank, epoch: epoch as f64 + batch as f64 / steps as f64 };
        self.before = Some(self.progress.clone());
        self.progress.evaluation_due = false;
        let beaten = self.progress.best.is_none_or(|old| best.rank > old.rank);
        let kept = if beaten {
            let file = self.export().await?;
            (self.progress.best, self.progress.stale) = (Some(best), 0);
            Some(file)
        } else {
            self.progress.stale += 1;
            self.progress.plateaus += 1;
            None
        };
        Ok((best.epoch, kept))
    }

    pub(super) fn take_back_evaluation(&mut self) {
        let step = self.progress.step;
        if let Some(before) = self.before.take_if(|before| before.step == step) {
            self.progress = before;
        }
    }

    pub(super) async fn export(&mut self) -> Result<Vec<u8>, TrainError> {
        self.device.fetch(self.model.parameters_mut()).await?;
        Ok(self.file(&self.model)?)
    }

    pub(super) async fn snapshot(&mut self, run: String) -> Result<Vec<u8>, TrainError> {
        self.device.fetch(self.model.parameters_mut()).await?;
        let moments = self.optimizer.snapshot(&self.device, self.model.parameters()).await?;
        let carried = self.carried.read(&self.device).await?;
        Ok(snapshot::to_bytes(&run, &self.progress, self.model.parameters(), moments, carried)?)
    }

    /// Takes over a snapshot, unless `fits` says no of where its run stood. One that is refused changes nothing.
    pub(super) fn restore(
        &mut self,
        bytes: &[u8],
        run: &str,
        fits: &dyn Fn(&Progress) -> bool,
    ) -> Result<(), TrainError> {
        let averaged = self.optimizer.averaging() != Averaging::Off;
        let (progress, moments, carried) =
            snapshot::from_bytes(bytes, run, self.model.parameters_mut(), averaged, fits)?;
        self.carried = Carried::upload(&self.device, carried)?;
        let Progress { step, averaging, .. } = progress;
        self.optimizer.restore(&self.device, self.model.parameters(), step, averaging, moments)?;
        (self.progress, self.before) = (progress, None);
        Ok(())
    }

    /// What the step size is multiplied by. The length of the run is estimated from this epoch's.
    fn schedule(&self, steps: usize) -> f32 {
        match self.config.train.schedule {
            Schedule::Constant => 1.0,
            Schedule::Linear => {
                let total = (steps as f64 * self.config.train.epochs as f64).max(1.0) as f32;
                (1.0 - 0.95 * self.progress.step as f32 / total).max(0.05)
            }
            Schedule::Decay { after, factor } => {
                factor.powi((self.progress.epoch + 1).saturating_sub(after) as i32)
            }
            Schedule::Plateau { factor } => factor.powi(self.progress.plateaus as i32),
        }
    }

    /// A model as this run stores it.
    pub(super) fn file(&self, model: &Model) -> Result<Vec<u8>, ModelError> {
        model.to_bytes(|name, tensor| self.config.output.storage(name, tensor))
    }
}
