//! A classifier of a parser's trees, from treebanks to files: both learn, and any text that is typed has labels.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use saccade_cli::config::AnyConfig;
use saccade_cli::run::Outcome;

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;
#[path = "common/runs.rs"]
mod runs;
use common::{Folder, text};
use runs::{draws, run, whole_and_in_pieces};

/// Sentences of nouns that say nothing, and adjectives that do; "not" turns one. As phrases with labels, and as words with heads.
fn treebanks(seed: u32, count: usize) -> [String; 2] {
    let mut draw = draws(seed);
    let (mut phrases, mut heads) = (String::new(), String::new());
    for _ in 0..count {
        let noun = ["film", "plot", "cast"][draw(3)];
        let (adjective, mut label) =
            [("good", 2), ("fine", 2), ("bad", 0), ("dull", 0), ("long", 1)][draw(5)];
        let (mut phrase, mut words) =
            (format!("({label} {adjective})"), vec![("The", 2), (noun, 0), ("is", 0)]);
        if draw(2) == 1 {
            label = 2 - label;
            phrase = format!("({label} (1 not) {phrase})");
            words.push(("not", 0));
        }
        phrases += &format!("({label} (1 (1 The) (1 {noun})) ({label} (1 is) {phrase}))\n");
        words.push((adjective, 0));
        let root = words.len();
        for (at, (form, head)) in words.into_iter().enumerate() {
            let head = if at + 1 == root {
                0
            } else if head == 0 {
                root
            } else {
                head
            };
            let (tag, relation) = match at + 1 {
                1 => ("DET", "det"),
                2 => ("NOUN", "nsubj"),
                3 => ("AUX", "cop"),
                last if last == root => ("ADJ", "root"),
                _ => ("PART", "advmod"),
            };
            heads += &format!("{}\t{form}\t_\t{tag}\t_\t_\t{head}\t{relation}\t_\t_\n", at + 1);
        }
        heads.push('\n');
    }
    [phrases, heads]
}

const PARSER: &str = r#"
    seed = 7
    [data]
    name = "a treebank"
    tokenizer = { kind = "universal", lowercase = true }
    train = "heads"
    dev = "heads"
    [task.parse]
    tag_size = 4
    layers = [{ type = "lstm", hidden_size = 12, bidirectional = true }]
    hidden_size = 24
    [model]
    embedding_size = 8
    encoder = [{ type = "lstm", hidden_size = 8, bidirectional = true }]
    [train]
    batch = 8
    epochs = 4
    learning_rate = 0.02
"#;

const CONFIG: &str = r#"
    seed = 7
    [data]
    name = "a treebank"
    labels = [{ file = "0", name = "bad" }, { file = "1", name = "neither" }, { file = "2", name = "good" }]
    tokenizer = { kind = "treebank", lowercase = true }
    train = "train"
    dev = "dev"
    test = "dev"
    parser = "parser"
    [task.tree]
    cell = "child-sum"
    hidden_size = 12
    [model]
    embedding_size = 8
    [train]
    batch = 8
    epochs = 12
    learning_rate = 0.03
    average = 0.9
    clip = 5.0
    evaluations = 2
    dropout_head = 0.1
"#;

#[test]
fn a_classifier_of_a_parsers_trees_learns_and_labels_any_text() {
    let folder = Folder::new();
    let [train, heads] = treebanks(1, 160);
    let [dev, _] = treebanks(2, 40);
    for (name, content) in [("train", &train[..]), ("dev", &dev), ("heads", &heads), ("tree.toml", CONFIG)] {
        folder.write(name, content.as_bytes());
    }
    let AnyConfig::Parse(parser) = AnyConfig::parse(PARSER).unwrap() else { panic!("a parser's config") };
    let (outcome, _) = run(&folder, &parser, "parser", false, usize::MAX, |_| {});
    let Outcome::Done { dev: parsed, .. } = outcome else { panic!("{outcome:?}") };
    assert!(parsed.uas > 0.99, "{parsed:?}");

    let AnyConfig::Tree(mut config) = AnyConfig::parse(CONFIG).unwrap() else {
        panic!("a classifier's config")
    };
    config.data.parser = Some(folder.path("parser"));
    let (dev, _, model) = whole_and_in_pieces(&folder, &config, |_| {});
    assert!(dev.accuracy > 0.95 && dev.node_accuracy > 0.95, "{dev:?}");
    assert_eq!(dev.n, 40);
    let note = &model.config().training.notes["parser"];
    assert!(note.starts_with("parser; ") && note.ends_with("have the label of a phrase"), "{note}");

    let eval = ["eval", "--model", "whole", "--data", "dev", "--format", "ptb"];
    let report = folder.json(&[&eval[..], &["--parser", "parser"]].concat(), b"");
    assert_eq!(report["accuracy"].as_f64(), Some(dev.accuracy));
    assert_eq!(report["nodes"].as_u64(), Some(dev.nodes as u64));

    let typed = "The plot  is not good";
    let read = ["read", "--model", "whole", "--parser", "parser"];
    let shown = folder.json(&[&read[..], &[typed]].concat(), b"");
    let nodes = shown["nodes"].as_array().unwrap();
    let labels: Vec<_> = nodes.iter().map(|node| node["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["neither", "neither", "neither", "neither", "bad"]);
    assert_eq!(
        (&nodes[1]["word"], &nodes[1]["text"], &nodes[1]["head"]),
        (&"plot".into(), &"The plot".into(), &4.into())
    );
    assert_eq!(
        (nodes[4]["start"].as_u64(), nodes[4]["end"].as_u64(), &nodes[4]["text"]),
        (Some(0), Some(21), &typed.into())
    );
    assert!(nodes[4]["head"].is_null() && nodes[4]["probabilities"]["bad"].as_f64().unwrap() > 0.5);
    let shown = folder.run(&[&read[..], &["The \u{1b}plot is dull"]].concat(), b"");
    let shown = text(&shown.stdout);
    assert!(
        shown.contains("\n  is  neither") && shown.contains("[0, ") && !shown.contains('\u{1b}'),
        "{shown}"
    );
    assert_eq!(folder.json(&[&read[..], &[""]].concat(), b"")["nodes"], serde_json::json!([]));

    let says = |arguments: &[&str], message: &str| {
        let (_, output) = folder.failure(arguments, b"");
        assert!(output.contains(message), "{output}\ndoes not say: {message}");
    };
    says(&eval, "name a parser");
    says(&["read", "--model", "whole", "a plot"], "name a parser");
    says(&["read", "--model", "parser", "--parser", "parser", "a plot"], "--parser: only a tree classifier");
    says(&[&eval[..], &["--parser", "whole"]].concat(), "the model's task is another");
    says(&[&eval[..], &["--parser", "none"]].concat(), "none");
    says(&["train", "tree.toml", "--data", ".", "--out", "more", "--init", "none"], "none");
    folder.write("binary.toml", CONFIG.replace("child-sum", "binary").as_bytes());
    says(&["train", "binary.toml", "--data", ".", "--out", "more"], "it takes no parser");
    folder.write("alone.toml", CONFIG.replace("parser = \"parser\"", "").as_bytes());
    says(&["train", "alone.toml", "--data", ".", "--out", "more"], "name a parser");
    folder.write("wrong.toml", CONFIG.replace("\"parser\"", "\"train\"").as_bytes());
    says(&["train", "wrong.toml", "--data", ".", "--out", "more"], "train: ");
}
