//! A classifier of a parser's trees, from treebanks to files: both learn, and any text that is typed has labels.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use saccade_cli::config::AnyConfig;
use saccade_cli::run::Outcome;

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;
#[path = "common/opinions.rs"]
mod opinions;
#[path = "common/runs.rs"]
mod runs;
use common::{Folder, text};
use opinions::treebanks;
use runs::{run, whole_and_in_pieces};

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
    let [train, heads] = treebanks(1, 160, 2);
    let [dev, _] = treebanks(2, 40, 2);
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

    let export = ["export", "whole", "--out", "copy", "--storage", "f32", "--measure", "test=dev:ptb"];
    folder.says(&export, "name a parser");
    folder.json(&[&export[..], &["--parser", "parser"]].concat(), b"");
    let figures = &folder.json(&["inspect", "copy"], b"")["config"]["training"]["figures"];
    assert_eq!(figures["test_accuracy"], report["accuracy"]);
    folder.says(&eval, "name a parser");
    folder.says(&["read", "--model", "whole", "a plot"], "name a parser");
    folder.says(
        &["read", "--model", "parser", "--parser", "parser", "a plot"],
        "--parser: only a tree classifier",
    );
    folder.says(&[&eval[..], &["--parser", "whole"]].concat(), "--parser: the model's task is tree");
    folder.says(
        &["read", "--model", "whole", "--parser", "model", "a"],
        "--parser: the model's task is classify",
    );
    folder.says(&[&eval[..], &["--parser", "none"]].concat(), "none");
    folder.says(&["train", "tree.toml", "--data", ".", "--out", "more", "--init", "none"], "none");
    folder.write("binary.toml", CONFIG.replace("child-sum", "binary").as_bytes());
    folder.says(&["train", "binary.toml", "--data", ".", "--out", "more"], "it takes no parser");
    folder.write("alone.toml", CONFIG.replace("parser = \"parser\"", "").as_bytes());
    folder.says(&["train", "alone.toml", "--data", ".", "--out", "more"], "name a parser");
    folder.write("wrong.toml", CONFIG.replace("\"parser\"", "\"train\"").as_bytes());
    folder.says(&["train", "wrong.toml", "--data", ".", "--out", "more"], "train: ");
}
