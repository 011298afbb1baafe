//! Functions of one and two values.

use saccade_rnn::device::{Binary, Op, Parameters, Real, Unary};

use super::lane_shapes;
use crate::{Case, Lane, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(1);
    let unary = [Unary::Tanh, Unary::Sigmoid, Unary::Relu, Unary::Scale(Real(-0.3))];
    let binary = [Binary::Add, Binary::Subtract, Binary::Multiply];
    let ops = unary.map(|f| (Op::Unary(f), 1)).into_iter().chain(binary.map(|f| (Op::Binary(f), 2)));
    let mut cases = Vec::new();
    for (op, operands) in ops {
        // 1e4 in front of `tanh` and `exp`.
        for (columns, scale) in [(1, 1.0), (7, 1e4), (64, 3.0)] {
            for rows in lane_shapes() {
                let inputs =
                    |&rows: &usize| (0..operands).map(|_| random.matrix(rows, columns, scale)).collect();
                let lanes: Vec<Lane> =
                    rows.iter().map(inputs).map(|inputs| Lane { inputs, indices: Vec::new() }).collect();
                cases.push(Case {
                    name: format!("{} of {} x {columns}, up to {scale}", op.name(), rows.len()),
                    op: op.clone(),
                    parameters: Parameters::new(),
                    lanes,
                    backward: true,
                    bound: 1e-6,
                });
            }
        }
    }
    cases
}
