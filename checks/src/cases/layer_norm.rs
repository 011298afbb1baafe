//! Layer normalisation.

use saccade_rnn::device::{Op, Parameters};

use super::lane_shapes;
use crate::{Case, Lane, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(7);
    let mut cases = Vec::new();
    // The mean of one or two columns of large values leaves nothing but rounding: no case for the arithmetic.
    for (columns, scale) in [(1, 1.0), (3, 2.0), (100, 1.0), (130, 1e4), (300, 0.01)] {
        for lengths in lane_shapes() {
            let mut parameters = Parameters::new();
            let weight = random.parameter(&mut parameters, &[columns], 2.0);
            let bias = random.parameter(&mut parameters, &[columns], 1.0);
            let lane = |&rows: &usize| Lane {
                inputs: vec![random.matrix(rows, columns, scale)],
                indices: Vec::new(),
            };
            cases.push(Case {
                name: format!("layer norm of {} lanes x {columns}, up to {scale}", lengths.len()),
                op: Op::LayerNorm { weight, bias },
                lanes: lengths.iter().map(lane).collect(),
                parameters,
                backward: true,
                bound: 1e-5,
            });
        }
    }
    cases
}
