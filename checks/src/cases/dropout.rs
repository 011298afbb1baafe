//! Dropout: the same values fall on every device.

use saccade_rnn::device::{Op, Parameters, Real};

use super::lane_shapes;
use crate::{Case, Lane, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(8);
    let mut cases = Vec::new();
    for (columns, rate) in [(1, 0.5), (7, 0.0), (130, 0.3)] {
        for per_sequence in [false, true] {
            for lengths in lane_shapes() {
                let lane = |&rows: &usize| Lane {
                    inputs: vec![random.matrix(rows, columns, 1.0)],
                    indices: Vec::new(),
                };
                cases.push(Case {
                    name: format!("dropout of {} lanes x {columns}, {per_sequence}", lengths.len()),
                    op: Op::Dropout { rate: Real(rate), per_sequence },
                    parameters: Parameters::new(),
                    lanes: lengths.iter().map(lane).collect(),
                    backward: true,
                    bound: 0.0,
                });
            }
        }
    }
    cases
}
