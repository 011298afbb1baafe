//! Functions of one and two values.

use saccade_rnn::device::{Binary, Op, Parameters, Real, Unary};

use super::lane_shapes;
use crate::{Case, Lane, Matrix, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(1);
    let unary = [Unary::Tanh, Unary::Sigmoid, Unary::Relu, Unary::Scale(Real(-0.3)), Unary::Exp, Unary::Log];
    let binary = [Binary::Add, Binary::Subtract, Binary::Multiply];
    let ops = unary.map(|f| (Op::Unary(f), 1)).into_iter().chain(binary.map(|f| (Op::Binary(f), 2)));
    let mut cases = Vec::new();
    for (op, operands) in ops {
        // 1e4 in front of `tanh` and `exp`; of negative numbers `log` is NaN.
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
    cases.extend([Unary::Exp, Unary::Log].into_iter().flat_map(edges));
    cases.extend([Unary::Tanh, Unary::Sigmoid, Unary::Relu].into_iter().flat_map(not_finite));
    cases
}

/// What is not finite or gives what is not, the largest numbers, and numbers near 1, each held against the bound by itself.
/// (Not those below the least normal number, which a GPU may take for 0.)
fn edges(function: Unary) -> impl Iterator<Item = Case> {
    let far = [0.0, -1.0, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-30, 88.0, 88.7, 88.8, -87.0, -110.0];
    let near = (-20..=20).map(|i| 1.0 + i as f32 * 2e-3);
    not_finite(function).chain(far.into_iter().chain(near).map(move |value| of_one(function, value)))
}

/// What is not finite.
fn not_finite(function: Unary) -> impl Iterator<Item = Case> {
    [f32::NAN, f32::INFINITY, f32::NEG_INFINITY].into_iter().map(move |value| of_one(function, value))
}

/// The function of one value.
fn of_one(function: Unary, value: f32) -> Case {
    let op = Op::Unary(function);
    Case {
        name: format!("{} of {value}", op.name()),
        op,
        parameters: Parameters::new(),
        lanes: vec![Lane {
            inputs: vec![Matrix { rows: 1, columns: 1, values: vec![value] }],
            indices: Vec::new(),
        }],
        backward: false,
        bound: 1e-6,
    }
}
