//! Rows of a table.

use saccade_rnn::device::{Op, Parameters};

use super::lane_shapes;
use crate::{Case, Lane, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(2);
    let mut cases = Vec::new();
    for columns in [1, 5, 100] {
        for lengths in lane_shapes() {
            let mut parameters = Parameters::new();
            let table = random.parameter(&mut parameters, &[13, columns], 1.0);
            let ids = |&n: &usize| (0..n).map(|_| random.below(13) as u32).collect();
            let lanes: Vec<Lane> =
                lengths.iter().map(ids).map(|indices| Lane { inputs: Vec::new(), indices }).collect();
            cases.push(Case {
                name: format!("embedding of {} x {columns}", lengths.len()),
                op: Op::Embedding { table },
                parameters,
                lanes,
                backward: true,
                bound: 1e-6,
            });
        }
    }
    cases
}
