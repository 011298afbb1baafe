//! Tree-LSTMs against their equations (`fixtures/tree_lstm.py`), and what cells save on trees.

use std::collections::BTreeMap;

use pollster::block_on;
use saccade_rnn::device::{Device, ParamId, Parameters};
use saccade_rnn::graph::{Cell, Expr, Graph, Strategy};
use saccade_rnn::nn::{BinaryTreeLstm, Builder, ChildSumTreeLstm, Tensor, Tensors, TreeState};
use serde::Deserialize;
use serde_json::Value;

use crate::common::{parameter, values};

/// `|a - b| <= bound * max(1, largest |b|)`.
const BOUND: f64 = 1e-5;

#[derive(Deserialize)]
struct Fixture {
    input: usize,
    hidden: usize,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    kind: String,
    trees: Vec<Value>,
    parameters: BTreeMap<String, Value>,
    /// Of every tree the rows of its words, the states (h, then c) of its nodes, and the weights of these in the loss.
    rows: Vec<Value>,
    states: Vec<Value>,
    weights: Vec<Value>,
    gradients: BTreeMap<String, Value>,
    row_gradients: Vec<Value>,
}

/// All numbers in order.
fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(parts) => parts.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

fn floats(value: &Value) -> Vec<f32> {
    flat(value).into_iter().map(|x| x as f32).collect()
}

fn tensor(value: &Value) -> Tensor {
    let rows = value.as_array().expect("rows");
    let shape = match &rows[0] {
        Value::Array(columns) => vec![rows.len(), columns.len()],
        _ => vec![rows.len()],
    };
    Tensor { shape, values: floats(value) }
}

fn close(what: &str, found: &[f32], expected: &[f64], bound: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(1.0f64, |m, e| m.max(e.abs()));
    for (a, b) in found.iter().zip(expected) {
        assert!((f64::from(*a) - b).abs() <= bound * largest, "{what}: {a}, not {b}");
    }
}

/// The states of all nodes of a binary tree in post-order, the root's last.
fn binary<'g>(lstm: &BinaryTreeLstm, words: Expr<'g>, tree: &Value, states: &mut Vec<TreeState<'g>>) {
    match tree {
        Value::Array(children) => {
            let children = [0, 1].map(|side| {
                binary(lstm, words, &children[side], states);
                states[states.len() - 1]
            });
            states.push(lstm.inner(children));
        }
        word => states.push(lstm.leaf(words.rows(&[word.as_u64().expect("a row") as u32]))),
    }
}

/// The states of all nodes in the order of their words.
fn child_sum<'g>(lstm: &ChildSumTreeLstm, words: Expr<'g>, tree: &Value) -> Vec<TreeState<'g>> {
    let tree: Vec<Vec<usize>> = serde_json::from_value(tree.clone()).expect("children of every word");
    let products = lstm.products(words);
    let mut states: Vec<Option<TreeState<'g>>> = vec![None; tree.len()];
    while states.iter().any(Option::is_none) {
        for (node, children) in tree.iter().enumerate() {
            let of_children: Option<Vec<_>> = children.iter().map(|&child| states[child]).collect();
            if let (None, Some(children)) = (states[node], of_children) {
                states[node] = Some(lstm.node(products.rows(&[node as u32]), &children));
            }
        }
    }
    states.into_iter().flatten().collect()
}

#[test]
fn tree_lstms_follow_their_equations() {
    let fixture: Fixture = serde_json::from_str(include_str!("../fixtures/tree_lstm.json")).unwrap();
    let devices = [("cpu", Device::cpu()), ("gpu", crate::gpu::gpu())];
    for (case, (name, device)) in fixture.cases.iter().flat_map(|case| devices.iter().map(move |d| (case, d)))
    {
        let tensors: Tensors = case.parameters.iter().map(|(name, p)| (name.clone(), tensor(p))).collect();
        let mut builder = Builder::stored(tensors);
        let (mut of_binary, mut of_sum) = (None, None);
        match case.kind.as_str() {
            "binary" => of_binary = BinaryTreeLstm::new(&mut builder, fixture.input, fixture.hidden).ok(),
            _ => of_sum = ChildSumTreeLstm::new(&mut builder, fixture.input, fixture.hidden).ok(),
        }
        let parameters = builder.finish().unwrap();
        let graph = Graph::training(&parameters, device, Strategy::default(), 0);
        let (mut words, mut losses, mut found) = (Vec::new(), Vec::new(), Vec::new());
        for ((tree, rows), weights) in case.trees.iter().zip(&case.rows).zip(&case.weights) {
            let rows = tensor(rows);
            let x = graph.variable(rows.shape[0], rows.shape[1], rows.values);
            let mut states = Vec::new();
            match (&of_binary, &of_sum) {
                (Some(lstm), _) => binary(lstm, x, tree, &mut states),
                (_, Some(lstm)) => states = child_sum(lstm, x, tree),
                _ => panic!("{}: a layer of these parameters", case.kind),
            }
            let each = states.iter().map(|state| graph.concat_columns(&[state.h, state.c]));
            let all = graph.concat_rows(&each.collect::<Vec<_>>());
            let weights = tensor(weights);
            losses
                .push((all * graph.input(weights.shape[0], weights.shape[1], weights.values)).sum_columns());
            words.push(x);
            found.push(all);
        }
        let by_parameters = block_on(graph.concat_rows(&losses).sum_rows().backward()).unwrap();
        for (all, states) in found.iter().zip(&case.states) {
            close(&format!("{name} {}", case.kind), &block_on(all.value()).unwrap(), &flat(states), BOUND);
        }
        for (x, gradient) in words.iter().zip(&case.row_gradients) {
            close("gradient of a row", &block_on(x.gradient()).unwrap(), &flat(gradient), 10.0 * BOUND);
        }
        for (parameter, gradient) in &case.gradients {
            let id = parameters.id(parameter).unwrap();
            let found = block_on(by_parameters.read(device, &parameters, id)).unwrap().unwrap();
            close(&format!("{name} gradient of {parameter}"), &found, &flat(gradient), 10.0 * BOUND);
        }
    }
}

/// A layer whose parameters are only listed records no cell.
#[test]
fn parameters_are_listed() {
    let mut builder = Builder::listing();
    assert!(ChildSumTreeLstm::new(&mut builder, 3, 0).is_err());
    BinaryTreeLstm::new(&mut builder, 3, 2).unwrap();
    let listed = builder.listed();
    let names: Vec<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["leaf.weight", "leaf.bias", "inner.weight", "inner.bias"]);
}

fn leaf_of(x: Expr<'_>, weight: ParamId) -> [Expr<'_>; 2] {
    let d = x.shape().columns;
    let gates = x.affine(weight, None);
    let [i, o, u] = [0, 1, 2].map(|gate| gates.columns(gate * d..(gate + 1) * d));
    let c = i.sigmoid() * u.tanh();
    [o.sigmoid() * c.tanh(), c]
}

fn inner_of<'g>(graph: &'g Graph, [h_l, c_l, h_r, c_r]: [Expr<'g>; 4], weight: ParamId) -> [Expr<'g>; 2] {
    let d = h_l.shape().columns;
    let gates = graph.concat_columns(&[h_l, h_r]).affine(weight, None);
    let [i, l, r, o, u] = [0, 1, 2, 3, 4].map(|gate| gates.columns(gate * d..(gate + 1) * d));
    let c = i.sigmoid() * u.tanh() + l.sigmoid() * c_l + r.sigmoid() * c_r;
    [o.sigmoid() * c.tanh(), c]
}

/// Sixty-four trees of 1 to 60 words: nodes and batches by cells, and by operations.
#[test]
fn cells_save_nodes_and_batches_of_trees() {
    let d = 4;
    let mut parameters = Parameters::new();
    let leaf = parameter(&mut parameters, "leaf", &[3 * d, d]);
    let inner = parameter(&mut parameters, "inner", &[5 * d, 2 * d]);
    let leaf_cell = Cell::new("leaf", &parameters, [d], |_, [x]| leaf_of(x, leaf)).unwrap();
    let inner_cell =
        Cell::new("inner", &parameters, [d; 4], |graph, all| inner_of(graph, all, inner)).unwrap();
    let run = |by_cells: bool| {
        let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::default());
        let roots: Vec<Expr<'_>> = (0..64)
            .map(|tree: usize| {
                let words = 1 + tree * 7919 % 60;
                let x = graph.input(words, d, values(tree as u32, words * d, 1.0));
                let mut parts: Vec<[Expr<'_>; 2]> = (0..words as u32)
                    .map(|word| {
                        let x = x.rows(&[word]);
                        if by_cells { leaf_cell.call([x]) } else { leaf_of(x, leaf) }
                    })
                    .collect();
                // Neighbours are joined here and there, until one is left.
                while parts.len() > 1 {
                    let at = (tree + parts.len() * 31) % (parts.len() - 1);
                    let ([h_l, c_l], [h_r, c_r]) = (parts[at], parts.remove(at + 1));
                    let all = [h_l, c_l, h_r, c_r];
                    parts[at] = if by_cells { inner_cell.call(all) } else { inner_of(&graph, all, inner) };
                }
                parts[0][0]
            })
            .collect();
        (block_on(graph.values(&roots)).unwrap(), graph.explain())
    };
    let ((by_cells, of_cells), (by_operations, of_operations)) = (run(true), run(false));
    for (a, b) in by_cells.iter().flatten().zip(by_operations.iter().flatten()) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
    let [few, many] = [&of_cells, &of_operations].map(|report| (report.nodes(), report.batches().len()));
    eprintln!("64 trees: {few:?} nodes and batches by cells, {many:?} by operations");
    let words: usize = (0..64).map(|tree: usize| 1 + tree * 7919 % 60).sum();
    // An input, a row and a leaf for each word, and a node for every other part; operations are 10 and 19.
    assert_eq!(few.0, 64 + 2 * words + (words - 64));
    assert_eq!(many.0, 64 + words + 10 * words + 19 * (words - 64));
    assert!(10 * few.1 < many.1, "{few:?} {many:?}");
}
