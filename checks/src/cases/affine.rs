//! Affine layers: weights as PyTorch and as the `sru` package store them, and parts of them.

use saccade_rnn::device::{Op, Parameters, WeightView};

use super::lane_shapes;
use crate::{Case, Lane, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(3);
    let mut cases = Vec::new();
    for (inputs, outputs) in [(1, 1), (3, 65), (64, 64), (100, 2), (130, 7)] {
        for lengths in lane_shapes() {
            for (input_major, bias) in [(false, false), (false, true), (true, false), (true, true)] {
                cases.push(case(&mut random, [inputs, outputs], &lengths, input_major, bias));
            }
        }
    }
    // Few rows have kernels of their own.
    for rows in (1..=9).chain([20, 33]) {
        for (inputs, outputs) in [(1, 33), (33, 31), (100, 129)] {
            cases.push(case(&mut random, [inputs, outputs], &[rows], rows % 2 == 0, rows % 4 < 2));
            cases.push(case(&mut random, [inputs, outputs], &[rows], rows % 2 == 1, rows % 4 > 1));
        }
    }
    cases
}

fn case(
    random: &mut Random,
    [inputs, outputs]: [usize; 2],
    lengths: &[usize],
    input_major: bool,
    bias: bool,
) -> Case {
    let mut parameters = Parameters::new();
    // One more input than is used, so that the view is not the whole.
    let shape = if input_major { [inputs + 1, outputs] } else { [outputs, inputs + 1] };
    let weight = random.parameter(&mut parameters, &shape, 1.0);
    let bias = bias.then(|| random.parameter(&mut parameters, &[outputs], 1.0));
    let view = WeightView { param: weight, first: 1, inputs, outputs, input_major };
    let rows: usize = lengths.iter().sum();
    let lane = |&rows: &usize| Lane { inputs: vec![random.matrix(rows, inputs, 1.0)], indices: Vec::new() };
    Case {
        name: format!("affine {inputs} to {outputs}, {rows} rows, {} lanes, {input_major}", lengths.len()),
        op: Op::Affine { weight: view, bias },
        parameters,
        lanes: lengths.iter().map(lane).collect(),
        backward: true,
        bound: 1e-5,
    }
}
