//! A tree classifier from a treebank to a file: it learns, it goes on after an interruption, it is measured and read.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use saccade_cli::config::{AnyConfig, TreeConfig};
use saccade_rnn::model::Model;
use saccade_rnn::train::TrainConfig;

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;
#[path = "common/opinions.rs"]
mod opinions;
#[path = "common/runs.rs"]
mod runs;
use common::{Folder, text};
use opinions::treebanks;
use runs::{run, whole_and_in_pieces};

const CONFIG: &str = r#"
    seed = 7
    [data]
    name = "a treebank"
    labels = [{ file = "0", name = "bad" }, { file = "1", name = "neither" }, { file = "2", name = "good" }]
    tokenizer = { kind = "treebank", lowercase = true }
    train = "train"
    dev = "dev"
    test = "dev"
    [task.tree]
    cell = "binary"
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

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("train", treebanks(1, 160, 3)[0].as_bytes());
    folder.write("dev", treebanks(2, 40, 3)[0].as_bytes());
    folder.write("trees.toml", CONFIG.as_bytes());
    folder
}

fn config() -> TreeConfig {
    match AnyConfig::parse(CONFIG).unwrap() {
        AnyConfig::Tree(config) => config,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_classifier_learns_what_makes_a_phrase_and_goes_on_after_an_interruption() {
    let (folder, config) = (folder(), config());
    let (dev, losses, model) = whole_and_in_pieces(&folder, &config, |_| {});
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    assert!(mean(&losses[losses.len() - 20..]) < 0.2 * mean(&losses[..20]), "{losses:?}");
    assert!(dev.accuracy > 0.95 && dev.node_accuracy > 0.95 && dev.pole_accuracy > 0.95, "{dev:?}");
    assert!(dev.n == 40 && dev.poles < 40, "{dev:?}");
    assert_eq!(model.config().training.figures["test_pole_accuracy"], dev.pole_accuracy);

    let report = folder.json(&["eval", "--model", "whole", "--data", "dev", "--format", "ptb"], b"");
    assert_eq!(report["accuracy"].as_f64(), Some(dev.accuracy));
    assert_eq!(report["node_accuracy"].as_f64(), Some(dev.node_accuracy));
    assert_eq!(report["binary"]["n"].as_u64(), Some(dev.poles as u64));
    assert_eq!(report["binary"]["accuracy"].as_f64(), Some(dev.pole_accuracy));
    assert!(report["sentences_per_second"].as_f64().unwrap() > 0.0);
    let int8 = ["export", "whole", "--out", "int8", "--words", "12", "--measure", "dev=dev:ptb"];
    assert_eq!(folder.json(&int8, b"")["words"], 12);

    let tree = "(_ (_ (_ The) (_ film)) (_ (_ is) (_ (_ not) (_ good))))";
    let read = folder.json(&["read", "--model", "whole", tree], b"");
    assert_eq!(read["text"], "The film is not good");
    let nodes = read["nodes"].as_array().unwrap();
    let labels: Vec<_> = nodes.iter().map(|node| node["label"].as_str().unwrap()).collect();
    assert_eq!(labels, ["neither", "neither", "neither", "neither", "good", "neither", "bad", "bad", "bad"]);
    assert_eq!(
        (&nodes[6]["start"], &nodes[6]["end"], &nodes[6]["text"]),
        (&12.into(), &20.into(), &"not good".into())
    );
    assert_eq!(
        (&nodes[8]["children"], &nodes[0]["children"]),
        (&serde_json::json!([5, 7]), &serde_json::Value::Null)
    );
    assert!(nodes[8]["probabilities"]["bad"].as_f64().unwrap() > 0.5);
    let shown = folder.run(&["read", "--model", "whole"], b"(_ (_ the)\n (_ \x1bfilm))\n");
    let shown = text(&shown.stdout);
    assert!(
        shown.contains("\n  the  neither") && shown.contains("[0, 3)") && !shown.contains('\x1b'),
        "{shown}"
    );
    assert_eq!(folder.json(&["read", "--model", "whole", ""], b"")["nodes"], serde_json::json!([]));
}

#[test]
fn the_most_frequent_words_are_those_that_there_is_room_for() {
    let (folder, mut config) = (folder(), config());
    (config.data.max_words, config.train.epochs) = (Some(3), 0);
    run(&folder, &config, "model", false, 0, |_| {});
    let model = Model::from_bytes(&std::fs::read(folder.path("model")).unwrap()).unwrap();
    assert_eq!(model.vocabulary().words(), ["<unk>", "not", "is"]);
}

#[test]
fn what_cannot_be_learned_or_measured_is_said() {
    let folder = folder();
    let untrained = TreeConfig { train: TrainConfig { epochs: 0, ..config().train }, ..config() };
    run(&folder, &untrained, "model", false, 0, |_| {});
    let eval = |data: &'static str| ["eval", "--model", "model", "--data", data, "--format", "ptb"];
    folder.says(
        &["eval", "--model", "model", "--data", "dev", "--format", "lines"],
        "measured on trees in brackets, as ptb",
    );
    folder.says(&eval("none"), "none does not exist");
    folder.says(&[&eval("dev")[..], &["--threshold", "0.5"]].concat(), "--threshold");
    folder.says(
        &["read", "--model", "model", "--steps", "(0 a)"],
        "--steps: a tree classifier has no such option",
    );
    folder.says(&["read", "--model", "model", "a film"], "line 1, column 1: expected a tree in brackets");
    folder
        .says(&["read", "--model", "model", "(0 (0 a)\n (0 b c))"], "line 2, column 7: a word stands beside");
    folder.says(
        &["train", "trees.toml", "--data", ".", "--fold", "1"],
        "--fold: a tree classifier has no folds",
    );
    folder.write("other", b"(1 (1 a) (1 b))\n(1 (7 a) (1 b))\n");
    folder.says(&eval("other"), "other:2: the label \"7\" is none of 0, 1, 2");
    folder.write("bad", b"(1 (1 a) (1 b))\n(1 (1 a)\n");
    folder.says(&eval("bad"), "bad:2: column 1: a bracket opens that never closes");
    folder.write("empty", b"\n");
    folder.says(&eval("empty"), "empty:1: the file holds no tree in brackets");
    let twice = CONFIG.replace("file = \"2\"", "file = \"1\"");
    folder.write("twice.toml", twice.as_bytes());
    folder.says(&["train", "twice.toml", "--data", "."], "data.labels: expected distinct");
    let skims = CONFIG.replace("embedding_size = 8", "embedding_size = 6\nencoder = [{ type = \"skim\", cell = \"lstm\", hidden_size = 4, small_size = 1, small_reads = \"slice\" }]");
    folder.write("skims.toml", skims.as_bytes());
    folder.says(&["train", "skims.toml", "--data", "."], "train.skim");
}
