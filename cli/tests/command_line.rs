//! The program `saccade`, run as a person or a script runs it.

use std::fs;

use saccade_rnn::device::Device;
use saccade_rnn::model::{Decision, FORMAT, LayerConfig, ReadOptions, Reading, Storage};
use serde_json::{Value, json};

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;

use common::support::{checkpoint, compact, file, model, skim};
use common::{Folder, RUN, TEXTS, text};

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
    let timed = folder.json(&["read", "--model", "model", "a good film", "--measure-ms", "2"], b"");
    let method = &timed["timing"]["method"];
    assert!(method["kind"] == "mean" && method["runs"].as_u64() > Some(1), "{method}");
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
}

#[test]
fn a_command_line_that_makes_no_sense_ends_with_2() {
    let folder = Folder::new();
    for arguments in [
        &[][..],
        &["write"],
        &["read", "a"],
        &["read", "--model"],
        &["read", "--model", "model", "--threshold", "half", "a"],
        &["read", "--model", "model", "--force", "0", "a"],
        &["read", "--model", "model", "--force", "-1:read", "a"],
        &["read", "--model", "model", "--force", "0:jump", "a"],
        &["read", "--model", "model", "--no-such-option", "a"],
        &["inspect"],
    ] {
        let output = folder.run(arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn help_names_the_commands() {
    let output = Folder::new().run(&["--help"], b"");
    assert_eq!(output.status.code(), Some(0));
    for command in ["read", "inspect"] {
        assert!(text(&output.stdout).contains(command), "{command}");
    }
}

#[test]
fn inspect_shows_config_and_tensors() {
    let folder = Folder::new();
    let seen = folder.json(&["inspect", "model"], b"");
    let config = &seen["config"];
    assert_eq!(config["labels"], json!(["negative", "positive"]));
    assert_eq!(
        (&config["skims"], &config["threshold"], &config["vocabularySize"]),
        (&json!(true), &json!(0.5), &json!(7))
    );
    assert_eq!(config["encoder"][0]["type"], "skim");
    assert_eq!(config["training"]["command"], "saccade train tiny.toml");
    assert_eq!((&seen["problem"], config.get("vocabulary")), (&Value::Null, None));
    let embedding = &seen["tensors"].as_array().expect("a list")[0];
    assert_eq!((&embedding["name"], &embedding["shape"]), (&json!("embedding.weight"), &json!([7, 3])));
    let [min, mean, max] = ["min", "mean", "max"].map(|part| embedding[part].as_f64().expect("a number"));
    assert!(min < mean && mean < max);

    let output = folder.run(&["inspect", "model"], b"");
    for part in
        ["type skim", "vocabulary      7 words", "saccade train tiny.toml", "embedding.weight", "[7, 3]"]
    {
        assert!(text(&output.stdout).contains(part), "{part}: {}", text(&output.stdout));
    }
}

#[test]
fn inspect_shows_a_plain_state_dict_and_a_model_that_does_not_fit() {
    let folder = Folder::new();
    let header = r#"{"__metadata__":{"format":"pt"},"w":{"dtype":"F16","shape":[2],"data_offsets":[0,4]}}"#;
    folder.write("state_dict", &file(header, &[0x00, 0x3c, 0x00, 0xc0]));
    let seen = folder.json(&["inspect", "state_dict"], b"");
    let tensor = json!({ "name": "w", "dtype": "F16", "shape": [2], "bytes": 4, "min": -2.0, "max": 1.0, "mean": -0.5 });
    let bytes = 8 + header.len() + 4;
    let expected = json!({
        "bytes": bytes, "parameters": 2, "config": null, "problem": null,
        "metadata": { "format": "pt" }, "layers": [], "tensors": [tensor],
    });
    assert_eq!(seen, expected);
    let output = folder.run(&["inspect", "state_dict"], b"");
    assert!(text(&output.stdout).contains("no config"), "{}", text(&output.stdout));

    folder.write("tensors", &checkpoint().to_bytes(compact).expect("its numbers are finite"));
    let seen = folder.json(&["inspect", "tensors"], b"");
    assert_eq!(seen["problem"]["code"], "MODEL_TENSORS");
    assert_eq!(seen["tensors"].as_array().map(Vec::len), Some(3));
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

/// Labelled texts in the support model's words; its labels 0 and 1 are called negative and positive.
#[test]
fn eval_gives_the_figures_that_readings_add_up_to() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let eval = |more: &[&str]| {
        let arguments = ["eval", "--model", "model", "--data", "texts", "--format", "lines"];
        folder.json(&[&arguments, more].concat(), b"")
    };
    let figures = eval(&[]);
    let (mut right, mut skimmed, mut tokens) = (0, 0.0, 0);
    for line in TEXTS.lines() {
        let (label, text) = line.split_once(' ').expect("a label and a text");
        let reading = folder.read(text);
        right += usize::from((reading.label == "positive") == (label == "1"));
        skimmed += reading.skim_rate * reading.tokens.len() as f64;
        tokens += reading.tokens.len();
    }
    assert_eq!((&figures["n"], &figures["accuracy"]), (&json!(4), &json!(right as f64 / 4.0)));
    let rate = figures["skim_rate"].as_f64().expect("a number");
    assert!((rate - skimmed / tokens as f64).abs() < 1e-9, "{rate}");
    assert!(figures["tokens_per_second"].as_f64().expect("a number") > 0.0);
    assert_eq!(eval(&["--threshold", "1"])["skim_rate"], json!(0.0));
    assert_eq!(eval(&["--threshold", "0"])["skim_rate"], json!(1.0));
}

#[test]
fn eval_names_what_is_wrong() {
    let folder = Folder::new();
    folder.write("texts", b"1 a good film\nunheard-of a film\n");
    let failure = |data: &str, more: &[&str]| {
        let arguments = ["eval", "--model", "model", "--data", data, "--format", "lines"];
        folder.failure(&[&arguments, more].concat(), b"")
    };
    let (code, message) = failure("texts", &[]);
    assert_eq!(code, "DATA_INVALID");
    assert!(message.contains("unheard-of") && message.contains("texts"), "{message}");
    assert!(failure("nowhere/texts", &[]).1.contains("nowhere"));
    assert_eq!(failure("texts", &["--threshold", "NaN"]).0, "OPTION_INVALID");
}

#[test]
fn curve_gives_the_figures_of_eval_at_every_threshold() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let on = ["--model", "model", "--data", "texts", "--format", "lines"];
    let curve = |more: &[&str]| folder.json(&[&["curve"], &on[..], more].concat(), b"");
    let seen = curve(&["--thresholds", "0,0.6,1"]);
    assert_eq!((&seen["texts"], &seen["of"]), (&json!(4), &json!(4)));
    for (point, threshold) in seen["points"].as_array().expect("a list").iter().zip(["0", "0.6", "1"]) {
        let eval = folder.json(&[&["eval", "--threshold", threshold], &on[..]].concat(), b"");
        let expected = json!({
            "threshold": threshold.parse::<f64>().expect("a number"), "accuracy": eval["accuracy"],
            "skimRate": eval["skim_rate"], "flopReduction": eval["flop_reduction"],
        });
        assert_eq!(point, &expected);
    }
    let own = curve(&["--sample", "2"]);
    assert_eq!((&own["texts"], &own["of"]), (&json!(2), &json!(4)));
    let rates = own["points"].as_array().expect("a list").iter().map(|point| &point["skimRate"]);
    let rates: Vec<&Value> = rates.collect();
    assert_eq!((rates.first(), rates.last()), (Some(&&json!(1.0)), Some(&&json!(0.0))));
}

#[test]
fn curve_names_what_is_wrong() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let gru = LayerConfig::Gru { hidden_size: 2, bidirectional: false };
    folder.write("gru", &model(vec![gru]).to_bytes(|_, _| Storage::F32).expect("it can be written"));
    let code = |model: &str, thresholds: &str| {
        let on = ["curve", "--model", model, "--data", "texts", "--format", "lines"];
        folder.failure(&[&on[..], &["--thresholds", thresholds]].concat(), b"").0
    };
    assert_eq!(code("model", "0.5,1.5"), "OPTION_INVALID");
    assert_eq!(code("gru", "0.5"), "MODEL_NEVER_SKIMS");
}

#[test]
fn words_are_tallied_as_they_are_read() {
    let folder = Folder::new();
    folder.write("texts", b"1 a good film !\n0 a film\n1 unheard good\n0 a\n");
    let on = ["words", "--model", "model", "--data", "texts", "--format", "lines"];
    let seen = folder.json(&[&on[..], &["--min-count", "2", "--threshold", "0"]].concat(), b"");
    let tally = |word, count| json!({ "word": word, "count": count, "skimmed": count });
    let expected = json!({
        "tokens": 9, "skimRate": 1.0, "minCount": 2, "unknown": { "count": 2, "skimmed": 2 },
        "skimmed": [tally("a", 3), tally("film", 2), tally("good", 2)], "read": [],
    });
    assert_eq!(seen, expected);

    // The decisions are those of the readings of the same texts.
    let seen = folder.json(&[&on[..], &["--min-count", "1", "--threshold", "0.5"]].concat(), b"");
    let mut skimmed = 0;
    for text in ["a good film !", "a film", "unheard good", "a"] {
        skimmed +=
            folder.read(text).tokens.iter().filter(|t| t.text == "a" && t.decision == Decision::Skim).count();
    }
    let lists = ["skimmed", "read"].map(|list| seen[list].as_array().expect("a list").clone()).concat();
    let a = lists.iter().find(|word| word["word"] == "a").expect("it is listed");
    assert_eq!((&a["count"], &a["skimmed"]), (&json!(3), &json!(skimmed)));
    let top = folder.json(&[&on[..], &["--min-count", "1", "--threshold", "0", "--top", "1"]].concat(), b"");
    assert_eq!(top["skimmed"], json!([tally("a", 3)]));
}

#[test]
fn eyes_hold_people_beside_the_network() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let table = "sst_split\tword_index\tword\tfix_prob\n\
        test\t0\tA\t0.25\ntest\t1\tgood\t0.5\ntest\t2\tfilm.\t1\n\
        dev\t0\tOther\t1\n\
        test\t0\tFilm\t0.75\ntest\t1\t--\t0\ntest\t2\ta\t0\n";
    folder.write("fixations", table.as_bytes());
    let on = ["eyes", "--model", "model", "--fixations", "fixations", "--frequency", "texts:lines"];
    let eyes = |more: &[&str]| folder.json(&[&on[..], more].concat(), b"");
    let seen = eyes(&["--threshold", "1"]);
    let counts = ["sentences", "words", "readers"].map(|key| &seen[key]);
    assert_eq!(counts, [&json!(2), &json!(5), &json!(4)]);
    assert_eq!(
        seen["byDecision"],
        json!({ "read": { "words": 5, "lookedAt": 0.5 }, "skim": { "words": 0, "lookedAt": 0.0 } })
    );
    let group = |key: &str, value: Value, words, looked_at| json!({ key: value, "words": words, "lookedAt": looked_at, "read": 1.0 });
    let classes = [("content", 3, 0.75), ("determiner", 2, 0.125)];
    assert_eq!(
        seen["byClass"],
        json!(classes.map(|(class, n, share)| group("class", json!(class), n, share)))
    );
    assert_eq!(
        seen["byLength"],
        json!([(1, 2, 0.125), (4, 3, 0.75)].map(|(l, n, share)| group("length", json!(l), n, share)))
    );
    // Ranks looked at 2, 3, 5, 4, 1; by length 1.5, 4, 4, 4, 1.5.
    let length = seen["baselines"]["length"].as_f64().expect("a number");
    assert!((length - 7.5 / 75.0_f64.sqrt()).abs() < 1e-9, "{length}");
    for key in ["correlation", "partial"] {
        let [value, low, high] = [&seen[key], &seen[format!("{key}Ci")][0], &seen[format!("{key}Ci")][1]]
            .map(|v| v.as_f64().expect("a number"));
        assert!((-1.0..=1.0).contains(&value) && low <= high, "{key}: {value} {low} {high}");
    }
    assert_eq!(seen, eyes(&["--threshold", "1"]), "the same seed gives the same intervals");
    assert_eq!(eyes(&["--threshold", "0"])["byDecision"]["skim"]["words"], json!(5));
    assert_eq!(eyes(&["--split", "dev"])["words"], json!(1));
    assert!(folder.failure(&[&on[..], &["--split", "train"]].concat(), b"").1.contains("\"train\""));
}

#[test]
fn export_writes_a_smaller_copy() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.as_bytes());
    let export = ["export", "model", "--out", "small", "--words", "3", "--storage", "f16"];
    let done = folder.json(&[&export[..], &["--measure", "test=texts:lines"]].concat(), b"");
    assert_eq!(done["words"], json!(3));
    let size = |name: &str| fs::metadata(folder.path(name)).expect("it is there").len();
    assert_eq!(done["bytes"], json!(size("small")));
    assert!(size("small") < size("model"));
    let reading: Reading =
        serde_json::from_value(folder.json(&["read", "--model", "small", "a good film"], b""))
            .expect("a reading");
    assert_eq!(reading.tokens.len(), 3);
    let eval = folder.json(&["eval", "--model", "small", "--data", "texts", "--format", "lines"], b"");
    let recorded = &folder.json(&["inspect", "small"], b"")["config"]["training"]["figures"]["test_accuracy"];
    assert_eq!(recorded, &eval["accuracy"], "the figures are those of the copy");
}

#[test]
fn train_writes_a_model_and_names_what_is_missing() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.repeat(8).as_bytes());
    folder.write("run.toml", RUN);
    let output = folder.run(&["train", "run.toml", "--data", ".", "--out", "made", "--json"], b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let events: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("one value")).collect();
    assert_eq!(events.iter().filter(|event| !event["evaluated"].is_null()).count(), 2);
    assert_eq!(events.last().expect("there is one")["done"]["dev"]["n"], json!(32));
    assert_eq!(
        folder.json(&["read", "--model", "made", "good"], b"")["tokens"][0]["decision"],
        json!("read")
    );

    let (code, message) = folder.failure(&["train", "run.toml", "--data", "nowhere", "--out", "none"], b"");
    assert_eq!(code, "TRAIN_FAILED");
    assert!(message.contains("nowhere") && message.contains("--data"), "{message}");
    folder.write("run.toml", b"[data]\nnaem = 3\n");
    let (code, message) = folder.failure(&["train", "run.toml"], b"");
    assert_eq!(code, "CONFIG_INVALID");
    assert!(message.contains("naem") && message.contains("line 2"), "{message}");
}

#[test]
fn train_and_eval_use_the_gpu_or_say_why_not() {
    let folder = Folder::new();
    folder.write("texts", TEXTS.repeat(8).as_bytes());
    folder.write("run.toml", RUN);
    let train = ["train", "run.toml", "--data", ".", "--out", "made", "--device", "gpu"];
    let output = folder.run(&train, b"");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let command = &folder.json(&["inspect", "made"], b"")["config"]["training"]["command"];
    assert_eq!(command, "saccade train run.toml --seed 0 --device gpu");

    let eval = ["eval", "--model", "made", "--data", "texts", "--format", "lines", "--device"];
    let on = |device| {
        // Graphics drivers may have something to say on standard error.
        let output = folder.run(&[&eval[..], &[device]].concat(), b"");
        let figures: Value = serde_json::from_slice(&output.stdout).expect("one value");
        figures["accuracy"].clone()
    };
    assert_eq!(on("gpu"), on("cpu"));
    for arguments in [&train[..], &[&eval[..], &["gpu"]].concat()] {
        let output = folder.command(arguments).arg("--json").env("SACCADE_ADAPTER", "no such GPU").output();
        let output = output.expect("the program starts");
        let line = text(&output.stderr).lines().last().expect("a line");
        let error: Value = serde_json::from_str(line).expect("one value");
        assert_eq!((output.status.code(), &error["error"]["code"]), (Some(1), &json!("NO_GPU")));
        let message = error["error"]["message"].as_str().expect("a string");
        assert!(message.contains("--device gpu") && message.contains("no such GPU"), "{message}");
    }
}
