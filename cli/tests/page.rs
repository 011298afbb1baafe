//! A page trains as the command line does: `js/tests/train.test.mjs` holds its runs against what is recorded here.
//! `SACCADE_RECORD=1` writes the record anew.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;
#[allow(dead_code, reason = "some of it is for other tests")]
#[path = "common/runs.rs"]
mod runs;

use std::fs;
use std::path::Path;

use common::{Folder, conllu};
use runs::{draws, run};
use saccade_cli::config::{AnyConfig, Settings};
use saccade_cli::run::{Event, Outcome, Recipe};
use saccade_rnn::train::Objective;
use serde_json::{Value, json};

/// Losses on another machine differ by rounding.
const BOUND: f64 = 1e-5;

type Score<C> = <<C as Settings>::Task as Objective>::Score;

/// Texts whose label follows from their words.
fn labelled(seed: u32, count: usize) -> Vec<(&'static str, String)> {
    let mut below = draws(seed);
    let mut text = |_| {
        let label = ["no", "yes"][below(2)];
        let words: Vec<&str> = (0..3 + below(9))
            .map(|_| match below(3) {
                0 if label == "yes" => ["good", "fine", "lovely"][below(3)],
                0 => ["bad", "dull", "poor"][below(3)],
                _ => ["the", "film", "of", "and", "a", "plot"][below(6)],
            })
            .collect();
        (label, words.join(" "))
    };
    (0..count).map(&mut text).collect()
}

/// Running text in which words follow words.
fn running(words: usize) -> String {
    let mut below = draws(5);
    let mut text = String::new();
    for word in 0..words {
        text += ["the ", "old ", "clock ", "ticks ", "and ", "stops "][(word + below(2)) % 6];
        if below(12) == 0 {
            text += ".\n\n";
        }
    }
    text
}

/// Sentences in CoNLL-U whose tags follow from letters and neighbours.
fn treebank(seed: u32, count: usize) -> String {
    let mut below = draws(seed);
    let mut bank = String::new();
    for _ in 0..count {
        let (noun, stem) = (["dog", "cat", "bird"][below(3)], ["jump", "wash", "paint", "play"][below(4)]);
        let (verb, name) = (format!("{stem}ed"), format!("B{}us", ["ar", "el", "in", "or", "ur"][below(5)]));
        let words = match below(2) {
            0 => [("the", "DET"), (noun, "NOUN"), (&verb, "VERB"), (&name, "PROPN")],
            _ => [("the", "DET"), (&verb, "ADJ"), (noun, "NOUN"), ("Sees", "VERB")],
        };
        let row = |(before, (form, tag))| (form, tag, before, "dep");
        bank += &conllu(&(0..).zip(words).map(row).take(2 + below(3)).collect::<Vec<_>>());
    }
    bank
}

const NETWORKS: [(&str, &str); 4] = [
    (
        "skim",
        r#"
        seed = 3
        [data]
        name = "texts of a page"
        tokenizer = { kind = "treebank", lowercase = true }
        train = [{ path = "train.txt", format = "lines" }]
        dev = { path = "dev.txt", format = "lines" }
        [model]
        embedding_size = 12
        encoder = [{ type = "skim", cell = "lstm", hidden_size = 16, small_size = 4, small_reads = "slice" }]
        pool = "last"
        [train]
        batch = 16
        epochs = 2
        learning_rate = 0.01
        clip = 5.0
        average = 0.9
        dropout_head = 0.2
        skim = { gamma = 0.1, temperature_rate = 0.01 }
        "#,
    ),
    (
        "letters",
        r#"
        seed = 4
        [data]
        name = "texts of a page"
        tokenizer = { kind = "characters", lowercase = false }
        train = [{ path = "text.txt", format = "text", to = 0.9 }]
        dev = { path = "text.txt", format = "text", from = 0.9 }
        steps = 16
        [task.predict]
        [model]
        embedding_size = 8
        encoder = [{ type = "gru", hidden_size = 16, bidirectional = false }]
        [train]
        batch = 8
        epochs = 1
        learning_rate = 0.01
        clip = 5.0
        schedule = "linear"
        "#,
    ),
    (
        "words",
        r#"
        seed = 5
        [data]
        name = "texts of a page"
        tokenizer = { kind = "treebank", lowercase = true, ends = "line" }
        train = [{ path = "text.txt", format = "lines", to = 0.9 }]
        dev = { path = "text.txt", format = "lines", from = 0.9 }
        steps = 8
        [task.predict]
        cutoffs = [4]
        div_value = 2.0
        input = "tied"
        [model]
        embedding_size = 16
        encoder = [{ type = "sru", hidden_size = 16, num_layers = 2 }]
        [train]
        batch = 4
        epochs = 1
        learning_rate = 0.01
        clip = 5.0
        "#,
    ),
    (
        "tags",
        r#"
        seed = 6
        [data]
        name = "texts of a page"
        tokenizer = { kind = "spaces", lowercase = true }
        train = "train.conllu"
        dev = "dev.conllu"
        min_count = 2
        unknown = 0.1
        [task.tag]
        characters = { embedding_size = 6, hidden_size = 8 }
        [model]
        embedding_size = 8
        encoder = [{ type = "lstm", hidden_size = 8, bidirectional = true }]
        forget_bias = 1.0
        [train]
        batch = 8
        epochs = 2
        learning_rate = 0.02
        clip = 5.0
        dropout_embedding = 0.1
        adversarial = 0.01
        "#,
    ),
];

/// The losses of a run, every step's, its figures, and the text that it learned from.
fn record<C: Recipe>(folder: &Folder, config: &C) -> Value {
    let mut steps = Vec::new();
    let (outcome, _) = run(folder, config, "model", false, usize::MAX, |event: &Event<Score<C>>| {
        if let Event::Step { losses, .. } = event {
            steps.push(losses.iter().map(|loss| loss.value).collect::<Vec<f32>>());
        }
    });
    let Outcome::Done { dev, .. } = outcome else { panic!("the run ended early") };
    json!({ "losses": steps, "dev": saccade_cli::run::Figures::json(&dev) })
}

fn near(found: &Value, recorded: &Value, place: &str) {
    match (found, recorded) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            assert!((a - b).abs() <= BOUND * b.abs().max(1.0), "{place}: {a} now, {b} recorded");
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            (0..a.len()).for_each(|i| near(&a[i], &b[i], &format!("{place}[{i}]")));
        }
        (Value::Object(a), Value::Object(b)) if a.len() == b.len() => {
            a.iter().for_each(|(key, a)| near(a, &b[key], &format!("{place}.{key}")));
        }
        _ => assert_eq!(found, recorded, "{place}"),
    }
}

#[test]
fn a_page_is_held_against_runs_that_are_recorded() {
    let folder = Folder::new();
    let lines = |texts: &[(&str, String)]| -> String {
        texts.iter().map(|(label, text)| format!("{label} {text}\n")).collect()
    };
    let texts = [labelled(1, 200), labelled(2, 40)];
    let text = running(1200);
    fs::write(folder.path("train.txt"), lines(&texts[0])).unwrap();
    fs::write(folder.path("dev.txt"), lines(&texts[1])).unwrap();
    fs::write(folder.path("text.txt"), &text).unwrap();
    let banks = [treebank(3, 120), treebank(4, 30)];
    fs::write(folder.path("train.conllu"), &banks[0]).unwrap();
    fs::write(folder.path("dev.conllu"), &banks[1]).unwrap();
    let mut found = json!({
        "train": lines(&texts[0]), "dev": lines(&texts[1]), "text": text, "treebank": banks[0], "devTreebank": banks[1],
    });
    for (name, config) in NETWORKS {
        found[name] = match AnyConfig::parse(config).unwrap() {
            AnyConfig::Classify(config) => record(&folder, &config),
            AnyConfig::Predict(config) => record(&folder, &config),
            AnyConfig::Tag(config) => record(&folder, &config),
            other => panic!("{other:?}"),
        };
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../js/tests/training.json");
    if std::env::var_os("SACCADE_RECORD").is_some() {
        fs::write(&path, serde_json::to_string(&found).unwrap() + "\n").unwrap();
    }
    let recorded: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    near(&found, &recorded, "runs");
}
