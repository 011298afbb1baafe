//! The program `saccade`, run in a folder of its own.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use saccade_rnn::model::{Reading, Storage};
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "../../../crate/tests/support/mod.rs"]
pub(crate) mod support;
use support::{model, skim};

/// A folder with a small Skim model in it.
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self { folder: TempDir::new().expect("there is room for a folder") };
        folder.write("model", &model(vec![skim()]).to_bytes(|_, _| Storage::F32).expect("it can be written"));
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.path(name), bytes).expect("the folder can be written to");
    }

    /// `saccade` in the folder.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_saccade"));
        command.current_dir(self.folder.path()).args(arguments);
        command
    }

    /// Runs `saccade` in the folder. A program that ends before it has read all its input is no mistake.
    pub(crate) fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = child.stdin.take().expect("its input is a pipe");
        let input = input.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("the program ends");
        let _ = writer.join().expect("writing does not panic");
        output
    }

    /// The JSON that a run gives.
    pub(crate) fn json(&self, arguments: &[&str], input: &[u8]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat(), input);
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{arguments:?}");
        serde_json::from_slice(&output.stdout).expect("one value")
    }

    pub(crate) fn read(&self, text: &str) -> Reading {
        serde_json::from_value(self.json(&["read", "--model", "model"], text.as_bytes())).expect("a reading")
    }

    /// The code and the message of a run that must fail, with and without `--json`.
    pub(crate) fn failure(&self, arguments: &[&str], input: &[u8]) -> (String, String) {
        let plain = self.run(arguments, input);
        let output = self.run(&[arguments, &["--json"]].concat(), input);
        for output in [&plain, &output] {
            assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""), "{arguments:?}");
        }
        let line: Value = serde_json::from_slice(&output.stderr).expect("one value");
        let [code, message] = ["code", "message"].map(|part| line["error"][part].as_str().expect("a string"));
        assert_eq!(line, json!({ "error": { "code": code, "message": message } }));
        assert_eq!(text(&plain.stderr), format!("error: {message}\n"));
        (code.to_owned(), message.to_owned())
    }

    /// A run must fail, and say this among other things.
    pub(crate) fn says(&self, arguments: &[&str], message: &str) {
        let (_, output) = self.failure(arguments, b"");
        assert!(output.contains(message), "{output}\ndoes not say: {message}");
    }
}

/// A word of a treebank: its form, its tag, its head from 1, its relation.
pub(crate) type Row<'w> = (&'w str, &'w str, usize, &'w str);

/// A sentence in CoNLL-U. There is no space before a full stop.
pub(crate) fn conllu(words: &[Row<'_>]) -> String {
    let mut sentence = String::new();
    for (number, (form, tag, head, relation)) in (1..).zip(words) {
        let stops = words.get(number).is_some_and(|next| next.0 == ".");
        let space = if stops { "SpaceAfter=No" } else { "_" };
        sentence += &format!("{number}\t{form}\t_\t{tag}\t_\t_\t{head}\t{relation}\t_\t{space}\n");
    }
    sentence + "\n"
}

/// What the program wrote.
pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the program writes UTF-8")
}

/// Labelled texts, in the format `lines`.
pub(crate) const TEXTS: &str = "1 a good film\n0 a film\n1 good good\n0 film film\n";

/// A training run on the file `texts`.
pub(crate) const RUN: &[u8] = br#"
    [data]
    name = "four texts"
    tokenizer = { kind = "spaces", lowercase = true }
    train = [{ path = "texts", format = "lines" }]
    dev = { path = "texts", format = "lines" }
    [model]
    embedding_size = 4
    encoder = [{ type = "gru", hidden_size = 4, bidirectional = false }]
    pool = "mean"
    [train]
    batch = 4
    epochs = 2
    learning_rate = 0.01
    "#;
