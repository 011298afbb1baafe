//! `saccade write`: language models that go on with texts.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

use serde_json::Value;

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;
use common::{Folder, text};

/// A folder with a language model of letters, one of words, and a classifier.
fn folder() -> Folder {
    let folder = Folder::new();
    for (name, model) in
        [("letters", "shakespeare-elman"), ("words", "novels-lm"), ("labels", "trec-skim-lstm")]
    {
        let path = format!("{}/../models/{model}.safetensors", env!("CARGO_MANIFEST_DIR"));
        folder.write(name, &std::fs::read(path).unwrap());
    }
    folder
}

fn texts(result: &Value) -> Vec<&str> {
    result["texts"].as_array().unwrap().iter().map(|written| written["text"].as_str().unwrap()).collect()
}

#[test]
fn a_seed_draws_its_texts_and_many_take_the_batches_of_one() {
    let folder = folder();
    let write = |more: &[&str]| {
        let arguments = ["write", "--model", "letters", "--words", "40", "--seed", "5", "ROMEO:\n"];
        folder.json(&[&arguments, more].concat(), b"")
    };
    let (one, many) = (write(&[]), write(&["JULIET:\n", "--times", "3"]));
    assert_eq!(texts(&one), texts(&write(&[])));
    assert_eq!((texts(&many).len(), texts(&many)[0]), (6, texts(&one)[0]));
    assert_eq!(many["texts"][3]["beginning"], "JULIET:\n");
    assert_eq!(one["batches"], many["batches"]);
    let mut different = texts(&many);
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), 6);
    for written in many["texts"].as_array().unwrap() {
        assert_eq!(written["words"], written["text"].as_str().unwrap().chars().count());
        assert!(written["log_probability"].as_f64().unwrap() < -1.0);
    }
    let plain = folder.run(&["write", "--model", "letters", "--words", "40", "--seed", "5", "ROMEO:\n"], b"");
    assert_eq!(text(&plain.stdout), format!("ROMEO:\n{}\n", texts(&one)[0]));
}

#[test]
fn a_wider_beam_finds_more_probable_texts_and_words_stand_apart() {
    let folder = folder();
    let search = |width: &str, times: &str| {
        let arguments = ["write", "--model", "words", "--words", "6", "--beam", width, "--times", times];
        folder.json(&[&arguments[..], &["It was a", "She looked at"]].concat(), b"")
    };
    let (narrow, wide) = (search("1", "1"), search("8", "2"));
    assert_eq!((texts(&narrow).len(), texts(&wide).len()), (2, 4));
    let most = |result: &Value, at: usize| result["texts"][at]["log_probability"].as_f64().unwrap();
    assert!(most(&wide, 0) >= most(&narrow, 0) && most(&wide, 2) >= most(&narrow, 1));
    assert!(most(&wide, 0) >= most(&wide, 1));
    assert!(texts(&wide)[0].contains(' '), "{wide}");
    // Nothing comes before, and nothing may come.
    let nothing = folder.json(&["write", "--model", "words", "--words", "0"], b"");
    assert_eq!(texts(&nothing), [""]);
}

#[test]
fn what_cannot_be_is_said() {
    let folder = folder();
    let failure = |arguments: &[&str]| folder.failure(&[&["write", "--model"], arguments].concat(), b"");
    let wrong = failure(&["labels", "What is"]);
    assert_eq!(wrong, ("OPTION_INVALID".to_owned(), "write: the model's task is classify".to_owned()));
    let (_, message) = failure(&["letters", "--times", "100000000000"]);
    assert_eq!(message, "--words: texts and words are too many: at most 100,000 words are written in one go");
    let (_, message) = failure(&["letters", "--temperature", "-1"]);
    assert!(message.contains("temperature"), "{message}");
    let (_, message) = failure(&["letters", "--nucleus", "1.5"]);
    assert!(message.contains("nucleus"), "{message}");
    let (_, message) = failure(&["letters", "--beam", "3", "--times", "10"]);
    assert!(message.contains("--times") && message.contains("--beam"), "{message}");
    for none in [["--times", "0"], ["--beam", "0"]] {
        let none = folder.run(&[&["write", "--model", "letters"], &none[..]].concat(), b"");
        assert_eq!(none.status.code(), Some(2));
    }
    let both = folder.run(&["write", "--model", "letters", "--beam", "2", "--top", "3"], b"");
    assert_eq!(both.status.code(), Some(2));
}
