//! The training loop, one step at a time: whoever drives it decides when to stop, what to show and where to keep files.

mod helped;
mod state;

use std::hash::{Hash, Hasher};

use rustc_hash::FxHasher;

use super::config::{ConfigError, RunConfig};
use super::error::TrainError;
use super::objective::Objective;
use super::run::{Adjustment, Due, Evaluated, Finished, Loss, Position, Texts};
use super::snapshot::Progress;
use super::together::{Parts, recording, shares};
use crate::device::Device;
use crate::model::Model;
use helped::Ask;
use state::State;

/// A model being trained, on a device on which weights, gradients and the optimiser's state stay from step to step.
///
/// A run is a pure function of the model that it starts from, the config, the texts and the order of the calls that
/// [`due`](Self::due) names. It reads no file and no clock, and stops between any two calls; [`snapshot`](Self::snapshot)
/// and [`restore`](Self::restore) let another trainer go on.
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::model::{self, Classification, FreshOptions, LayerConfig, Model, Pool, Task, Training};
/// use saccade_rnn::text::Tokenizer;
/// use saccade_rnn::train::{Classify, Due, Item, RunConfig, Texts, TrainConfig, Trainer};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> { pollster::block_on(async {
/// let config = RunConfig { seed: 1, train: TrainConfig::new(2, 20, 0.1), output: Default::default() };
/// let model = model::Config {
///     format: model::FORMAT,
///     task: Task::Classify(Classification {
///         labels: ["no", "yes"].map(String::from).to_vec(),
///         data_labels: Vec::new(),
///         pool: Pool::Last,
///     }),
///     tokenizer: Tokenizer::spaces(),
///     vocabulary: ["<unk>", "good", "bad", "film"].map(String::from).to_vec(),
///     embedding_size: 4,
///     encoder: vec![LayerConfig::Gru { hidden_size: 4, bidirectional: false }],
///     threshold: None,
///     training: Training::default(),
/// };
/// let model = Model::fresh(model, config.train.dropouts(), FreshOptions::default(), config.seed)?;
/// let items = [(vec![1, 3], 1), (vec![2, 3], 0)].map(|(ids, label)| Item { ids, label, teacher: None }).to_vec();
/// let texts = Texts { train: items.clone(), dev: items, test: Vec::new() };
/// let objective = Classify::new(&config.train, 0, None)?;
///
/// let mut trainer = Trainer::new(&Device::cpu(), model, objective, texts, config)?;
/// let mut kept = Vec::new();
/// let finished = loop {
///     match trainer.due() {
///         Due::Step => println!("{:?}", trainer.step().await?),
///         Due::Evaluation => {
///             let evaluated = trainer.evaluate(|_| true).await?.expect("nothing stops it");
///             kept = evaluated.kept.unwrap_or(kept);
///         }
///         Due::Finish => break trainer.finish(&kept, |_| true).await?.expect("nothing stops it"),
///     }
/// };
/// assert_eq!(finished.dev.accuracy, 1.0);
/// # Ok(()) }) }
/// ```
pub struct Trainer<O: Objective> {
    objective: O,
    texts: Texts<O::Item>,
    /// Of the texts that are learned from and chosen by, and of the vocabulary: others hardly have the same.
    digest: u64,
    /// Of the epoch in progress.
    batches: Vec<O::Batch>,
    state: State,
}

impl<O: Objective> Trainer<O> {
    /// Begins a run from a model, fresh or trained.
    ///
    /// # Errors
    /// If the config is out of range or does not suit the model, if there are no texts to learn from or choose by, if
    /// the device has no room.
    pub fn new(
        device: &Device,
        model: Model,
        objective: O,
        texts: Texts<O::Item>,
        config: RunConfig,
    ) -> Result<Self, TrainError> {
        let mut hasher = FxHasher::default();
        (model.vocabulary().words(), &texts.train, &texts.dev).hash(&mut hasher);
        let (digest, state) = (hasher.finish(), State::new(device, model, config)?);
        if texts.dev.is_empty() {
            return Err(TrainError::NoTexts("development"));
        }
        let mut trainer = Self { objective, texts, digest, batches: Vec::new(), state };
        trainer.begin_epoch();
        if trainer.texts.train.is_empty() {
            return Err(TrainError::NoTexts("training"));
        }
        if trainer.batches.is_empty() {
            return Err(TrainError::FewWords { batch: trainer.state.config.train.batch });
        }
        Ok(trainer)
    }

    /// What to call next.
    pub fn due(&self) -> Due {
        let Progress { epoch, evaluation_due, stale, best, .. } = &self.state.progress;
        let train = &self.state.config.train;
        let is_stale = train.patience > 0 && *stale >= train.patience;
        if *evaluation_due {
            Due::Evaluation
        } else if *epoch < train.epochs && !is_stale {
            Due::Step
        } else if best.is_none() {
            // No step led to an evaluation: the model as it is.
            Due::Evaluation
        } else {
            Due::Finish
        }
    }

    /// Where the run stands.
    pub fn position(&self) -> Position {
        Position {
            epoch: self.state.progress.epoch,
            steps: self.batches.len(),
            done: self.state.progress.batch,
        }
    }

    /// How many words the next step learns from.
    pub fn words(&self) -> usize {
        self.batches.get(self.state.progress.batch).map_or(0, |batch| self.objective.words(batch).count())
    }

    /// The model as it is, between two steps: not averaged, and on a GPU with weights that are ahead of those on the host.
    pub fn model(&self) -> &Model {
        &self.state.model
    }

    /// How many texts there are to learn from, to choose by and to report on.
    pub fn texts(&self) -> [usize; 3] {
        [self.texts.train.len(), self.texts.dev.len(), self.texts.test.len()]
    }

    /// Whether an evaluation has kept a model.
    pub fn has_kept(&self) -> bool {
        self.state.progress.best.is_some()
    }

    /// Where it is trained.
    pub fn device(&self) -> &Device {
        &self.state.device
    }

    /// The model as it is, not averaged, as this run stores it.
    ///
    /// # Errors
    /// If the engine fails, or a weight is not finite.
    pub fn export(&mut self) -> impl Future<Output = Result<Vec<u8>, TrainError>> {
        self.state.export()
    }

    /// Changes the step size, or the loss of skimming, from the next step on.
    ///
    /// # Errors
    /// If a value is out of range, or there is no loss of skimming to change.
    pub fn adjust(&mut self, adjustment: Adjustment) -> Result<(), ConfigError> {
        self.state.adjust(adjustment)
    }

    /// How it learns now.
    pub fn config(&self) -> &RunConfig {
        &self.state.config
    }

    /// Learns from one batch, a loop over single texts which the graph batches; returns its losses, the task's own first.
    ///
    /// # Errors
    /// [`TrainError::NotFinite`] leaves the states that are carried on as they were, and the weights too where it is of gradients; a
    /// loss alone that is no number is known once they have moved. Any other is the engine's.
    pub async fn step(&mut self) -> Result<Vec<Loss>, TrainError> {
        // Threads are the host's.
        let threads = if cfg!(target_arch = "wasm32") { 1 } else { self.state.device.threads().0 };
        self.step_in(threads, None).await
    }

    /// Learns from one batch in at most so many parts: threads do, or whoever is there to `ask`.
    async fn step_in(&mut self, most: usize, ask: Option<Ask<'_>>) -> Result<Vec<Loss>, TrainError> {
        let (objective, skimming) = (&self.objective, self.state.skimming());
        let batch = &self.batches[self.state.progress.batch];
        let words = objective.words(batch).collect();
        let parts = if most > 1 { objective.split(batch, most) } else { Vec::new() };
        let record = recording(|model, graph, number, before| {
            objective.losses(model, graph, parts.get(number).unwrap_or(batch), before, skimming)
        });
        let parts = Parts { record: &record, names: O::LOSSES, shares: shares(objective, &parts) };
        let losses = self.state.step(words, &parts, ask, self.batches.len()).await?;
        if self.state.progress.batch == 0 {
            self.begin_epoch();
        }
        Ok(losses)
    }

    /// Scores the averaged weights on the development texts, and gives the model if it is the best so far. `go_on` hears
    /// how many texts are done, and stops the evaluation by returning false: the result is then `None`, and the
    /// evaluation still due.
    ///
    /// # Errors
    /// [`TrainError::NotFinite`] if the loss of the development texts is no number. Any other if the engine fails, or the
    /// weights cannot be written.
    pub async fn evaluate(
        &mut self,
        mut go_on: impl FnMut(usize) -> bool,
    ) -> Result<Option<Evaluated<O::Score>>, TrainError> {
        self.state.optimizer.swap_average(&self.state.device, self.state.model.parameters_mut())?;
        let result = self.evaluate_as_is(&mut go_on).await;
        self.state.optimizer.swap_average(&self.state.device, self.state.model.parameters_mut())?;
        result
    }

    /// Takes back an evaluation whose model could not be kept: it is due again, and the best model is the one before. Does
    /// nothing after a step.
    pub fn take_back_evaluation(&mut self) {
        self.state.take_back_evaluation();
    }

    async fn evaluate_as_is(
        &mut self,
        go_on: &mut dyn FnMut(usize) -> bool,
    ) -> Result<Option<Evaluated<O::Score>>, TrainError> {
        let dev = &self.texts.dev;
        let Some(score) = self.objective.score(&self.state.model, &self.state.device, dev, go_on).await?
        else {
            return Ok(None);
        };
        let rank = self.objective.rank(&score);
        let (epoch, kept) = self.state.judge(rank, self.batches.len()).await?;
        Ok(Some(Evaluated { epoch, score, kept }))
    }

    /// Scores the model that was kept last, as it is stored, on the development and the test texts, and records the
    /// figures in it; `None` if `go_on` stops it.
    ///
    /// # Errors
    /// If `kept` is no such model, or the engine fails.
    pub async fn finish(
        &self,
        kept: &[u8],
        mut go_on: impl FnMut(usize) -> bool,
    ) -> Result<Option<Finished<O::Score>>, TrainError> {
        let mut model = Model::from_bytes(kept)?;
        let (objective, Texts { dev, test, .. }) = (&self.objective, &self.texts);
        // As an evaluation passes it: the scoring is compiled once.
        let go_on: &mut dyn FnMut(usize) -> bool = &mut go_on;
        let Some(dev) = objective.score(&model, &self.state.device, dev, &mut *go_on).await? else {
            return Ok(None);
        };
        let test = if test.is_empty() {
            None
        } else {
            let score = objective.score(&model, &self.state.device, test, go_on).await?;
            if score.is_none() {
                return Ok(None);
            }
            score
        };
        objective.record(&dev, "dev", &mut model);
        if let Some(test) = &test {
            objective.record(test, "test", &mut model);
        }
        if let Some(best) = self.state.progress.best {
            model.config_mut().training.figures.insert("epochs".into(), best.epoch);
        }
        Ok(Some(Finished { model: self.state.file(&model)?, dev, test }))
    }

    /// What a run goes on from after an interruption, as a file. `run` says which run this is: its config, say.
    ///
    /// # Errors
    /// If the engine fails, or a weight is not finite.
    pub fn snapshot(&mut self, run: &str) -> impl Future<Output = Result<Vec<u8>, TrainError>> {
        let run = self.run_of(run);
        self.state.snapshot(run)
    }

    /// What a snapshot knows its run by.
    fn run_of(&self, name: &str) -> String {
        format!("{name}\n{:016x}", self.digest)
    }

    /// Goes on where a trainer of the same model, texts and config stood when it gave these bytes.
    ///
    /// # Errors
    /// [`TrainError::OtherRun`] if the snapshot was taken under another name than `run`, or of other texts or words;
    /// [`TrainError::Model`] if it is no snapshot; if the device has no room.
    pub fn restore(&mut self, bytes: &[u8], run: &str) -> Result<(), TrainError> {
        self.restore_if(bytes, run, &|_| true)
    }

    /// [`Self::restore`], unless `fits`, which is told whether the snapshot's run had kept a model, says no. A snapshot that is
    /// refused changes nothing.
    pub(crate) fn restore_if(
        &mut self,
        bytes: &[u8],
        run: &str,
        fits: &dyn Fn(bool) -> bool,
    ) -> Result<(), TrainError> {
        let run = self.run_of(run);
        let Self { state, objective, texts, .. } = self;
        let (size, seed) = (state.config.train.batch, state.config.seed);
        state.restore(bytes, &run, &|progress| {
            let batches = || objective.batches(&texts.train, size, seed, progress.epoch).len();
            fits(progress.best.is_some()) && progress.batch < batches()
        })?;
        self.begin_epoch();
        Ok(())
    }

    /// Goes on on another device where this trainer stood when it gave these bytes, whatever has become of its own.
    ///
    /// # Errors
    /// See [`Self::restore`].
    pub fn go_on(&mut self, device: &Device, bytes: &[u8], run: &str) -> Result<(), TrainError> {
        self.state.go_to(device)?;
        self.restore(bytes, run)
    }

    fn begin_epoch(&mut self) {
        let (size, seed) = (self.state.config.train.batch, self.state.config.seed);
        self.batches = self.objective.batches(&self.texts.train, size, seed, self.state.progress.epoch);
        let is_first = self.state.progress.batch == 0
            && self.state.config.train.average_after == Some(self.state.progress.epoch);
        if is_first {
            self.state.optimizer.average_from_here();
        }
        self.state.progress.averaging = self.state.optimizer.averaging();
    }
}
