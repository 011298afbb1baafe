//! A tagger from a treebank to a file: it learns, it goes on after an interruption, it is measured and read.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use saccade_cli::config::{AnyConfig, TagConfig};
use saccade_cli::run::{Event, Outcome};
use saccade_rnn::model::Model;

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;
#[path = "common/runs.rs"]
mod runs;
use common::{Folder, conllu, text};
use runs::{draws, run, whole_and_in_pieces};

/// Sentences in which a word in `-ed` is a verb after a noun and an adjective before one; names are hardly ever seen twice.
fn treebank(seed: u32, count: usize) -> String {
    let mut draw = draws(seed);
    let mut bank = String::new();
    for _ in 0..count {
        let (noun, verb) = (["dog", "cat", "bird"][draw(3)], ["jumped", "washed", "painted"][draw(3)]);
        let letters: String = (0..4).map(|_| char::from(b'a' + draw(26) as u8)).collect();
        let name = format!("B{letters}us");
        let words = match draw(2) {
            0 => vec![("the", "DET"), (noun, "NOUN"), (verb, "VERB"), (&name, "PROPN"), (".", "PUNCT")],
            _ => vec![
                ("the", "DET"),
                (verb, "ADJ"),
                (noun, "NOUN"),
                ("saw", "VERB"),
                (&name, "PROPN"),
                (".", "PUNCT"),
            ],
        };
        let row = |(at, (form, tag)): (usize, _)| (form, tag, usize::from(at > 0), "dep");
        bank += &conllu(&words.into_iter().enumerate().map(row).collect::<Vec<_>>());
    }
    bank
}

const CONFIG: &str = r#"
    seed = 7
    [data]
    name = "a treebank"
    tokenizer = { kind = "universal", lowercase = true }
    train = "train"
    dev = "dev"
    test = "dev"
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
    epochs = 5
    learning_rate = 0.02
    average = 0.9
    clip = 5.0
    evaluations = 2
    dropout_embedding = 0.1
    dropout_head = 0.1
"#;

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("train", treebank(1, 160).as_bytes());
    folder.write("dev", treebank(2, 40).as_bytes());
    folder.write("tagger.toml", CONFIG.as_bytes());
    folder
}

fn config() -> TagConfig {
    match AnyConfig::parse(CONFIG).unwrap() {
        AnyConfig::Tag(config) => config,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tagger_learns_words_letters_and_neighbours_and_goes_on_after_an_interruption() {
    let (folder, config) = (folder(), config());
    let (dev, _, model) = whole_and_in_pieces(&folder, &config, |event| {
        if let Event::Step { words, .. } = event {
            assert!((40..=48).contains(words));
        }
    });
    assert!(dev.accuracy > 0.97 && dev.unknown > 10 && dev.unknown_accuracy > 0.9, "{dev:?}");
    assert_eq!(model.config().training.figures["test_accuracy"], dev.accuracy);

    let report = folder.json(&["eval", "--model", "whole", "--data", "dev", "--format", "conllu"], b"");
    assert_eq!(report["accuracy"].as_f64(), Some(dev.accuracy));
    assert_eq!((report["n"].as_u64(), report["sentences"].as_u64()), (Some(dev.n as u64), Some(40)));
    assert!(report["sentences_per_second"].as_f64().unwrap() > 0.0);
    assert_eq!(report["from_text"]["found"].as_f64(), Some(1.0));
    assert_eq!(report["from_text"]["accuracy"].as_f64(), Some(dev.accuracy));
    let int8 = ["export", "whole", "--out", "int8", "--words", "8", "--measure", "dev=dev:conllu"];
    assert_eq!(folder.json(&int8, b"")["words"], 8);

    let read = folder.json(&["read", "--model", "whole", "The dog  jumped."], b"");
    let tokens = read["tokens"].as_array().unwrap();
    let tags: Vec<_> = tokens.iter().map(|token| token["tag"].as_str().unwrap()).collect();
    assert_eq!(tags, ["DET", "NOUN", "VERB", "PUNCT"]);
    assert_eq!((tokens[2]["start"].as_u64(), tokens[2]["end"].as_u64()), (Some(9), Some(15)));
    let shown = folder.run(&["read", "--model", "whole"], b"The \x1bdog\n");
    assert!(text(&shown.stdout).contains("[0, 3)") && !text(&shown.stdout).contains('\x1b'));
}

/// A field of all tags of a sentence learns, and what is measured of its file is what the run measured.
#[test]
fn tags_that_are_scored_together_are_learned() {
    let (folder, mut config) = (folder(), config());
    config.task.tag.crf = true;
    config.train.epochs = 3;
    let (outcome, losses) = run(&folder, &config, "model", false, usize::MAX, |_| {});
    let Outcome::Done { dev, .. } = outcome else { panic!("{outcome:?}") };
    assert!(dev.accuracy > 0.9 && losses[losses.len() - 1] < 0.2 * losses[0], "{dev:?} {losses:?}");
    let report = folder.json(&["eval", "--model", "model", "--data", "dev", "--format", "conllu"], b"");
    assert_eq!(report["accuracy"].as_f64(), Some(dev.accuracy));
    let model = Model::from_bytes(&std::fs::read(folder.path("model")).unwrap()).unwrap();
    assert!(model.parameters().id("head.crf.transitions").is_some());
}

#[test]
fn the_most_frequent_words_are_those_that_there_is_room_for() {
    let (folder, mut config) = (folder(), config());
    (config.data.max_words, config.train.epochs) = (Some(3), 0);
    run(&folder, &config, "model", false, 0, |_| {});
    let model = Model::from_bytes(&std::fs::read(folder.path("model")).unwrap()).unwrap();
    assert_eq!(model.vocabulary().words(), ["<unk>", ".", "the"]);
}

/// A line of a treebank that has tags alone.
fn without_head(line: &str) -> String {
    let mut columns: Vec<&str> = line.split('\t').collect();
    if let [.., head, relation, _, _] = &mut columns[..] {
        (*head, *relation) = ("_", "_");
    }
    columns.join("\t") + "\n"
}

#[test]
fn what_cannot_be_learned_or_measured_is_said() {
    let folder = folder();
    run(
        &folder,
        &TagConfig { train: saccade_rnn::train::TrainConfig { epochs: 0, ..config().train }, ..config() },
        "model",
        false,
        0,
        |_| {},
    );
    folder.says(
        &["eval", "--model", "model", "--data", "dev", "--format", "lines"],
        "measured on tagged text, as conllu",
    );
    folder.says(&["eval", "--model", "model", "--data", "none", "--format", "conllu"], "none does not exist");
    folder.says(
        &["eval", "--model", "model", "--data", "dev", "--format", "conllu", "--threshold", "0.5"],
        "--threshold",
    );
    folder.says(&["read", "--model", "model", "--steps", "a"], "--steps: a tagger has no such option");
    folder.says(&["train", "tagger.toml", "--data", ".", "--fold", "1"], "--fold: a tagger has no folds");
    folder.write("none.toml", CONFIG.replace("dev = \"dev\"", "hold_out = 1000").as_bytes());
    folder.says(&["train", "none.toml", "--data", "."], "data.hold_out: 1000 of 16");
    folder.write("other", treebank(3, 1).replace("PROPN", "X").as_bytes());
    folder.says(
        &["eval", "--model", "model", "--data", "other", "--format", "conllu"],
        "other:1: the label \"X\" is none of",
    );
    let figures = |data: &str| {
        folder.json(&["eval", "--model", "model", "--data", data, "--format", "conllu"], b"")["accuracy"]
            .clone()
    };
    let dev = std::fs::read_to_string(folder.path("dev")).unwrap();
    let headless: String = dev.lines().map(without_head).collect();
    folder.write("headless", headless.as_bytes());
    assert_eq!(figures("headless"), figures("dev"), "a tagger is about no heads");
    folder.write("bad", b"1\ta\n");
    folder.says(&["eval", "--model", "model", "--data", "bad", "--format", "conllu"], "bad:1: has 2 columns");
    folder.write("worse.toml", CONFIG.replace("unknown = 0.1", "unknown = 1.0").as_bytes());
    folder.says(&["train", "worse.toml", "--data", "."], "data.unknown: expected 0 to below 1");
}
