//! Decisions that rounding may turn. One turned decision changes every later state, so a sequence that decides freely is
//! comparable up to the first step whose probability is next to its threshold; forced decisions are never in doubt.

use saccade_rnn::device::{Op, Shape, SkimMode};

use crate::Case;

/// Nearer to the threshold than this, a probability may fall on either side.
const MARGIN: f64 = 1e-4;
/// Which output of Skim holds the logits.
pub(crate) const LOGITS: usize = 3;

/// How many rows of each lane come before the first decision in doubt; `None` if the operation decides nothing.
pub(crate) fn certain_rows(case: &Case, logits: &[f32]) -> Option<Vec<usize>> {
    let Op::Skim(saccade_rnn::device::Skim { mode: SkimMode::Hard { threshold }, .. }) = case.op else {
        return None;
    };
    let mut pairs = logits.chunks_exact(2);
    let mut certain = Vec::new();
    for lane in &case.lanes {
        let rows = lane.inputs[0].rows;
        let in_doubt = |(t, pair): (usize, &[f32])| {
            let gap = f64::from(pair[1]) - f64::from(pair[0]);
            let probability = 1.0 / (1.0 + (-gap).exp());
            let free = lane.indices.get(t).is_none_or(|&force| force == 0);
            free && (probability - f64::from(threshold.0)).abs() < MARGIN
        };
        let pairs: Vec<&[f32]> = pairs.by_ref().take(rows).collect();
        certain.push(pairs.into_iter().enumerate().position(in_doubt).unwrap_or(rows));
    }
    Some(certain)
}

/// What is comparable of an output, whose shape is given for each lane: rows of time steps up to the first in doubt,
/// and final states of lanes without any.
pub(crate) fn comparable(case: &Case, certain: &[usize], shapes: &[Shape], values: &[f32]) -> Vec<f32> {
    let mut kept = Vec::new();
    let mut rest = values;
    for ((lane, &certain), shape) in case.lanes.iter().zip(certain).zip(shapes) {
        let (block, after) = rest.split_at(shape.rows * shape.columns);
        let steps = lane.inputs[0].rows;
        // A lane of one step has one row either way.
        let rows = if certain == steps { shape.rows } else { certain.min(shape.rows - 1) };
        kept.extend_from_slice(&block[..rows * shape.columns]);
        rest = after;
    }
    kept
}
