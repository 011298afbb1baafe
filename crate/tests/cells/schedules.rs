//! The program that the page's chapter Batch begins with: what the engine reports of it is what the page's tests draw.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use pollster::block_on;
use saccade_rnn::device::{Device, Parameters};
use saccade_rnn::graph::{Cell, Expr, Graph, Report, Strategy};
use serde_json::{Value, json};

use super::parameter;

const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/tests/fixtures/schedules.json");

/// A report as the page has it.
fn recorded(report: &Report) -> Value {
    let launches: Vec<Value> = report
        .batches()
        .iter()
        .map(|batch| {
            let alone = batch.alone.as_ref().map(ToString::to_string);
            let split = batch.split.map(|split| split.to_string());
            json!({ "nodes": batch.nodes, "alone": alone, "split": split })
        })
        .collect();
    json!({ "lowerBound": report.lower_bound(), "launches": launches })
}

/// What the engine says of a program: letters spell rare words, words are joined, and at every node there is a guess.
fn run(program: &[Value], strategy: Strategy) -> Value {
    let d = 4;
    let mut p = Parameters::new();
    let table = parameter(&mut p, "table", &[1, d]);
    let (spell, inner) = (parameter(&mut p, "spell", &[d, 2 * d]), parameter(&mut p, "inner", &[d, 2 * d]));
    let (leaf, out) = (parameter(&mut p, "leaf", &[d, d]), parameter(&mut p, "out", &[5, d]));
    let pair = |name, weight| {
        Cell::new(name, &p, [d, d], move |graph, both| {
            [graph.concat_columns(&both).affine(weight, None).tanh()]
        })
        .unwrap()
    };
    let (letter, join) = (pair("letter", spell), pair("join", inner));
    let word = Cell::new("word", &p, [d], |_, [x]| [x.affine(leaf, None).tanh()]).unwrap();
    let graph = Graph::inference(&p, &Device::cpu(), strategy);
    let mut values: Vec<Expr<'_>> = Vec::new();
    // A step is one node.
    for step in program {
        let needs: Vec<Expr<'_>> =
            step["needs"].as_array().unwrap().iter().map(|n| values[n.as_u64().unwrap() as usize]).collect();
        let value = match (step["kind"].as_str().unwrap(), &needs[..]) {
            ("look", []) => graph.embedding(table, &[0]),
            ("letter", &[before, looked]) => letter.call([before, looked])[0],
            ("word", &[known]) => word.call([known])[0],
            ("join", &[left, right]) => join.call([left, right])[0],
            ("guess", &[state]) => state.affine(out, None),
            (kind, needs) => panic!("{kind} of {}", needs.len()),
        };
        values.push(value);
    }
    block_on(graph.values(&values)).unwrap();
    recorded(&graph.explain())
}

/// With `SACCADE_RECORD` in the environment the record is written anew.
#[test]
fn the_page_has_what_the_engine_reports() {
    let mut record: Value = serde_json::from_str(&std::fs::read_to_string(RECORD).unwrap()).unwrap();
    let program = record["program"].as_array().unwrap();
    let strategies = [
        ("unbatched", Strategy::Unbatched),
        ("depth", Strategy::Depth),
        ("agenda", Strategy::Agenda),
        ("levels", Strategy::Levels),
    ];
    let found: Value = strategies
        .into_iter()
        .map(|(name, strategy)| (name.to_owned(), run(program, strategy)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    if std::env::var_os("SACCADE_RECORD").is_some() {
        record["reports"] = found;
        std::fs::write(RECORD, format!("{record}\n")).unwrap();
    } else {
        assert_eq!(record["reports"], found);
    }
}
