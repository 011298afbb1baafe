//! Texts that are dealt to threads: the figures are those of one, and a run of training learns what one thread learns.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[allow(dead_code, reason = "other tests train")]
mod common;

use common::{Folder, TEXTS, conllu};
use saccade_rnn::model::Model;
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
        let row = |number: usize| {
            let (head, relation) = if number == 1 { (0, "root") } else { (1, "obj") };
            let tag = ["NOUN", "VERB"][(sentence + number) % 2];
            (words[(sentence * 5 + number) % 9], tag, head, relation)
        };
        text += &conllu(&(1..=1 + sentence % 9).map(row).collect::<Vec<_>>());
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
    // More pieces of a text than threads have room for.
    let prose: String = (0..3_000).map(|number| format!("the {} dog\n\n", number % 7)).collect();
    folder.write("prose", prose.as_bytes());
    let review = |number: usize| format!("neg\t{number}\t1\t{}\n", "a dull film . ".repeat(number % 50));
    folder.write("reviews", (1..400).map(review).collect::<String>().as_bytes());
    let [tagger, parser, trees, words] =
        ["ewt-tagger", "ewt-parser", "sst-tree-lstm", "novels-lm"].map(shipped);
    let with = |model, data, format| ["eval", "--model", model, "--data", data, "--format", format].to_vec();
    for arguments in [
        [&["eval"], &labelled[..]].concat(),
        [&["words", "--min-count", "1"], &labelled[..]].concat(),
        [&["curve", "--thresholds", "0,0.4,1"], &labelled[..]].concat(),
        with(&tagger, "treebank", "conllu"),
        with(&parser, "treebank", "conllu"),
        with(&trees, "trees", "ptb"),
        with(&words, "prose", "text"),
        with(&words, "reviews", "imdb-tsv"),
    ] {
        let one = figures(&folder, &arguments, "1");
        for threads in ["2", "3"] {
            assert_eq!(figures(&folder, &arguments, threads), one, "{arguments:?}, {threads} threads");
        }
    }
}

/// Runs of every task, without noise: a batch's mean is the same however it is dealt.
const RUNS: [(&str, &str); 5] = [
    (
        "classify",
        r#"
        labels = [{ file = "0", name = "bad" }, { file = "1", name = "good" }]
        tokenizer = { kind = "spaces", lowercase = false }
        train = [{ path = "texts", format = "lines" }]
        dev = { path = "texts", format = "lines" }
        [model]
        embedding_size = 6
        encoder = [{ type = "gru", hidden_size = 8, bidirectional = true }]
        pool = "max"
        "#,
    ),
    (
        "predict",
        r#"
        tokenizer = { kind = "spaces", lowercase = false, ends = "line" }
        train = [{ path = "text", format = "lines" }]
        dev = { path = "text", format = "lines" }
        steps = 7
        [task.predict]
        cutoffs = [3]
        [model]
        embedding_size = 6
        encoder = [{ type = "lstm", hidden_size = 8, bidirectional = false }]
        "#,
    ),
    (
        "tag",
        r#"
        tokenizer = { kind = "universal", lowercase = true }
        train = "treebank"
        dev = "treebank"
        [task.tag]
        characters = { embedding_size = 4, hidden_size = 4 }
        [model]
        embedding_size = 6
        encoder = [{ type = "lstm", hidden_size = 8, bidirectional = true }]
        "#,
    ),
    (
        "parse",
        r#"
        tokenizer = { kind = "universal", lowercase = true }
        train = "equal"
        dev = "treebank"
        [task.parse]
        tag_size = 4
        layers = [{ type = "lstm", hidden_size = 6, bidirectional = true }]
        hidden_size = 8
        [model]
        embedding_size = 6
        encoder = [{ type = "lstm", hidden_size = 8, bidirectional = true }]
        "#,
    ),
    (
        "tree",
        r#"
        labels = [{ file = "1", name = "bad" }, { file = "3", name = "good" }]
        tokenizer = { kind = "treebank", lowercase = true }
        train = "trees"
        dev = "trees"
        [task.tree]
        cell = "binary"
        hidden_size = 8
        [model]
        embedding_size = 6
        "#,
    ),
];

/// The weights after so many epochs by so many threads, and the file.
fn trained(folder: &Folder, name: &str, data: &str, epochs: usize, threads: &str) -> (Vec<f32>, Vec<u8>) {
    let train = format!("optimizer = \"sgd\"\nbatch = 7\nepochs = {epochs}\nlearning_rate = 0.3\n");
    let config = format!("seed = 3\n[data]\nname = \"data\"\n{data}\n[train]\n{train}");
    folder.write("run.toml", config.as_bytes());
    let out = format!("{name}-{epochs}-{threads}");
    let ran = folder.run(&["train", "run.toml", "--data", ".", "--out", &out, "--threads", threads], b"");
    assert!(ran.status.success(), "{name}: {}", String::from_utf8_lossy(&ran.stderr));
    let file = std::fs::read(folder.path(&out)).unwrap();
    let model = Model::from_bytes(&file).unwrap();
    (model.parameters().iter().flat_map(|(_, parameter)| parameter.values.clone()).collect(), file)
}

fn farthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn threads_learn_together_what_one_learns_alone() {
    let folder = Folder::new();
    let draws = |seed: usize| (0..6).map(move |at| (seed * 7919 + at * 31) / 3 % 4);
    let words = |seed: usize| draws(seed).take(1 + seed % 6).map(|word| ["a", "good", "bad", "film"][word]);
    let text = |seed: usize| words(seed).collect::<Vec<_>>().join(" ");
    let labelled = |seed: usize| format!("{} {}\n", seed % 2, text(seed));
    folder.write("texts", (0..40).map(labelled).collect::<String>().as_bytes());
    folder.write("text", (0..200).map(|seed| text(seed) + "\n").collect::<String>().as_bytes());
    folder.write("treebank", treebank().as_bytes());
    let sentence = conllu(&[("dogs", "NOUN", 2, "subj"), ("bark", "VERB", 0, "root")]);
    folder.write("equal", sentence.repeat(40).as_bytes());
    folder.write(
        "trees",
        "(3 (1 a) (3 (3 good) (1 film)))\n(1 dull)\n(1 (3 not) (1 bad))\n".repeat(15).as_bytes(),
    );
    for (name, data) in RUNS {
        let [(fresh, _), (alone, _)] = [0, 2].map(|epochs| trained(&folder, name, data, epochs, "1"));
        assert!(farthest(&fresh, &alone) > 1e-2, "{name} learns: {}", farthest(&fresh, &alone));
        // More than a batch has texts, too.
        for threads in ["2", "3", "20"] {
            let (together, file) = trained(&folder, name, data, 2, threads);
            assert!(
                farthest(&alone, &together) < 1e-4,
                "{name} by {threads}: {}",
                farthest(&alone, &together)
            );
            assert!(
                file == trained(&folder, name, data, 2, threads).1,
                "{name} by {threads}: the same bytes"
            );
        }
    }
    let refused = ["train", "run.toml", "--data", ".", "--device", "gpu", "--threads", "2"];
    let (_, reason) = folder.failure(&refused, b"");
    assert!(reason.contains("--threads"), "{reason}");
}
