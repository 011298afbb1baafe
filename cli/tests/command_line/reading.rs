//! Texts read one at a time.

use std::fs;

use saccade_rnn::device::Device;
use saccade_rnn::model::{FORMAT, LayerConfig, ReadOptions};
use serde_json::Value;

use crate::common::support::{checkpoint, compact, file, model, skim};
use crate::common::{Folder, TEXTS, text};

#[test]
fn the_text_comes_as_an_argument_or_by_standard_input() {
    let folder = Folder::new();
    let argument = folder.json(&["read", "--model", "model", "a good film"], b"");
    let expected = ["a", "good", "film"];
    let timeless = |mut reading: Value| {
        reading["timing"] = Value::Null;
        reading
    };
    let argument = timeless(argument);
    for input in ["a good film", "a good film\n", "a good film\r\n"] {
        assert_eq!(timeless(folder.json(&["read", "--model", "model"], input.as_bytes())), argument);
    }
    let tokens = argument["tokens"].as_array().expect("a list");
    assert_eq!(tokens.iter().map(|token| &token["text"]).collect::<Vec<_>>(), expected);
    assert_eq!(argument["scores"].as_array().map(Vec::len), Some(2));
}

#[test]
fn only_one_newline_is_stripped() {
    let folder = Folder::new();
    let end = |text| folder.read(text).tokens.last().map(|token| (token.start, token.end));
    assert_eq!(end("\n\nfilm\n\n"), Some((2, 6)));
}

#[test]
fn options_reach_the_model() {
    let folder = Folder::new();
    let read = |options: &[&str]| {
        let reading = folder.json(&[&["read", "--model", "model", "a good film"], options].concat(), b"");
        let tokens = reading["tokens"].as_array().expect("a list").clone();
        tokens.iter().map(|token| token["decision"].as_str().expect("a word").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(read(&["--threshold", "0"]), ["skim", "skim", "skim"]);
    assert_eq!(read(&["--threshold", "1"]), ["read", "read", "read"]);
    assert_eq!(read(&["--threshold", "1", "--force", "0:skim,2:skim"]), ["skim", "read", "skim"]);
    // Three words take less; one run may be as long where the processor is taken away.
    let timed = folder.json(&["read", "--model", "model", "a good film", "--measure-ms", "20"], b"");
    let method = &timed["timing"]["method"];
    assert!(method["kind"] == "mean" && method["elapsedMs"].as_f64() >= Some(20.0), "{method}");
}

#[test]
fn skimmed_words_are_marked_without_colour() {
    let folder = Folder::new();
    let options = ["--threshold", "1", "--force", "0:skim,3:skim"];
    let output =
        folder.run(&[&["read", "--model", "model"], &options[..], &["A good, film \u{1b} !"]].concat(), b"");
    let printed = text(&output.stdout);
    let (line, figures) = printed.split_once('\n').expect("many lines");
    assert_eq!(line, "(A) good, (film) \u{241b} !");
    assert!(figures.contains("skim rate"), "{figures}");
    assert!(
        figures.contains("FLOPs of")
            && figures.contains("a token: mean wall time")
            && figures.contains("CPU: as asked"),
        "{figures}"
    );
    assert!(figures.contains("positive") && figures.contains("negative"), "{figures}");
    assert!(!printed.contains('\u{1b}'), "colours belong to terminals");
}

#[test]
fn bad_input_gives_a_reading() {
    let folder = Folder::new();
    for (input, count) in [("", 0), ("\n", 0), ("  \n\t ", 0), ("film", 1)] {
        assert_eq!(folder.read(input).tokens.len(), count, "{input:?}");
        let output = folder.run(&["read", "--model", "model"], input.as_bytes());
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{input:?}");
    }
    for input in [
        "so good 👩‍👩‍👧 🎬🎬 ❤️",
        "סרט נפלא, really",
        "before\0after, and on",
        "\0",
        "\u{feff}a\u{fffd}",
        "<b>&amp;</b>",
    ] {
        let units: Vec<u16> = input.encode_utf16().collect();
        let reading = folder.read(input);
        assert!(!reading.tokens.is_empty(), "{input:?}");
        assert!(reading.tokens.iter().all(|t| t.start < t.end && t.end <= units.len()), "{input:?}");
        let output = folder.run(&["read", "--model", "model"], input.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{input:?}");
        assert!(!text(&output.stdout).contains('\0'), "{input:?}");
    }
}

#[test]
fn a_hundred_thousand_tokens() {
    let reading = Folder::new().read(&"film ".repeat(100_000));
    assert_eq!(reading.tokens.len(), 100_000);
    assert!(reading.tokens.iter().all(|token| token.known));
}

#[test]
fn input_that_is_no_text_is_named() {
    let (code, message) = Folder::new().failure(&["read", "--model", "model"], b"a good \xff film");
    assert_eq!(code, "INPUT_NOT_UTF8");
    assert!(message.contains("byte 7 "), "{message}");
}

#[test]
fn options_out_of_range_are_named() {
    let folder = Folder::new();
    for (option, value) in [
        ("--threshold", "NaN"),
        ("--threshold", "-0.5"),
        ("--threshold", "1.5"),
        ("--force", "0:read,0:skim"),
        ("--force", "3:skim"),
        ("--measure-ms", "inf"),
    ] {
        let (code, message) =
            folder.failure(&["read", "--model", "model", option, value, "a good film"], b"");
        assert_eq!(code, "OPTION_INVALID", "{option} {value}: {message}");
    }
}

#[test]
fn a_file_that_is_no_model_is_named() {
    let folder = Folder::new();
    let model = fs::read(folder.path("model")).expect("the model is there");
    folder.write("half", &model[..model.len() / 2]);
    folder.write("empty", b"");
    folder.write("html", b"<!doctype html><title>Not found</title>");
    folder.write("mislabelled", &[b"GIF89a".as_slice(), &model[6..]].concat());
    let plain = r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    folder.write("state_dict", &file(plain, &1_f32.to_le_bytes()));
    folder.write("nan", &[&model[..model.len() - 4], &f32::NAN.to_le_bytes()].concat());
    let (header, data) =
        model[8..].split_at(u64::from_le_bytes(model[..8].try_into().expect("8 bytes")) as usize);
    let huge = text(header).replacen("\"shape\":[7,3]", "\"shape\":[999999999999,3]", 1);
    assert_ne!(huge, text(header));
    folder.write("huge", &file(&huge, data));
    folder.write("tensors", &checkpoint().to_bytes(compact).expect("its numbers are finite"));
    let format = format!(r#"{{"__metadata__":{{"saccade":"{{\"format\":{}}}"}}}}"#, FORMAT + 1);
    folder.write("newer", &file(&format, b""));
    for (name, expected) in [
        ("half", "MODEL_TRUNCATED"),
        ("empty", "MODEL_TRUNCATED"),
        ("html", "MODEL_INVALID"),
        ("mislabelled", "MODEL_INVALID"),
        ("state_dict", "MODEL_CONFIG"),
        ("nan", "MODEL_INVALID"),
        ("huge", "MODEL_INVALID"),
        ("tensors", "MODEL_TENSORS"),
        ("newer", "MODEL_UNSUPPORTED"),
        ("missing", "FILE_NOT_FOUND"),
        (".", "FILE_UNREADABLE"),
    ] {
        let (code, message) = folder.failure(&["read", "--model", name, "a"], b"");
        assert_eq!(code, expected, "{message}");
        assert!(message.contains(name), "{message}");
    }
    folder.write("words", b"one word, another");
    folder.says(&["read", "--model", "words", "a"], "name the file of a model");
}

#[test]
fn what_is_about_skimming_is_refused_where_nothing_is_skimmed() {
    let folder = Folder::new();
    folder.write(
        "reads",
        &model(vec![LayerConfig::Lstm { hidden_size: 3, bidirectional: false }])
            .to_bytes(compact)
            .expect("its numbers are finite"),
    );
    folder.write("texts", TEXTS.as_bytes());
    let (read, eval) =
        (["read", "--model", "reads"], ["eval", "--model", "reads", "--data", "texts", "--format", "lines"]);
    for arguments in [
        [&read[..], &["--threshold", "0.5", "a"]].concat(),
        [&read[..], &["--force", "0:read", "a"]].concat(),
        [&read[..], &["--threshold", "0.5", "--lines"]].concat(),
        [&eval[..], &["--threshold", "0.5"]].concat(),
    ] {
        let (code, message) = folder.failure(&arguments, b"");
        assert_eq!(code, "OPTION_INVALID", "{message}");
        assert!(message.contains("no Skim layer"), "{message}");
    }
}

#[test]
fn decisions_are_those_of_the_library() {
    let folder = Folder::new();
    let text = "A good film, isn't it?";
    let options = ReadOptions::default();
    let model = model(vec![skim()]);
    let expected =
        pollster::block_on(model.read(&Device::cpu(), text, &options, &mut ())).expect("a reading");
    let reading = folder.read(text);
    assert_eq!(
        (reading.tokens, reading.scores, reading.flops),
        (expected.tokens, expected.scores, expected.flops)
    );
    assert_eq!(reading.skim_rate, expected.skim_rate);
}
