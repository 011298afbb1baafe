//! Random functions of rows, recorded as a cell and as plain operations.

use proptest::prelude::*;
use saccade_rnn::device::{ParamId, Parameters};
use saccade_rnn::graph::{Expr, Graph};

use crate::common::parameter;

/// Columns of every value of a random function, but for those in [`Step::Narrow`].
pub(crate) const WIDTH: usize = 6;

/// What a function does to its values, which are all `WIDTH` columns wide; it takes values by number, counted from the last.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Tanh(usize),
    Sigmoid(usize),
    Relu(usize),
    Scale(usize),
    /// `exp(tanh(x))`
    Exp(usize),
    /// `ln(exp(tanh(x)))`
    Log(usize),
    Add(usize, usize),
    Subtract(usize, usize),
    Multiply(usize, usize),
    /// The columns from one on, then those before it.
    Rotate(usize, usize),
    /// `x W`, by one of two weights, with a bias or not.
    Affine(usize, bool, bool),
    /// `x W + y V`
    Sum(usize, usize),
    /// A product of some columns, twice as many, of which some are taken.
    Narrow(usize, usize),
    Constant,
}

/// A random function of three values.
#[derive(Clone, Debug)]
pub(crate) struct Function {
    pub(crate) steps: Vec<Step>,
    /// The values that are results, counted from the last.
    pub(crate) outputs: [usize; 2],
}

pub(crate) fn any_function() -> impl Strategy<Value = Function> {
    let v = || 0..5usize;
    let step = prop_oneof![
        v().prop_map(Step::Tanh),
        v().prop_map(Step::Sigmoid),
        v().prop_map(Step::Relu),
        v().prop_map(Step::Scale),
        v().prop_map(Step::Exp),
        v().prop_map(Step::Log),
        (v(), v()).prop_map(|(a, b)| Step::Add(a, b)),
        (v(), v()).prop_map(|(a, b)| Step::Subtract(a, b)),
        (v(), v()).prop_map(|(a, b)| Step::Multiply(a, b)),
        (v(), 0..=WIDTH).prop_map(|(a, b)| Step::Rotate(a, b)),
        (v(), any::<bool>(), any::<bool>()).prop_map(|(a, w, b)| Step::Affine(a, w, b)),
        (v(), v()).prop_map(|(a, b)| Step::Sum(a, b)),
        (v(), 0..=WIDTH).prop_map(|(a, b)| Step::Narrow(a, b)),
        Just(Step::Constant),
    ];
    (prop::collection::vec(step, 0..14), [0..5usize, 0..5])
        .prop_map(|(steps, outputs)| Function { steps, outputs })
}

/// Weights of random functions.
#[derive(Clone)]
pub(crate) struct Weights {
    pub(crate) parameters: Parameters,
    square: [ParamId; 2],
    bias: ParamId,
    /// By how many columns it multiplies.
    narrow: Vec<ParamId>,
}

impl Weights {
    pub(crate) fn new() -> Self {
        let mut parameters = Parameters::new();
        let square = ["w", "v"].map(|name| parameter(&mut parameters, name, &[WIDTH, WIDTH]));
        let bias = parameter(&mut parameters, "b", &[WIDTH]);
        let narrow = (0..=WIDTH).map(|n| parameter(&mut parameters, &format!("n{n}"), &[2 * WIDTH, n]));
        let narrow = narrow.collect();
        Self { parameters, square, bias, narrow }
    }
}

impl Function {
    /// Records it.
    pub(crate) fn record<'g>(&self, graph: &'g Graph, w: &Weights, inputs: [Expr<'g>; 3]) -> [Expr<'g>; 2] {
        let mut values = inputs.to_vec();
        for step in &self.steps {
            let of = |number: usize| values[values.len() - 1 - number % values.len()];
            let made = match *step {
                Step::Tanh(x) => of(x).tanh(),
                Step::Sigmoid(x) => of(x).sigmoid(),
                Step::Relu(x) => of(x).relu(),
                Step::Scale(x) => of(x).scale(-0.7),
                Step::Exp(x) => of(x).tanh().exp(),
                Step::Log(x) => of(x).tanh().exp().log(),
                Step::Add(x, y) => of(x) + of(y),
                Step::Subtract(x, y) => of(x) - of(y),
                // Products of products would grow beyond what differences can tell.
                Step::Multiply(x, y) => of(x).tanh() * of(y).sigmoid(),
                Step::Rotate(x, at) => {
                    graph.concat_columns(&[of(x).columns(at..WIDTH), of(x).columns(0..at)])
                }
                Step::Affine(x, second, bias) => {
                    of(x).affine(w.square[usize::from(second)], bias.then_some(w.bias)).scale(0.4)
                }
                Step::Sum(x, y) => {
                    let sum = of(x).affine(w.square[0], Some(w.bias)) + of(y).affine(w.square[1], None);
                    (sum + of(x).tanh().affine(w.square[1], Some(w.bias))).scale(0.3)
                }
                Step::Narrow(x, n) => {
                    of(x).columns(0..n).affine(w.narrow[n], None).columns(n..n + WIDTH).tanh()
                }
                Step::Constant => {
                    let numbers: Vec<f32> = (0..WIDTH).map(|i| i as f32 * 0.3 - 0.7).collect();
                    // Of one row in a cell, and of as many as the others without one.
                    let rows = inputs[0].shape().rows;
                    graph.input(rows, WIDTH, numbers.repeat(rows))
                }
            };
            values.push(made);
        }
        self.outputs.map(|output| values[values.len() - 1 - output % values.len()])
    }
}
