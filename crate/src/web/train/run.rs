//! A run that has begun.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use js_sys::{Array, Function, Promise, Uint8Array, Uint32Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_time::Instant;

use super::super::convert::{answer, to_js};
use super::super::error::Failure;
use crate::device::Device;
use crate::graph::{Graph, Strategy};
use crate::model::{Model, ReadOptions, TaggedToken, Writing};
use crate::nn::Sampling;
use crate::train::{
    Adjustment, Classify, Due, Evaluation, Position, Predict, PredictionScore, Tag, TagScore, Trainer,
    Transferred,
};

/// A trainer of any task.
pub(super) enum AnyTrainer {
    Classify(Trainer<Classify>),
    Predict(Trainer<Predict>),
    Tag(Trainer<Tag>),
}

/// Does the same with a trainer of any task.
macro_rules! with {
    ($trainer:expr, $name:ident => $work:expr) => {
        match $trainer {
            AnyTrainer::Classify($name) => $work,
            AnyTrainer::Predict($name) => $work,
            AnyTrainer::Tag($name) => $work,
        }
    };
}

/// A run, its weights and texts in wasm memory until `free()`.
#[wasm_bindgen]
pub struct TrainingRun {
    inner: Rc<RefCell<State>>,
    about: JsValue,
    settings: String,
}

struct State {
    /// None while a call is under way.
    trainer: Option<AnyTrainer>,
    /// The best model so far.
    kept: Option<Vec<u8>>,
    /// Of a run on a GPU, which may be lost with all that it holds.
    safe: Option<Safe>,
}

/// Where a run stood a moment ago, on the host.
struct Safe {
    snapshot: Vec<u8>,
    kept: Option<Vec<u8>>,
    at: Instant,
}

/// How much of a run a lost GPU costs at most.
const SAFE_FOR: Duration = Duration::from_secs(2);

/// Puts what a run on a GPU stands at into safety, unless that was done just now.
async fn keep_safe(trainer: &mut AnyTrainer, inner: &RefCell<State>, settings: &str) -> Result<(), Failure> {
    let lasts = |safe: &Safe| safe.at.elapsed() < SAFE_FOR;
    let on_gpu = with!(&*trainer, trainer => trainer.device().gpu().is_some());
    if !on_gpu || inner.borrow().safe.as_ref().is_some_and(lasts) {
        return Ok(());
    }
    let snapshot = with!(trainer, trainer => trainer.snapshot(settings).await)?;
    let mut state = inner.borrow_mut();
    state.safe = Some(Safe { snapshot, kept: state.kept.clone(), at: Instant::now() });
    Ok(())
}

/// How many there are of what a run learns from, and what a source has given.
#[derive(Serialize)]
struct About {
    texts: Counts,
    words: usize,
    parameters: usize,
    transferred: Option<Transferred>,
}

/// How many texts there are.
#[derive(Serialize)]
struct Counts {
    train: usize,
    dev: usize,
    test: usize,
}

/// A step that has been taken.
#[derive(Serialize)]
struct Step {
    epoch: usize,
    step: usize,
    steps: usize,
    words: usize,
    losses: BTreeMap<&'static str, f32>,
}

/// Where a run stands.
#[derive(Serialize)]
struct Place {
    epoch: usize,
    step: usize,
}

/// What the end of a run found.
#[derive(Serialize)]
struct End {
    dev: Figures,
    test: Option<Figures>,
}

/// What an evaluation found.
#[derive(Serialize)]
struct Evaluated {
    epoch: f64,
    kept: bool,
    dev: Figures,
}

/// The figures of any task.
#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Figures {
    Classify { n: usize, tokens: usize, accuracy: f64, loss: f64, skim_rate: f64, flop_reduction: f64 },
    Predict { n: usize, loss: f64, perplexity: f64 },
    Tag { n: usize, sentences: usize, accuracy: f64, unknown: usize, unknown_accuracy: f64, loss: f64 },
}

impl From<Evaluation> for Figures {
    fn from(score: Evaluation) -> Self {
        let Evaluation { n, tokens, accuracy, loss, skim_rate, flop_reduction } = score;
        Self::Classify { n, tokens, accuracy, loss, skim_rate, flop_reduction }
    }
}

impl From<PredictionScore> for Figures {
    fn from(score: PredictionScore) -> Self {
        Self::Predict { n: score.tokens, loss: score.loss, perplexity: score.perplexity() }
    }
}

impl From<TagScore> for Figures {
    fn from(score: TagScore) -> Self {
        let TagScore { n, sentences, accuracy, unknown, unknown_accuracy, loss } = score;
        Self::Tag { n, sentences, accuracy, unknown, unknown_accuracy, loss }
    }
}

/// A word of a text, and its tag.
#[derive(Serialize)]
struct Tagged<'m> {
    text: &'m str,
    start: usize,
    end: usize,
    tag: &'m str,
    probability: f32,
}

/// The name of a loss in JavaScript.
fn loss_name(name: &'static str) -> &'static str {
    match name {
        "skim loss" => "skimLoss",
        other => other,
    }
}

impl TrainingRun {
    pub(super) fn new(
        trainer: AnyTrainer,
        settings: String,
        transferred: Option<Transferred>,
    ) -> Result<Self, Failure> {
        let model = with!(&trainer, trainer => trainer.model());
        let texts = with!(&trainer, trainer => trainer.texts());
        let parameters: usize = model.parameters().iter().map(|(_, p)| p.values.len()).sum();
        let [train, dev, test] = texts;
        let (texts, words) = (Counts { train, dev, test }, model.vocabulary().len());
        let about = to_js(&About { texts, words, parameters, transferred })?;
        let inner = Rc::new(RefCell::new(State { trainer: Some(trainer), kept: None, safe: None }));
        Ok(Self { inner, about, settings })
    }

    /// Does what may take its time, during which no other call may be made.
    fn busy<T>(
        &self,
        work: impl AsyncFnOnce(&mut AnyTrainer, &Rc<RefCell<State>>) -> Result<T, Failure> + 'static,
    ) -> JsValue
    where
        T: Into<JsValue> + 'static,
    {
        let inner = Rc::clone(&self.inner);
        answer(async move {
            let taken = inner.borrow_mut().trainer.take();
            let mut trainer = taken.ok_or_else(busy)?;
            let result = work(&mut trainer, &inner).await;
            inner.borrow_mut().trainer = Some(trainer);
            Ok(result?.into())
        })
    }
}

fn busy() -> Failure {
    Failure::option("a call of this run is under way")
}

#[wasm_bindgen]
impl TrainingRun {
    /// How many texts, words and weights there are, and what a source has given.
    #[wasm_bindgen(getter, unchecked_return_type = "TrainingAbout")]
    pub fn about(&self) -> JsValue {
        self.about.clone()
    }

    /// What is to be called next.
    #[wasm_bindgen(unchecked_return_type = "\"step\" | \"evaluation\" | \"finish\"")]
    pub fn due(&self) -> Result<String, JsValue> {
        let state = self.inner.borrow();
        let trainer = state.trainer.as_ref().ok_or_else(busy)?;
        let due = match with!(trainer, trainer => trainer.due()) {
            Due::Step => "step",
            Due::Evaluation => "evaluation",
            Due::Finish => "finish",
        };
        Ok(due.into())
    }

    /// Learns from one batch; where it is cut into as many as `most` parts, together with others: `ask` is given what they need to
    /// `help` with, and how many parts there are, and resolves to the answers for the second and those after it, undefined of one
    /// that is gone.
    #[wasm_bindgen(unchecked_return_type = "TrainingStep | Promise<TrainingStep>")]
    pub fn step(
        &self,
        most: usize,
        #[wasm_bindgen(
            unchecked_param_type = "(order: Uint32Array<ArrayBuffer>, parts: number) => Promise<(Uint32Array | undefined)[]>"
        )]
        ask: Function,
    ) -> JsValue {
        let settings = self.settings.clone();
        self.busy(async move |trainer, inner| {
            keep_safe(trainer, inner, &settings).await?;
            let (position, words) = with!(&*trainer, trainer => (trainer.position(), trainer.words()));
            let ask = |order: Vec<u32>, parts| asked(&ask, &order, parts);
            let losses = with!(trainer, trainer => trainer.step_helped(most, ask).await)?;
            let mut by_name = BTreeMap::new();
            by_name.extend(losses.iter().map(|loss| (loss_name(loss.name), loss.value)));
            let Position { epoch, done: step, steps } = position;
            to_js(&Step { epoch, step, steps, words, losses: by_name })
        })
    }

    /// Learns from a part of another run's batch.
    #[wasm_bindgen(unchecked_return_type = "Uint32Array<ArrayBuffer> | Promise<Uint32Array<ArrayBuffer>>")]
    pub fn help(&self, order: Vec<u32>, part: usize, most: usize) -> JsValue {
        self.busy(async move |trainer, _| {
            let answer = with!(trainer, trainer => trainer.help(&order, part, most))?;
            Ok(Uint32Array::from(&answer[..]))
        })
    }

    /// Scores the development texts, and keeps the model if it is the best so far.
    #[wasm_bindgen(unchecked_return_type = "TrainingEvaluation | Promise<TrainingEvaluation>")]
    pub fn evaluate(&self) -> JsValue {
        self.busy(async |trainer, inner| {
            let (found, kept) = with!(trainer, trainer => {
                let found = trainer.evaluate(|_| true).await?.ok_or_else(unstopped)?;
                let evaluated =
                    Evaluated { epoch: found.epoch, kept: found.kept.is_some(), dev: found.score.into() };
                (evaluated, found.kept)
            });
            if let Some(kept) = kept {
                inner.borrow_mut().kept = Some(kept);
            }
            to_js(&found)
        })
    }

    /// Scores the model that was kept, as it is stored, and gives its file with the figures in it.
    #[wasm_bindgen(unchecked_return_type = "TrainingEnd | Promise<TrainingEnd>")]
    pub fn finish(&self) -> JsValue {
        self.busy(async |trainer, inner| {
            let kept = inner.borrow().kept.clone().ok_or_else(|| Failure::internal("no model is kept"))?;
            let (model, dev, test) = with!(trainer, trainer => {
                let end = trainer.finish(&kept, |_| true).await?.ok_or_else(unstopped)?;
                (end.model, Figures::from(end.dev), end.test.map(Figures::from))
            });
            let end = to_js(&End { dev, test })?;
            js_sys::Reflect::set(&end, &"model".into(), &Uint8Array::from(&model[..]))
                .map_err(|_| Failure::internal("the end of a run is no object"))?;
            Ok(end)
        })
    }

    /// The file of the best model so far.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer> | undefined")]
    pub fn kept(&self) -> Option<Uint8Array> {
        self.inner.borrow().kept.as_deref().map(Uint8Array::from)
    }

    /// The file of the model as it is now.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>")]
    pub fn export(&self) -> JsValue {
        self.busy(async |trainer, _| {
            let file = with!(trainer, trainer => trainer.export().await)?;
            Ok(Uint8Array::from(&file[..]))
        })
    }

    /// What the run goes on from after an interruption, but for the model that is kept.
    #[wasm_bindgen(unchecked_return_type = "Uint8Array<ArrayBuffer> | Promise<Uint8Array<ArrayBuffer>>")]
    pub fn snapshot(&self) -> JsValue {
        let settings = self.settings.clone();
        self.busy(async move |trainer, _| {
            let file = with!(trainer, trainer => trainer.snapshot(&settings).await)?;
            Ok(Uint8Array::from(&file[..]))
        })
    }

    /// Goes on where a run with the same settings and texts gave this snapshot, and had kept this model. If it cannot, nothing
    /// changes.
    pub fn restore(&self, snapshot: &[u8], kept: Option<Vec<u8>>) -> Result<(), JsValue> {
        let mut state = self.inner.borrow_mut();
        let trainer = state.trainer.as_mut().ok_or_else(busy)?;
        // A run that cannot end is to say so now, and not after hours.
        kept.as_deref().map(Model::from_bytes).transpose().map_err(Failure::from)?;
        with!(trainer, trainer => {
            trainer.restore_if(snapshot, &self.settings, &|had| had == kept.is_some()).map_err(Failure::from)?;
        });
        (state.kept, state.safe) = (kept, None);
        Ok(())
    }

    /// Goes on on the CPU from a moment before its GPU was lost; undefined if it has none. What was learned since is learned again.
    #[wasm_bindgen(js_name = leaveGpu, unchecked_return_type = "TrainingMove | undefined")]
    pub fn leave_gpu(&self) -> Result<JsValue, JsValue> {
        let state = &mut *self.inner.borrow_mut();
        let Some(safe) = &state.safe else { return Ok(JsValue::UNDEFINED) };
        let trainer = state.trainer.as_mut().ok_or_else(busy)?;
        let position = with!(trainer, trainer => {
            trainer.go_on(&Device::cpu(), &safe.snapshot, &self.settings).map_err(Failure::from)?;
            trainer.position()
        });
        state.kept = state.safe.take().and_then(|safe| safe.kept);
        Ok(to_js(&Place { epoch: position.epoch, step: position.done })?)
    }

    /// Changes how it learns from the next step on.
    pub fn adjust(
        &self,
        learning_rate: Option<f32>,
        gamma: Option<f32>,
        temperature: Option<f32>,
    ) -> Result<(), JsValue> {
        let mut state = self.inner.borrow_mut();
        let trainer = state.trainer.as_mut().ok_or_else(busy)?;
        let adjustment = Adjustment { learning_rate, gamma, temperature };
        Ok(with!(trainer, trainer => trainer.adjust(adjustment)).map_err(Failure::from)?)
    }

    /// Reads texts with the model as it is now.
    #[wasm_bindgen(unchecked_return_type = "TrainingReading[] | Promise<TrainingReading[]>")]
    pub fn read(&self, texts: Vec<String>) -> JsValue {
        self.busy(async move |trainer, _| {
            let (model, device) = with!(&*trainer, trainer => (trainer.model(), trainer.device()));
            let texts = texts.iter().map(|text| model.tokenizer().tokenize(text)).collect();
            let readings = model.read_all(device, texts, &ReadOptions::default(), &mut ()).await?;
            to_js(&readings)
        })
    }

    /// Tags texts with the model as it is now.
    #[wasm_bindgen(unchecked_return_type = "TrainingTags[] | Promise<TrainingTags[]>")]
    pub fn tag(&self, texts: Vec<String>) -> JsValue {
        self.busy(async move |trainer, _| {
            let (model, device) = with!(&*trainer, trainer => (trainer.model(), trainer.device()));
            let all: Vec<&str> = texts.iter().map(String::as_str).collect();
            let tagged = model.tag_all(device, &all, &mut ()).await?;
            let words = texts.iter().zip(tagged).map(|(text, words)| {
                let words = words.into_iter().map(|TaggedToken { span, tag, probability, .. }| Tagged {
                    text: &text[span.bytes],
                    start: span.utf16.start,
                    end: span.utf16.end,
                    tag,
                    probability,
                });
                words.collect::<Vec<_>>()
            });
            to_js(&words.collect::<Vec<_>>())
        })
    }

    /// Goes on with a text as the model as it is now would.
    #[wasm_bindgen(unchecked_return_type = "string | Promise<string>")]
    pub fn write(&self, text: String, most_words: usize, temperature: f64, seed: u32) -> JsValue {
        self.busy(async move |trainer, _| {
            let (model, device) = with!(&*trainer, trainer => (trainer.model(), trainer.device()));
            let graph = Graph::inference(model.parameters(), device, Strategy::Levels);
            let sampling = Sampling { temperature, ..Sampling::default() };
            let written = model.write(&graph, &text, Writing { sampling, seed, most_words }).await?;
            Ok(model.text(&written.ids))
        })
    }
}

/// Has `ask` ask the others at once; their answers later. If it fails there are none, and every part is learned here.
fn asked(ask: &Function, order: &[u32], parts: usize) -> impl Future<Output = Vec<Option<Vec<u32>>>> + use<> {
    let asked = ask.call2(&JsValue::NULL, &Uint32Array::from(order), &JsValue::from(parts));
    async move {
        let Ok(promise) = asked.and_then(|asked| asked.dyn_into::<Promise>()) else { return Vec::new() };
        let Ok(answers) = JsFuture::from(promise).await else { return Vec::new() };
        let numbers = |answer: JsValue| answer.dyn_into::<Uint32Array>().ok().map(|numbers| numbers.to_vec());
        Array::from(&answers).iter().map(numbers).collect()
    }
}

/// Nobody stops an evaluation here.
fn unstopped() -> Failure {
    Failure::internal("an evaluation ended early")
}
