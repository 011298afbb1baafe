//! Every operation's gradient against central differences, for every combination of its attributes.
//!
//! A case records one operation on several lanes of unequal length (one without rows). The scalar is the sum of all
//! outputs times fixed random numbers; it is differentiated by every element of every operand and parameter.

mod common;

use std::collections::BTreeSet;

use common::{parameter, values};
use pollster::block_on;
use saccade_rnn::device::{
    Binary, CellKind, Device, EngineError, Op, ParamId, Parameters, Pool, Real, Reduce, Skim, SkimMode, Sru,
    Unary, WeightView,
};
use saccade_rnn::graph::{Expr, Graph, Strategy};

/// Half the distance between the two points of a difference.
const STEP: f32 = 5e-3;
/// Bound of the error of an element, relative to the largest element of its tensor (or to 0.02 if that is smaller).
const TOLERANCE: f64 = 5e-3;
/// Rows of the lanes.
const LANES: [usize; 4] = [5, 0, 1, 3];

/// Declares the kinds of operation there are, as a match that must name every variant and every attribute.
macro_rules! kinds {
    ($($name:literal => $pattern:pat),* $(,)?) => {
        const KINDS: &[&str] = &[$($name),*];

        fn kind(op: &Op) -> &'static str {
            match op { $($pattern => $name),* }
        }
    };
}

// A new variant or attribute does not compile here until it is named, and a named kind without a case fails
// `every_kind_has_a_case`.
kinds! {
    "input" => Op::Input | Op::Held,
    "embedding" => Op::Embedding { table: _ },
    "affine" => Op::Affine {
        weight: WeightView { param: _, first: _, inputs: _, outputs: _, input_major: false }, bias: None
    },
    "affine bias" => Op::Affine {
        weight: WeightView { param: _, first: _, inputs: _, outputs: _, input_major: false }, bias: Some(_)
    },
    "affine input-major" => Op::Affine {
        weight: WeightView { param: _, first: _, inputs: _, outputs: _, input_major: true }, bias: None
    },
    "affine input-major bias" => Op::Affine {
        weight: WeightView { param: _, first: _, inputs: _, outputs: _, input_major: true }, bias: Some(_)
    },
    "matmul" => Op::MatMul,
    "tanh" => Op::Unary(Unary::Tanh),
    "sigmoid" => Op::Unary(Unary::Sigmoid),
    "relu" => Op::Unary(Unary::Relu),
    "scale" => Op::Unary(Unary::Scale(_)),
    "exp" => Op::Unary(Unary::Exp),
    "log" => Op::Unary(Unary::Log),
    "add" => Op::Binary(Binary::Add),
    "subtract" => Op::Binary(Binary::Subtract),
    "multiply" => Op::Binary(Binary::Multiply),
    "concat columns" => Op::ConcatColumns,
    "concat rows" => Op::ConcatRows,
    "columns" => Op::Columns { start: _, count: _ },
    "rows" => Op::Rows,
    "scatter add" => Op::ScatterAdd,
    "sum of columns" => Op::Reduce(Reduce::Sum),
    "mean of columns" => Op::Reduce(Reduce::Mean),
    "log sum exp" => Op::Reduce(Reduce::LogSumExp),
    "max of columns" => Op::Reduce(Reduce::Max),
    "last" => Op::Pool(Pool::Last),
    "sum" => Op::Pool(Pool::Sum),
    "mean" => Op::Pool(Pool::Mean),
    "max" => Op::Pool(Pool::Max),
    "dropout" => Op::Dropout { rate: _, per_sequence: false },
    "dropout per sequence" => Op::Dropout { rate: _, per_sequence: true },
    "softmax" => Op::Softmax,
    "log softmax" => Op::LogSoftmax,
    "cross entropy" => Op::CrossEntropy,
    "layer norm" => Op::LayerNorm { weight: _, bias: _ },
    "elman tanh" => Op::Recurrence {
        cell: CellKind::ElmanTanh, weight_hh: _, bias_hh: _, reverse: _, initial: _, inspect: _ },
    "elman relu" => Op::Recurrence {
        cell: CellKind::ElmanRelu, weight_hh: _, bias_hh: _, reverse: _, initial: _, inspect: _ },
    "lstm" => Op::Recurrence { cell: CellKind::Lstm, weight_hh: _, bias_hh: _, reverse: _, initial: _, inspect: _ },
    "gru" => Op::Recurrence { cell: CellKind::Gru, weight_hh: _, bias_hh: _, reverse: _, initial: _, inspect: _ },
    "sru" => Op::Sru(Sru {
        weight_c: _, bias: _, scale: _, skip: _, initial: _, use_tanh: _, bidirectional: _, dropout: _, inspect: _
    }),
    "skim soft" => Op::Skim(Skim {
        cell: _, hidden: _, small: _, small_reads: _, big_weight_ih: _, big_bias_ih: _, big_weight_hh: _,
        big_bias_hh: _, small_hh: _, decision_weight: _, initial: _,
        mode: SkimMode::Soft { temperature: _, given_noise: _ }, inspect: _
    }),
    "skim hard" => Op::Skim(Skim {
        cell: _, hidden: _, small: _, small_reads: _, big_weight_ih: _, big_bias_ih: _, big_weight_hh: _,
        big_bias_hh: _, small_hh: _, decision_weight: _, initial: _,
        mode: SkimMode::Hard { threshold: _ }, inspect: _
    }),
}

/// An operand of a case.
#[derive(Clone, Copy)]
enum Operand {
    /// As many rows as the lane has, of so many columns.
    Rows(usize),
    /// One row of so many columns.
    One(usize),
    /// So many rows and columns.
    Fixed(usize, usize),
    /// As `Rows`, without a gradient.
    Noise(usize),
    /// As `Rows`, with values at least 0.2 from 0 and from each other within a lane: no kink near.
    Apart(usize),
    /// As `Rows`, with values from 0.5 to 2.
    Positive(usize),
}

/// An operation to differentiate.
struct Case {
    op: Op,
    operands: Vec<Operand>,
    /// Indices of a lane with so many rows.
    indices: fn(usize) -> Vec<u32>,
    /// Parameters that have a gradient.
    wanted: Vec<ParamId>,
}

impl Case {
    fn new(op: Op, operands: &[Operand]) -> Self {
        Self { op, operands: operands.to_vec(), indices: |_| Vec::new(), wanted: Vec::new() }
    }

    fn indices(self, indices: fn(usize) -> Vec<u32>) -> Self {
        Self { indices, ..self }
    }

    fn wanted(self, wanted: impl IntoIterator<Item = ParamId>) -> Self {
        Self { wanted: wanted.into_iter().collect(), ..self }
    }

    /// Values of every operand of every lane: `(rows, columns, values, whether it has a gradient)`.
    fn leaves(&self) -> Vec<Leaf> {
        let mut leaves = Vec::new();
        for rows in LANES {
            for operand in &self.operands {
                let stream = leaves.len() as u32;
                let (rows, columns) = match *operand {
                    Operand::One(columns) => (1, columns),
                    Operand::Fixed(rows, columns) => (rows, columns),
                    Operand::Rows(columns)
                    | Operand::Noise(columns)
                    | Operand::Apart(columns)
                    | Operand::Positive(columns) => (rows, columns),
                };
                let values = match operand {
                    Operand::Apart(_) => apart(stream, rows * columns),
                    Operand::Positive(_) => {
                        values(stream, rows * columns, 0.75).iter().map(|x| 1.25 + x).collect()
                    }
                    _ => values(stream, rows * columns, 1.5),
                };
                let variable = !matches!(operand, Operand::Noise(_));
                leaves.push(Leaf { rows, columns, values, variable });
            }
        }
        leaves
    }
}

/// Distinct values in random order, alternately positive and negative, none near 0.
fn apart(stream: u32, count: usize) -> Vec<f32> {
    let mut order: Vec<usize> = (0..count).collect();
    let keys = values(stream, count, 1.0);
    order.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
    order.iter().map(|&i| if i % 2 == 0 { 0.2 + 0.2 * i as f32 } else { -0.2 * i as f32 }).collect()
}

#[derive(Clone)]
struct Leaf {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
    variable: bool,
}

/// The recorded leaves and outputs of all lanes.
struct Recorded<'g> {
    leaves: Vec<Expr<'g>>,
    outputs: Vec<Expr<'g>>,
}

fn record<'g>(graph: &'g Graph, case: &Case, leaves: &[Leaf]) -> Recorded<'g> {
    let leaf = |l: &Leaf| match l.variable {
        true => graph.variable(l.rows, l.columns, l.values.clone()),
        false => graph.input(l.rows, l.columns, l.values.clone()),
    };
    let leaves: Vec<Expr<'_>> = leaves.iter().map(leaf).collect();
    let arity = case.operands.len();
    let lanes = LANES.iter().enumerate();
    let outputs = lanes.flat_map(|(lane, &rows)| {
        let operands = &leaves[lane * arity..(lane + 1) * arity];
        if case.op == Op::Input {
            return operands.to_vec();
        }
        graph.record(case.op.clone(), operands, (case.indices)(rows))
    });
    let outputs: Vec<Expr<'_>> = outputs.filter(|y| y.shape().rows * y.shape().columns > 0).collect();
    Recorded { leaves, outputs }
}

/// The numbers an output is multiplied by.
fn projection(output: usize, size: usize) -> Vec<f32> {
    values(10_000 + output as u32, size, 1.0)
}

/// The scalar, summed in double precision on the host.
fn scalar(case: &Case, parameters: &Parameters, leaves: &[Leaf]) -> f64 {
    let graph = Graph::training(parameters, &Device::cpu(), Strategy::Agenda, 5);
    let recorded = record(&graph, case, leaves);
    let mut sum = 0.0;
    for (i, y) in recorded.outputs.iter().enumerate() {
        let y = block_on(y.value()).expect("the case is well formed");
        sum += y.iter().zip(projection(i, y.len())).map(|(y, p)| f64::from(*y) * f64::from(p)).sum::<f64>();
    }
    sum
}

type Computed = (Vec<Vec<f32>>, Vec<Option<Vec<f32>>>);

/// Gradients of the scalar by every leaf and every parameter.
fn gradients(case: &Case, parameters: &Parameters, leaves: &[Leaf]) -> Result<Computed, EngineError> {
    // A column of ones sums the columns of a row.
    let mut parameters = parameters.clone();
    let ones = parameters.add("ones", &[1, 64], vec![1.0; 64])?;
    let graph = Graph::training(&parameters, &Device::cpu(), Strategy::Agenda, 5);
    let recorded = record(&graph, case, leaves);
    let mut parts = Vec::new();
    for (i, &y) in recorded.outputs.iter().enumerate() {
        let (rows, columns) = (y.shape().rows, y.shape().columns);
        let product = y * graph.input(rows, columns, projection(i, rows * columns));
        parts.push(product.affine_view(WeightView::leading(graph.parameters(), ones, columns), None));
    }
    let by_parameters = block_on(graph.concat_rows(&parts).pool(Pool::Sum).backward())?;
    let by_leaves = recorded.leaves.iter().map(|x| block_on(x.gradient())).collect::<Result<_, _>>()?;
    let ids: Vec<ParamId> = parameters.iter().map(|(id, _)| id).filter(|id| *id != ones).collect();
    let read = |id| block_on(by_parameters.read(&Device::cpu(), &parameters, id));
    Ok((by_leaves, ids.into_iter().map(read).collect::<Result<_, _>>()?))
}

/// Central differences of `f` by each of `count` elements.
fn differences(count: usize, mut f: impl FnMut(usize, f32) -> f64) -> Vec<f64> {
    (0..count).map(|i| (f(i, STEP) - f(i, -STEP)) / (2.0 * f64::from(STEP))).collect()
}

/// Compares a gradient with differences; returns the largest element.
fn compare(what: &str, found: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(0.0f64, |m, e| m.max(e.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        let bound = TOLERANCE * largest.max(0.02);
        assert!(
            error <= bound,
            "{what}: element {i}: gradient {found}, difference {expected}, bound {bound}"
        );
    }
    largest
}

/// Differentiates a case both ways.
fn check(parameters: &Parameters, case: &Case) {
    let name = format!("{:?}", case.op);
    let leaves = case.leaves();
    let (by_leaves, by_parameters) =
        gradients(case, parameters, &leaves).expect("the operation has gradients");

    let mut largest = vec![0.0f64; case.operands.len()];
    for (number, leaf) in leaves.iter().enumerate().filter(|(_, leaf)| leaf.variable) {
        let mut moved = leaves.clone();
        let expected = differences(leaf.values.len(), |i, step| {
            moved[number].values[i] = leaf.values[i] + step;
            let y = scalar(case, parameters, &moved);
            moved[number].values[i] = leaf.values[i];
            y
        });
        let operand = number % case.operands.len();
        let found = compare(&format!("{name}: operand {operand}"), &by_leaves[number], &expected);
        largest[operand] = largest[operand].max(found);
    }
    for (operand, largest) in largest.iter().enumerate() {
        let varies = !matches!(case.operands[operand], Operand::Noise(_));
        assert!(!varies || *largest > 1e-2, "{name}: operand {operand} has no gradient to check");
    }

    let mut moved = parameters.clone();
    for (id, parameter) in parameters.iter() {
        let what = format!("{name}: parameter {}", parameter.name);
        if !case.wanted.contains(&id) {
            assert_eq!(by_parameters[id.index()], None, "{what} is not an operand of this case");
            continue;
        }
        let expected = differences(parameter.values.len(), |i, step| {
            moved.get_mut(id).values[i] = parameter.values[i] + step;
            let y = scalar(case, &moved, &leaves);
            moved.get_mut(id).values[i] = parameter.values[i];
            y
        });
        let found = by_parameters[id.index()].as_ref().expect("the parameter has a gradient");
        assert!(compare(&what, found, &expected) > 1e-2, "{what} has no gradient to check");
    }
}

fn elementwise() -> (Parameters, Vec<Case>) {
    use Operand::{Apart, Positive, Rows};
    let mut p = Parameters::new();
    let table = parameter(&mut p, "table", &[5, 3]);
    let (norm_w, norm_b) = (parameter(&mut p, "norm.weight", &[3]), parameter(&mut p, "norm.bias", &[3]));
    let op = |op| Case::new(op, &[Rows(3)]);
    let dropout = |per_sequence| op(Op::Dropout { rate: Real(0.4), per_sequence });
    let pool = |kind, operand| Case::new(Op::Pool(kind), &[operand]);
    let cases = vec![
        op(Op::Input),
        Case::new(Op::Embedding { table }, &[])
            .indices(|rows| vec![4, 1, 4, 0, 2][..rows].to_vec())
            .wanted([table]),
        Case::new(Op::MatMul, &[Rows(3), Operand::Fixed(3, 2)]),
        op(Op::Unary(Unary::Tanh)),
        op(Op::Unary(Unary::Sigmoid)),
        Case::new(Op::Unary(Unary::Relu), &[Apart(3)]),
        op(Op::Unary(Unary::Scale(Real(-1.7)))),
        op(Op::Unary(Unary::Exp)),
        Case::new(Op::Unary(Unary::Log), &[Positive(3)]),
        Case::new(Op::Binary(Binary::Add), &[Rows(3), Rows(3)]),
        Case::new(Op::Binary(Binary::Subtract), &[Rows(3), Rows(3)]),
        Case::new(Op::Binary(Binary::Multiply), &[Rows(3), Rows(3)]),
        Case::new(Op::ConcatColumns, &[Rows(3), Rows(1), Rows(2)]),
        Case::new(Op::ConcatRows, &[Rows(3), Operand::One(3), Rows(3)]),
        op(Op::Columns { start: 0, count: 2 }),
        op(Op::Columns { start: 1, count: 2 }),
        op(Op::Columns { start: 0, count: 3 }),
        op(Op::Rows).indices(|rows| (0..2 * rows as u32).map(|i| i * i % rows as u32).collect()),
        // Row numbers that occur several times, some never, and a row more than there are in the operand.
        op(Op::ScatterAdd).indices(|rows| {
            let number = |i: u32| i * i % (rows as u32 + 1);
            (0..rows as u32).map(number).chain([rows as u32 + 1]).collect()
        }),
        op(Op::Reduce(Reduce::Sum)),
        op(Op::Reduce(Reduce::Mean)),
        op(Op::Reduce(Reduce::LogSumExp)),
        Case::new(Op::Reduce(Reduce::Max), &[Apart(3)]),
        pool(Pool::Last, Rows(3)),
        pool(Pool::Sum, Rows(3)),
        pool(Pool::Mean, Rows(3)),
        pool(Pool::Max, Apart(3)),
        dropout(false),
        dropout(true),
        op(Op::Softmax),
        op(Op::LogSoftmax),
        op(Op::CrossEntropy).indices(|rows| vec![2, 0, 1, 1, 0][..rows].to_vec()),
        op(Op::LayerNorm { weight: norm_w, bias: norm_b }).wanted([norm_w, norm_b]),
    ];
    (p, cases)
}

fn affine() -> (Parameters, Vec<Case>) {
    let mut p = Parameters::new();
    let (out_in, in_out) = (parameter(&mut p, "out_in", &[2, 4]), parameter(&mut p, "in_out", &[4, 2]));
    let b = parameter(&mut p, "bias", &[2]);
    let mut cases = Vec::new();
    for whole in [WeightView::whole(&p, out_in), WeightView::input_major(&p, in_out)] {
        let middle = WeightView { first: 1, inputs: 2, ..whole };
        let last = WeightView { first: 3, inputs: 1, ..whole };
        for weight in [whole, middle, last] {
            for bias in [None, Some(b)] {
                let case = Case::new(Op::Affine { weight, bias }, &[Operand::Rows(weight.inputs)]);
                cases.push(case.wanted([weight.param].into_iter().chain(bias)));
            }
        }
    }
    (p, cases)
}

fn recurrences() -> (Parameters, Vec<Case>) {
    let hidden = 2;
    let mut p = Parameters::new();
    let mut cases = Vec::new();
    for cell in [CellKind::ElmanTanh, CellKind::ElmanRelu, CellKind::Lstm, CellKind::Gru] {
        let width = cell.gates() * hidden;
        let weight_hh = parameter(&mut p, &format!("{cell:?}.weight"), &[width, hidden]);
        let bias = parameter(&mut p, &format!("{cell:?}.bias"), &[width]);
        for (bias_hh, reverse, initial) in product3([None, Some(bias)], [false, true], [false, true]) {
            let mut operands = vec![Operand::Rows(width)];
            if initial {
                operands.extend(vec![Operand::One(hidden); 1 + usize::from(cell.has_memory())]);
            }
            let op = Op::Recurrence { cell, weight_hh, bias_hh, reverse, initial, inspect: false };
            cases.push(Case::new(op, &operands).wanted([weight_hh].into_iter().chain(bias_hh)));
        }
    }
    (p, cases)
}

fn product3<A: Copy, B: Copy, C: Copy>(
    a: impl IntoIterator<Item = A>,
    b: impl IntoIterator<Item = B> + Clone,
    c: impl IntoIterator<Item = C> + Clone,
) -> Vec<(A, B, C)> {
    let mut all = Vec::new();
    for a in a {
        for b in b.clone() {
            all.extend(c.clone().into_iter().map(|c| (a, b, c)));
        }
    }
    all
}

fn sru() -> (Parameters, Vec<Case>) {
    let n = 2;
    let mut p = Parameters::new();
    let bias = parameter(&mut p, "bias", &[2 * n]);
    let v = parameter(&mut p, "weight_c", &[2 * n]);
    // The package keeps the scale as a constant: it has no gradient.
    let scale = p.add("scale", &[1], vec![1.4]).expect("the name is new");
    // Products a channel, whether the layer's input is the skip, and its scale.
    let skips = [(3, false, None), (3, true, None), (3, true, Some(scale)), (4, false, None)];
    let mut cases = Vec::new();
    for ((k, skip, scale), use_tanh, bidirectional) in product3(skips, [false, true], [false, true]) {
        for (weight_c, dropout, initial) in product3([None, Some(v)], [0.0, 0.4], [false, true]) {
            let mut operands = vec![Operand::Rows(k * n)];
            operands.extend(skip.then_some(Operand::Rows(n)));
            operands.extend(initial.then_some(Operand::One(n)));
            let dropout = Real(dropout);
            let sru = Sru {
                weight_c,
                bias,
                scale,
                skip,
                initial,
                use_tanh,
                bidirectional,
                dropout,
                inspect: false,
            };
            cases.push(Case::new(Op::Sru(sru), &operands).wanted([bias].into_iter().chain(weight_c)));
        }
    }
    (p, cases)
}

/// Parameters and attributes of a Skim recurrence of 3 values over inputs of 2.
fn skim_of(p: &mut Parameters, cell: CellKind, small: usize, small_reads: usize) -> Skim {
    let (hidden, input, gates) = (3, 2, cell.gates());
    let mut add =
        |name: &str, shape: &[usize]| parameter(p, &format!("{cell:?}.{small}.{small_reads}.{name}"), shape);
    let small_weight = (small > 0).then(|| add("small.weight_hh", &[gates * small, small_reads]));
    let small_bias = (small > 0).then(|| add("small.bias_hh", &[gates * small]));
    Skim {
        cell,
        hidden,
        small,
        small_reads,
        big_weight_ih: add("big.weight_ih", &[gates * hidden, input]),
        big_bias_ih: add("big.bias_ih", &[gates * hidden]),
        big_weight_hh: add("big.weight_hh", &[gates * hidden, hidden]),
        big_bias_hh: add("big.bias_hh", &[gates * hidden]),
        small_hh: small_weight.zip(small_bias),
        decision_weight: add("decision", &[2, input + hidden]),
        initial: false,
        mode: SkimMode::Soft { temperature: Real(0.8), given_noise: false },
        inspect: false,
    }
}

fn skim_soft() -> Vec<(Parameters, Case)> {
    let mut cases = Vec::new();
    for cell in [CellKind::Lstm, CellKind::Gru] {
        for (small, small_reads) in [(0, 0), (1, 1), (1, 3), (2, 2), (2, 3)] {
            for (initial, given_noise) in [(false, false), (false, true), (true, false), (true, true)] {
                let mut p = Parameters::new();
                let mut skim = skim_of(&mut p, cell, small, small_reads);
                skim.initial = initial;
                skim.mode = SkimMode::Soft { temperature: Real(0.8), given_noise };
                let mut operands = vec![Operand::Rows(cell.gates() * skim.hidden)];
                operands.extend((small > 0).then_some(Operand::Rows(cell.gates() * small)));
                operands.push(Operand::Rows(2));
                operands.extend(given_noise.then_some(Operand::Noise(2)));
                if initial {
                    operands.extend(vec![Operand::One(skim.hidden); 1 + usize::from(cell.has_memory())]);
                }
                // The big cell's input weights act before the recurrence, where it mixes.
                let wanted = [skim.big_weight_hh, skim.big_bias_hh, skim.decision_weight].into_iter();
                let wanted = wanted.chain(skim.small_hh.into_iter().flat_map(|(w, b)| [w, b]));
                cases.push((p, Case::new(Op::Skim(skim), &operands).wanted(wanted)));
            }
        }
    }
    cases
}

#[test]
fn elementwise_operations() {
    let (parameters, cases) = elementwise();
    cases.iter().for_each(|case| check(&parameters, case));
}

#[test]
fn affine_in_both_layouts_whole_and_in_part() {
    let (parameters, cases) = affine();
    cases.iter().for_each(|case| check(&parameters, case));
}

/// A gradient agrees with the values whichever weights a view selects; this says that it selects the right ones.
#[test]
fn a_view_of_a_weight_selects_the_inputs_it_names() {
    let mut p = Parameters::new();
    // W[out][in] = 10 out + in, in both layouts.
    let out_in = p.add("out_in", &[2, 3], vec![0.0, 1.0, 2.0, 10.0, 11.0, 12.0]).unwrap();
    let in_out = p.add("in_out", &[3, 2], vec![0.0, 10.0, 1.0, 11.0, 2.0, 12.0]).unwrap();
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Agenda);
    for whole in [WeightView::whole(&p, out_in), WeightView::input_major(&p, in_out)] {
        let x = graph.input(1, 2, vec![1.0, 100.0]);
        let y = x.affine_view(WeightView { first: 1, inputs: 2, ..whole }, None);
        assert_eq!(block_on(y.value()).unwrap(), [201.0, 1211.0], "{whole:?}");
    }
}

#[test]
fn recurrences_of_every_cell() {
    let (parameters, cases) = recurrences();
    cases.iter().for_each(|case| check(&parameters, case));
}

#[test]
fn sru_of_every_kind() {
    let (parameters, cases) = sru();
    cases.iter().for_each(|case| check(&parameters, case));
}

#[test]
fn skim_mixing_of_every_kind() {
    skim_soft().iter().for_each(|(parameters, case)| check(parameters, case));
}

/// Deciding has no gradient, and says so.
#[test]
fn skim_deciding_has_none() {
    let (parameters, case) = skim_hard();
    let error = gradients(&case, &parameters, &case.leaves()).unwrap_err();
    assert!(matches!(error, EngineError::Unsupported { op: "skim", .. }), "{error}");
}

fn skim_hard() -> (Parameters, Case) {
    let mut p = Parameters::new();
    let mut skim = skim_of(&mut p, CellKind::Lstm, 1, 1);
    skim.mode = SkimMode::Hard { threshold: Real(0.5) };
    (p, Case::new(Op::Skim(skim), &[Operand::Rows(2), Operand::Rows(4), Operand::Rows(2)]))
}

#[test]
fn every_kind_has_a_case() {
    let groups = [elementwise().1, affine().1, recurrences().1, sru().1];
    let mut covered: BTreeSet<&str> = groups.iter().flatten().map(|case| kind(&case.op)).collect();
    covered.extend(skim_soft().iter().map(|(_, case)| kind(&case.op)));
    covered.insert(kind(&skim_hard().1.op));
    assert_eq!(covered, KINDS.iter().copied().collect());
}
