//! Steps: a product and the recurrence over it, of every cell and of SRU, for one row a lane and for more.

use saccade_rnn::device::{CellKind, Op, Parameters, Real, Sru, Step, WeightView};

use super::lane_shapes;
use crate::{Case, Lane, Random};

/// Columns of the input.
const INPUT: usize = 6;
/// Columns of the state.
const HIDDEN: usize = 5;

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(29);
    let mut cases = Vec::new();
    for lengths in lane_shapes().into_iter().chain([vec![1; 300]]) {
        for cell in [CellKind::ElmanTanh, CellKind::ElmanRelu, CellKind::Lstm, CellKind::Gru] {
            let mut p = Parameters::new();
            let recurrence = Op::Recurrence {
                cell,
                weight_hh: random.parameter(&mut p, &[cell.gates() * HIDDEN, HIDDEN], 0.4),
                bias_hh: Some(random.parameter(&mut p, &[cell.gates() * HIDDEN], 0.4)),
                reverse: false,
                initial: true,
                inspect: false,
            };
            let weight = random.parameter(&mut p, &[cell.gates() * HIDDEN, INPUT], 0.4);
            let weight = WeightView::whole(&p, weight);
            let states = vec![HIDDEN; 1 + usize::from(cell.has_memory())];
            cases.push(case(&mut random, p, (weight, recurrence), None, &states, &lengths));
        }
        // Where the input has the columns of the state, the highway carries it.
        for (input, products) in [(INPUT, 4), (HIDDEN, 3)] {
            let mut p = Parameters::new();
            let mut vector = || random.parameter(&mut p, &[2 * HIDDEN], 1.0);
            let recurrence = Op::Sru(Sru {
                weight_c: Some(vector()),
                bias: vector(),
                scale: None,
                skip: products == 3,
                initial: true,
                use_tanh: true,
                bidirectional: false,
                dropout: Real(0.0),
                inspect: false,
            });
            let weight = random.parameter(&mut p, &[input, products * HIDDEN], 0.4);
            let weight = WeightView::input_major(&p, weight);
            let skip = (products == 3).then_some(HIDDEN);
            cases.push(case(&mut random, p, (weight, recurrence), skip, &[HIDDEN], &lengths));
        }
    }
    cases
}

/// A step whose operands are the input, the highway's input if it has one, and states of so many columns.
fn case(
    random: &mut Random,
    mut parameters: Parameters,
    (weight, recurrence): (WeightView, Op),
    skip: Option<usize>,
    states: &[usize],
    lengths: &[usize],
) -> Case {
    let bias = Some(random.parameter(&mut parameters, &[weight.outputs], 0.4));
    let lane = |&rows: &usize| {
        let mut inputs = vec![random.matrix(rows, weight.inputs, 1.0)];
        inputs.extend(skip.map(|columns| random.matrix(rows, columns, 1.0)));
        inputs.extend(states.iter().map(|&columns| random.matrix(1, columns, 1.0)));
        Lane { inputs, indices: Vec::new() }
    };
    Case {
        name: format!(
            "step of {} over {} lanes of up to {:?} rows",
            recurrence.name(),
            lengths.len(),
            lengths.iter().max()
        ),
        lanes: lengths.iter().map(lane).collect(),
        op: Op::Step(Box::new(Step { product: Op::Affine { weight, bias }, recurrence })),
        parameters,
        backward: true,
        bound: 1e-5,
    }
}
