//! One row from the rows of a lane.

use saccade_rnn::device::{Op, Parameters, Pool};

use super::lane_shapes;
use crate::{Case, Lane, Matrix, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(6);
    let mut cases = Vec::new();
    for kind in [Pool::Last, Pool::Sum, Pool::Mean, Pool::Max] {
        for columns in [1, 7, 130] {
            for lengths in lane_shapes() {
                // Few distinct values, so that rows share a maximum; all negative in the first column.
                let mut matrix = |rows: usize| {
                    let value = |i: usize, n: usize| {
                        if i.is_multiple_of(columns) { -1.0 - n as f32 } else { n as f32 - 1.0 }
                    };
                    let values = (0..rows * columns).map(|i| value(i, random.below(3))).collect();
                    Matrix { rows, columns, values }
                };
                let lane = |&rows: &usize| Lane { inputs: vec![matrix(rows)], indices: Vec::new() };
                cases.push(Case {
                    name: format!("{kind:?} of {} lanes x {columns}", lengths.len()),
                    op: Op::Pool(kind),
                    parameters: Parameters::new(),
                    lanes: lengths.iter().map(lane).collect(),
                    backward: true,
                    bound: 1e-6,
                });
            }
        }
    }
    for values in [[f32::NAN, 2.0, 1.0], [2.0, f32::NAN, f32::NAN], [f32::NAN; 3]] {
        cases.push(Case {
            name: format!("maximum of {values:?}"),
            op: Op::Pool(Pool::Max),
            parameters: Parameters::new(),
            lanes: vec![Lane {
                inputs: vec![Matrix { rows: 3, columns: 1, values: values.to_vec() }],
                indices: Vec::new(),
            }],
            backward: true,
            bound: 1e-6,
        });
    }
    cases
}
