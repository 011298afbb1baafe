//! One value from each row.

use saccade_rnn::device::{Op, Parameters, Reduce};

use super::lane_shapes;
use crate::{Case, Lane, Matrix, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(14);
    let mut cases = Vec::new();
    // More columns than a workgroup has invocations, and a language model's vocabulary.
    let narrow = [(1, 1.0), (2, 5.0), (7, 1e4), (130, 10.0)].map(|(n, scale)| (n, scale, lane_shapes()));
    let wide = [(1000, 10.0), (50_000, 3.0)].map(|(n, scale)| (n, scale, vec![vec![3]]));
    for kind in [Reduce::Sum, Reduce::Mean, Reduce::LogSumExp, Reduce::Max] {
        let mut add = |what: String, lanes: Vec<Matrix>, backward: bool| {
            let lane = |x| Lane { inputs: vec![x], indices: Vec::new() };
            let op = Op::Reduce(kind);
            cases.push(Case {
                name: format!("{} of {what}", op.name()),
                op,
                parameters: Parameters::new(),
                lanes: lanes.into_iter().map(lane).collect(),
                backward,
                bound: 2e-6,
            });
        };
        for (columns, scale, shapes) in narrow.iter().chain(&wide) {
            for lengths in shapes {
                let lanes = lengths.iter().map(|&rows| random.matrix(rows, *columns, *scale)).collect();
                add(format!("{} lanes x {columns}, up to {scale}", lengths.len()), lanes, true);
            }
        }
        // A row a workgroup, and more rows than one axis of a grid has workgroups.
        if kind == Reduce::Sum {
            add("65,540 rows x 129".into(), vec![random.matrix(65_540, 129, 1.0)], true);
        }
        // Few distinct values, so that columns share a maximum.
        let values = (0..40 * 300).map(|_| random.below(3) as f32 - 5.0).collect();
        add("equal values".into(), vec![Matrix { rows: 40, columns: 300, values }], true);
        for row in [
            [f32::NAN, 0.0, f32::NAN],
            [0.0, f32::INFINITY, f32::NAN],
            [f32::INFINITY, 1.0, f32::INFINITY],
            [f32::NEG_INFINITY, 1.0, 2.0],
            [f32::NEG_INFINITY; 3],
            [1000.0, 1000.0, -1000.0],
        ] {
            let matrix = Matrix { rows: 1, columns: 3, values: row.to_vec() };
            // Infinity less infinity is no number, but minus infinity is no summand.
            let backward = kind == Reduce::LogSumExp && !row.contains(&f32::INFINITY);
            add(format!("{row:?}"), vec![matrix], backward);
        }
        if kind != Reduce::Max {
            let none = Matrix { rows: 5, columns: 0, values: Vec::new() };
            add("rows without columns".into(), vec![none], true);
        }
    }
    cases
}
