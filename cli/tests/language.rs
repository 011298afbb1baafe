//! Language models from text files: they learn, they repeat, they go on after an interruption, they are measured.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use saccade_cli::config::{AnyConfig, PredictConfig};
use saccade_cli::corpus::running::Layout;
use saccade_cli::run::{Event, Folders, Job, Outcome, train};
use saccade_rnn::device::Device;
use saccade_rnn::model::{Checkpoint, Model};
use saccade_rnn::train::PredictionScore;

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;
#[allow(dead_code, reason = "some of it is for other tests")]
#[path = "common/runs.rs"]
mod runs;
use common::{Folder, text};
use runs::draws;

/// Sentences of a small grammar, in which most words follow from the one before.
fn sentences(seed: u32, count: usize) -> Vec<String> {
    let mut draw = draws(seed);
    let animals = [("cat", "mews"), ("dog", "barks"), ("owl", "hoots"), ("cow", "lows")];
    let sentence = |_| {
        let (animal, says) = animals[draw(4) * draw(4) / 3];
        let place = ["by the old barn", "under a tree", "at noon"][draw(3)];
        format!("the {animal} {says} {place} .")
    };
    (0..count).map(sentence).collect()
}

/// A folder with the same kind of text in every layout.
fn folder() -> Folder {
    let folder = Folder::new();
    for (name, seed, count) in [("train", 1, 400), ("dev", 2, 80)] {
        let sentences = sentences(seed, count);
        folder.write(&format!("{name}.lines"), sentences.join("\n").as_bytes());
        // Books: paragraphs of three sentences, hard-wrapped.
        fs::create_dir(folder.path(name)).unwrap();
        for (number, book) in sentences.chunks(count / 2).enumerate() {
            let paragraphs: Vec<String> = book.chunks(3).map(|three| three.join("\r\n")).collect();
            folder.write(&format!("{name}/{number}.txt"), paragraphs.join("\r\n\r\n").as_bytes());
        }
        folder.write(&format!("{name}/notes.md"), b"no book");
        let review = |three: &[String]| format!("pos\t0\t9\t{}", three.join(" "));
        let reviews: Vec<String> = sentences.chunks(3).map(review).collect();
        folder.write(&format!("{name}.tsv"), reviews.join("\n").as_bytes());
    }
    folder
}

fn config(tokenizer: &str, paths: [&str; 3], data: &str, task: &str, training: &str) -> PredictConfig {
    let [train, dev, format] = paths;
    let text = format!(
        r#"
        seed = 5
        [data]
        name = "a grammar"
        tokenizer = {{ {tokenizer} }}
        train = [{{ path = "{train}", format = "{format}" }}]
        dev = {{ path = "{dev}", format = "{format}" }}
        steps = 9
        {data}
        [task.predict]
        {task}
        [model]
        embedding_size = 12
        encoder = [{{ type = "lstm", hidden_size = 16, bidirectional = false }}]
        forget_bias = 1.0
        [train]
        batch = 4
        epochs = 3
        learning_rate = 0.02
        clip = 1.0
        dropout_variational = true
        dropout_head = 0.05
        dropout_words = 0.02
        {training}
        "#
    );
    match AnyConfig::parse(&text).unwrap() {
        AnyConfig::Predict(config) => config,
        AnyConfig::Classify(_) | AnyConfig::Tag(_) | AnyConfig::Parse(_) | AnyConfig::Tree(_) => {
            panic!("a language model")
        }
    }
}

/// One config for each layout.
fn configs() -> [PredictConfig; 4] {
    let treebank = r#"kind = "treebank", lowercase = true, ends = "paragraph""#;
    let spaces = r#"kind = "spaces", lowercase = false, ends = "line""#;
    let document = r#"kind = "treebank", lowercase = true, ends = "document""#;
    let characters = r#"kind = "characters", lowercase = false"#;
    let tied = "cutoffs = [6, 12]\ninput = \"tied\"\nstart = \"<eos>\"";
    [
        config(
            treebank,
            ["train", "dev", "text"],
            "max_words = 20",
            tied,
            "average = 0.9\ndropout_weights = 0.05",
        ),
        config(
            spaces,
            ["train.lines", "dev.lines", "lines"],
            "min_count = 2",
            "cutoffs = [8]",
            "optimizer = \"sgd\"\naverage_after = 1\nschedule = { decay = { after = 2, factor = 0.5 } }",
        ),
        config(
            document,
            ["train.tsv", "dev.tsv", "imdb-tsv"],
            "reset = \"document\"",
            "input = \"adaptive\"\ncutoffs = [6]\nstart = \"<eos>\"",
            "schedule = { plateau = { factor = 0.5 } }",
        ),
        config(
            characters,
            ["train.lines", "dev.lines", "text"],
            "",
            "start = \"\\n\"",
            "schedule = \"linear\"",
        ),
    ]
}

fn run(
    folder: &Folder,
    config: &PredictConfig,
    out: &str,
    resume: bool,
    stop_after: usize,
) -> Outcome<PredictionScore> {
    let (cancel, mut steps) = (AtomicBool::new(false), 0);
    let (out, data) = (folder.path(out), folder.path(""));
    let folders = Folders { data: &data, models: &data };
    let job = Job { config, folders, out: &out, resume, command: "a test" };
    let device = Device::cpu();
    let outcome = train(&device, job, &cancel, |event| {
        if let Event::Step { words, .. } = event {
            assert!(words > 0 && words <= 4 * 9);
            steps += 1;
            cancel.fetch_or(steps == stop_after, Ordering::Relaxed);
        }
    });
    pollster::block_on(outcome).unwrap()
}

#[test]
fn language_models_learn_a_grammar_and_go_on_after_an_interruption() {
    let folder = folder();
    for (number, config) in configs().iter_mut().enumerate() {
        if number == 1 {
            config.train.learning_rate = 2.0;
        }
        let outcome = run(&folder, config, "whole", false, usize::MAX);
        let Outcome::Done { dev, test: None } = outcome else { panic!("{outcome:?}") };
        // The grammar leaves a choice of an animal and of a place in nine words.
        assert!(dev.perplexity() < if number == 3 { 1.6 } else { 2.2 }, "{number}: {dev:?}");
        let mut resume = false;
        for stop_after in [7, 40, 61] {
            let outcome = run(&folder, config, "pieces", resume, stop_after);
            assert!(matches!(outcome, Outcome::Cancelled), "{outcome:?}");
            resume = true;
        }
        run(&folder, config, "pieces", true, usize::MAX);
        let [whole, pieces] = ["whole", "pieces"].map(|name| fs::read(folder.path(name)).unwrap());
        assert!(whole == pieces, "{number}: an interrupted run ends where the whole one does");
        let model = Model::from_bytes(&whole).unwrap();
        // As it is read again: a number of JSON may come a bit off the one written.
        let again =
            |written: f64| serde_json::from_str::<f64>(&serde_json::to_string(&written).unwrap()).unwrap();
        assert_eq!(model.config().training.figures["dev_perplexity"], again(dev.perplexity()));

        let part = &config.data.dev;
        let (path, format) = (part.path.to_str().unwrap(), part.format.name());
        let report = folder.json(&["eval", "--model", "whole", "--data", path, "--format", format], b"");
        assert_eq!(
            (report["n"].as_u64(), report["loss"].as_f64()),
            (Some(dev.tokens as u64), Some(again(dev.loss)))
        );
        assert!(report["tokens_per_second"].as_f64().unwrap() > 0.0);
        let clusters = report["clusters"].as_array().unwrap();
        assert_eq!(clusters.len(), 1 + config.task.predict.cutoffs.len());
        let of_all = |value: &serde_json::Value| value["n"].as_u64().unwrap();
        assert_eq!(clusters.iter().map(of_all).sum::<u64>(), dev.tokens as u64);
        let convention = report["convention"].as_str().unwrap();
        assert_eq!(convention.contains("each document"), number == 2, "{convention}");
        assert_eq!(convention.contains("<eos> counted"), number < 3, "{convention}");
    }
}

#[test]
fn the_command_line_trains_measures_and_exports_a_language_model() {
    let folder = folder();
    let config = toml::to_string(&configs()[0]).unwrap();
    folder.write("lm.toml", config.as_bytes());
    let output = folder.run(&["train", "lm.toml", "--data", "."], b"");
    let said = text(&output.stdout);
    assert!(
        said.contains("perplexity") && said.contains("words/s") && said.contains("wrote lm.safetensors"),
        "{said}"
    );

    // Both names of what is tied, stored once before.
    let lm = Model::from_bytes(&fs::read(folder.path("lm.safetensors")).unwrap()).unwrap();
    folder.json(&["export", "lm.safetensors", "--out", "both", "--all-names"], b"");
    let both = Checkpoint::from_bytes(&fs::read(folder.path("both")).unwrap()).unwrap();
    let [table, rows] =
        ["embedding.embeddings.1.0.weight", "head.tail.0.1.weight"].map(|name| &both.tensors[name]);
    assert_eq!(table, rows);
    assert!(lm.parameters().id("embedding.embeddings.1.0.weight").is_none());
    assert_eq!(
        Model::from_bytes(&fs::read(folder.path("both")).unwrap()).unwrap().parameters().len(),
        lm.parameters().len()
    );

    let int8 = ["export", "lm.safetensors", "--out", "int8", "--measure", "dev=dev:text"];
    assert_eq!(folder.json(&int8, b"")["words"], lm.vocabulary().len());
    let small = Model::from_bytes(&fs::read(folder.path("int8")).unwrap()).unwrap();
    let [exact, rounded] = [&lm, &small].map(|model| model.config().training.figures["dev_perplexity"]);
    assert!((exact - rounded).abs() < 0.05, "{exact}, {rounded}");
}

#[test]
fn what_cannot_be_learned_or_measured_is_said() {
    let folder = folder();
    let good = configs()[0].clone();
    let fails = |change: &dyn Fn(&mut PredictConfig), says: &str| {
        let mut config = good.clone();
        change(&mut config);
        folder.write("bad.toml", toml::to_string(&config).unwrap().as_bytes());
        let (_, message) = folder.failure(&["train", "bad.toml", "--data", "."], b"");
        assert!(message.contains(says), "{message}");
    };
    fails(&|c| c.data.train[0].path = "nowhere".into(), "nowhere");
    fails(&|c| c.data.train[0].from = 1.5, "from < to");
    fails(&|c| c.data.steps = 0, "data.steps");
    fails(&|c| c.task.predict.cutoffs = vec![9, 3], "cutoffs");
    fails(&|c| c.task.predict.cutoffs = vec![usize::MAX - 1], "cutoffs");
    fails(&|c| c.task.predict.div_value = 1e9, "div_value");
    fails(&|c| c.task.predict.start = Some("<sos>".into()), "start");
    fails(&|c| c.train.average_after = Some(1), "train.average");
    fails(&|c| c.train.embedding_rate = 0.5, "train.embedding_rate");
    fails(&|c| c.output.embedding = saccade_rnn::train::StorageName::Int8, "output.embedding");
    fails(&|c| (c.train.average, c.train.average_after) = (0.0, Some(3)), "train.average_after");
    let flat = |c: &mut PredictConfig| (c.task.predict.cutoffs, c.task.predict.div_value) = (Vec::new(), 2.0);
    fails(&flat, "task.predict.div_value");
    // Words that no step of 9 times 10,000 lanes holds; lines that a text would never come to the end of.
    fails(&|c| c.train.batch = 10_000, "fewer words to learn from than train.batch, which is 10000");
    let endless = |c: &mut PredictConfig| {
        c.data.tokenizer = c.data.tokenizer.with_ends(None);
        (c.data.train[0].path, c.data.train[0].format) = ("train.lines".into(), Layout::Lines);
    };
    fails(&endless, "data.tokenizer.ends");
    fails(&|c| c.train.schedule = saccade_rnn::train::Schedule::Plateau { factor: 2.0 }, "factor");
    folder.write("empty.txt", b"");
    fails(&|c| c.data.dev.path = "empty.txt".into(), "development");
    folder.write("one.txt", b"mews");
    let alone = |c: &mut PredictConfig| {
        c.data.tokenizer = c.data.tokenizer.with_ends(None);
        c.task.predict.start = None;
        c.data.dev.path = "one.txt".into();
    };
    fails(&alone, "no development text has two words");
    let empty = |c: &mut PredictConfig| {
        c.data.test = Some(c.data.dev.clone());
        c.data.test.as_mut().unwrap().path = "empty.txt".into();
    };
    fails(&empty, "test");
    let (_, message) = folder.failure(&["train", "bad.toml", "--data", ".", "--fold", "3"], b"");
    assert!(message.contains("--fold"), "{message}");
    let eval = |model: &str, data: &str, format: &str| {
        folder.failure(&["eval", "--model", model, "--data", data, "--format", format], b"")
    };
    assert_eq!(eval("model", "train.lines", "text").0, "FORMAT_INVALID");
    run(&folder, &good, "lm", false, usize::MAX);
    assert_eq!(eval("lm", "train.lines", "sst-trees").0, "FORMAT_INVALID");
    assert!(eval("lm", "empty.txt", "text").1.contains("empty.txt holds no two words"));
    let decides = ["eval", "--model", "lm", "--data", "dev", "--format", "text", "--threshold", "0.5"];
    assert!(folder.failure(&decides, b"").1.contains("--threshold"));
    // A model of characters has no word that ends a line.
    run(&folder, &configs()[3], "characters", false, usize::MAX);
    assert!(eval("characters", "train.lines", "lines").1.contains("<eos>"));
    let usage = folder.run(&["eval", "--model", "lm", "--data", "dev", "--format", "xml"], b"");
    assert_eq!(usage.status.code(), Some(2));
    assert!(text(&usage.stderr).contains("imdb-tsv"));
}

#[test]
fn figures_are_of_the_words_that_are_predicted() {
    let folder = folder();
    run(&folder, &configs()[1], "lm", false, usize::MAX);
    folder.write("odd.txt", b"zebras mews");
    let figures = folder.json(&["eval", "--model", "lm", "--data", "odd.txt", "--format", "lines"], b"");
    assert_eq!(
        (&figures["n"], &figures["unknown"]),
        (&2.into(), &0.0.into()),
        "the first word is not predicted"
    );
    assert!(figures["convention"].as_str().unwrap().contains("<eos> counted"), "{figures}");
}

#[test]
fn words_cannot_command_the_terminal() {
    let folder = folder();
    let odd = "\u{1b}[2J \u{1b}[2J a\u{7} \u{202e}b \u{9b}1m <unk> <eos> \u{1f600} \u{e000}\n".repeat(60);
    folder.write("train.lines", odd.as_bytes());
    folder.write("dev.lines", odd.as_bytes());
    let mut config = configs()[3].clone();
    config.train.epochs = 1;
    run(&folder, &config, "lm", false, usize::MAX);
    for arguments in [
        &["read", "--model", "lm", "a\u{1b}[2J\u{9b}1m"][..],
        &["inspect", "lm"],
        &["eval", "--model", "lm", "--data", "dev.lines", "--format", "text"],
    ] {
        let output = folder.run(arguments, b"");
        let said = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        assert!(said.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{arguments:?}: {said:?}");
    }
}
