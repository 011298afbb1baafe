//! Recorded functions: an LSTM, a GRU, one of every instruction, and one of more operands and results than a kernel may be
//! given buffers.

use saccade_rnn::device::{Op, Parameters};
use saccade_rnn::graph::Cell;

use super::lane_shapes;
use crate::{Case, Lane, Matrix, Random};

/// Columns of the input.
const INPUT: usize = 6;
/// Columns of states.
const D: usize = 5;

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(31);
    let mut cases = Vec::new();
    for lengths in lane_shapes().into_iter().chain([vec![1; 300]]) {
        for make in [lstm, gru, instructions, many] {
            let mut parameters = Parameters::new();
            let (op, columns) = make(&mut random, &mut parameters);
            let lane = |&rows: &usize| {
                let inputs = columns.iter().map(|&columns| random.matrix(rows, columns, 1.0)).collect();
                Lane { inputs, indices: Vec::new() }
            };
            let (count, most) = (lengths.len(), lengths.iter().max());
            cases.push(Case {
                name: format!("cell {} over {count} lanes of up to {most:?} rows", op.name()),
                lanes: lengths.iter().map(lane).collect(),
                op,
                parameters,
                backward: true,
                bound: 1e-5,
            });
        }
    }
    // What is no number stays none: a shading language may say otherwise of its functions.
    let parameters = Parameters::new();
    let columns = [3];
    let cell = Cell::new("nan", &parameters, columns, |_, [x]| [x.tanh(), x.sigmoid(), x.relu()]);
    let values = vec![f32::NAN, -1.0, 2.0];
    cases.push(Case {
        name: format!("cell nan of {values:?}"),
        lanes: vec![Lane { inputs: vec![Matrix { rows: 1, columns: 3, values }], indices: Vec::new() }],
        op: operation(&cell.expect("it makes rows of rows"), columns).0,
        parameters,
        backward: false,
        bound: 1e-5,
    });
    cases
}

/// The operation of a cell, and the columns of its operands.
fn operation<const I: usize, const O: usize>(cell: &Cell<I, O>, columns: [usize; I]) -> (Op, Vec<usize>) {
    (Op::Cell(cell.function().clone()), columns.to_vec())
}

fn lstm(random: &mut Random, p: &mut Parameters) -> (Op, Vec<usize>) {
    let w = random.parameter(p, &[4 * D, INPUT], 0.4);
    let u = random.parameter(p, &[4 * D, D], 0.4);
    let [b, c] = [0, 1].map(|_| random.parameter(p, &[4 * D], 0.4));
    let columns = [INPUT, D, D];
    let cell = Cell::new("lstm", p, columns, |_, [x, h, memory]| {
        let gates = x.affine(w, Some(b)) + h.affine(u, Some(c));
        let gate = |i: usize| gates.columns(i * D..(i + 1) * D);
        let memory = gate(1).sigmoid() * memory + gate(0).sigmoid() * gate(2).tanh();
        [gate(3).sigmoid() * memory.tanh(), memory]
    });
    operation(&cell.expect("it makes rows of rows"), columns)
}

/// The variant whose reset gate comes before the product, so that one product multiplies what was computed.
fn gru(random: &mut Random, p: &mut Parameters) -> (Op, Vec<usize>) {
    let w = random.parameter(p, &[3 * D, INPUT], 0.4);
    let b = random.parameter(p, &[3 * D], 0.4);
    let u = random.parameter(p, &[2 * D, D], 0.4);
    let v = random.parameter(p, &[D, D], 0.4);
    let columns = [INPUT, D];
    let cell = Cell::new("gru", p, columns, |graph, [x, h]| {
        let x = x.affine(w, Some(b));
        let gates = (x.columns(0..2 * D) + h.affine(u, None)).sigmoid();
        let [reset, update] = [gates.columns(0..D), gates.columns(D..2 * D)];
        let new = (x.columns(2 * D..3 * D) + (reset * h).affine(v, None)).tanh();
        let one = graph.input(1, D, vec![1.0; D]);
        [(one - update) * new + update * h]
    });
    operation(&cell.expect("it makes rows of rows"), columns)
}

/// Every instruction, on pieces of several widths.
fn instructions(random: &mut Random, p: &mut Parameters) -> (Op, Vec<usize>) {
    let w = random.parameter(p, &[2, 7], 0.4);
    let columns = [4, 3];
    let cell = Cell::new("instructions", p, columns, |graph, [x, y]| {
        let both = graph.concat_columns(&[y, x]);
        let turned = graph.concat_columns(&[both.columns(5..7), both.columns(0..5)]);
        let sum = turned.tanh().exp().log() - both.relu().scale(-0.3) * both.sigmoid();
        let ramp = graph.input(1, 7, vec![0.5, -1.0, 0.0, 2.0, -0.25, 1.0, 3.0]);
        let product = (sum * ramp).affine(w, None);
        [graph.concat_columns(&[sum, product]), product.tanh(), x]
    });
    operation(&cell.expect("it makes rows of rows"), columns)
}

fn many(random: &mut Random, p: &mut Parameters) -> (Op, Vec<usize>) {
    let w = random.parameter(p, &[D, D], 0.4);
    let columns = [D; 9];
    let cell = Cell::new("many", p, columns, |_, inputs: [_; 9]| {
        let sum = inputs[1..].iter().fold(inputs[0], |sum, x| (sum + *x).tanh());
        let shared = sum.affine(w, None);
        inputs.map(|x| x * shared)
    });
    operation(&cell.expect("it makes rows of rows"), columns)
}
