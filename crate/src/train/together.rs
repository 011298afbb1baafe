//! A batch that several threads learn from together, a part each: what they find is put together in the order of the parts, so
//! that a run depends on how many threads there are, and on nothing that they do.

use std::iter::zip;
use std::sync::Arc;
use std::thread;

use super::carried::{Carried, CarriedRows};
use super::dealt::ready;
use super::objective::{Losses, Objective};
use super::optimizer::Touched;
use crate::cpu::noise;
use crate::device::{Buffer, Cpu, Device, EngineError};
use crate::graph::{Gradients, Graph, Strategy};
use crate::model::Model;

/// A thread's processor and gradients, kept from batch to batch. The gradients are zero between two batches.
struct Helper {
    cpu: Arc<Cpu>,
    gradients: Slots,
}

/// The gradient of every parameter, to be sent to another thread.
type Slots = Vec<Option<Arc<Vec<f32>>>>;

/// The threads beside the caller's.
#[derive(Default)]
pub(super) struct Helpers(Vec<Helper>);

/// What a part of a batch gave beside its gradients.
pub(super) struct Found {
    /// The total loss.
    pub(super) total: f32,
    /// The losses by name.
    pub(super) losses: Vec<(&'static str, f32)>,
    /// What it leaves to the next batch.
    pub(super) left: CarriedRows,
}

/// What the parts of a batch have in common.
struct Common<'c, O> {
    objective: &'c O,
    model: &'c Model,
    carried: &'c CarriedRows,
    seed: u32,
    step: u64,
}

impl Helpers {
    /// Adds the gradients of all parts to those that are there; the losses are means over all parts, each by its weight.
    ///
    /// # Errors
    /// The first, in the order of the parts.
    #[allow(clippy::too_many_arguments, reason = "what a step of learning depends on")]
    pub(super) fn learn<O: Objective>(
        &mut self,
        device: &Device,
        objective: &O,
        model: &Model,
        parts: Vec<O::Batch>,
        carried: &CarriedRows,
        (seed, step): (u32, u64),
        touched: &Touched,
        gradients: &mut Gradients,
    ) -> Result<Found, EngineError> {
        let weights: Vec<usize> = parts.iter().map(|part| objective.weight(part)).collect();
        let all = weights.iter().sum::<usize>().max(1) as f32;
        let shares: Vec<f32> = weights.iter().map(|&weight| weight as f32 / all).collect();
        let (_, options) = device.threads();
        while self.0.len() + 1 < parts.len() {
            let gradients = vec![None; model.parameters().len()];
            self.0.push(Helper { cpu: Arc::new(Cpu::new(options)), gradients });
        }
        let common = Common { objective, model, carried, seed, step };
        let helping = parts.len() - 1;
        let mut parts = zip(parts, &shares).enumerate();
        let own = parts.next();
        let found = thread::scope(|scope| {
            let threads: Vec<_> = zip(&mut self.0, parts)
                .map(|(helper, (number, (part, &share)))| {
                    let common = &common;
                    scope.spawn(move || helper.learn(common, number, &part, share))
                })
                .collect();
            let own =
                own.map(|(number, (part, &share))| common.learn(device, number, &part, share, gradients));
            let rest = threads.into_iter().map(|thread| {
                // A panic goes on in the caller, as if it had learned from this part itself.
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            // All are waited for, whatever one of them gives.
            own.into_iter().chain(rest).collect::<Vec<_>>()
        });
        let found: Vec<Found> = found.into_iter().collect::<Result<_, _>>()?;
        for helper in &mut self.0[..helping] {
            add(&mut helper.gradients, model, touched, gradients)?;
        }
        Ok(together(found, &shares))
    }
}

impl Helper {
    fn learn<O: Objective>(
        &mut self,
        common: &Common<'_, O>,
        number: usize,
        part: &O::Batch,
        share: f32,
    ) -> Result<Found, EngineError> {
        let device = Device::Cpu(self.cpu.clone());
        let mut gradients = Gradients::zeros(common.model.parameters());
        for ((id, _), slot) in zip(common.model.parameters().iter(), &mut self.gradients) {
            *gradients.get_mut(id) = slot.take().map(Buffer::Cpu);
        }
        let found = common.learn(&device, number, part, share, &mut gradients);
        for ((id, _), slot) in zip(common.model.parameters().iter(), &mut self.gradients) {
            *slot = match gradients.get_mut(id).take() {
                Some(Buffer::Cpu(values)) => Some(values),
                _ => None,
            };
        }
        found
    }
}

impl<O: Objective> Common<'_, O> {
    /// Adds the gradients of a part, which has this share in every mean.
    fn learn(
        &self,
        device: &Device,
        number: usize,
        part: &O::Batch,
        share: f32,
        gradients: &mut Gradients,
    ) -> Result<Found, EngineError> {
        let seed = noise::bits(self.seed, 7, number as u32);
        let graph = Graph::training(self.model.parameters(), device, Strategy::Levels, seed);
        let before = |part: usize| {
            let rows = self.carried.get(part).into_iter().flatten();
            rows.map(|row| graph.input(1, row.len(), row.clone())).collect()
        };
        let Losses { total, parts, states } =
            self.objective.losses(self.model, &graph, part, &before, self.step);
        let later = || EngineError::Unsupported { op: "threads", reason: "the device answers later" };
        let learned = async {
            total.scale(share).backward_into(gradients).await?;
            let (names, losses): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let mut values: Vec<f32> =
                graph.values(&[&[total], &losses[..]].concat()).await?.into_iter().flatten().collect();
            let total = values.remove(0);
            let left = Carried::hold(&states)?.read(device).await?;
            Ok(Found { total, losses: zip(names, values).collect(), left })
        };
        ready(learned).unwrap_or_else(|| Err(later()))
    }
}

/// Adds a thread's gradients to the others and sets them to zero; of a table of which only some rows were read those.
fn add(
    slots: &mut Slots,
    model: &Model,
    touched: &Touched,
    gradients: &mut Gradients,
) -> Result<(), EngineError> {
    for ((id, parameter), slot) in zip(model.parameters().iter(), slots) {
        let Some(values) = slot else { continue };
        let from = Arc::make_mut(values);
        let Some(to) = gradients.get_mut(id) else {
            *gradients.get_mut(id) = Some(Buffer::Cpu(Arc::new(std::mem::take(from))));
            *slot = None;
            continue;
        };
        let to = Arc::make_mut(to.on_cpu_mut()?);
        let columns = parameter.columns();
        let mut add = |range: std::ops::Range<usize>| {
            for (to, from) in zip(&mut to[range.clone()], &mut from[range]) {
                *to += std::mem::take(from);
            }
        };
        match touched.get(&id) {
            Some(rows) => rows.iter().map(|&row| row as usize * columns).for_each(|at| add(at..at + columns)),
            None => add(0..parameter.values.len()),
        }
    }
    Ok(())
}

/// The losses of all parts, and what they leave, in their order. A loss that a part has not is the mean over those that have it.
fn together(found: Vec<Found>, shares: &[f32]) -> Found {
    let mut names: Vec<&'static str> = Vec::new();
    for (name, _) in found.iter().flat_map(|part| &part.losses) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mean = |name: &&'static str| {
        let of = |part: &Found| part.losses.iter().find(|(other, _)| other == name).map(|&(_, value)| value);
        let known = || zip(&found, shares).filter_map(|(part, &share)| Some((of(part)?, share)));
        let weight: f32 = known().map(|(_, share)| share).sum();
        (*name, known().map(|(value, share)| value * share).sum::<f32>() / weight)
    };
    Found {
        total: zip(&found, shares).map(|(part, share)| part.total * share).sum(),
        losses: names.iter().map(mean).collect(),
        left: found.into_iter().flat_map(|part| part.left).collect(),
    }
}
