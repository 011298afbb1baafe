//! Labelling trees: what must hold whatever the weights, and the cell's equations through a whole model.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::ops::ControlFlow;

use pollster::block_on;
use saccade_rnn::device::Device;
use saccade_rnn::graph::{Graph, Strategy};
use saccade_rnn::model::{Dropouts, Model, ReadError, ReadOptions, Storage, TreeNode, Watch};
use saccade_rnn::text::Tree;
use saccade_rnn::train::{Objective, Skimming, TrainConfig, TreeText};
use serde_json::Value;

mod support;
use support::{model, skim, tagger, tree_classifier};

/// Four trees: of several words, of one word, of none, and one whose words the model does not know.
fn trees() -> Vec<Tree> {
    ["(1 (1 (0 A) (1 good)) (0 film))", "(1 good)", "", "(0 (0 zzz) (0 (0 -LRB-) (1 (1 a) (0 🎬))))"]
        .map(|brackets| Tree::parse(brackets).unwrap())
        .to_vec()
}

fn label<'m>(model: &'m Model, trees: &[Tree]) -> Vec<Vec<TreeNode<'m>>> {
    block_on(model.label_trees(&Device::cpu(), trees, &mut ())).unwrap()
}

/// Equal but for what other products round otherwise.
fn agree(a: &[TreeNode<'_>], b: &[TreeNode<'_>]) -> bool {
    let near = |(a, b): (&TreeNode<'_>, &TreeNode<'_>)| {
        let same = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
        a.span == b.span && a.probabilities.iter().zip(&b.probabilities).all(same)
    };
    a.len() == b.len() && a.iter().zip(b).all(near)
}

#[test]
fn every_node_has_a_label_and_a_batch_is_its_trees() {
    let (model, trees) = (tree_classifier(true), trees());
    let together = label(&model, &trees);
    assert_eq!(together.iter().map(Vec::len).collect::<Vec<_>>(), [5, 1, 0, 7]);
    for (tree, nodes) in trees.iter().zip(&together) {
        assert!(agree(&block_on(model.label_tree(&Device::cpu(), tree)).unwrap(), nodes));
        for (number, node) in nodes.iter().enumerate() {
            assert_eq!(&node.span, tree.span(number));
            assert_eq!(model.config().task.labels()[node.number], node.label);
            assert!((node.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        }
    }
    let thousand: Vec<Tree> = trees.iter().cycle().take(1000).cloned().collect();
    for (nodes, expected) in label(&model, &thousand).iter().zip(together.iter().cycle()) {
        assert!(agree(nodes, expected));
    }
}

/// Words, and what is beside what, matter; of a bare tree a node depends on what is under it and nothing else.
#[test]
fn a_node_depends_on_what_is_under_it() {
    let read = |model: &Model, brackets: &str| {
        let tree = Tree::parse(brackets).unwrap();
        label(model, &[tree]).remove(0).into_iter().map(|node| node.probabilities).collect::<Vec<_>>()
    };
    let bare = tree_classifier(false);
    let whole = read(&bare, "(0 (0 (0 a) (0 good)) (0 film))");
    assert_eq!(whole[3], read(&bare, "(0 (0 a) (0 good))")[2]);
    for other in
        ["(0 (0 (0 good) (0 a)) (0 film))", "(0 (0 a) (0 (0 good) (0 film)))", "(0 (0 (0 a) (0 good)) (0 a))"]
    {
        assert_ne!(whole[4], read(&bare, other)[4], "{other}");
    }
    assert_eq!(
        read(&bare, "(0 (0 A) (0 -LRB-))"),
        read(&bare, "(0 (0 a) (0 zzz))"),
        "as the tokenizer spells"
    );
    let over_layer = tree_classifier(true);
    let whole = read(&over_layer, "(0 (0 (0 a) (0 good)) (0 film))");
    assert_ne!(
        whole[3],
        read(&over_layer, "(0 (0 a) (0 good))")[2],
        "a layer in both directions sees all words"
    );
}

/// The states that `fixtures/tree_lstm.py` computes, read off by a head that scores each by itself.
#[test]
fn labels_follow_the_equations_of_the_cell() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/tree_lstm.json")).unwrap();
    let case = fixture["cases"].as_array().unwrap().iter().find(|case| case["kind"] == "binary").unwrap();
    for ((tree, rows), states) in case["trees"]
        .as_array()
        .unwrap()
        .iter()
        .zip(case["rows"].as_array().unwrap())
        .zip(case["states"].as_array().unwrap())
    {
        let mut model = support::tree_classifier_of(3, 2, &["a", "b", "c", "d", "e", "f"]);
        let mut set = |name: &str, value: &Value| {
            let id = model.parameters().id(name).unwrap();
            let values = floats(value);
            let parameter = model.parameters_mut().get_mut(id);
            parameter.values[..values.len()].copy_from_slice(&values);
        };
        for (name, value) in case["parameters"].as_object().unwrap() {
            set(&format!("head.{name}"), value);
        }
        // The unknown word has the first row.
        let mut table = vec![serde_json::json!([0.0, 0.0, 0.0])];
        table.extend(rows.as_array().unwrap().iter().cloned());
        set("embedding.weight", &Value::Array(table));
        set("head.weight", &serde_json::json!([[1.0, 0.0], [0.0, 1.0]]));
        set("head.bias", &serde_json::json!([0.0, 0.0]));
        let found = label(&model, &[Tree::parse(&brackets(tree)).unwrap()]).remove(0);
        // The fixture has the nodes with every child right before its parent, the tree the words first.
        let (mut order, mut words, mut merges) = (Vec::new(), 0, found.len().div_ceil(2));
        number(tree, &mut order, &mut words, &mut merges);
        for (&node, state) in order.iter().zip(states.as_array().unwrap()) {
            let [a, b] = [&state[0], &state[1]].map(|h| h.as_f64().unwrap().exp());
            assert!(
                (f64::from(found[node].probabilities[0]) - a / (a + b)).abs() < 1e-5,
                "{tree}: node {node}"
            );
        }
    }
}

fn floats(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(parts) => parts.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

/// A tree of the fixture in brackets.
fn brackets(tree: &Value) -> String {
    match tree {
        Value::Array(parts) => format!("(_ {} {})", brackets(&parts[0]), brackets(&parts[1])),
        word => format!("(_ {})", char::from(b'a' + word.as_u64().unwrap() as u8)),
    }
}

/// The nodes' numbers in the fixture's order.
fn number(tree: &Value, order: &mut Vec<usize>, words: &mut usize, merges: &mut usize) {
    let next = match tree {
        Value::Array(parts) => {
            parts.iter().for_each(|part| number(part, order, words, merges));
            merges
        }
        _ => words,
    };
    order.push(*next);
    *next += 1;
}

/// Cells of all trees run together: as few batches as any order needs, and no more for more trees of the same height.
#[test]
fn batches_are_as_few_as_can_be() {
    let model = tree_classifier(false);
    let words = |count: usize| vec!["(0 film)"; count];
    let tree = |seed: usize, count: usize| {
        let mut parts: Vec<String> = words(count).into_iter().map(String::from).collect();
        while parts.len() > 1 {
            let at = (seed + parts.len() * 31) % (parts.len() - 1);
            let right = parts.remove(at + 1);
            parts[at] = format!("(0 {} {right})", parts[at]);
        }
        model.number(&Tree::parse(&parts[0]).unwrap())
    };
    let trees: Vec<_> = (0..64).map(|seed| tree(seed, 1 + seed * 7919 % 60)).collect();
    let run = |count: usize| {
        let graph = Graph::inference(model.parameters(), &Device::cpu(), Strategy::Levels);
        let logits = model.network().trees(&graph, &trees[..count], Dropouts::default());
        block_on(logits.value()).unwrap();
        let report = graph.explain();
        let of = |name: &str| report.batches().iter().filter(|batch| batch.op == name).count();
        assert_eq!(report.batches().len(), report.lower_bound());
        assert_eq!(of("tree_lstm_leaf"), 1);
        (of("tree_lstm"), report.batches().len() - of("tree_lstm"))
    };
    let heights: Vec<usize> = (1..=64).map(|count| run(count).0).collect();
    assert!(heights.is_sorted(), "the highest tree alone decides: {heights:?}");
    assert_eq!(heights[63], *heights.iter().max().unwrap());
    assert_eq!(run(2).1, run(64).1, "all else is as many batches as for two trees");
}

#[test]
fn depth_costs_no_stack() {
    let model = tree_classifier(false);
    let chain = |count: usize| "(0 (0 good) ".repeat(count) + "(0 film)" + &")".repeat(count);
    let [deep, short] = [2000, 60].map(|count| Tree::parse(&chain(count)).unwrap());
    let nodes = label(&model, &[deep.clone(), short.clone()]);
    assert_eq!(nodes[0].len(), 4001);
    // Both end alike.
    assert_eq!(nodes[0][2001].probabilities, nodes[1][61].probabilities);
    let config = TrainConfig::new(2, 1, 0.1);
    let task = saccade_rnn::train::Tree::new(&config).unwrap();
    let graph = Graph::training(model.parameters(), &Device::cpu(), Strategy::Levels, 1);
    let text = TreeText { tree: model.number(&deep), labels: vec![Some(0); deep.nodes()] };
    let loss = task.losses(&model, &graph, &vec![text], &|_| Vec::new(), Skimming::default()).total;
    block_on(loss.backward()).unwrap();
    assert!(block_on(loss.value()).unwrap()[0] > 0.0);
}

/// The loss's gradient against finite differences, at every parameter.
#[test]
fn gradients_of_a_small_treebank() {
    for layered in [false, true] {
        let mut model = tree_classifier(layered);
        let texts: Vec<TreeText> = trees()
            .iter()
            .filter(|tree| tree.nodes() > 0)
            .map(|tree| {
                let labels = (0..tree.nodes()).map(|node| tree.label(node).unwrap().parse().ok());
                TreeText { labels: labels.collect(), tree: model.number(tree) }
            })
            .collect();
        let task = saccade_rnn::train::Tree::new(&TrainConfig::new(4, 1, 0.1)).unwrap();
        let loss = |model: &Model| {
            let graph = Graph::training(model.parameters(), &Device::cpu(), Strategy::Levels, 1);
            block_on(task.losses(model, &graph, &texts, &|_| Vec::new(), Skimming::default()).total.value())
                .unwrap()[0]
        };
        let cpu = Device::cpu();
        let by_parameters = {
            let task = saccade_rnn::train::Tree::scoring();
            let graph = Graph::training(model.parameters(), &Device::cpu(), Strategy::Levels, 1);
            let total = task.losses(&model, &graph, &texts, &|_| Vec::new(), Skimming::default()).total;
            block_on(total.backward()).unwrap()
        };
        let ids: Vec<_> = model.parameters().iter().map(|(id, p)| (id, p.name.clone())).collect();
        for (id, name) in ids {
            let read = by_parameters.read(&cpu, model.parameters(), id);
            let gradient = block_on(read).unwrap().unwrap();
            for (at, &expected) in gradient.iter().enumerate() {
                const STEP: f32 = 1e-2;
                let mut at_step = |step: f32| {
                    model.parameters_mut().get_mut(id).values[at] += step;
                    let loss = loss(&model);
                    model.parameters_mut().get_mut(id).values[at] -= step;
                    loss
                };
                let found = (at_step(STEP) - at_step(-STEP)) / (2.0 * STEP);
                assert!((found - expected).abs() < 1e-3, "{name}[{at}]: {found}, by the graph {expected}");
            }
        }
    }
}

#[test]
fn a_file_holds_the_classifier() {
    for layered in [false, true] {
        let model = tree_classifier(layered);
        let again = Model::from_bytes(&model.to_bytes(|_, _| Storage::F32).unwrap()).unwrap();
        let names: Vec<_> = again.parameters().iter().map(|(_, p)| p.name.as_str()).collect();
        for name in ["head.leaf.weight", "head.inner.bias", "head.weight"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        assert_eq!(label(&again, &trees()), label(&model, &trees()));
        let small = model.with_words(&[2]).unwrap();
        assert_eq!((small.vocabulary().len(), label(&small, &trees())[0].len()), (2, 5));
    }
}

#[test]
fn another_task_is_refused_and_so_is_reading_trees() {
    let said = |error: ReadError| error.to_string();
    let no_tree = [Tree::default()];
    for other in [model(vec![skim()]), tagger(true)] {
        let refused = block_on(other.label_trees(&Device::cpu(), &no_tree, &mut ()));
        assert!(said(refused.unwrap_err()).contains("task"));
        let graph = Graph::inference(other.parameters(), &Device::cpu(), Strategy::Levels);
        let tree = other.number(&trees()[0]);
        assert!(block_on(other.network().trees(&graph, [&tree], Dropouts::default()).value()).is_err());
    }
    let model = tree_classifier(true);
    let read = block_on(model.read(&Device::cpu(), "a", &ReadOptions::default(), &mut ()));
    assert!(said(read.unwrap_err()).contains("trees"));
    assert!(said(block_on(model.tag(&Device::cpu(), "a")).unwrap_err()).contains("task"));
}

#[test]
fn a_watcher_hears_of_all_words_and_may_stop() {
    struct Stop(usize, Vec<(usize, usize)>);
    impl Watch for Stop {
        async fn progress(&mut self, done: usize, total: usize) -> ControlFlow<()> {
            self.1.push((done, total));
            if done >= self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let (model, tree) = (tree_classifier(true), trees().remove(0));
    let many = vec![tree; 400];
    let mut watch = Stop(usize::MAX, Vec::new());
    block_on(model.label_trees(&Device::cpu(), &many, &mut watch)).unwrap();
    assert_eq!(watch.1.last(), Some(&(1200, 1200)));
    let stopped = block_on(model.label_trees(&Device::cpu(), &many, &mut Stop(1, Vec::new())));
    assert!(matches!(stopped, Err(ReadError::Cancelled { total: 1200, .. })), "{stopped:?}");
}
