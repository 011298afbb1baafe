//! Classifiers that start from a language model, from the command line (Dai & Le 2015).

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;
use common::{Folder, text};
use saccade_rnn::model::Model;
use serde_json::{Value, json};

const LM: &str = r#"
    seed = 3
    [data]
    name = "a grammar"
    tokenizer = { kind = "spaces", lowercase = false, ends = "line" }
    train = [{ path = "text.lines", format = "lines" }]
    dev = { path = "text.lines", format = "lines" }
    steps = 8
    [task.predict]
    cutoffs = [4, 7]
    div_value = 2.0
    input = "tied"
    start = "<eos>"
    [model]
    embedding_size = 12
    encoder = [ENCODER]
    [train]
    batch = 4
    epochs = 2
    learning_rate = 0.02
    "#;

const CLASSIFIER: &str = r#"
    seed = 4
    [data]
    name = "who barks"
    tokenizer = { kind = "spaces", lowercase = false }
    train = [{ path = "labelled.lines", format = "lines" }]
    dev = { path = "labelled.lines", format = "lines" }
    [model]
    embedding_size = 12
    encoder = [ENCODER]
    pool = "last"
    [train]
    init = "lm.safetensors"
    batch = 8
    epochs = 1
    learning_rate = 1e-30
    "#;

const LSTM: &str = r#"{ type = "lstm", hidden_size = 16, bidirectional = false }"#;
const SRU: &str = r#"{ type = "sru", hidden_size = 16, num_layers = 2 }"#;
const SKIM: &str =
    r#"{ type = "skim", cell = "lstm", hidden_size = 16, small_size = 2, small_reads = "slice" }"#;

fn train(folder: &Folder, config: &str, text_of: String) -> Vec<Value> {
    folder.write(config, text_of.as_bytes());
    let output = folder.run(&["train", config, "--data", ".", "--json"], b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let events = text(&output.stdout).lines();
    events.map(|line| serde_json::from_str(line).expect("one value")).collect()
}

fn model(folder: &Folder, name: &str) -> Model {
    Model::from_bytes(&std::fs::read(folder.path(name)).expect("it is there")).expect("a model")
}

#[test]
fn a_classifier_starts_from_a_language_model() {
    let folder = Folder::new();
    let animals = [("cat", "mews", 0), ("dog", "barks", 1), ("owl", "hoots", 0), ("cow", "lows", 0)];
    let (mut lines, mut labelled) = (String::new(), String::new());
    for i in 0..120 {
        let (animal, says, label) = animals[(i * i + i / 7) % 4];
        lines += &format!("the {animal} {says} at noon .\n");
        labelled += &format!("{label} a {animal} {says} .\n");
    }
    folder.write("text.lines", lines.as_bytes());
    folder.write("labelled.lines", labelled.as_bytes());
    for (of, to, skim) in
        [(LSTM, LSTM, ""), (SRU, SRU, ""), (LSTM, SKIM, "skim = { gamma = 0.01, temperature_rate = 1e-3 }")]
    {
        train(&folder, "lm.toml", LM.replace("ENCODER", of));
        let events = train(&folder, "c.toml", CLASSIFIER.replace("ENCODER", to) + skim);
        let (lm, classifier) = (model(&folder, "lm.safetensors"), model(&folder, "c.safetensors"));

        // What it says: the words of both vocabularies, and all of the encoder.
        let told = &events[0]["loaded"]["init"];
        let taken = told["taken"].as_array().expect("a list");
        let vocabulary = classifier.vocabulary();
        let shared = vocabulary.words().iter().filter(|word| lm.vocabulary().contains(word)).count();
        assert!(shared >= 10 && shared < vocabulary.len(), "{shared} of {}", vocabulary.len());
        let table = json!({ "name": "embedding.weight", "rows": shared, "of": vocabulary.len() });
        assert!(taken.contains(&table), "{told}");
        let of_encoder =
            |model: &Model| model.parameters().iter().filter(|(_, p)| p.name.starts_with("encoder.")).count();
        assert_eq!(taken.len(), 1 + of_encoder(&lm), "{told}");
        assert!(told["kept"].to_string().contains("head.weight"), "{told}");
        assert!(told["unused"].to_string().contains("head.tail.0.0.weight"), "{told}");
        let init = ["--init", "./lm.safetensors"];
        let again =
            folder.run(&[&["train", "c.toml", "--data", ".", "--out", "again"], &init[..]].concat(), b"");
        let command = model(&folder, "again").config().training.command.clone();
        assert_eq!(command.as_deref(), Some("saccade train c.toml --seed 4 --init lm.safetensors"));
        let said = text(&again.stdout);
        let rows = format!("taken from init: {shared} of {} rows of embedding.weight, ", vocabulary.len());
        assert!(
            said.contains(&rows) && said.contains("\ndrawn afresh: ") && said.contains("(absent there)"),
            "{said}"
        );

        // What it does: with a step size of next to nothing the encoder is still the language model's.
        for (_, theirs) in lm.parameters().iter().filter(|(_, p)| p.name.starts_with("encoder.")) {
            let name = match skim {
                "" => theirs.name.clone(),
                _ => theirs.name.replace("encoder.0.", "encoder.0.big.").replace("_l0", ""),
            };
            let ours = classifier.parameters().values(classifier.parameters().id(&name).expect("it has it"));
            assert!(ours.iter().zip(&theirs.values).all(|(a, b)| (a - b).abs() < 1e-6), "{name}");
        }
    }
}
