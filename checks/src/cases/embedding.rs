//! Rows of a table.

use saccade_rnn::device::{Op, Parameters};

use super::lane_shapes;
use crate::{Case, Lane, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(2);
    let mut cases = Vec::new();
    // A few rows, and as many as a large vocabulary has words.
    let narrow = [1, 5, 100].map(|columns| (13, columns, lane_shapes()));
    for (rows, columns, shapes) in narrow.into_iter().chain([(1_000_000, 2, vec![vec![5, 0, 1000]])]) {
        for lengths in shapes {
            let mut parameters = Parameters::new();
            let table = random.parameter(&mut parameters, &[rows, columns], 1.0);
            let ids = |&n: &usize| (0..n).map(|_| random.below(rows) as u32).collect();
            let lanes: Vec<Lane> =
                lengths.iter().map(ids).map(|indices| Lane { inputs: Vec::new(), indices }).collect();
            cases.push(Case {
                name: format!("embedding of {} x {columns}, {rows} rows", lengths.len()),
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
