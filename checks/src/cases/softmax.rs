//! Softmax, its logarithm and the cross entropy.

use saccade_rnn::device::{Op, Parameters};

use super::lane_shapes;
use crate::{Case, Lane, Matrix, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(5);
    let mut cases = Vec::new();
    // More columns than a workgroup has invocations, and a language model's vocabulary.
    let narrow =
        [(1, 1.0), (2, 5.0), (7, 1e4), (130, 10.0)].map(|(columns, scale)| (columns, scale, lane_shapes()));
    let wide = [(1000, 10.0), (50_000, 3.0), (1_000_000, 3.0)];
    let wide = wide.map(|(columns, scale)| (columns, scale, vec![vec![3]]));
    for (columns, scale, shapes) in narrow.into_iter().chain(wide) {
        for lengths in shapes {
            for op in [Op::Softmax, Op::LogSoftmax, Op::CrossEntropy] {
                let targets = op == Op::CrossEntropy;
                let lane = |&rows: &usize| Lane {
                    inputs: vec![random.matrix(rows, columns, scale)],
                    indices: (0..rows).filter(|_| targets).map(|_| random.below(columns) as u32).collect(),
                };
                // Probabilities are the smaller, the more there are.
                let size = if op == Op::Softmax { (2500.0 / columns as f32).min(1.0) } else { 1.0 };
                cases.push(Case {
                    name: format!("{} of {} lanes x {columns}, up to {scale}", op.name(), lengths.len()),
                    bound: 2e-6 * size,
                    lanes: lengths.iter().map(lane).collect(),
                    op,
                    parameters: Parameters::new(),
                    backward: true,
                });
            }
        }
    }
    let masked = f32::NEG_INFINITY;
    let rows = [[0.0, f32::NAN, 1.0], [0.0, masked, 1.0], [masked; 3]];
    let each = rows
        .into_iter()
        .flat_map(|row| [Op::Softmax, Op::LogSoftmax, Op::CrossEntropy].map(|op| (op, row.to_vec())));
    for (op, values) in each {
        cases.push(Case {
            name: format!("{} of {values:?}", op.name()),
            lanes: vec![Lane {
                indices: if op == Op::CrossEntropy { vec![2] } else { Vec::new() },
                inputs: vec![Matrix { rows: 1, columns: 3, values }],
            }],
            op,
            parameters: Parameters::new(),
            backward: false,
            bound: 2e-6,
        });
    }
    cases
}
