//! Texts, one a line: a record for each, in their order, whatever the lines and however many threads; and how a run that is
//! stopped, or that nobody reads, ends.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[allow(dead_code, reason = "other tests train")]
mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use common::{Folder, text};
use serde_json::{Value, json};

const LINES: [&str; 5] = ["read", "--model", "model", "--lines", "--threads=2"];
const JSON: [&str; 4] = ["read", "--model", "model", "--lines=json"];

fn records(output: &[u8]) -> Vec<Value> {
    text(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A text whose length and words differ from line to line.
fn line(number: usize) -> String {
    let words = ["good", "film", "a", "dull"];
    (0..number % 97).map(|word| words[(word * 7 + number) % 4]).collect::<Vec<_>>().join(" ")
}

fn shipped(name: &str) -> String {
    format!("{}/../models/{name}.safetensors", env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn records_come_in_order_and_are_the_same_from_any_number_of_threads() {
    let folder = Folder::new();
    let input: String = (1..=3_000).map(|number| line(number) + "\n").collect();
    let one = folder.run(&["read", "--model", "model", "--lines", "--tokens"], input.as_bytes());
    assert_eq!((one.status.code(), text(&one.stderr)), (Some(0), ""));
    for threads in ["2", "3"] {
        let many = folder.run(
            &["read", "--model", "model", "--lines", "--tokens", "--threads", threads],
            input.as_bytes(),
        );
        assert!(many.status.success() && many.stdout == one.stdout, "{threads} threads");
    }
    let records = records(&one.stdout);
    assert_eq!(records.len(), 3_000);
    for (at, record) in records.iter().enumerate() {
        assert_eq!((&record["line"], &record["tokenCount"]), (&json!(at + 1), &json!((at + 1) % 97)));
    }
    // What one text gives by itself.
    let alone = folder.json(&["read", "--model", "model"], line(2_150).as_bytes());
    let together = &records[2_149];
    for part in ["label", "scores", "skimRate", "flops", "tokens"] {
        assert_eq!(alone[part], together[part], "{part}");
    }
    folder.write("texts.txt", input.as_bytes());
    let from_file =
        folder.run(&["read", "--model", "model", "--lines", "--tokens", "--input", "texts.txt"], b"");
    assert!(from_file.status.success() && from_file.stdout == one.stdout);
}

#[test]
fn a_bad_line_is_a_record_and_no_end() {
    let folder = Folder::new();
    let input = b"a film\n\xff\xfe\n\nbroken \xe2\x82\n\r\ngood";
    let output = folder.run(&LINES, input);
    let found = records(&output.stdout);
    let counts: Vec<_> = found.iter().map(|record| record["tokenCount"].clone()).collect();
    assert_eq!(counts, [json!(2), Value::Null, json!(0), Value::Null, json!(0), json!(1)]);
    assert_eq!(
        found[3],
        json!({ "line": 4, "error": { "code": "LINE_NOT_UTF8",
                "message": "the line is not UTF-8: its byte 7 begins no character" } })
    );
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(
        text(&output.stderr),
        "error: 2 of 6 lines have an error for an answer: their records say why\n"
    );
}

#[test]
fn json_lines_have_texts_and_names() {
    let folder = Folder::new();
    let input = "\u{feff}\"a film\"\n{\"id\":\"x\",\"text\":\"good\\nfilm\",\"more\":[1]}\n{\"id\":7,\"text\":3}\n{\"id\":[2]}\n\
                 not json\n\n17\n\"\\ud800\"\n{\"text\":\"\"}\n";
    let output = folder.run(&JSON, input.as_bytes());
    assert_eq!(output.status.code(), Some(3));
    let found = records(&output.stdout);
    let part = |record: &Value| match &record["error"]["code"] {
        Value::Null => (record["id"].clone(), record["tokenCount"].clone()),
        code => (record["id"].clone(), code.clone()),
    };
    let (none, without) = (Value::Null, json!("LINE_WITHOUT_TEXT"));
    assert_eq!(
        found.iter().map(part).collect::<Vec<_>>(),
        [
            (none.clone(), json!(2)),
            (json!("x"), json!(2)),
            (json!(7), without.clone()),
            (json!([2]), without.clone()),
            (none.clone(), json!("LINE_NOT_JSON")),
            (none.clone(), json!("LINE_NOT_JSON")),
            (none.clone(), without),
            (none.clone(), json!("LINE_NOT_JSON")),
            (none, json!(0)),
        ]
    );
}

#[test]
fn what_is_no_json_is_told_by_its_column() {
    let output = Folder::new().run(&JSON, b"\"a film\"\n{\"text\": \"a film\",}\n");
    let message = &records(&output.stdout)[1]["error"]["message"];
    assert_eq!(*message, "the line is not JSON: key must be a string at column 19");
}

/// As the line has it: a name of another digit would be another name.
#[test]
fn names_stay_what_they_are_and_other_fields_may_be_anything() {
    let folder = Folder::new();
    let names = ["12345678901234567890123", "-9223372036854775809", "1.10", "0.1234567890123456789", "null"];
    let names = names.iter().chain(&[r#"{"b": 1, "a": [2]}"#, r#""\ud83d\ude00\u0001""#]);
    for name in names {
        let line = format!("{{\"text\": \"a film\", \"id\": {name} }}\n");
        let output = folder.run(&JSON, line.as_bytes());
        let begin = format!("{{\"line\":1,\"id\":{name},\"label\":");
        assert!(text(&output.stdout).starts_with(&begin), "{name}: {}", text(&output.stdout));
    }
    let deep = "[".repeat(500) + &"]".repeat(500);
    for more in ["1e999", r#""\ud800""#, &deep] {
        let line = format!("{{\"more\": {more}, \"text\": \"a film\"}}\n");
        let output = folder.run(&JSON, line.as_bytes());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
    }
}

/// The texts of a deep tree's nodes are quadratic in its line.
#[test]
fn a_deep_tree_takes_bounded_memory() {
    let folder = Folder::new();
    let model = shipped("sst-tree-lstm");
    let deep = |depth: usize| format!("{}(_ a){}\n", "(_ ".repeat(depth), " (_ b))".repeat(depth));
    let lines = deep(1_000) + &deep(50_000) + &deep(1);
    let output = folder.run(&["read", "--model", &model, "--lines"], lines.as_bytes());
    let found = records(&output.stdout);
    let nodes: Vec<_> = found.iter().map(|record| record["nodes"].as_array().map(Vec::len)).collect();
    assert_eq!(nodes, [Some(2_001), None, Some(3)]);
    assert_eq!((&found[1]["error"]["code"], output.status.code()), (&json!("LINE_TOO_LONG"), Some(3)));
}

#[test]
fn an_enormous_line_takes_no_memory_and_a_long_one_is_read() {
    let folder = Folder::new();
    let mut input = "good film ".repeat(6_000_000 / 10).into_bytes();
    input.extend(b"\na film\n");
    input.extend("good film ".repeat(20_000).bytes());
    let output = folder.run(&LINES, &input);
    let found = records(&output.stdout);
    assert_eq!(found[0]["error"]["code"], json!("LINE_TOO_LONG"));
    assert!(found[0]["error"]["message"].as_str().unwrap().contains("6000000 bytes"));
    assert_eq!((&found[1]["tokenCount"], &found[2]["tokenCount"]), (&json!(2), &json!(40_000)));
    assert_eq!((found.len(), output.status.code()), (3, Some(3)));
    let few = folder.run(&[&LINES[..], &["--max-bytes", "3"]].concat(), b"abc\nabcd\n");
    assert_eq!(records(&few.stdout)[1]["error"]["code"], json!("LINE_TOO_LONG"));
}

#[test]
fn every_task_has_its_records() {
    let folder = Folder::new();
    let lines = b"The cat sat. It slept.\n\nDogs bark\n";
    for (command, name, key) in [("tag", "ewt-tagger", "tag"), ("parse", "ewt-parser", "relation")] {
        let model = shipped(name);
        let one = folder.run(&[command, "--model", &model], lines);
        let two = folder.run(&["read", "--model", &model, "--lines=text", "--threads", "2"], lines);
        assert_eq!((one.status.code(), text(&one.stderr)), (Some(0), ""));
        assert!(one.stdout == two.stdout, "{command}");
        let found = records(&one.stdout);
        let single = folder.json(&["read", "--model", &model, "The cat sat. It slept."], b"");
        let of = |value: &Value| -> Vec<Value> {
            value["tokens"].as_array().unwrap().iter().map(|token| token[key].clone()).collect()
        };
        assert_eq!(of(&found[0]), of(&single), "{command}");
        assert_eq!((of(&found[1]), of(&found[2]).len()), (Vec::new(), 2), "{command}");
    }
    let model = shipped("sst-tree-lstm");
    let trees =
        folder.run(&["read", "--model", &model, "--lines"], b"(_ (_ not) (_ good))\nno tree\n(_ fine)\n");
    let found = records(&trees.stdout);
    let nodes: Vec<_> = found.iter().map(|record| record["nodes"].as_array().map(Vec::len)).collect();
    assert_eq!((nodes, &found[1]["error"]["code"]), (vec![Some(3), None, Some(1)], &json!("DATA_INVALID")));
    let model = shipped("shakespeare-elman");
    let scored = folder.run(&["score", "--model", &model], b"to be\n\nxqzv\n");
    assert_eq!((scored.status.code(), text(&scored.stderr)), (Some(0), ""));
    let found = records(&scored.stdout);
    let a_letter =
        |record: &Value| record["logProbability"].as_f64().unwrap() / record["tokenCount"].as_f64().unwrap();
    assert!(a_letter(&found[0]) > a_letter(&found[2]), "{found:?}");
    assert_eq!((&found[1]["tokenCount"], &found[1]["perplexity"]), (&json!(0), &Value::Null));
    let (code, message) = folder.failure(&["tag", "--model", "model"], b"");
    assert_eq!((code.as_str(), message.as_str()), ("OPTION_INVALID", "tag: the model's task is classify"));
}

#[test]
fn options_without_lines_and_lines_with_other_options_are_refused() {
    let folder = Folder::new();
    let read = ["read", "--model", "model"];
    for more in [&["--threads", "2", "a"][..], &["--input", "x", "a"], &["--tokens", "a"]] {
        let (code, message) = folder.failure(&[&read, more].concat(), b"");
        assert_eq!(code, "OPTION_INVALID", "{message}");
        assert!(message.contains("belongs to --lines"), "{message}");
    }
    for more in [&["--lines", "a"][..], &["--lines", "--steps"], &["--lines", "--threshold", "2"]] {
        let (code, message) = folder.failure(&[&read, more].concat(), b"");
        assert_eq!(code, "OPTION_INVALID", "{message}");
    }
    let heads = shipped("sst-child-sum");
    let (code, message) = folder.failure(&["read", "--model", &heads, "--lines"], b"(_ a)\n");
    assert_eq!(code, "OPTION_INVALID", "{message}");
    let (code, _) = folder.failure(&[&read[..], &["--lines", "--input", "nothing"]].concat(), b"");
    assert_eq!(code, "FILE_NOT_FOUND");
    let (_, message) = folder.failure(&[&read[..], &["--lines", "--input", "."]].concat(), b"");
    assert!(message.starts_with("cannot read .: "), "{message}");
    let bad = ["0", "1025", "18446744073709551615", "two"].map(|threads| ["--lines", "--threads", threads]);
    for bad in bad.iter().map(|bad| &bad[..]).chain([&["--lines=xml"][..]]) {
        assert_eq!(folder.run(&[&read, bad].concat(), b"").status.code(), Some(2), "{bad:?}");
    }
}

fn started(folder: &Folder, arguments: &[&str]) -> Child {
    folder
        .command(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Who waits for an answer before the next question gets it.
#[test]
fn lines_are_answered_while_the_input_is_open() {
    let folder = Folder::new();
    let mut child = started(&folder, &LINES);
    let mut input = child.stdin.take().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    for number in 1..=5 {
        writeln!(input, "a good film").unwrap();
        let mut record = String::new();
        output.read_line(&mut record).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&record).unwrap()["line"], json!(number));
    }
    drop(input);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_run_with_whole_records() {
    for (signal, status) in [("TERM", 143), ("INT", 130)] {
        let folder = Folder::new();
        let mut child = started(&folder, &LINES);
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut record = String::new();
        writeln!(input, "a good film").unwrap();
        output.read_line(&mut record).unwrap();
        // These are on their way when the signal comes; the last one has not ended.
        let more: String = (2..=400).map(|number| line(number) + "\n").collect();
        input.write_all(more.as_bytes()).unwrap();
        input.write_all(b"a line without").unwrap();
        let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let mut rest = String::new();
        output.read_to_string(&mut rest).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{signal}");
        let found = records(rest.as_bytes());
        assert!(rest.is_empty() || rest.ends_with('\n'));
        for (at, record) in found.iter().enumerate() {
            assert_eq!(record["line"], json!(at + 2), "{signal}");
        }
        let said = format!("after {} lines, whose records are written", found.len() + 1);
        assert!(text(&output.stderr).contains(&said), "{}", text(&output.stderr));
        drop(input);
    }
}

#[test]
fn who_reads_may_stop_and_a_slow_reader_holds_the_input_back() {
    let folder = Folder::new();
    let mut child = started(&folder, &LINES);
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || {
        let mut written = 0;
        while input.write_all(b"a good film\n").is_ok() {
            written += 1;
            if written == 1_000_000 {
                return None;
            }
        }
        Some(written)
    });
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut record = String::new();
    output.read_line(&mut record).unwrap();
    // Nobody reads any more, and so neither does the program: the pipes fill up long before a million lines.
    std::thread::sleep(std::time::Duration::from_millis(300));
    drop(output);
    let ended = child.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), text(&ended.stderr)), (Some(0), ""));
    let written = writer.join().unwrap().expect("the program ends before its input");
    assert!(written < 200_000, "{written} lines were taken");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let folder = Folder::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    folder.write("texts.txt", b"a film\n");
    let mut command = folder.command(&[&LINES[..], &["--input", "texts.txt"]].concat());
    let output = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("cannot write to standard output"), "{}", text(&output.stderr));
}
