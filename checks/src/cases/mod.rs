//! The cases, a file a family of kernels.

mod affine;
mod cell;
mod dropout;
mod elementwise;
mod embedding;
mod layer_norm;
mod pool;
mod ragged_matmul;
mod recurrence;
mod reduce;
mod rows;
mod semiring;
mod skim;
mod skim_soft;
mod softmax;
mod sru;
mod step;

use std::collections::HashSet;

use crate::Case;

/// Every case.
pub fn all() -> Vec<Case> {
    [
        affine::cases(),
        cell::cases(),
        dropout::cases(),
        elementwise::cases(),
        embedding::cases(),
        layer_norm::cases(),
        pool::cases(),
        ragged_matmul::cases(),
        recurrence::cases(),
        reduce::cases(),
        rows::cases(),
        semiring::cases(),
        skim::cases(),
        skim_soft::cases(),
        softmax::cases(),
        sru::cases(),
        step::cases(),
    ]
    .concat()
}

/// The cases that run other kernels on a software GPU.
pub fn by_adapter() -> Vec<Case> {
    [affine::cases(), recurrence::cases()].concat()
}

/// The first case of each kind of call: operations that differ in more than numbers are of two kinds.
pub fn one_of_each(cases: Vec<Case>) -> Vec<Case> {
    let mut seen = HashSet::new();
    let kind = |case: &Case| format!("{:?}", case.op).replace(|c: char| c.is_ascii_digit(), "");
    cases.into_iter().filter(|case| seen.insert((kind(case), case.backward))).collect()
}

/// Row counts of lanes: none, one, one without rows, unequal ones, and a thousand.
pub(crate) fn lane_shapes() -> Vec<Vec<usize>> {
    vec![vec![0], vec![1], vec![5], vec![0, 1, 7, 0, 2], vec![70, 3], (0..1000).map(|i| i % 4).collect()]
}
