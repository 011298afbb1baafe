//! A run that can be interrupted: its state as the bytes of one file.

use std::mem::take;

use serde::{Deserialize, Serialize};

use super::carried::CarriedRows;
use super::error::TrainError;
use super::optimizer::{Averaging, Moments, Snapshot};
use crate::device::Parameters;
use crate::model::{Checkpoint, ModelError, Storage, Tensor};

/// Where a run stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Progress {
    /// Epoch in progress.
    pub(super) epoch: usize,
    /// Batches of it that are done.
    pub(super) batch: usize,
    /// Optimiser steps so far.
    pub(super) step: u64,
    /// Whether the last step is to be followed by an evaluation.
    pub(super) evaluation_due: bool,
    /// Of the evaluation whose model is kept.
    pub(super) best: Option<Best>,
    /// Evaluations since then.
    pub(super) stale: usize,
    /// Evaluations that were no better than the best before them.
    pub(super) plateaus: usize,
    /// Which weights are averaged.
    pub(super) averaging: Averaging,
}

/// The evaluation whose model is kept.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Best {
    /// See [`Objective::rank`](super::Objective::rank).
    pub(super) rank: [f64; 3],
    /// Epochs so far, with fraction.
    pub(super) epoch: f64,
}

/// Key of the metadata: [`Progress`] as JSON.
const PROGRESS: &str = "progress";
/// Key of the metadata: the run, so that another cannot go on from it.
const RUN: &str = "run";

pub(super) fn to_bytes(
    run: &str,
    progress: &Progress,
    parameters: &Parameters,
    moments: Snapshot,
    carried: CarriedRows,
) -> Result<Vec<u8>, ModelError> {
    let mut checkpoint = Checkpoint::default();
    let json = serde_json::to_string(progress)
        .map_err(|error| ModelError::ConfigSyntax { reason: error.to_string() })?;
    checkpoint.metadata.insert(PROGRESS.into(), json);
    checkpoint.metadata.insert(RUN.into(), run.into());
    for ((_, p), m) in parameters.iter().zip(moments) {
        let mut put = |kind: &str, values: Vec<f32>| -> Result<(), ModelError> {
            let name = format!("{kind}.{}", p.name);
            let tensor = Tensor::new(&name, vec![values.len()], values)?;
            checkpoint.tensors.insert(name, tensor);
            Ok(())
        };
        put("weights", p.values.clone())?;
        put("first", m.first)?;
        put("second", m.second)?;
        put("average", m.average.unwrap_or_default())?;
        put("caught_up", m.caught_up.iter().copied().flat_map(halves).collect())?;
        put("steps", halves(m.steps).into())?;
    }
    for (part, rows) in carried.into_iter().enumerate() {
        for (row, values) in rows.into_iter().enumerate() {
            let name = carried_name(part, row);
            checkpoint.tensors.insert(name.clone(), Tensor::new(&name, vec![values.len()], values)?);
        }
    }
    checkpoint.to_bytes(|_, _| Storage::F32)
}

/// A step as two numbers that an f32 has exactly: its lower 24 bits and those above, up to step 2^48.
fn halves(step: u64) -> [f32; 2] {
    [(step & 0xff_ffff) as f32, (step >> 24) as f32]
}

/// The steps of [`halves`].
fn wholes(halves: &[f32]) -> impl Iterator<Item = u64> {
    halves.as_chunks().0.iter().map(|&[low, high]| (low as u64) | ((high as u64) << 24))
}

fn carried_name(part: usize, row: usize) -> String {
    format!("carried.{part}.{row}")
}

/// Reads what [`to_bytes`] wrote: the weights into `parameters`, which an error leaves as they are. `averaged` says
/// whether there are averages, `fits` whether a run can stand there.
pub(super) fn from_bytes(
    bytes: &[u8],
    run: &str,
    parameters: &mut Parameters,
    averaged: bool,
    fits: &dyn Fn(&Progress) -> bool,
) -> Result<(Progress, Snapshot, CarriedRows), TrainError> {
    let mut checkpoint = Checkpoint::from_bytes(bytes)?;
    let json = checkpoint.metadata.get(PROGRESS).ok_or(ModelError::ConfigMissing)?;
    let progress: Progress =
        serde_json::from_str(json).map_err(|error| ModelError::ConfigSyntax { reason: error.to_string() })?;
    if checkpoint.metadata.get(RUN).is_none_or(|of| of != run) || !fits(&progress) {
        return Err(TrainError::OtherRun);
    }
    let (mut weights, mut moments) = (Vec::new(), Snapshot::new());
    for (_, p) in parameters.iter() {
        let mut of = |kind: &str, size: usize| -> Result<Vec<f32>, ModelError> {
            Ok(take(checkpoint.values(&format!("{kind}.{}", p.name), &[size])?))
        };
        let size = p.values.len();
        moments.push(Moments {
            first: of("first", size)?,
            second: of("second", size)?,
            average: Some(of("average", if averaged { size } else { 0 })?).filter(|_| averaged),
            caught_up: wholes(&of("caught_up", 2 * p.rows())?).collect(),
            steps: wholes(&of("steps", 2)?).sum(),
        });
        weights.push(of("weights", size)?);
    }
    for ((_, p), values) in parameters.iter_mut().zip(weights) {
        p.values = values;
    }
    let mut carried = CarriedRows::new();
    let mut row = |part: usize, row: usize| {
        checkpoint.tensors.get_mut(&carried_name(part, row)).map(|tensor| take(&mut tensor.values))
    };
    while let Some(first) = row(carried.len(), 0) {
        let part = carried.len();
        let others = (1..).map_while(|number| row(part, number));
        carried.push(std::iter::once(first).chain(others).collect());
    }
    Ok((progress, moments, carried))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_keeps_every_step_exactly() {
        let steps =
            vec![0, 1, (1 << 24) - 1, 1 << 24, (1 << 24) + 1, (1 << 40) + (1 << 24) + 1, (1 << 48) - 1];
        let mut parameters = Parameters::new();
        parameters.add("table", &[steps.len(), 1], vec![0.0; steps.len()]).expect("a table");
        let zeros = vec![0.0; steps.len()];
        let moments = Moments {
            first: zeros.clone(),
            second: zeros,
            average: None,
            caught_up: steps.clone(),
            steps: 1 << 30,
        };
        let bytes = to_bytes("run", &Progress::default(), &parameters, vec![moments], Vec::new());
        let read = from_bytes(&bytes.expect("a snapshot"), "run", &mut parameters, false, &|_| true);
        let moments = &read.expect("the same").1[0];
        assert_eq!((&moments.caught_up, moments.steps), (&steps, 1 << 30));
    }
}
