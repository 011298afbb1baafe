//! Labelling words by what depends on them: the cell's equations through a whole model, and texts by a parser's trees.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::ops::ControlFlow;

use pollster::block_on;
use proptest::prelude::*;
use saccade_rnn::device::Device;
use saccade_rnn::graph::{Graph, Strategy as Batching};
use saccade_rnn::model::{
    Config, Dropouts, FreshOptions, LabelledToken, Model, NumberedTree, ReadError, Storage, Watch,
};
use saccade_rnn::text::{Tokenizer, TokenizerKind, Tree};
use saccade_rnn::train::{Objective, Skimming, TreeText};
use serde_json::Value;

mod support;
use support::{child_sum_classifier, child_sum_classifier_of, parser, tagger, tree_classifier};

fn probabilities(model: &Model, trees: &[NumberedTree]) -> Vec<Vec<f32>> {
    block_on(model.score_trees(&Device::cpu(), trees, &mut ())).unwrap()
}

fn label<'m>(model: &'m Model, parser: &'m Model, texts: &[&str]) -> Vec<Vec<LabelledToken<'m>>> {
    block_on(model.label_texts(&Device::cpu(), parser, texts, &mut ())).unwrap()
}

#[test]
fn heads_make_a_tree_or_none() {
    let tree = |heads: &[Option<usize>]| NumberedTree::of_heads(vec![0; heads.len()], heads);
    let made = tree(&[Some(1), None, Some(3), Some(1)]).unwrap();
    assert_eq!((made.words(), made.nodes(), made.root()), (4, 4, Some(1)));
    assert_eq!(made.extents(), [0..1, 0..4, 2..3, 2..4]);
    // Crossing arcs: what is under the third word reaches over the second.
    assert_eq!(tree(&[Some(2), None, Some(1)]).unwrap().extents(), [0..1, 0..3, 0..3]);
    assert_eq!(tree(&[]).unwrap().root(), None);
    assert_eq!(NumberedTree::default().root(), None);
    for wrong in
        [&[Some(0)][..], &[None, None], &[Some(1), Some(0)], &[None, Some(2), Some(1)], &[None, Some(2)]]
    {
        assert_eq!(tree(wrong), None, "{wrong:?}");
    }
    assert_eq!(NumberedTree::of_heads(vec![0], &[]), None);
}

/// The states that `fixtures/tree_lstm.py` computes, read off by a head that scores each by itself.
#[test]
fn labels_follow_the_equations_of_the_cell() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/tree_lstm.json")).unwrap();
    let case = fixture["cases"].as_array().unwrap().iter().find(|case| case["kind"] == "child_sum").unwrap();
    let array = |value: &Value| value.as_array().unwrap().clone();
    let mut checked = 0;
    for ((tree, rows), states) in
        array(&case["trees"]).iter().zip(array(&case["rows"])).zip(array(&case["states"]))
    {
        let words = &["a", "b", "c", "d", "e", "f"][..array(tree).len()];
        let mut model = child_sum_classifier_of(3, 2, words);
        let mut set = |name: &str, value: &Value| {
            let id = model.parameters().id(name).expect(name);
            let values = floats(value);
            model.parameters_mut().get_mut(id).values[..values.len()].copy_from_slice(&values);
        };
        for (name, value) in case["parameters"].as_object().unwrap() {
            set(&format!("head.cell.{name}"), value);
        }
        // The unknown word has the first row.
        set(
            "embedding.weight",
            &Value::Array([vec![serde_json::json!([0.0, 0.0, 0.0])], array(&rows)].concat()),
        );
        set("head.weight", &serde_json::json!([[1.0, 0.0], [0.0, 1.0]]));
        set("head.bias", &serde_json::json!([0.0, 0.0]));
        let mut heads = vec![None; words.len()];
        for (head, children) in array(tree).iter().enumerate() {
            array(children).iter().for_each(|child| heads[child.as_u64().unwrap() as usize] = Some(head));
        }
        let numbered = NumberedTree::of_heads(model.tree_ids(words.iter().copied()), &heads).unwrap();
        let found = probabilities(&model, &[numbered]).remove(0);
        for (row, state) in found.chunks_exact(2).zip(array(&states)) {
            let [a, b] = [&state[0], &state[1]].map(|h| h.as_f64().unwrap().exp());
            assert!((f64::from(row[0]) - a / (a + b)).abs() < 1e-5, "{tree}");
            checked += 1;
        }
    }
    assert!(checked > 10);
}

fn floats(value: &Value) -> Vec<f32> {
    match value {
        Value::Array(parts) => parts.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().unwrap() as f32],
    }
}

/// The loss's gradient against finite differences, at every parameter; words without a label count for nothing.
#[test]
fn gradients_where_some_words_have_labels() {
    let mut model = child_sum_classifier();
    let text = |words: &[&str], heads: &[Option<usize>], labels: &[Option<u32>]| TreeText {
        tree: NumberedTree::of_heads(model.tree_ids(words.iter().copied()), heads).unwrap(),
        labels: labels.to_vec(),
    };
    let texts = vec![
        text(&["a", "good", "film"], &[Some(2), Some(2), None], &[Some(1), None, Some(0)]),
        text(&["zzz"], &[None], &[Some(1)]),
        text(
            &["good", "a", "film", "a"],
            &[None, Some(0), Some(0), Some(2)],
            &[None, Some(0), Some(1), None],
        ),
    ];
    let task = saccade_rnn::train::Tree::scoring();
    let score = block_on(task.score(&model, &Device::cpu(), &texts, |_| true)).unwrap().unwrap();
    assert_eq!((score.n, score.nodes), (2, 5), "a root without a label is not counted");
    let by_parameters = {
        let graph = Graph::training(model.parameters(), &Device::cpu(), Batching::Levels, 1);
        let total = task.losses(&model, &graph, &texts, &|_| Vec::new(), Skimming::default()).total;
        assert!((f64::from(block_on(total.value()).unwrap()[0]) - score.loss).abs() < 1e-5);
        block_on(total.backward()).unwrap()
    };
    let loss = |model: &Model| {
        let graph = Graph::training(model.parameters(), &Device::cpu(), Batching::Levels, 1);
        block_on(task.losses(model, &graph, &texts, &|_| Vec::new(), Skimming::default()).total.value())
            .unwrap()[0]
    };
    let ids: Vec<_> = model.parameters().iter().map(|(id, p)| (id, p.name.clone())).collect();
    for (id, name) in ids {
        let gradient = block_on(by_parameters.read(&Device::cpu(), model.parameters(), id)).unwrap().unwrap();
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

#[test]
fn what_a_tokenizer_reads_past_says_nothing_of_a_word() {
    let parser = parser();
    for kind in [TokenizerKind::Treebank, TokenizerKind::Spaces, TokenizerKind::Universal] {
        let config =
            Config { tokenizer: Tokenizer::new(kind, true), ..child_sum_classifier().config().clone() };
        let model = Model::fresh(config, Dropouts::default(), FreshOptions::default(), 7).unwrap();
        assert_eq!(model.tree_ids(["Go\u{ad}od", "\u{200f}film", "\u{200b}"]), [2, 3, 0], "{kind:?}");
        let labels = |text| {
            let words = label(&model, &parser, &[text]).remove(0);
            words.into_iter().map(|word| word.node.probabilities).collect::<Vec<_>>()
        };
        assert_eq!(labels("a go\u{ad}od film"), labels("a good film"), "{kind:?}");
    }
}

#[test]
fn depth_costs_no_stack_and_width_no_order() {
    let model = child_sum_classifier();
    let tree = |heads: Vec<Option<usize>>| NumberedTree::of_heads(vec![1; heads.len()], &heads).unwrap();
    let chain = tree((0..4000).map(|word: usize| word.checked_sub(1)).collect());
    let star = tree((0..300).map(|word| (word != 7).then_some(7)).collect());
    let found = probabilities(&model, &[chain, star, NumberedTree::default()]);
    assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [8000, 600, 0]);
    assert!(found.iter().flatten().all(|p| p.is_finite()));
}

#[test]
fn a_watcher_may_stop_while_the_trees_are_labelled() {
    struct Stop(usize);
    impl Watch for Stop {
        async fn progress(&mut self, done: usize, total: usize) -> ControlFlow<()> {
            self.0 += usize::from(done == total);
            if self.0 == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    let (model, parser) = (child_sum_classifier(), parser());
    let stopped = block_on(model.label_texts(&Device::cpu(), &parser, &["a good film."], &mut Stop(0)));
    assert!(matches!(stopped, Err(ReadError::Cancelled { done: 4, total: 4 })), "{stopped:?}");
}

#[test]
fn a_text_is_labelled_by_a_parsers_trees() {
    let (model, parser) = (child_sum_classifier(), parser());
    let texts = ["A good film. 🎬 a dog!", "", "film", "good good good\n\na a"];
    let together = label(&model, &parser, &texts);
    for (text, words) in texts.iter().zip(&together) {
        let parsed = block_on(parser.parse(&Device::cpu(), text)).unwrap();
        assert_eq!(words.iter().map(|word| word.token.clone()).collect::<Vec<_>>(), parsed);
        let alone = block_on(model.label_text(&Device::cpu(), &parser, text)).unwrap();
        for (number, (word, alone)) in words.iter().zip(&alone).enumerate() {
            let LabelledToken { token, node } = word;
            assert!((node.probabilities[0] - alone.node.probabilities[0]).abs() < 1e-5);
            assert!((node.probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            assert_eq!(model.config().task.labels()[node.number], node.label);
            let (part, whole) = (&token.span.bytes, &node.span.bytes);
            assert!(whole.start <= part.start && part.end <= whole.end);
            let units: Vec<u16> = text.encode_utf16().collect();
            assert_eq!(String::from_utf16(&units[node.span.utf16.clone()]).unwrap(), text[whole.clone()]);
            if let Some(head) = token.head {
                let of_head = &words[head].node.span.bytes;
                assert!(of_head.start <= whole.start && whole.end <= of_head.end, "{number} of {head}");
            }
        }
    }
    let again = Model::from_bytes(&model.to_bytes(|_, _| Storage::F32).unwrap()).unwrap();
    assert!(again.parameters().id("head.cell.weight_fh").is_some());
    assert_eq!(label(&again, &parser, &texts), together);
}

#[test]
fn trees_of_the_other_kind_are_refused() {
    let said = |error: ReadError| error.to_string();
    let binary = Tree::parse("(0 (0 a) (0 film))").unwrap();
    let sums = child_sum_classifier();
    let refused = block_on(sums.label_tree(&Device::cpu(), &binary)).unwrap_err();
    assert!(said(refused).contains("trees of heads"));
    let (merges, parser) = (tree_classifier(false), parser());
    let refused = block_on(merges.label_text(&Device::cpu(), &parser, "a film")).unwrap_err();
    assert!(said(refused).contains("binary trees"));
    for (model, parser) in [(&sums, &tagger(true)), (&tagger(true), &parser)] {
        let refused = block_on(model.label_text(&Device::cpu(), parser, "a film")).unwrap_err();
        assert!(said(refused).contains("task"));
    }
    let graph = Graph::inference(sums.parameters(), &Device::cpu(), Batching::Levels);
    let logits = sums.network().trees(&graph, [&sums.number(&binary)], Dropouts::default());
    assert!(block_on(logits.value()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_labels(text in "[ a-zäA-Z.!?\"'()\n🎬\u{ad}-]{0,80}") {
        let (model, parser) = (child_sum_classifier(), parser());
        for LabelledToken { token, node } in label(&model, &parser, &[&text]).remove(0) {
            prop_assert!(node.span.bytes.start <= token.span.bytes.start && node.probabilities.len() == 2);
        }
    }
}
