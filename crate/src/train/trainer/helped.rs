//! A step that workers without memory in common learn from: each holds the texts, the one that leads the run as well. It sends
//! the weights that a batch reads, and is sent gradients; who helps has no state of its own, and may be gone at any time.

use std::iter::zip;
use std::mem::{replace, take};
use std::pin::Pin;

use super::Trainer;
use super::state::{Learned, State, zeros};
use crate::device::{Buffer, EngineError};
use crate::train::carried::{Carried, CarriedRows};
use crate::train::error::TrainError;
use crate::train::objective::{Objective, Skimming};
use crate::train::optimizer::Touched;
use crate::train::run::Loss;
use crate::train::snapshot::Progress;
use crate::train::together::crossing::{Reader, Writer, elements};
use crate::train::together::{Common, Found, Parts, recording, shares, together};

/// How to ask who helps: it is given an order and how many parts there are, and resolves to the answers of the second part and those after it.
pub(super) type Ask<'a> = Box<dyn FnMut(Vec<u32>, usize) -> Pin<Box<dyn Future<Output = Answers> + 'a>> + 'a>;

/// What parts gave; none of one that is gone.
type Answers = Vec<Option<Vec<u32>>>;

impl<O: Objective> Trainer<O> {
    /// As [`step`](Self::step), from a batch in at most `most` parts. `ask` is given what all need to [`help`](Self::help) with, and
    /// how many parts there are; it resolves to the answers of the second part and those after it. A part without an answer is
    /// learned here. A run depends on how many parts there are, and not on who learns them. Adversarial training asks twice.
    ///
    /// # Errors
    /// As [`step`](Self::step) has them; [`TrainError::OtherWorker`] if an answer is of another run; if the device is a GPU.
    pub async fn step_helped<A: Future<Output = Vec<Option<Vec<u32>>>>>(
        &mut self,
        most: usize,
        mut ask: impl FnMut(Vec<u32>, usize) -> A,
    ) -> Result<Vec<Loss>, TrainError> {
        self.step_in(most, Some(Box::new(move |order, parts| Box::pin(ask(order, parts))))).await
    }

    /// Learns from a part of a batch for another trainer of the same texts and config, which gave this order; `most` is the one
    /// that it was called with. The answer is for its [`step_helped`](Self::step_helped). This trainer's own run is lost.
    ///
    /// # Errors
    /// [`TrainError::OtherWorker`] if the order is of another run; if the engine fails. This trainer helps no more then.
    pub fn help(&mut self, order: &[u32], part: usize, most: usize) -> Result<Vec<u32>, TrainError> {
        let mut order = Reader(order);
        let Place { epoch, batch, step, skimming } =
            Place::read(&mut order).ok_or(TrainError::OtherWorker)?;
        let progress = &mut self.state.progress;
        let is_new = epoch != progress.epoch;
        (progress.epoch, progress.batch, progress.step) = (epoch, batch, step);
        if is_new {
            self.begin_epoch();
        }
        let batch = self.batches.get(batch).ok_or(TrainError::OtherWorker)?;
        let parts = self.objective.split(batch, most);
        if part >= parts.len() {
            return Err(TrainError::OtherWorker);
        }
        let objective = &self.objective;
        let words = objective.words(batch).collect();
        let record = recording(|model, graph, number, before| {
            objective.losses(model, graph, &parts[number], before, skimming)
        });
        let parts = Parts { record: &record, names: O::LOSSES, shares: shares(objective, &parts) };
        self.state.help(order, words, &parts, part)
    }
}

/// Which step of a run it is, and how it learns to skim.
struct Place {
    epoch: usize,
    batch: usize,
    step: u64,
    skimming: Skimming,
}

impl Place {
    fn of(state: &State) -> Self {
        let Progress { epoch, batch, step, .. } = state.progress;
        Self { epoch, batch, step, skimming: state.skimming() }
    }

    fn write(&self, order: &mut Writer) {
        let &Self { epoch, batch, step, skimming: Skimming { weight, temperature } } = self;
        [epoch, batch, step as usize].into_iter().for_each(|number| order.number(number));
        order.floats(&[weight, temperature]);
    }

    fn read(order: &mut Reader<'_>) -> Option<Self> {
        let [epoch, batch] = [order.number()?, order.number()?];
        let step = order.number()? as u64;
        let mut floats = order.floats(2)?;
        let skimming = Skimming { weight: floats.next()?, temperature: floats.next()? };
        Some(Self { epoch, batch, step, skimming })
    }
}

impl State {
    /// Has every part learned, by who helps or here.
    pub(super) async fn learn_helped(
        &mut self,
        touched: &Touched,
        parts: &Parts<'_>,
        ask: &mut Ask<'_>,
    ) -> Result<Learned, TrainError> {
        let carried = self.carried.read(&self.device).await?;
        let asked = ask(self.order(touched, &carried), parts.shares.len());
        let own = self.learn_part(parts, 0, &carried);
        // All are waited for, whatever one of them gives.
        let mut answers = asked.await;
        let mut found = vec![own?];
        for number in 1..parts.shares.len() {
            let answer = match answers.get_mut(number - 1).and_then(take) {
                Some(answer) => answer,
                None => {
                    let zeros = zeros(&self.device, self.model.parameters())?;
                    let others = replace(&mut self.gradients, zeros);
                    let learned = self.learn_part(parts, number, &carried).map_err(TrainError::from);
                    let answer = learned.and_then(|found| self.answer(touched, parts.names, &found));
                    self.gradients = others;
                    answer?
                }
            };
            found.push(self.add(touched, parts.names, &answer)?);
        }
        self.learned(together(found, parts))
    }

    /// Adds the gradients of a part.
    fn learn_part(
        &mut self,
        parts: &Parts<'_>,
        number: usize,
        carried: &CarriedRows,
    ) -> Result<Found, EngineError> {
        let seed = self.seed();
        let common = Common { parts, model: &self.model, carried, seed };
        common.learn(&self.device, number, &mut self.gradients)
    }

    /// Learns from a part of a batch that reads these words, for the one that gave this order.
    fn help(
        &mut self,
        mut order: Reader<'_>,
        words: Vec<u32>,
        parts: &Parts<'_>,
        part: usize,
    ) -> Result<Vec<u32>, TrainError> {
        let touched = self.touched(words);
        let carried = self.take_order(&mut order, &touched).ok_or(TrainError::OtherWorker)?;
        let found = self.learn_part(parts, part, &carried)?;
        self.answer(&touched, parts.names, &found)
    }

    /// What helpers need.
    fn order(&self, touched: &Touched, carried: &CarriedRows) -> Vec<u32> {
        let mut order = Writer::default();
        Place::of(self).write(&mut order);
        order.carried(carried);
        for (id, parameter) in self.model.parameters().iter() {
            for at in elements(parameter.values.len(), parameter.columns(), touched.get(&id)) {
                order.floats(&parameter.values[at]);
            }
        }
        order.0
    }

    /// Takes over the weights of an order; what the batch before left.
    fn take_order(&mut self, order: &mut Reader<'_>, touched: &Touched) -> Option<CarriedRows> {
        let carried = order.carried()?;
        for (id, parameter) in self.model.parameters_mut().iter_mut() {
            let columns = parameter.columns();
            for at in elements(parameter.values.len(), columns, touched.get(&id)) {
                let values = order.floats(at.len())?;
                zip(&mut parameter.values[at], values).for_each(|(to, from)| *to = from);
            }
        }
        order.0.is_empty().then_some(carried)
    }

    /// What a part gave, and its gradients, which are zero from here on.
    fn answer(&mut self, touched: &Touched, names: &[&str], found: &Found) -> Result<Vec<u32>, TrainError> {
        let mut answer = Writer::default();
        answer.floats(&[found.total]);
        answer.number(found.losses.len());
        for (name, value) in &found.losses {
            let number = names.iter().position(|known| known == name);
            answer.number(number.ok_or(TrainError::OtherWorker)?);
            answer.floats(&[*value]);
        }
        answer.carried(&found.left);
        for (id, parameter) in self.model.parameters().iter() {
            let Some(gradient) = self.gradients.get_mut(id) else {
                answer.number(0);
                continue;
            };
            answer.number(1);
            let gradient = on_cpu(gradient)?;
            for at in elements(gradient.len(), parameter.columns(), touched.get(&id)) {
                answer.floats(&gradient[at.clone()]);
                gradient[at].fill(0.0);
            }
        }
        Ok(answer.0)
    }

    /// Adds the gradients of an answer; what else is in it.
    fn add(
        &mut self,
        touched: &Touched,
        names: &'static [&'static str],
        answer: &[u32],
    ) -> Result<Found, TrainError> {
        let mut answer = Reader(answer);
        let found = found(names, &mut answer).ok_or(TrainError::OtherWorker)?;
        for (id, parameter) in self.model.parameters().iter() {
            if answer.number().ok_or(TrainError::OtherWorker)? == 0 {
                continue;
            }
            let size = parameter.values.len();
            let slot = self.gradients.get_mut(id);
            if slot.is_none() {
                *slot = self.device.zeros_all(&[size])?.pop();
            }
            let Some(gradient) = slot else { continue };
            let gradient = on_cpu(gradient)?;
            for at in elements(size, parameter.columns(), touched.get(&id)) {
                let values = answer.floats(at.len()).ok_or(TrainError::OtherWorker)?;
                zip(&mut gradient[at], values).for_each(|(to, from)| *to += from);
            }
        }
        if answer.0.is_empty() { Ok(found) } else { Err(TrainError::OtherWorker) }
    }

    /// What all parts gave beside their gradients, on the device.
    pub(super) fn learned(&self, Found { total, losses, left }: Found) -> Result<Learned, TrainError> {
        let value = |value: f32| Ok((self.device.upload(vec![value])?, 0..1));
        let values = std::iter::once(total).chain(losses.iter().map(|&(_, loss)| loss));
        let read = values.map(value).collect::<Result<_, EngineError>>()?;
        let names = losses.iter().map(|&(name, _)| name).collect();
        Ok(Learned { read, names, left: Carried::upload(&self.device, left)? })
    }
}

/// What an answer says beside gradients.
fn found(names: &'static [&'static str], answer: &mut Reader<'_>) -> Option<Found> {
    let total = answer.floats(1)?.next()?;
    let mut losses = Vec::new();
    for _ in 0..answer.number()? {
        let name = *names.get(answer.number()?)?;
        losses.push((name, answer.floats(1)?.next()?));
    }
    Some(Found { total, losses, left: answer.carried()? })
}

/// A gradient in the host's memory.
fn on_cpu(gradient: &mut Buffer) -> Result<&mut Vec<f32>, EngineError> {
    Ok(std::sync::Arc::make_mut(gradient.on_cpu_mut()?))
}
