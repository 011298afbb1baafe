//! Products of two values.

use saccade_rnn::device::{Op, Parameters};

use super::lane_shapes;
use crate::{Case, Lane, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(15);
    let mut cases = Vec::new();
    let mut add = |lengths: &[usize], [inner, columns]: [usize; 2]| {
        let lane = |&rows: &usize| Lane {
            inputs: vec![random.matrix(rows, inner, 1.0), random.matrix(inner, columns, 1.0)],
            indices: Vec::new(),
        };
        cases.push(Case {
            name: format!("matmul {inner} to {columns} of {} lanes", lengths.len()),
            op: Op::MatMul,
            parameters: Parameters::new(),
            lanes: lengths.iter().map(lane).collect(),
            backward: true,
            bound: 1e-5,
        });
    };
    for lengths in lane_shapes() {
        for sizes in [[1, 1], [3, 7], [64, 5], [5, 65], [0, 3], [3, 0]] {
            add(&lengths, sizes);
        }
    }
    // Sums of more terms than a launch adds: of the columns of the left operand, and of its rows.
    add(&[2, 1], [33_000, 2]);
    add(&[33_000, 3], [2, 1]);
    cases
}
