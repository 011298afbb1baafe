//! Texts that are dealt to threads: the figures are those of one.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[allow(dead_code, reason = "other tests train")]
mod common;

use common::{Folder, TEXTS};
use serde_json::Value;

/// What a command prints without the times that it took.
fn figures(folder: &Folder, arguments: &[&str], threads: &str) -> Value {
    let mut figures = folder.json(&[arguments, &["--threads", threads]].concat(), b"");
    for time in ["tokens_per_second", "sentences_per_second"] {
        figures.as_object_mut().unwrap().remove(time);
    }
    figures
}

fn shipped(name: &str) -> String {
    format!("{}/../models/{name}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

/// Sentences of 1 to 9 words.
fn treebank() -> String {
    let words = ["dogs", "bark", "at", "the", "old", "cat", "quietly", "today", "outside"];
    let mut text = String::new();
    for sentence in 0..300 {
        for number in 1..=1 + sentence % 9 {
            let word = words[(sentence * 5 + number) % 9];
            let (head, relation) = if number == 1 { (0, "root") } else { (1, "obj") };
            text += &format!("{number}\t{word}\t_\tNOUN\t_\t_\t{head}\t{relation}\t_\t_\n");
        }
        text += "\n";
    }
    text
}

#[test]
fn figures_do_not_depend_on_threads() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.repeat(200).as_bytes());
    folder.write("treebank", treebank().as_bytes());
    folder.write("trees", "(3 (2 a) (4 (4 good) (2 film)))\n(1 dull)\n".repeat(150).as_bytes());
    let labelled = ["--model", "model", "--data", "texts", "--format", "lines"];
    let [tagger, parser, trees] = ["ewt-tagger", "ewt-parser", "sst-tree-lstm"].map(shipped);
    let with = |model, data, format| ["eval", "--model", model, "--data", data, "--format", format].to_vec();
    for arguments in [
        [&["eval"], &labelled[..]].concat(),
        [&["words", "--min-count", "1"], &labelled[..]].concat(),
        [&["curve", "--thresholds", "0,0.4,1"], &labelled[..]].concat(),
        with(&tagger, "treebank", "conllu"),
        with(&parser, "treebank", "conllu"),
        with(&trees, "trees", "ptb"),
    ] {
        let one = figures(&folder, &arguments, "1");
        for threads in ["2", "3"] {
            assert_eq!(figures(&folder, &arguments, threads), one, "{arguments:?}, {threads} threads");
        }
    }
}
