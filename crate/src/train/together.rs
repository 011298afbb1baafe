//! A batch that several learn from together, a part each, as threads or as workers without memory in common: what they find is
//! put together in the order of the parts, so that a run depends on how many parts there are, and on nobody's speed.

pub(super) mod crossing;
#[cfg(not(target_arch = "wasm32"))]
mod threads;

use std::iter::zip;

use super::carried::{Carried, CarriedRows};
use super::dealt::ready;
use super::objective::{Before, Losses, Objective};
use crate::cpu::noise;
use crate::device::{Device, EngineError};
use crate::graph::{Gradients, Graph, Strategy};
use crate::model::Model;
#[cfg(not(target_arch = "wasm32"))]
pub(super) use threads::Helpers;

/// What a part of a batch gave beside its gradients.
pub(super) struct Found {
    /// The total loss.
    pub(super) total: f32,
    /// The losses by name.
    pub(super) losses: Vec<(&'static str, f32)>,
    /// What it leaves to the next batch.
    pub(super) left: CarriedRows,
}

/// Records the losses of the part with a number on a graph that trains; it may go on from what the batch before left.
pub(super) type Record<'r> =
    dyn for<'b, 'g> Fn(&Model, &'g Graph, usize, &Before<'b, 'g>) -> Losses<'g> + Sync + 'r;

/// A function as a [`Record`], whose lifetimes the compiler does not find by itself.
pub(super) fn recording<F>(record: F) -> F
where
    F: for<'b, 'g> Fn(&Model, &'g Graph, usize, &Before<'b, 'g>) -> Losses<'g> + Sync,
{
    record
}

/// A batch, whatever the task: in several parts, or whole if there are fewer than two.
pub(super) struct Parts<'p> {
    pub(super) record: &'p Record<'p>,
    /// The names of all losses that a part may have, in the order in which they are told.
    pub(super) names: &'static [&'static str],
    /// The share of every part in the means over all.
    pub(super) shares: Vec<f32>,
}

/// What the parts of a batch have in common.
pub(super) struct Common<'c> {
    pub(super) parts: &'c Parts<'c>,
    pub(super) model: &'c Model,
    pub(super) carried: &'c CarriedRows,
    pub(super) seed: u32,
}

impl Common<'_> {
    /// Adds the gradients of a part.
    ///
    /// # Errors
    /// If the engine fails, or the device answers later, as a GPU does.
    pub(super) fn learn(
        &self,
        device: &Device,
        number: usize,
        gradients: &mut Gradients,
    ) -> Result<Found, EngineError> {
        let seed = noise::bits(self.seed, 7, number as u32);
        let graph = Graph::training(self.model.parameters(), device, Strategy::Levels, seed);
        let before = |part: usize| {
            let rows = self.carried.get(part).into_iter().flatten();
            rows.map(|row| graph.input(1, row.len(), row.clone())).collect()
        };
        let Losses { total, parts, states } = (self.parts.record)(self.model, &graph, number, &before);
        let share = self.parts.shares[number];
        let learned = async {
            total.scale(share).backward_into(gradients).await?;
            let (names, losses): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
            let values = graph.values(&[&[total], &losses[..]].concat()).await?;
            let mut values: Vec<f32> = values.into_iter().flatten().collect();
            let total = values.remove(0);
            let left = Carried::hold(&states)?.read(device).await?;
            Ok(Found { total, losses: zip(names, values).collect(), left })
        };
        let later = || EngineError::Unsupported { op: "threads", reason: "the device answers later" };
        ready(learned).unwrap_or_else(|| Err(later()))
    }
}

/// The share of every part in the means over all.
pub(super) fn shares<O: Objective>(objective: &O, parts: &[O::Batch]) -> Vec<f32> {
    let weights: Vec<usize> = parts.iter().map(|part| objective.weight(part)).collect();
    let all = weights.iter().sum::<usize>().max(1) as f32;
    weights.iter().map(|&weight| weight as f32 / all).collect()
}

/// The losses of all parts, and what they leave, in their order. A loss that a part has not is the mean over those that have it.
pub(super) fn together(found: Vec<Found>, &Parts { names, ref shares, .. }: &Parts<'_>) -> Found {
    let mean = |&name: &&'static str| {
        let of = |part: &Found| part.losses.iter().find(|(other, _)| *other == name).map(|&(_, value)| value);
        let known = || zip(&found, shares).filter_map(|(part, &share)| Some((of(part)?, share)));
        let weight: f32 = known().map(|(_, share)| share).sum();
        let sum: f32 = known().map(|(value, share)| value * share).sum();
        known().next().map(|_| (name, sum / weight))
    };
    Found {
        total: zip(&found, shares).map(|(part, share)| part.total * share).sum(),
        losses: names.iter().filter_map(mean).collect(),
        left: found.into_iter().flat_map(|part| part.left).collect(),
    }
}
