//! Rows and columns moved: concatenation, ranges of columns, rows by number, and sums by number.

use saccade_rnn::device::{Op, Parameters};

use super::lane_shapes;
use crate::{Case, Lane, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(4);
    let mut cases = Vec::new();
    for lengths in lane_shapes() {
        let mut add = |op: Op, what: &str, lane: &mut dyn FnMut(usize, &mut Random) -> Lane| {
            let lanes = lengths.iter().map(|&rows| lane(rows, &mut random)).collect();
            let name = format!("{} {what}, {} lanes", op.name(), lengths.len());
            // Values are moved as they are; only rows taken several times, or added up, are rounded.
            cases.push(Case { name, op, parameters: Parameters::new(), lanes, backward: true, bound: 1e-7 });
        };
        add(Op::ConcatColumns, "of 1, 130 and 7 columns", &mut |rows, random| Lane {
            inputs: [1, 130, 7].map(|columns| random.matrix(rows, columns, 1.0)).into(),
            indices: Vec::new(),
        });
        for (start, count) in [(0, 7), (3, 2), (6, 1), (7, 0)] {
            add(Op::Columns { start, count }, &format!("{count} from {start}"), &mut |rows, random| Lane {
                inputs: vec![random.matrix(rows, 7, 1.0)],
                indices: Vec::new(),
            });
        }
        for columns in [1, 33] {
            // Twice as many as there are, so that some are taken twice and, by chance, some never.
            add(Op::Rows, "by number", &mut |rows, random| Lane {
                inputs: vec![random.matrix(rows, columns, 1.0)],
                indices: (0..2 * rows).map(|_| random.below(rows) as u32).collect(),
            });
            // To half as many, so that most get several, and to one that gets none.
            add(Op::ScatterAdd, &format!("x {columns}"), &mut |rows, random| {
                let most = rows.div_ceil(2);
                let mut indices: Vec<u32> = (0..rows).map(|_| random.below(most) as u32).collect();
                indices.push(most as u32 + 1);
                Lane { inputs: vec![random.matrix(rows, columns, 1.0)], indices }
            });
        }
    }
    cases
}
