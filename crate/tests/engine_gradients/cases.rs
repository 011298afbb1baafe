//! Operations to differentiate: of every kind, with every combination of attributes.

use saccade_rnn::device::{
    Binary, CellKind, Op, Parameters, Pool, Real, Reduce, Semiring, SemiringProduct, Skim, SkimMode, Sru,
    Step, Unary, WeightView,
};

use saccade_rnn::graph::Cell;

use crate::case::{Case, Operand};
use crate::common::parameter;

pub(crate) fn elementwise() -> (Parameters, Vec<Case>) {
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

pub(crate) fn affine() -> (Parameters, Vec<Case>) {
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

pub(crate) fn semirings() -> (Parameters, Vec<Case>) {
    let mut p = Parameters::new();
    let in_out = parameter(&mut p, "in_out", &[3, 20]);
    let out_in = parameter(&mut p, "out_in", &[2, 3]);
    // The ways of a maximum are far enough from each other for a difference.
    let apart = p.add("apart", &[2, 3], vec![0.0, 0.07, 0.13, 0.1, -0.07, 0.0]).expect("a name of its own");
    let mut cases = Vec::new();
    for (semiring, weight, transposed) in [
        (Semiring::Log, in_out, false),
        (Semiring::Log, out_in, true),
        (Semiring::Max, apart, true),
        (Semiring::Max, apart, false),
    ] {
        let product = SemiringProduct { semiring, weight, transposed };
        let inputs = product.sizes(&p)[0];
        let operand = if semiring == Semiring::Max { Operand::Apart(inputs) } else { Operand::Rows(inputs) };
        cases.push(Case::new(Op::Semiring(product), &[operand]).wanted([weight]));
    }
    (p, cases)
}

/// A function of two values, over a product of one that was computed; a constant in it.
pub(crate) fn cell() -> (Parameters, Case) {
    let mut p = Parameters::new();
    let weight = parameter(&mut p, "weight", &[4, 2]);
    let bias = parameter(&mut p, "bias", &[4]);
    let cell = Cell::new("cell", &p, [2, 3], |graph, [x, y]| {
        let product = (x * y.columns(1..3)).tanh().affine(weight, Some(bias));
        let [gate, value] = [product.columns(0..2).sigmoid(), product.columns(2..4)];
        let mixed = gate * value + graph.input(1, 2, vec![0.5, -0.5]);
        [graph.concat_columns(&[mixed, y]), gate]
    });
    let op = Op::Cell(cell.expect("it makes rows of rows").function().clone());
    (p, Case::new(op, &[Operand::Rows(2), Operand::Rows(3)]).wanted([weight, bias]))
}

pub(crate) fn recurrences() -> (Parameters, Vec<Case>) {
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

/// The recurrences above over a product with a weight, and so the products of the SRUs below.
pub(crate) fn steps() -> Vec<(Parameters, Vec<Case>)> {
    let of = |(mut p, cases): (Parameters, Vec<Case>)| {
        // Of a ReLU some of these products lie next to the kink.
        let relu = |op: &Op| matches!(op, Op::Recurrence { cell: CellKind::ElmanRelu, .. });
        let cases = cases.into_iter().filter(|case| !relu(&case.op)).map(|case| {
            let [Operand::Rows(products), others @ ..] = &case.operands[..] else {
                unreachable!("the first operand of a recurrence is its product")
            };
            let name = |what: &str| format!("{what} of {products}");
            let mut of_size = |what: &str, shape: &[usize]| {
                p.id(&name(what)).unwrap_or_else(|| parameter(&mut p, &name(what), shape))
            };
            let (weight, bias) = (of_size("input", &[*products, 3]), of_size("input bias", &[*products]));
            let weight =
                WeightView { first: 0, inputs: 3, outputs: *products, param: weight, input_major: false };
            let product = Op::Affine { weight, bias: Some(bias) };
            let operands = [&[Operand::Rows(3)], others].concat();
            let wanted: Vec<_> = [weight.param, bias].into_iter().chain(case.wanted).collect();
            Case::new(Op::Step(Box::new(Step { product, recurrence: case.op })), &operands).wanted(wanted)
        });
        let cases = cases.collect();
        (p, cases)
    };
    [recurrences(), sru()].map(of).into()
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

pub(crate) fn sru() -> (Parameters, Vec<Case>) {
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

pub(crate) fn skim_soft() -> Vec<(Parameters, Case)> {
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

pub(crate) fn skim_hard() -> (Parameters, Case) {
    let mut p = Parameters::new();
    let mut skim = skim_of(&mut p, CellKind::Lstm, 1, 1);
    skim.mode = SkimMode::Hard { threshold: Real(0.5) };
    (p, Case::new(Op::Skim(skim), &[Operand::Rows(2), Operand::Rows(4), Operand::Rows(2)]))
}
