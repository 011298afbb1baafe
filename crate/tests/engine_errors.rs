//! Mistakes: recording never panics; the first mistake comes back, typed and named, from `value()`.

mod common;
#[path = "common/gpu.rs"]
mod gpu;

use common::parameter;
use pollster::block_on;
use saccade_rnn::device::{
    Binary, CellKind, Device, EngineError, Op, Parameters, Pool, Real, Reduce, Semiring, SemiringProduct,
    Shape, Skim, SkimMode, Sru, Step, WeightView,
};
use saccade_rnn::graph::{Expr, Gradients, Graph, Strategy};
use saccade_rnn::nn::{self, Builder, Recurrent, RecurrentConfig, SruConfig};

/// The error of the value that `record` makes. It names a line of this file.
fn mistake(parameters: &Parameters, record: impl for<'g> Fn(&'g Graph) -> Expr<'g>) -> EngineError {
    let graph = Graph::training(parameters, &Device::cpu(), Strategy::Levels, 0);
    let expr = record(&graph);
    let error = block_on(expr.value()).expect_err("the mistake is returned");
    assert_eq!(block_on(expr.gradient()), Err(error.clone()), "and by a gradient");
    assert_eq!(block_on(expr.backward()).err(), Some(error.clone()), "and by the backward pass");
    assert!(error.to_string().contains("engine_errors.rs:"), "{error}");
    error.without_location().clone()
}

/// Asserts that an operation on constants of the given rows and columns is refused, for what is named so.
fn refused(parameters: &Parameters, op: &Op, operands: &[(usize, usize)], indices: &[u32], named: &str) {
    let error = mistake(parameters, |graph| {
        let operands: Vec<Expr<'_>> =
            operands.iter().map(|&(r, c)| graph.input(r, c, vec![0.5; r * c])).collect();
        graph.record(op.clone(), &operands, indices.to_vec())[0]
    });
    let EngineError::Shape { op: name, what, .. } = &error else { panic!("{op:?}: {error}") };
    assert_eq!((*name, what.as_str()), (op.name(), named), "{error}");
}

/// Asserts that an operation is accepted: what the refusals of its neighbours differ from.
fn accepted(parameters: &Parameters, op: &Op, operands: &[(usize, usize)], indices: &[u32]) {
    let graph = Graph::training(parameters, &Device::cpu(), Strategy::Levels, 0);
    let operands: Vec<Expr<'_>> =
        operands.iter().map(|&(r, c)| graph.input(r, c, vec![0.5; r * c])).collect();
    for output in graph.record(op.clone(), &operands, indices.to_vec()) {
        let shape = output.shape();
        assert_eq!(block_on(output.value()).map(|v| v.len()), Ok(shape.rows * shape.columns), "{op:?}");
    }
}

#[test]
fn values_that_do_not_fill_the_input() {
    let p = Parameters::new();
    let error = mistake(&p, |graph| graph.input(2, 3, vec![0.0; 5]));
    assert_eq!(error.to_string(), "input: values: expected 2 x 3 values, found 5 values");
    // A size beyond the address space is refused, not computed.
    mistake(&p, |graph| graph.variable(usize::MAX, 2, Vec::new()).tanh());
}

#[test]
fn the_first_mistake_is_the_one_returned() {
    let p = Parameters::new();
    let error = mistake(&p, |graph| {
        let x = graph.input(1, 3, vec![0.0; 3]);
        x.columns(2..4).softmax().rows(&[7])
    });
    assert_eq!(error.to_string(), "columns: range: expected within the 3 columns of operand 0, found 2..4");
}

#[test]
fn operands_that_do_not_fit() {
    let mut p = Parameters::new();
    let w = parameter(&mut p, "w", &[2, 3]);
    let (b2, b3) = (parameter(&mut p, "b2", &[2]), parameter(&mut p, "b3", &[3]));
    let whole = WeightView::whole(&p, w);

    let affine = |weight, bias| Op::Affine { weight, bias };
    accepted(&p, &affine(whole, Some(b2)), &[(2, 3)], &[]);
    refused(&p, &affine(whole, None), &[(2, 4)], &[], "columns of operand 0");
    refused(&p, &affine(whole, Some(b3)), &[(2, 3)], &[], "bias");
    refused(&p, &affine(WeightView { first: 1, ..whole }, None), &[(2, 3)], &[], "weight");
    refused(&p, &affine(WeightView { first: usize::MAX, ..whole }, None), &[(2, 3)], &[], "weight");
    refused(&p, &affine(WeightView { outputs: 3, ..whole }, None), &[(2, 3)], &[], "outputs of the weight");
    let sideways = WeightView { input_major: true, ..whole };
    refused(&p, &affine(sideways, None), &[(2, 3)], &[], "weight");

    let norm = Op::LayerNorm { weight: b3, bias: b3 };
    accepted(&p, &norm, &[(2, 3)], &[]);
    refused(&p, &norm, &[(2, 2)], &[], "columns of operand 0");
    refused(&p, &Op::LayerNorm { weight: b3, bias: b2 }, &[(2, 3)], &[], "bias");

    accepted(&p, &Op::MatMul, &[(2, 3), (3, 1)], &[]);
    accepted(&p, &Op::MatMul, &[(0, 3), (3, 0)], &[]);
    refused(&p, &Op::MatMul, &[(2, 3), (2, 3)], &[], "rows of operand 1");

    let product = |semiring, transposed| Op::Semiring(SemiringProduct { semiring, weight: w, transposed });
    accepted(&p, &product(Semiring::Log, false), &[(3, 2)], &[]);
    accepted(&p, &product(Semiring::Max, true), &[(0, 3)], &[]);
    refused(&p, &product(Semiring::Log, true), &[(3, 2)], &[], "columns of operand 0");

    let largest = Op::Reduce(Reduce::Max);
    accepted(&p, &largest, &[(0, 1)], &[]);
    refused(&p, &largest, &[(2, 0)], &[], "columns of operand 0");
    accepted(&p, &Op::Reduce(Reduce::LogSumExp), &[(2, 0)], &[]);

    accepted(&p, &Op::ScatterAdd, &[(2, 3)], &[0, 0, 1]);
    refused(&p, &Op::ScatterAdd, &[(2, 3)], &[0, 1], "numbers");
    refused(&p, &Op::ScatterAdd, &[(2, 3)], &[], "numbers");
    accepted(&p, &Op::ScatterAdd, &[(0, 3)], &[0]);

    let half = 1 << (usize::BITS / 2);
    refused(&p, &Op::MatMul, &[(half, 0), (0, half)], &[], "result");
    refused(&p, &Op::MatMul, &[(half, 0), (0, half / 8)], &[], "result");

    // Sums of sizes that no number holds.
    let many = usize::MAX;
    refused(&p, &Op::ConcatColumns, &[(0, many), (0, many)], &[], "result");
    refused(&p, &Op::ConcatRows, &[(many, 0), (many, 0)], &[], "result");
    refused(&p, &Op::ConcatColumns, &[(2, 3), (2, 1), (3, 3)], &[], "rows of operand 2");
    refused(&p, &Op::ConcatRows, &[(2, 3), (1, 4)], &[], "columns of operand 1");
    refused(&p, &Op::CrossEntropy, &[(2, 3)], &[0], "targets");
}

#[test]
fn values_of_different_shapes() {
    let error = mistake(&Parameters::new(), |graph| {
        graph.input(2, 3, vec![0.0; 6]) * graph.input(3, 2, vec![0.0; 6])
    });
    assert_eq!(error.to_string(), "multiply: operand 1: expected 2 x 3, found 3 x 2");
}

#[test]
fn a_range_that_ends_before_it_begins() {
    let (begin, end) = (3, 1);
    let error = mistake(&Parameters::new(), |graph| graph.input(1, 4, vec![0.0; 4]).columns(begin..end));
    assert_eq!(error.to_string(), "columns: range: expected within the 4 columns of operand 0, found 3..1");
}

#[test]
fn rows_of_a_batch_that_no_number_counts() {
    let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    let values = [(); 2].map(|()| graph.input(usize::MAX, 0, Vec::new()));
    let error = block_on(graph.values(&values)).unwrap_err();
    assert!(error.to_string().starts_with("input: results of a batch: expected at most "), "{error}");
}

#[test]
fn too_few_or_too_many_operands() {
    let p = Parameters::new();
    for op in [Op::Softmax, Op::CrossEntropy, Op::Pool(Pool::Max), Op::Columns { start: 0, count: 0 }] {
        refused(&p, &op, &[], &[], "operands");
        refused(&p, &op, &[(1, 1), (1, 1)], &[0], "operands");
    }
    refused(&p, &Op::ConcatRows, &[], &[], "operands");
    refused(&p, &Op::ConcatColumns, &[], &[], "operands");
}

#[test]
fn indices_out_of_range() {
    let mut p = Parameters::new();
    let table = parameter(&mut p, "table", &[5, 3]);
    let index = |op, index, bound| EngineError::Index { op, index, bound };
    assert_eq!(mistake(&p, |graph| graph.embedding(table, &[4, 5])), index("embedding", 5, 5));
    let error = mistake(&p, |graph| graph.input(2, 3, vec![0.0; 6]).rows(&[1, 2]));
    assert_eq!(error, index("rows", 2, 2));
    let error = mistake(&p, |graph| graph.input(2, 3, vec![0.0; 6]).scatter_add(&[0, 4], 4));
    assert_eq!(error, index("scatter_add", 4, 4));
    let error = mistake(&p, |graph| graph.input(2, 3, vec![0.0; 6]).cross_entropy(&[2, 3]));
    assert_eq!(error, index("cross_entropy", 3, 3));
    let error = mistake(&p, |graph| graph.input(0, 3, Vec::new()).rows(&[0]));
    assert_eq!(error, index("rows", 0, 0), "an empty sequence has no first row");
}

#[test]
fn steps_that_are_not_one_row_forwards() {
    let mut builder = Builder::fresh(0);
    let one_way = RecurrentConfig::new(3, 2);
    let mut layer = |name: &str, bidirectional: bool| {
        let config = RecurrentConfig { bidirectional, ..one_way };
        let gru = builder.scope(&format!("gru.{name}"), |b| Recurrent::gru(b, config)).unwrap();
        let config = SruConfig { bidirectional, ..SruConfig::new(3, 2, 2) };
        (gru, builder.scope(&format!("sru.{name}"), |b| nn::Sru::new(b, config)).unwrap())
    };
    let ((gru, sru), (gru_both, sru_both)) = (layer("one", false), layer("both", true));
    let p = builder.finish().unwrap();
    for rows in [0, 2] {
        let expected = format!("step: rows: expected 1, found {rows}");
        let values = || vec![0.5; rows * 3];
        let error = mistake(&p, |graph| gru.step(graph.input(rows, 3, values()), None).states.h[0]);
        assert_eq!(error.to_string(), expected);
        let error = mistake(&p, |graph| sru.step(graph.input(rows, 3, values()), None).c[1]);
        assert_eq!(error.to_string(), expected);
    }
    let whole = EngineError::Unsupported {
        op: "step",
        reason: "a layer in both directions needs the whole sequence",
    };
    assert_eq!(mistake(&p, |graph| gru_both.step(graph.input(1, 3, vec![0.5; 3]), None).rows), whole);
    assert_eq!(mistake(&p, |graph| sru_both.step(graph.input(1, 3, vec![0.5; 3]), None).rows), whole);
}

#[test]
fn a_memory_that_is_missing() {
    let mut builder = Builder::fresh(0);
    let sru = nn::Sru::new(&mut builder, SruConfig::new(3, 3, 2)).unwrap();
    let p = builder.finish().unwrap();
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    let before = graph.input(1, 3, vec![0.5; 3]);
    let output = sru.forward(graph.input(2, 3, vec![0.5; 6]), Some(&[before]));
    let error = block_on(output.rows.value()).unwrap_err();
    assert_eq!(error.without_location().to_string(), "sru: operands: expected 3, found 2");
}

#[test]
fn recurrences_that_do_not_fit() {
    let mut p = Parameters::new();
    let weight_hh = parameter(&mut p, "weight_hh", &[8, 2]);
    let (bias, short) = (parameter(&mut p, "bias", &[8]), parameter(&mut p, "short", &[7]));
    let none = parameter(&mut p, "none", &[0, 0]);
    let lstm = |weight_hh, bias_hh, initial| Op::Recurrence {
        cell: CellKind::Lstm,
        weight_hh,
        bias_hh,
        reverse: false,
        initial,
        inspect: false,
    };
    let op = lstm(weight_hh, Some(bias), true);
    accepted(&p, &op, &[(3, 8), (1, 2), (1, 2)], &[]);
    accepted(&p, &op, &[(0, 8), (1, 2), (1, 2)], &[]);
    refused(&p, &op, &[(3, 7), (1, 2), (1, 2)], &[], "columns of operand 0");
    refused(&p, &op, &[(3, 8), (1, 3), (1, 2)], &[], "columns of operand 1");
    refused(&p, &op, &[(3, 8), (1, 2), (1, 1)], &[], "columns of operand 2");
    refused(&p, &op, &[(3, 8), (2, 2), (1, 2)], &[], "rows of operand 1");
    refused(&p, &op, &[(3, 8), (1, 2), (0, 2)], &[], "rows of operand 2");
    refused(&p, &op, &[(3, 8), (1, 2)], &[], "operands");
    refused(&p, &lstm(weight_hh, None, false), &[(3, 8), (1, 2), (1, 2)], &[], "operands");
    refused(&p, &lstm(weight_hh, Some(short), false), &[(3, 8)], &[], "bias_hh");
    refused(&p, &lstm(none, None, false), &[(3, 0)], &[], "hidden size");
    let gru = Op::Recurrence {
        cell: CellKind::Gru,
        weight_hh,
        bias_hh: None,
        reverse: true,
        initial: false,
        inspect: false,
    };
    refused(&p, &gru, &[(3, 6)], &[], "weight_hh rows");
}

#[test]
fn sru_that_does_not_fit() {
    let mut p = Parameters::new();
    let (bias, v) = (parameter(&mut p, "bias", &[6]), parameter(&mut p, "weight_c", &[6]));
    let (odd, none) = (parameter(&mut p, "odd", &[5]), parameter(&mut p, "none", &[0]));
    let good = Sru {
        weight_c: Some(v),
        bias,
        scale: None,
        skip: true,
        initial: true,
        use_tanh: false,
        bidirectional: false,
        dropout: Real(0.0),
        inspect: false,
    };
    let operands = [(2, 9), (2, 3), (1, 3)];
    accepted(&p, &Op::Sru(good), &operands, &[]);
    refused(&p, &Op::Sru(good), &[(2, 10), (2, 3), (1, 3)], &[], "columns of operand 0");
    refused(&p, &Op::Sru(good), &[(2, 9), (2, 2), (1, 3)], &[], "columns of operand 1");
    refused(&p, &Op::Sru(good), &[(2, 9), (1, 3), (1, 3)], &[], "rows of operand 1");
    refused(&p, &Op::Sru(good), &[(2, 9), (2, 3), (2, 3)], &[], "rows of operand 2");
    refused(&p, &Op::Sru(good), &[(2, 9), (2, 3)], &[], "operands");
    refused(&p, &Op::Sru(Sru { bias: odd, ..good }), &operands, &[], "bias");
    refused(&p, &Op::Sru(Sru { bias: none, ..good }), &operands, &[], "hidden size");
    refused(&p, &Op::Sru(Sru { weight_c: Some(odd), ..good }), &operands, &[], "weight_c");
    refused(&p, &Op::Sru(Sru { scale: Some(none), ..good }), &operands, &[], "scale");
    let both = Sru { bidirectional: true, ..good };
    refused(&p, &Op::Sru(both), &operands, &[], "channels of two directions");
}

#[test]
fn steps_that_do_not_fit() {
    let mut p = Parameters::new();
    let (weight_ih, weight_hh) = (parameter(&mut p, "ih", &[6, 4]), parameter(&mut p, "hh", &[6, 2]));
    let product = |bias| Op::Affine { weight: WeightView::whole(&p, weight_ih), bias };
    let gru = Op::Recurrence {
        cell: CellKind::Gru,
        weight_hh,
        bias_hh: None,
        reverse: false,
        initial: true,
        inspect: false,
    };
    let step =
        |product: Op, recurrence: &Op| Op::Step(Box::new(Step { product, recurrence: recurrence.clone() }));
    let good = step(product(None), &gru);
    accepted(&p, &good, &[(1, 4), (1, 2)], &[]);
    accepted(&p, &good, &[(0, 4), (1, 2)], &[]);
    // What does not fit is said of the product or of the recurrence.
    let refused = |op: &Op, operands: &[(usize, usize)]| {
        let shapes: Vec<_> = operands.iter().map(|&(rows, columns)| Shape { rows, columns }).collect();
        op.infer(&shapes, &[], &p).expect_err("the step is refused").to_string()
    };
    let wide = "affine: columns of operand 0: expected 4, found 6";
    assert_eq!(refused(&good, &[(1, 6), (1, 2)]), wide);
    assert_eq!(refused(&good, &[(1, 4), (1, 3)]), "gru: columns of operand 1: expected 2, found 3");
    assert_eq!(refused(&good, &[(1, 4)]), "gru_step: operands: expected 2, found 1");
    assert_eq!(refused(&good, &[]), "gru_step: operands: expected 2, found 0");
    let long = step(product(Some(weight_hh)), &gru);
    assert_eq!(refused(&long, &[(1, 4), (1, 2)]), "affine: bias: expected 6, found 12");
    for other in
        [step(Op::Softmax, &gru), step(product(None), &Op::Binary(Binary::Add)), step(good.clone(), &gru)]
    {
        let reason = "step: it is a product with a weight and a recurrence over it";
        assert_eq!(refused(&other, &[(1, 4), (1, 2)]), reason);
    }
}

/// A Skim-LSTM of 3 values, 2 of them small, over inputs of 2, deciding.
fn skim(p: &mut Parameters) -> Skim {
    let mut add = |name: &str, shape: &[usize]| parameter(p, name, shape);
    Skim {
        cell: CellKind::Lstm,
        hidden: 3,
        small: 2,
        small_reads: 2,
        big_weight_ih: add("big.weight_ih", &[12, 2]),
        big_bias_ih: add("big.bias_ih", &[12]),
        big_weight_hh: add("big.weight_hh", &[12, 3]),
        big_bias_hh: add("big.bias_hh", &[12]),
        small_hh: Some((add("small.weight_hh", &[8, 2]), add("small.bias_hh", &[8]))),
        decision_weight: add("decision", &[2, 5]),
        initial: true,
        mode: SkimMode::Hard { threshold: Real(0.5) },
        inspect: false,
    }
}

#[test]
fn skim_that_does_not_fit() {
    let mut p = Parameters::new();
    let good = skim(&mut p);
    let wrong = parameter(&mut p, "wrong", &[11, 2]);
    let operands = [(2, 2), (2, 8), (2, 2), (1, 3), (1, 3)];
    accepted(&p, &Op::Skim(good), &operands, &[1, 2]);
    for (operand, misfit, named) in [
        (0, (2, 3), "columns of operand 0"),
        (1, (2, 7), "columns of operand 1"),
        (1, (3, 8), "rows of operand 1"),
        (2, (1, 2), "rows of operand 2"),
        (3, (2, 3), "rows of operand 3"),
        (4, (1, 2), "columns of operand 4"),
    ] {
        let mut operands = operands;
        operands[operand] = misfit;
        refused(&p, &Op::Skim(good), &operands, &[], named);
    }
    let given_noise = SkimMode::Soft { temperature: Real(1.0), given_noise: true };
    let soft = Op::Skim(Skim { mode: given_noise, ..good });
    accepted(&p, &soft, &[(2, 12), (2, 8), (2, 2), (2, 2), (1, 3), (1, 3)], &[]);
    refused(&p, &soft, &[(2, 12), (2, 8), (2, 2), (2, 1), (1, 3), (1, 3)], &[], "columns of operand 3");
    refused(&p, &soft, &[(2, 12), (2, 8), (2, 2), (1, 3), (1, 3)], &[], "operands");

    for (skim, named) in [
        (Skim { hidden: 0, ..good }, "hidden size"),
        (Skim { small: 3, ..good }, "small size"),
        (Skim { small_reads: 1, ..good }, "state the small cell reads"),
        (Skim { small_reads: 4, ..good }, "state the small cell reads"),
        (Skim { small_reads: 3, ..good }, "small weight_hh"),
        (Skim { small_hh: None, ..good }, "small cell"),
        (Skim { big_weight_ih: wrong, ..good }, "big weight_ih rows"),
        (Skim { big_bias_ih: wrong, ..good }, "big bias_ih"),
        (Skim { big_weight_hh: wrong, ..good }, "big weight_hh"),
        (Skim { big_bias_hh: wrong, ..good }, "big bias_hh"),
        (Skim { decision_weight: wrong, ..good }, "decision weight"),
        (Skim { small_hh: good.small_hh.map(|(w, _)| (w, wrong)), ..good }, "small bias_hh"),
    ] {
        refused(&p, &Op::Skim(skim), &operands, &[], named);
    }
    refused(&p, &Op::Skim(good), &operands, &[1], "forced decisions");
    let record = |skim: Skim, force: &'static [u32]| {
        mistake(&p, move |graph| {
            let leaves = operands.map(|(r, c)| graph.input(r, c, vec![0.0; r * c]));
            graph.record(Op::Skim(skim), &leaves, force.to_vec())[0]
        })
    };
    assert_eq!(record(good, &[0, 3]), EngineError::Index { op: "skim", index: 3, bound: 3 });
    let error = mistake(&p, |graph| {
        let elman = Op::Skim(Skim { cell: CellKind::ElmanTanh, initial: false, ..good });
        let leaves = [(2, 2), (2, 8), (2, 2)].map(|(r, c)| graph.input(r, c, vec![0.0; r * c]));
        graph.record(elman, &leaves, Vec::new())[0]
    });
    assert!(matches!(error, EngineError::Unsupported { op: "skim", .. }), "{error}");
}

#[test]
fn an_operand_of_another_graph() {
    let p = Parameters::new();
    let (here, there) = (
        Graph::training(&p, &Device::cpu(), Strategy::Levels, 0),
        Graph::training(&p, &Device::cpu(), Strategy::Levels, 0),
    );
    let (a, b) = (here.input(1, 1, vec![1.0]), there.input(1, 1, vec![2.0]));
    let error = block_on((a + b).value()).unwrap_err();
    assert_eq!(error.without_location().to_string(), "add: an operand belongs to another graph");
    assert_eq!(block_on(b.value()).unwrap(), [2.0], "the other graph is as it was");
    let here = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    let a = here.input(1, 1, vec![1.0]);
    let error = block_on(here.values(&[a, b])).unwrap_err();
    assert_eq!(error.to_string(), "values: an expression belongs to another graph");
    assert_eq!(block_on(here.values(&[a])).unwrap(), [[1.0]]);
}

#[test]
fn the_gradient_of_a_constant() {
    for strategy in [Strategy::Unbatched, Strategy::Depth, Strategy::Agenda, Strategy::Levels] {
        let graph = Graph::training(&Parameters::new(), &Device::cpu(), strategy, 0);
        let (a, b) = (graph.variable(1, 1, vec![0.5]), graph.input(1, 1, vec![0.5]));
        let (of_a, of_b) = (a.tanh(), b.tanh());
        block_on((of_a + of_b).backward()).unwrap();
        for constant in [b, of_b] {
            let error = block_on(constant.gradient()).unwrap_err().to_string();
            assert!(error.starts_with("gradient: a constant has no gradient"), "{strategy:?}: {error}");
        }
        assert_eq!(block_on(of_a.gradient()).unwrap(), [1.0], "{strategy:?}");
    }
}

#[test]
fn an_input_made_by_hand() {
    let error = mistake(&Parameters::new(), |graph| {
        graph.record(Op::Input, &[], Vec::new());
        graph.input(1, 1, vec![1.0])
    });
    assert!(matches!(error, EngineError::Unsupported { op: "input", .. }), "{error}");
}

/// What no device can run beside another of its kind: together they would have more values than an address can tell.
fn half_of_all_addresses(graph: &Graph) -> Expr<'_> {
    let half = 1 << (usize::BITS / 2 - 2);
    graph.input(2 * half, 0, Vec::new()).matmul(graph.input(0, half / 2, Vec::new()))
}

#[test]
fn what_could_not_run_is_told_again_and_the_rest_has_run_once() {
    let graph = Graph::training(&Parameters::new(), &Device::cpu(), Strategy::Levels, 0);
    let x = graph.variable(1, 2, vec![0.5, -0.5]);
    let t = x.tanh();
    let failed = [(); 3].map(|()| half_of_all_addresses(&graph));
    let error = block_on(t.value()).unwrap_err();
    assert!(error.to_string().starts_with("matmul: results of a batch: expected at most "), "{error}");
    for value in [x, t, failed[0], failed[1].tanh(), t + t] {
        assert_eq!(block_on(value.value()), Err(error.clone()));
        assert_eq!(value.hold().err(), Some(error.clone()));
    }
    assert_eq!(block_on(t.sum_columns().backward()).err(), Some(error));
    let report = graph.explain();
    let ran = |op: &str| report.batches().iter().filter(|b| b.op == op).map(|b| b.lanes).sum::<usize>();
    assert_eq!(["input", "tanh", "matmul"].map(ran), [7, 1, 0], "{report}");
}

#[test]
fn gradients_of_an_inference_graph() {
    let p = Parameters::new();
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    let x = graph.variable(1, 1, vec![2.0]);
    assert_eq!(block_on(x.backward()).err(), Some(EngineError::NotTraining));
    assert_eq!(block_on(x.gradient()), Err(EngineError::NotTraining));
    assert_eq!(block_on(x.value()), Ok(vec![2.0]), "values can still be asked for");
}

#[test]
fn gradients_of_another_device() {
    let mut p = Parameters::new();
    let [used, other] = ["used", "other"].map(|name| p.add(name, &[1, 1], vec![3.0]).unwrap());
    let devices = [Device::cpu(), gpu::gpu()];
    let backward = |device: &Device, param, gradients: &mut Gradients| {
        let graph = Graph::training(&p, device, Strategy::Levels, 0);
        block_on(graph.input(1, 1, vec![2.0]).affine(param, None).backward_into(gradients))
    };
    for (first, second) in [(&devices[0], &devices[1]), (&devices[1], &devices[0])] {
        let mut gradients = Gradients::zeros(&p);
        backward(first, used, &mut gradients).unwrap();
        for param in [used, other] {
            let error = backward(second, param, &mut gradients).unwrap_err().to_string();
            assert!(error.contains("lies on another device"), "{error}");
        }
        // They are still there, and go on on the device that they are on.
        backward(first, used, &mut gradients).unwrap();
        assert_eq!(block_on(gradients.read(first, &p, used)), Ok(Some(vec![4.0])));
    }
}

#[test]
fn a_gradient_before_there_is_one() {
    let p = Parameters::new();
    let graph = Graph::training(&p, &Device::cpu(), Strategy::Levels, 0);
    let x = graph.variable(1, 1, vec![2.0]);
    let not_yet =
        |x: Expr<'_>| matches!(block_on(x.gradient()), Err(EngineError::Unsupported { op: "gradient", .. }));
    assert!(not_yet(x), "nothing ran");
    assert_eq!(block_on(x.value()), Ok(vec![2.0]));
    assert!(not_yet(x), "no backward pass ran");
    block_on((x * x).backward()).unwrap();
    assert_eq!(block_on(x.gradient()), Ok(vec![4.0]));
    let later = x.tanh();
    assert!(not_yet(later), "recorded after the backward pass");
    block_on(later.value()).unwrap();
    assert_eq!(block_on(later.gradient()), Ok(vec![0.0]), "the scalar does not depend on it");
}

#[test]
fn the_backward_pass_of_what_is_no_scalar() {
    let p = Parameters::new();
    for (rows, columns) in [(2, 1), (1, 2), (0, 1), (1, 0)] {
        let graph = Graph::training(&p, &Device::cpu(), Strategy::Levels, 0);
        let x = graph.variable(rows, columns, vec![1.0; rows * columns]);
        let error = block_on(x.backward()).err().unwrap();
        assert_eq!(error.to_string(), format!("backward: scalar: expected 1 x 1, found {rows} x {columns}"));
        assert_eq!(block_on(x.value()).map(|v| v.len()), Ok(rows * columns), "the graph is still usable");
    }
}

#[test]
fn the_backward_pass_through_a_decision() {
    let mut p = Parameters::new();
    let op = Op::Skim(Skim { initial: false, ..skim(&mut p) });
    let graph = Graph::training(&p, &Device::cpu(), Strategy::Levels, 0);
    let leaves = [(2, 2), (2, 8), (2, 2)].map(|(r, c)| graph.variable(r, c, vec![0.3; r * c]));
    let h = graph.record(op, &leaves, Vec::new())[1];
    let loss = h.cross_entropy(&[0]);
    let error = block_on(loss.backward()).err().unwrap();
    assert!(error.to_string().contains("hard decision has no gradient"), "{error}");
    assert_eq!(block_on(loss.value()).map(|v| v.len()), Ok(1), "its value has no such trouble");
}

/// Nothing to compute is no mistake: rows, columns and classes may be none.
#[test]
fn sizes_of_zero_compute() {
    let p = Parameters::new();
    for strategy in [Strategy::Unbatched, Strategy::Depth, Strategy::Levels] {
        let graph = Graph::training(&p, &Device::cpu(), strategy, 3);
        for (rows, columns) in [(0, 0), (0, 2), (2, 0), (2, 2)] {
            let x = graph.variable(rows, columns, vec![0.5; rows * columns]);
            let y = [x.tanh(), x.softmax(), x.log_softmax(), x.dropout(0.5, true), x.relu(), x + x, x * x];
            let pooled = [Pool::Last, Pool::Sum, Pool::Mean, Pool::Max].map(|kind| x.pool(kind));
            let all = graph.concat_rows(&[graph.concat_rows(&y), graph.concat_rows(&pooled)]);
            let side = graph.concat_columns(&[all, all.columns(0..columns / 2), all.columns(0..0)]);
            let side = side.rows(&[0, 0]).columns(0..columns);
            for (value, rows) in y.map(|y| (y, rows)).into_iter().chain([(side, 2)]) {
                assert_eq!(
                    block_on(value.value()).map(|v| v.len()),
                    Ok(rows * columns),
                    "{rows} x {columns}"
                );
            }
            // A loss of one row, but for one without classes.
            let targets: Vec<u32> = vec![0; if columns > 0 { rows } else { 0 }];
            if rows == targets.len() {
                let loss = x.cross_entropy(&targets).pool(Pool::Mean);
                block_on(loss.backward()).unwrap();
                assert_eq!(block_on(x.gradient()).map(|d| d.len()), Ok(rows * columns));
            }
        }
    }
}
