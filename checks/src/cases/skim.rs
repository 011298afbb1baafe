//! Skim-RNN with hard decisions: forced throughout, free, and some of both.

use saccade_rnn::device::{CellKind, Op, ParamId, Parameters, Real, Skim, SkimMode};

use super::lane_shapes;
use crate::{Case, Lane, Random};

/// Sizes of a Skim layer, its operands and how it decides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sizes {
    pub(super) cell: CellKind,
    pub(super) hidden: usize,
    pub(super) small: usize,
    /// The small cell reads all of the state.
    pub(super) reads_all: bool,
    pub(super) input: usize,
    pub(super) initial: bool,
    pub(super) mode: SkimMode,
    /// Largest input of the hard mode, and of hoisted products of the soft.
    pub(super) scale: f32,
}

/// Forced decisions of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Force {
    None,
    All,
    Some,
}

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(9);
    let mut cases = Vec::new();
    let mut add =
        |sizes: Sizes, lengths: &[usize], force| cases.push(hard(&mut random, sizes, lengths, force));
    let few = vec![0, 9, 1, 0, 6];
    for cell in [CellKind::Lstm, CellKind::Gru] {
        let sizes = |hidden, small, reads_all, input, threshold| {
            let mode = SkimMode::Hard { threshold: Real(threshold) };
            Sizes { cell, hidden, small, reads_all, input, initial: small % 2 == 0, mode, scale: 1.0 }
        };
        for force in [Force::All, Force::None, Force::Some] {
            add(sizes(1, 0, false, 1, 0.5), &few, force);
            add(sizes(10, 1, false, 3, 0.5), &few, force);
            add(sizes(10, 1, true, 3, 0.4), &[0], force);
            add(sizes(100, 8, false, 33, 0.5), &few, force);
            add(sizes(130, 10, true, 100, 0.6), &few, force);
            add(sizes(130, 101, false, 7, 0.5), &[5], force);
            // Wider than a workgroup, the small cell too.
            add(sizes(300, 8, true, 5, 0.5), &few, force);
            add(sizes(270, 260, false, 5, 0.5), &[3], force);
            // Several chunks of time.
            add(sizes(10, 8, false, 3, 0.5), &[300, 2, 129, 128], force);
            if force == Force::All {
                // Of fewer steps, since each takes long.
                add(sizes(250, 8, false, 300, 0.5), &[125], force);
            }
            add(Sizes { scale: 1e4, ..sizes(10, 8, true, 3, 0.5) }, &few, force);
        }
        for threshold in [0.0, 1.0] {
            add(sizes(10, 8, false, 3, threshold), &few, Force::None);
        }
        for lengths in lane_shapes() {
            add(sizes(4, 1, false, 3, 0.5), &lengths, Force::Some);
        }
    }
    cases
}

fn hard(random: &mut Random, sizes: Sizes, lengths: &[usize], force: Force) -> Case {
    let mut case = case(random, sizes, lengths, &[]);
    case.name = format!("{}, {force:?} forced", case.name);
    for (i, lane) in case.lanes.iter_mut().enumerate() {
        let rows = lane.inputs[0].rows;
        lane.indices = match force {
            Force::None => Vec::new(),
            Force::All => (0..rows).map(|_| 1 + random.below(2) as u32).collect(),
            // Some lanes without any.
            Force::Some if i % 2 == 0 => (0..rows).map(|_| random.below(3) as u32).collect(),
            Force::Some => Vec::new(),
        };
    }
    case
}

/// A case without forced decisions; `more` are the columns of operands between the decision's and the initial state.
pub(super) fn case(random: &mut Random, sizes: Sizes, lengths: &[usize], more: &[usize]) -> Case {
    let Sizes { cell, hidden: n, small: d, input, .. } = sizes;
    let (gates, reads) = (cell.gates(), if sizes.reads_all { n } else { d });
    let mut parameters = Parameters::new();
    let weight_scale = |inputs: usize| 2.0 / (inputs as f32).sqrt();
    let mut parameter = |shape: &[usize], inputs: usize| -> ParamId {
        random.parameter(&mut parameters, shape, weight_scale(inputs))
    };
    let op = Skim {
        cell,
        hidden: n,
        small: d,
        small_reads: reads,
        big_weight_ih: parameter(&[gates * n, input], input),
        big_bias_ih: parameter(&[gates * n], n),
        big_weight_hh: parameter(&[gates * n, n], n),
        big_bias_hh: parameter(&[gates * n], n),
        small_hh: (d > 0).then(|| (parameter(&[gates * d, reads], reads), parameter(&[gates * d], n))),
        decision_weight: parameter(&[2, input + n], n),
        initial: sizes.initial,
        mode: sizes.mode,
        inspect: false,
    };
    let first = if matches!(sizes.mode, SkimMode::Hard { .. }) { input } else { gates * n };
    let mut columns = vec![(first, sizes.scale)];
    if d > 0 {
        columns.push((gates * d, sizes.scale));
    }
    columns.push((2, 1.0));
    columns.extend(more.iter().map(|&columns| (columns, 1.0)));
    let states = if sizes.initial { 1 + usize::from(cell.has_memory()) } else { 0 };
    let lane = |&rows: &usize| {
        let mut inputs: Vec<_> = columns.iter().map(|&(c, scale)| random.matrix(rows, c, scale)).collect();
        inputs.extend((0..states).map(|_| random.matrix(1, n, 1.0)));
        Lane { inputs, indices: Vec::new() }
    };
    let lanes = lengths.iter().map(lane).collect();
    Case {
        name: format!("skim of {} lanes, {sizes:?}", lengths.len()),
        op: Op::Skim(op),
        parameters,
        lanes,
        backward: false,
        bound: 2e-5,
    }
}
