//! Products of rows and a matrix in a semiring, with ways that minus infinity forbids.

use saccade_rnn::device::{Op, Parameters, Semiring, SemiringProduct};

use super::lane_shapes;
use crate::{Case, Lane, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(23);
    let mut cases = Vec::new();
    for semiring in [Semiring::Log, Semiring::Max] {
        for (transposed, forbidden) in [(false, false), (true, false), (false, true), (true, true)] {
            for lengths in lane_shapes() {
                let mut parameters = Parameters::new();
                let weight = random.parameter(&mut parameters, &[5, 9], 3.0);
                if forbidden {
                    // A sum of nothing in either layout.
                    let matrix = &mut parameters.get_mut(weight).values;
                    matrix[9..18].fill(f32::NEG_INFINITY);
                    matrix.iter_mut().step_by(9).for_each(|weight| *weight = f32::NEG_INFINITY);
                }
                let columns = if transposed { 9 } else { 5 };
                let lane = |&rows: &usize| Lane {
                    inputs: vec![random.matrix(rows, columns, 3.0)],
                    indices: Vec::new(),
                };
                cases.push(Case {
                    name: format!("{semiring:?} product, {transposed}, {forbidden}, {} lanes", lengths.len()),
                    op: Op::Semiring(SemiringProduct { semiring, weight, transposed }),
                    parameters,
                    lanes: lengths.iter().map(lane).collect(),
                    backward: true,
                    bound: 1e-5,
                });
            }
        }
    }
    cases
}
