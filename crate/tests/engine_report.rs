//! What `explain()` says: the batches, the copies they cost, and why a node ran alone.

mod common;

use common::{parameter, values};
use pollster::block_on;
use saccade_rnn::device::{CellKind, Device, Op, ParamId, Parameters, Pool};
use saccade_rnn::graph::{Alone, BatchReport, Expr, Graph, Report, Split, Strategy};

/// The batch of the operation; there is one.
fn only<'r>(report: &'r Report, op: &str) -> &'r BatchReport {
    let mut found = report.batches().iter().filter(|batch| batch.op == op);
    let batch = found.next().unwrap_or_else(|| panic!("no batch of {op} in\n{report}"));
    assert_eq!(found.next(), None, "one batch of {op} in\n{report}");
    batch
}

fn lstm<'g>(x: Expr<'g>, weight_hh: ParamId) -> Vec<Expr<'g>> {
    let op = Op::Recurrence {
        cell: CellKind::Lstm,
        weight_hh,
        bias_hh: None,
        reverse: false,
        initial: false,
        inspect: false,
    };
    x.graph().record(op, &[x], Vec::new())
}

/// Sentences of unequal length, some empty, through embedding, affine and LSTM.
#[test]
fn a_chain_over_sentences_copies_nothing() {
    let mut p = Parameters::new();
    let table = parameter(&mut p, "table", &[7, 3]);
    let (weight_ih, weight_hh) = (parameter(&mut p, "ih", &[8, 3]), parameter(&mut p, "hh", &[8, 2]));
    for strategy in [Strategy::Depth, Strategy::Agenda, Strategy::Levels] {
        let graph = Graph::training(&p, &Device::cpu(), strategy, 0);
        let lengths = [4, 1, 0, 6, 0, 2, 9];
        let last = lengths.map(|length| {
            let ids: Vec<u32> = (0..length).map(|i| i * i % 7).collect();
            lstm(graph.embedding(table, &ids).affine(weight_ih, None), weight_hh)[1]
        });
        block_on(last[0].value()).unwrap();
        let batch = |op, first: usize| {
            let nodes = (0..7).map(|sentence| 3 * sentence + first).collect();
            BatchReport { op, lanes: 7, nodes, rows: 22, copied_operands: 0, alone: None, split: None }
        };
        assert_eq!(graph.explain().batches(), [batch("embedding", 0), batch("affine", 1), batch("lstm", 2)]);
        assert_eq!(graph.explain().nodes(), 21);
    }
}

#[test]
fn operands_that_do_not_lie_end_to_end_are_copied() {
    let p = Parameters::new();
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    let x: Vec<Expr<'_>> = (0..3).map(|i| graph.input(2, 2, values(i, 4, 1.0))).collect();
    // Both operands: out of order; the second: one value for all lanes.
    let crossed = [x[2] - x[1], x[0] - x[1], x[1] - x[1]];
    // The first operand lies in order from the second value on.
    let shifted = [x[1] * x[2], x[2] * x[0]];
    block_on(crossed[0].value()).unwrap();
    assert_eq!(only(&graph.explain(), "subtract").copied_operands, 2);
    assert_eq!(only(&graph.explain(), "multiply").copied_operands, 1);
    let [a, b] = shifted.map(|y| block_on(y.value()).unwrap());
    let times =
        |i, j| values(i, 4, 1.0).iter().zip(values(j, 4, 1.0)).map(|(x, y)| x * y).collect::<Vec<_>>();
    assert_eq!((a, b), (times(1, 2), times(2, 0)), "wherever they lie, the values are theirs");
}

#[test]
fn why_the_only_one_ran_alone() {
    let p = Parameters::new();
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    let x = graph.input(2, 3, vec![0.5; 6]).softmax();
    block_on(x.value()).unwrap();
    let expected = BatchReport {
        op: "softmax",
        lanes: 1,
        nodes: vec![1],
        rows: 2,
        copied_operands: 0,
        alone: Some(Alone::OnlyOne),
        split: None,
    };
    assert_eq!(*only(&graph.explain(), "softmax"), expected);
}

#[test]
fn why_other_attributes_ran_apart() {
    let mut p = Parameters::new();
    let (v, w) = (parameter(&mut p, "v", &[2, 3]), parameter(&mut p, "w", &[2, 3]));
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    let x = [graph.input(1, 3, vec![0.5; 3]), graph.input(4, 3, vec![0.5; 12])];
    let y = [x[0].affine(v, None), x[1].affine(w, None)];
    let z = [y[0].scale(2.0), y[1].scale(3.0)];
    block_on(z[0].value()).unwrap();
    let report = graph.explain();
    assert_eq!(only(&report, "input").alone, None);
    let alone = |op: &str| -> Vec<(String, String)> {
        let reasons = report.batches().iter().filter(|b| b.op == op).map(|b| b.alone.clone());
        let pair = |reason| match reason {
            Some(Alone::OtherAttributes { this, other }) => (this, other),
            other => panic!("{op}: {other:?}"),
        };
        reasons.map(pair).collect()
    };
    let affine = alone("affine");
    assert_eq!(affine.len(), 2);
    let pair = |this: &str, other: &str| (this.to_owned(), other.to_owned());
    assert_eq!(affine, [pair("weight v", "weight w"), pair("weight w", "weight v")], "each names the other");
    assert_eq!(alone("scale"), [pair("factor 2", "factor 3"), pair("factor 3", "factor 2")]);
    let said = report.to_string();
    assert!(said.contains("alone: attributes differ: weight v; of another weight w"), "{said}");
}

#[test]
fn why_other_columns_ran_apart() {
    let p = Parameters::new();
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    let x = [graph.input(1, 3, vec![0.5; 3]).tanh(), graph.input(1, 2, vec![0.5; 2]).tanh()];
    block_on(x[0].value()).unwrap();
    let report = graph.explain();
    let reasons: Vec<_> =
        report.batches().iter().filter(|b| b.op == "tanh").map(|b| b.alone.clone()).collect();
    let columns = |this, other| Some(Alone::OtherColumns { this: vec![this], other: vec![other] });
    assert_eq!(reasons, [columns(3, 2), columns(2, 3)]);
}

#[test]
fn why_a_chain_does_not_run_together() {
    let p = Parameters::new();
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    let y = graph.input(1, 1, vec![0.5]).tanh().sigmoid().tanh().tanh();
    block_on(y.value()).unwrap();
    let reasons: Vec<_> = graph
        .explain()
        .batches()
        .iter()
        .filter(|batch| batch.op == "tanh")
        .map(|batch| batch.alone.clone())
        .collect();
    let apart = |depth, other| Some(Alone::NotTogether { depth, other });
    assert_eq!(reasons, [apart(1, 3), apart(3, 4), apart(4, 3)]);
}

/// A value asked for in between ends the batch: what is recorded later runs later.
#[test]
fn why_a_value_in_between_ends_the_batch() {
    let p = Parameters::new();
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    let x = [graph.input(1, 1, vec![0.5]), graph.input(1, 1, vec![0.25])];
    block_on(x[0].tanh().value()).unwrap();
    block_on(x[1].tanh().value()).unwrap();
    let report = graph.explain();
    assert_eq!(report.batches().len(), 3);
    for batch in &report.batches()[1..] {
        assert_eq!(batch.alone, Some(Alone::NotTogether { depth: 1, other: 1 }));
    }
    let splits: Vec<_> = report.batches().iter().map(|batch| batch.split).collect();
    assert_eq!(splits, [None, None, Some(Split::RecordedLater)]);
    assert_eq!(report.lower_bound(), 2, "of an order that is not interrupted");
}

/// Of two chains, one has a softmax before its second tanh.
#[test]
fn why_a_batch_was_not_part_of_the_one_before() {
    let p = Parameters::new();
    let splits = |strategy, op: &str| -> Vec<Option<Split>> {
        let graph = Graph::inference(&p, &Device::cpu(), strategy);
        let [x, y] = [0.5, 0.25].map(|x| graph.input(1, 1, vec![x])).map(|x| x.tanh());
        block_on(graph.values(&[x.tanh(), y.softmax().tanh().relu(), x.relu()])).unwrap();
        let report = graph.explain();
        report.batches().iter().filter(|batch| batch.op == op).map(|batch| batch.split).collect()
    };
    assert_eq!(splits(Strategy::Levels, "tanh"), [None, Some(Split::Follows)]);
    assert_eq!(splits(Strategy::Levels, "relu"), [None]);
    let waited = Some(Split::NotReady { nodes: 1, waited_for: "softmax" });
    assert_eq!(splits(Strategy::Depth, "tanh"), [None, Some(Split::Follows), waited]);
    let waited = Some(Split::NotReady { nodes: 1, waited_for: "tanh" });
    assert_eq!(splits(Strategy::Depth, "relu"), [None, waited]);
    let left_behind = Some(Split::LeftBehind { nodes: 1 });
    assert_eq!(splits(Strategy::Unbatched, "tanh")[..2], [None, left_behind]);
}

/// Sentences of different lengths: step `t` of one and step `t` of another run together by depth, but the ends lie at
/// different depths, and only the agenda and the levels wait for them all.
#[test]
fn the_ends_wait_where_depths_differ() {
    let p = Parameters::new();
    let batches = |strategy| {
        let graph = Graph::inference(&p, &Device::cpu(), strategy);
        let ends: Vec<Expr<'_>> = (1..=5)
            .map(|length| {
                let x = graph.input(1, 2, values(length, 2, 1.0));
                (0..length).fold(x, |h, _| h.tanh()).softmax()
            })
            .collect();
        block_on(ends[0].value()).unwrap();
        let report = graph.explain();
        let of = |op: &str| report.batches().iter().filter(|b| b.op == op).count();
        (of("tanh"), of("softmax"))
    };
    assert_eq!(batches(Strategy::Unbatched), (15, 5));
    assert_eq!(batches(Strategy::Depth), (5, 5));
    assert_eq!(batches(Strategy::Agenda), (5, 1));
    assert_eq!(batches(Strategy::Levels), (5, 1));
}

#[test]
fn the_text_counts_names_and_explains() {
    let p = Parameters::new();
    let graph = Graph::inference(&p, &Device::cpu(), Strategy::Levels);
    assert_eq!(graph.explain().to_string(), "0 nodes ran as 0 kernel calls; no order needs fewer than 0\n");
    let x = [graph.input(2, 1, vec![1.0, 2.0]), graph.input(1, 1, vec![3.0])];
    let y = graph.concat_rows(&[x[1].tanh(), x[0].tanh()]).pool(Pool::Sum);
    block_on(y.value()).unwrap();
    let text = graph.explain().to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "6 nodes ran as 4 kernel calls; no order needs fewer than 4");
    assert!(lines[1].contains("2 x input") && lines[1].contains("3 rows"), "{text}");
    assert!(lines[2].contains("2 x tanh") && lines[2].ends_with("1 operands copied"), "{text}");
    assert!(lines[3].ends_with("alone: the only one of its operation"), "{text}");
    assert_eq!(lines.len(), 5, "{text}");
}
