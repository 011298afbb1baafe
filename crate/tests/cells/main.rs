//! Cells: one node a call, the values and gradients of the same function as plain operations, on both devices.

#[path = "../common/mod.rs"]
mod common;
mod function;
#[path = "../common/gpu.rs"]
mod gpu;
mod schedules;
mod trees;

use common::{parameter, values};
use function::{Function, Step, WIDTH, Weights, any_function};
use pollster::block_on;
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, RngSeed, TestRng, TestRunner};
use saccade_rnn::device::{Device, EngineError, Op, ParamId, Parameters};
use saccade_rnn::graph::{Cell, Expr, Graph, Strategy as Batching};

/// Bound of a difference, relative to the largest value of its tensor (or to 1 if that is smaller).
const BOUND: f32 = 1e-4;

/// Rows of each call of a function, and whether the calls are a chain: each is given the results of the one before.
#[derive(Clone, Debug)]
struct Calls {
    rows: Vec<usize>,
    chained: bool,
    /// Which results a loss depends on.
    wanted: [bool; 2],
}

fn any_calls() -> impl Strategy<Value = Calls> {
    let rows = prop_oneof![Just(0usize), Just(1), 2..5usize];
    let wanted = prop_oneof![Just([true, true]), Just([true, false]), Just([false, true])];
    let apart = (prop::collection::vec(rows, 1..6), wanted.clone());
    let apart = apart.prop_map(|(rows, wanted)| Calls { rows, chained: false, wanted });
    let chain = (prop_oneof![Just(1usize), 2..4usize], 1..4usize, wanted);
    let chain =
        chain.prop_map(|(rows, count, wanted)| Calls { rows: vec![rows; count], chained: true, wanted });
    prop_oneof![apart, chain]
}

/// Values, gradients of operands and gradients of parameters.
#[derive(Debug, PartialEq)]
struct Outcome {
    values: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
}

/// Runs calls of a function, as a cell if there is one.
fn run(
    device: &Device,
    function: &Function,
    weights: &Weights,
    cell: Option<&Cell<3, 2>>,
    calls: &Calls,
) -> Outcome {
    let graph = Graph::training(&weights.parameters, device, Batching::default(), 0);
    let (mut variables, mut results, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    let mut state: Option<[Expr<'_>; 2]> = None;
    for (call, &rows) in calls.rows.iter().enumerate() {
        let leaf = |i: usize| {
            let numbers = values((3 * call + i) as u32, rows * WIDTH, 1.0);
            // One that has no gradient among those that have one.
            if i == 1 && call % 2 == 1 {
                graph.input(rows, WIDTH, numbers)
            } else {
                graph.variable(rows, WIDTH, numbers)
            }
        };
        let mut inputs = [0, 1, 2].map(leaf);
        variables
            .extend(inputs.iter().enumerate().filter(|(i, _)| *i != 1 || call % 2 == 0).map(|(_, x)| *x));
        if let Some([a, b]) = state.filter(|_| calls.chained) {
            inputs = [inputs[0], a.tanh(), b];
        }
        let outputs = match cell {
            Some(cell) => cell.call(inputs),
            None => function.record(&graph, weights, inputs),
        };
        results.extend(outputs);
        state = Some(outputs);
        for (output, y) in outputs.into_iter().enumerate().filter(|(output, _)| calls.wanted[*output]) {
            let numbers = values((1_000 + 2 * call + output) as u32, rows * WIDTH, 1.0);
            parts.push((y * graph.input(rows, WIDTH, numbers)).sum_columns());
        }
    }
    let loss = graph.concat_rows(&parts).sum_rows();
    let by_parameters = block_on(loss.backward()).expect("the function is well formed");
    let read = |id: ParamId| {
        let gradient = block_on(by_parameters.read(device, &weights.parameters, id));
        gradient.expect("the device can be read").unwrap_or_default()
    };
    let of_parameters = weights.parameters.iter().map(|(id, p)| {
        let mut gradient = read(id);
        // A parameter that nothing depends on has none.
        gradient.resize(p.values.len(), 0.0);
        gradient
    });
    let of_variables = variables.iter().map(|x| block_on(x.gradient()).expect("the loss was given"));
    Outcome {
        values: block_on(graph.values(&results)).expect("the function is well formed"),
        gradients: of_variables.chain(of_parameters).collect(),
    }
}

fn recorded(function: &Function, weights: &Weights) -> Cell<3, 2> {
    Cell::new("random", &weights.parameters, [WIDTH; 3], |graph, inputs| {
        function.record(graph, weights, inputs)
    })
    .expect("the function fits a cell")
}

fn agree(found: &Outcome, expected: &Outcome) -> Result<(), TestCaseError> {
    for (what, found, expected) in
        [("value", &found.values, &expected.values), ("gradient", &found.gradients, &expected.gradients)]
    {
        prop_assert_eq!(found.len(), expected.len());
        for (number, (found, expected)) in found.iter().zip(expected).enumerate() {
            prop_assert_eq!(found.len(), expected.len(), "{} {}", what, number);
            let largest = expected.iter().fold(1.0f32, |m, e| m.max(e.abs()));
            for (a, b) in found.iter().zip(expected) {
                prop_assert!((a - b).abs() <= BOUND * largest, "{what} {number}: {a} and {b}");
            }
        }
    }
    Ok(())
}

proptest! {
    // The seed is fixed: a sum that lands on either side of a ReLU's kink is no mistake.
    #![proptest_config(ProptestConfig {
        cases: 512, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
    })]

    #[test]
    fn a_cell_computes_what_its_operations_compute(function in any_function(), calls in any_calls()) {
        let weights = Weights::new();
        let cell = recorded(&function, &weights);
        let found = run(&Device::cpu(), &function, &weights, Some(&cell), &calls);
        agree(&found, &run(&Device::cpu(), &function, &weights, None, &calls))?;
    }
}

#[test]
fn a_gpu_computes_what_the_cpu_computes() {
    let gpu = gpu::gpu();
    let config = ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[5; 32]);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let outcome = runner.run(&(any_function(), any_calls()), |(function, calls)| {
        let weights = Weights::new();
        let cell = recorded(&function, &weights);
        let found = run(&gpu, &function, &weights, Some(&cell), &calls);
        agree(&found, &run(&Device::cpu(), &function, &weights, None, &calls))
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

/// All gradients of a cell of every kind of operation against central differences.
#[test]
fn gradients_are_differences() {
    let steps = [
        Step::Sum(0, 1),
        Step::Sigmoid(0),
        Step::Rotate(0, 2),
        Step::Multiply(0, 1),
        Step::Affine(0, true, true),
        Step::Exp(0),
        Step::Log(1),
        Step::Constant,
        Step::Subtract(1, 0),
        Step::Narrow(0, 4),
        Step::Add(0, 2),
        Step::Scale(0),
        Step::Tanh(0),
    ];
    let function = Function { steps: steps.to_vec(), outputs: [0, 4] };
    let mut weights = Weights::new();
    let cell = recorded(&function, &weights);
    let calls = Calls { rows: vec![2, 2], chained: true, wanted: [true, true] };
    // The losses of `run`, added up in double precision.
    let loss = |weights: &Weights| -> f64 {
        let outcome = run(&Device::cpu(), &function, weights, Some(&cell), &calls);
        let products = outcome.values.iter().enumerate().map(|(number, y)| {
            let numbers = values(1_000 + number as u32, y.len(), 1.0);
            y.iter().zip(numbers).map(|(y, n)| f64::from(*y) * f64::from(n)).sum::<f64>()
        });
        products.sum()
    };
    let outcome = run(&Device::cpu(), &function, &weights, Some(&cell), &calls);
    let count = weights.parameters.len();
    let gradients = outcome.gradients[outcome.gradients.len() - count..].to_vec();
    let ids: Vec<ParamId> = weights.parameters.iter().map(|(id, _)| id).collect();
    let mut checked = 0;
    for (id, gradient) in ids.into_iter().zip(gradients) {
        let largest = gradient.iter().fold(0.02f32, |m, e| m.max(e.abs()));
        for (i, found) in gradient.iter().enumerate() {
            let before = weights.parameters.values(id)[i];
            let mut at = |value: f32| {
                weights.parameters.get_mut(id).values[i] = value;
                loss(&weights)
            };
            let difference = (at(before + 5e-3) - at(before - 5e-3)) / 1e-2;
            weights.parameters.get_mut(id).values[i] = before;
            assert!(
                (f64::from(*found) - difference).abs() < 5e-3 * f64::from(largest),
                "{found} {difference}"
            );
            checked += usize::from(found.abs() > 1e-3);
        }
    }
    assert!(checked > 80, "{checked} elements have a gradient to check");
}

/// An LSTM in ten lines.
fn lstm(parameters: &mut Parameters, input: usize, d: usize) -> Cell<3, 2> {
    let w = parameter(parameters, "w", &[4 * d, input]);
    let u = parameter(parameters, "u", &[4 * d, d]);
    let b = parameter(parameters, "b", &[4 * d]);
    let cell = Cell::new("lstm_cell", parameters, [input, d, d], |_, [x, h, c]| {
        let gates = x.affine(w, Some(b)) + h.affine(u, None);
        let gate = |i: usize| gates.columns(i * d..(i + 1) * d);
        let c = gate(1).sigmoid() * c + gate(0).sigmoid() * gate(2).tanh();
        [gate(3).sigmoid() * c.tanh(), c]
    });
    cell.expect("it fits a cell")
}

/// A thousand sequences of unequal lengths, some empty: a batch a step.
#[test]
fn a_thousand_sequences_take_a_batch_a_step() {
    let mut parameters = Parameters::new();
    let cell = lstm(&mut parameters, 2, 3);
    let graph = Graph::training(&parameters, &Device::cpu(), Batching::default(), 0);
    let zero = graph.input(1, 3, vec![0.0; 3]);
    let length = |i: usize| i * 7919 % 20;
    let last: Vec<_> = (0..1_000)
        .map(|i| {
            let [mut h, mut c] = [zero, zero];
            for t in 0..length(i) {
                [h, c] = cell.call([graph.input(1, 2, values((i * 20 + t) as u32, 2, 1.0)), h, c]);
            }
            h
        })
        .collect();
    block_on(graph.mean(&last).sum_columns().backward()).unwrap();
    let report = graph.explain();
    let batches: Vec<usize> =
        report.batches().iter().filter(|batch| batch.op == "lstm_cell").map(|batch| batch.lanes).collect();
    let longer = |t: usize| (0..1_000).filter(|&i| length(i) > t).count();
    assert_eq!(batches, (0..19).map(longer).collect::<Vec<_>>());
}

/// A binary tree of one column that leans to one side, 2,000 deep.
#[test]
fn a_tree_two_thousand_deep() {
    let mut parameters = Parameters::new();
    let u = parameters.add("u", &[1, 2], vec![0.6, 0.4]).unwrap();
    let cell = Cell::new("join", &parameters, [1, 1], |graph, children| {
        [graph.concat_columns(&children).affine(u, None)]
    });
    let cell = cell.unwrap();
    let graph = Graph::training(&parameters, &Device::cpu(), Batching::default(), 0);
    let leaf = graph.variable(1, 1, vec![1.0]);
    let mut tree = leaf;
    for _ in 0..2_000 {
        [tree] = cell.call([tree, leaf]);
    }
    assert!((block_on(tree.value()).unwrap()[0] - 1.0).abs() < 1e-5);
    let by_parameters = block_on(tree.backward()).unwrap();
    // All values are 1, so the leaf's gradient is that of the tree, and u's first is 0.6 / (1 - 0.6) + 1 times a child.
    assert!((block_on(leaf.gradient()).unwrap()[0] - 1.0).abs() < 1e-5);
    let of_u = block_on(by_parameters.read(&Device::cpu(), &parameters, u)).unwrap().unwrap();
    assert!(of_u.iter().all(|d| (d - 2.5).abs() < 1e-4), "{of_u:?}");
}

/// Calls of one cell, of its clones and of the same function recorded again batch; those of another do not.
#[test]
fn cells_batch_by_what_they_do() {
    let mut parameters = Parameters::new();
    let w = parameter(&mut parameters, "w", &[2, 2]);
    let make = |name: &'static str, factor: f32| {
        Cell::new(name, &parameters, [2], move |_, [x]| [x.affine(w, None).scale(factor).tanh()]).unwrap()
    };
    let (first, again, other) = (make("a", 2.0), make("a", 2.0), make("a", 3.0));
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::default());
    let x = graph.input(3, 2, vec![1.0; 6]);
    for cell in [&first, &first.clone(), &again, &other] {
        cell.call([x]);
    }
    block_on(x.value()).unwrap();
    let report = graph.explain();
    let lanes: Vec<_> = report.batches().iter().filter(|b| b.op == "a").map(|b| (b.lanes, b.rows)).collect();
    assert_eq!(lanes, [(3, 9), (1, 3)]);
}

/// A cell of cells computes what they compute.
#[test]
fn a_cell_within_a_cell_becomes_part_of_it() {
    let mut parameters = Parameters::new();
    let inner = lstm(&mut parameters, 2, 3);
    let twice = Cell::new("twice", &parameters, [2, 3, 3], |_, [x, h, c]| {
        let [h, c] = inner.call([x, h, c]);
        inner.call([x, h, c])
    })
    .unwrap();
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::default());
    let inputs = [2, 3, 3].map(|columns| graph.input(4, columns, values(columns as u32, 4 * columns, 1.0)));
    let [h, c] = inner.call(inputs);
    let expected = inner.call([inputs[0], h, c]);
    let found = twice.call(inputs);
    let all = block_on(graph.values(&[found[0], found[1], expected[0], expected[1]])).unwrap();
    for (a, b) in all[0].iter().chain(&all[1]).zip(all[2].iter().chain(&all[3])) {
        assert!((a - b).abs() < 1e-6, "{a} {b}");
    }
}

/// The operation that an error names, which says where it was recorded.
fn refused<const O: usize>(cell: Result<Cell<1, O>, EngineError>) -> &'static str {
    let error = cell.expect_err("it is no cell");
    assert!(error.to_string().contains("(recorded at crate/tests/cells/main.rs:"), "{error}");
    match error.without_location() {
        EngineError::Unsupported { op, .. } | EngineError::Shape { op, .. } => op,
        other => panic!("{other}"),
    }
}

/// What is no function of a row is refused where it is recorded, by its name.
#[test]
fn operations_on_other_rows_are_refused_by_name() {
    let mut parameters = Parameters::new();
    let table = parameter(&mut parameters, "table", &[5, 3]);
    macro_rules! is_refused {
        ($name:literal, |$g:pat_param, $x:ident| $body:expr) => {
            assert_eq!(refused(Cell::new("mine", &parameters, [3], |$g, [$x]| [$body])), $name);
        };
    }
    is_refused!("pool", |_g, x| x.sum_rows());
    is_refused!("sum_columns", |_g, x| x.sum_columns());
    is_refused!("softmax", |_g, x| x.softmax());
    is_refused!("rows", |_g, x| x.rows(&[0]));
    is_refused!("concat_rows", |g, x| g.concat_rows(&[x, x]));
    is_refused!("embedding", |g, _x| g.embedding(table, &[1]));
    is_refused!("dropout", |_g, x| x.dropout(0.5, false));
    is_refused!("cross_entropy", |_g, x| x.cross_entropy(&[0]));
    is_refused!("matmul", |_g, x| x.matmul(x));
    is_refused!("variable", |g, x| x + g.variable(1, 3, vec![0.0; 3]));
    is_refused!("input", |g, x| {
        g.input(2, 3, vec![0.0; 6]);
        x
    });
    is_refused!("add", |g, x| x + g.input(1, 2, vec![0.0; 2]));
    is_refused!("mine", |_g, x| {
        let _ = block_on(x.value());
        x
    });
    assert_eq!(refused(Cell::<1, 0>::new("mine", &parameters, [3], |_, _| [])), "mine");
}

/// What does not fit a call is a mistake that says where.
#[test]
fn calls_that_do_not_fit_are_mistakes() {
    let mut parameters = Parameters::new();
    let cell = lstm(&mut parameters, 2, 3);
    let other = {
        let mut parameters = Parameters::new();
        parameter(&mut parameters, "w", &[12, 7]);
        parameters
    };
    let message = |parameters: &Parameters, shapes: [(usize, usize); 3]| {
        let graph = Graph::inference(parameters, &Device::cpu(), Batching::default());
        let [h, _] = cell.call(shapes.map(|(r, c)| graph.input(r, c, vec![0.0; r * c])));
        let error = block_on(h.tanh().value()).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("(recorded at crate/tests/cells/main.rs:"), "{message}");
        error.without_location().to_string()
    };
    assert_eq!(
        message(&parameters, [(1, 2), (1, 4), (1, 3)]),
        "lstm_cell: columns of operand 1: expected 3, found 4"
    );
    assert_eq!(
        message(&parameters, [(2, 2), (2, 3), (1, 3)]),
        "lstm_cell: rows of operand 2: expected 2, found 1"
    );
    assert_eq!(
        message(&other, [(1, 2), (1, 3), (1, 3)]),
        "lstm_cell: parameter 0: expected 12 x 2, as when the cell was recorded, found 12 x 7"
    );
    let graph = Graph::inference(&parameters, &Device::cpu(), Batching::default());
    let x = graph.input(1, 2, vec![0.0; 2]);
    graph.record(Op::Cell(cell.function().clone()), &[x], Vec::new());
    let error = block_on(x.value()).unwrap_err();
    assert_eq!(error.without_location().to_string(), "lstm_cell: operands: expected 3, found 1");
}
