//! What a command does when its output cannot be written, and when what it is given is empty, elsewhere, or something
//! else: it never panics, it does what it is for as far as that goes, and says in one line what was wrong and where.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;

use std::fs;
use std::process::{Command, ExitStatus, Stdio};

use common::{Folder, RUN, TEXTS, text};

const FIXATIONS: &str = "sst_split\tword_index\tword\tfix_prob\n\
    test\t0\tA\t0.25\ntest\t1\tgood\t0.5\ntest\t2\tfilm.\t1\ntest\t0\tFilm\t0.75\ntest\t1\ta\t0\n";

const ON: [&str; 6] = ["--model", "model", "--data", "texts", "--format", "lines"];

/// Every command, with what it is to run, and the file that it is to write.
fn commands() -> Vec<(Vec<&'static str>, Option<&'static str>)> {
    vec![
        (vec!["read", "--model", "model", "a good film"], None),
        (vec!["read", "--model", "model", "--lines", "--input", "texts"], None),
        (vec!["inspect", "model"], None),
        ([&["eval"], &ON[..]].concat(), None),
        ([&["curve", "--thresholds", "0,1"], &ON[..]].concat(), None),
        ([&["words"], &ON[..]].concat(), None),
        (vec!["eyes", "--model", "model", "--fixations", "fixations", "--frequency", "texts:lines"], None),
        (vec!["export", "model", "--out", "made"], Some("made")),
        (vec!["vectors", "texts:lines", "--out", "made", "--size", "2"], Some("made")),
        (vec!["train", "run.toml", "--data", ".", "--out", "made"], Some("made")),
        (vec!["--help"], None),
        (vec!["train", "--help"], None),
        (vec!["--version"], None),
    ]
}

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("texts", TEXTS.repeat(8).as_bytes());
    folder.write("fixations", FIXATIONS.as_bytes());
    folder.write("run.toml", RUN);
    folder
}

/// Somewhere to write to that nobody reads any more.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// Somewhere to write to that has no room.
#[cfg(target_os = "linux")]
fn full() -> Stdio {
    fs::File::options().write(true).open("/dev/full").unwrap().into()
}

/// Runs every command, plainly and with `--json`; how it ended and what it wrote to standard error. What it is to write
/// is there.
fn run_all(out: fn() -> Stdio, err: fn() -> Stdio, check: impl Fn(&[&str], ExitStatus, &str)) {
    for (arguments, made) in commands() {
        for json in [false, true] {
            let folder = folder();
            let mut command = folder.command(&arguments);
            command.args(json.then_some("--json")).stdin(Stdio::null()).stdout(out()).stderr(err());
            let output = command.spawn().unwrap().wait_with_output().unwrap();
            let said = text(&output.stderr);
            assert!(!said.contains("panicked"), "{arguments:?}: {said}");
            if let Some(made) = made {
                assert!(fs::metadata(folder.path(made)).is_ok_and(|file| file.len() > 0), "{arguments:?}");
            }
            check(&arguments, output.status, said);
        }
    }
}

#[test]
fn whoever_reads_the_output_may_stop() {
    run_all(closed, Stdio::piped, |arguments, status, said| {
        assert_eq!((status.code(), said), (Some(0), ""), "{arguments:?}");
    });
    run_all(closed, closed, |arguments, status, _| assert_eq!(status.code(), Some(0), "{arguments:?}"));
}

#[test]
fn whoever_reads_a_run_may_stop_after_its_first_line() {
    use std::io::{BufRead as _, BufReader};
    for more in [&[][..], &["--json"]] {
        let folder = folder();
        let train = ["train", "run.toml", "--data", ".", "--out", "made"];
        let mut command = folder.command(&train);
        let mut child = command.args(more).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
        assert!(line.contains("32") && folder.path("made").exists());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_in_words() {
    run_all(full, Stdio::piped, |arguments, status, said| {
        assert_eq!(status.code(), Some(1), "{arguments:?}");
        assert!(said.contains("cannot write to standard output: No space left"), "{arguments:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?}: {said}");
    });
    run_all(full, closed, |arguments, status, _| assert_eq!(status.code(), Some(1), "{arguments:?}"));
    run_all(full, full, |arguments, status, _| assert_eq!(status.code(), Some(1), "{arguments:?}"));
}

/// A standard output that is closed, and one that is for reading.
#[cfg(unix)]
const NO_OUTPUT: [&str; 2] = [">&-", "1</dev/null"];

/// `saccade` in a folder, started by a shell that redirects its standard output.
#[cfg(unix)]
fn redirected(folder: &Folder, arguments: &[&str], output: &str) -> Command {
    let mut shell = Command::new("sh");
    let command = format!("exec \"$0\" \"$@\" {output}");
    shell.current_dir(folder.path(".")).args(["-c", &command, env!("CARGO_BIN_EXE_saccade")]);
    shell.args(arguments);
    shell
}

#[cfg(unix)]
#[test]
fn a_standard_output_that_is_not_there_is_an_error_in_words() {
    for ((arguments, made), none) in commands().into_iter().zip(NO_OUTPUT.into_iter().cycle()) {
        let folder = folder();
        let output = redirected(&folder, &arguments, none).stdin(Stdio::null()).output().unwrap();
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?} {none}: {said}");
        assert!(said.contains("cannot write to standard output: Bad file"), "{arguments:?} {none}: {said}");
        assert_eq!(said.lines().count(), 1, "{arguments:?} {none}: {said}");
        assert!(made.is_none_or(|made| folder.path(made).exists()), "{arguments:?} {none}");
    }
}

#[cfg(unix)]
#[test]
fn without_a_standard_output_no_lines_are_taken() {
    use std::io::Write as _;
    for none in NO_OUTPUT {
        let (folder, (input, mut writer)) = (folder(), std::io::pipe().unwrap());
        let mut command = redirected(&folder, &["read", "--model", "model", "--lines"], none);
        let mut child = command.stdin(input).stderr(Stdio::null()).spawn().unwrap();
        drop(command);
        let written = (0..200_000).take_while(|_| writer.write_all(b"a film\n").is_ok()).count();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{none}");
        assert!(written < 200_000, "{none}: all {written} lines were taken");
    }
}

#[test]
fn the_exit_status_tells_without_standard_error() {
    for (arguments, code) in [(&["read", "--model", "nothing", "a"][..], 1), (&["reed"], 2), (&[], 2)] {
        let status = folder().command(arguments).stderr(closed()).stdout(closed()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_file_without_texts_is_an_error() {
    for content in ["", "\n \n\r\n", "\u{feff}"] {
        let folder = folder();
        folder.write("none", content.as_bytes());
        let on = ["--model", "model", "--data", "none", "--format"];
        let mut cases: Vec<Vec<&str>> = Vec::new();
        for command in ["eval", "curve", "words"] {
            cases.extend(
                ["lines", "imdb-tsv", "ag-csv", "sst-trees"]
                    .map(|format| [&[command], &on[..], &[format]].concat()),
            );
        }
        cases.push(vec!["vectors", "texts:lines", "none:lines", "--out", "made"]);
        cases.push(vec!["export", "model", "--out", "made", "--measure", "test=none:lines"]);
        cases.push(vec!["eyes", "--model", "model", "--fixations", "none", "--frequency", "texts:lines"]);
        cases.push(vec!["eyes", "--model", "model", "--fixations", "fixations", "--frequency", "none:lines"]);
        for arguments in cases {
            let (code, message) = folder.failure(&arguments, b"");
            assert_eq!(code, "DATA_INVALID", "{arguments:?}: {message}");
            assert!(message.contains("none"), "{arguments:?}: {message}");
        }
        for part in ["train", "dev", "test"] {
            let run = text(RUN);
            let data = match part {
                "train" => run.replace("train = [{ path = \"texts\"", "train = [{ path = \"none\""),
                "dev" => run.replace("dev = { path = \"texts\"", "dev = { path = \"none\""),
                _ => run.replace("[model]", "test = { path = \"none\", format = \"lines\" }\n[model]"),
            };
            folder.write("run.toml", data.as_bytes());
            let (code, message) = folder.failure(&["train", "run.toml", "--data", ".", "--out", "made"], b"");
            assert_eq!(code, "TRAIN_FAILED", "{part}: {message}");
            assert!(message.contains("none holds no"), "{part}: {message}");
        }
        assert!(!folder.path("made").exists());
    }
}

/// What is wrong is said in one line that names the file or the option.
#[test]
fn mistakes_are_named() {
    let folder = folder();
    fs::create_dir(folder.path("folder")).unwrap();
    folder.write("latin.tsv", b"neg\t0\t1\tdull\npos\t1\t9\tcaf\xe9\n");
    folder.write("latin.toml", b"# caf\xe9\n[data]\n");
    folder.write("fold.toml", text(RUN).replace("[model]", "fold = 3\n[model]").as_bytes());
    let on = |model, data, format| vec!["eval", "--model", model, "--data", data, "--format", format];
    for (arguments, code, parts) in [
        (on("folder", "texts", "lines"), "FILE_UNREADABLE", ["cannot read folder", "directory"]),
        (on("model", "folder", "lines"), "DATA_INVALID", ["folder cannot be read", "directory"]),
        (on("model", "latin.tsv", "imdb-tsv"), "DATA_INVALID", ["latin.tsv:2", "byte 24 "]),
        (
            [&on("model", "texts", "lines")[..], &["--threshold", "-1"]].concat(),
            "OPTION_INVALID",
            ["threshold", "-1"],
        ),
        (vec!["inspect", "folder"], "FILE_UNREADABLE", ["cannot read folder", "directory"]),
        (vec!["export", "model", "--out", "folder"], "FILE_UNWRITABLE", ["cannot write folder", "directory"]),
        (vec!["export", "model", "--out", "texts/made"], "FILE_UNWRITABLE", ["cannot write texts/made", ""]),
        (
            vec!["vectors", "texts:lines", "--out", "folder"],
            "FILE_UNWRITABLE",
            ["cannot write folder", "directory"],
        ),
        (vec!["train", "folder"], "FILE_UNREADABLE", ["cannot read folder", "directory"]),
        (vec!["train", "latin.toml"], "CONFIG_INVALID", ["latin.toml: line 1", "byte 5 "]),
        (vec!["train", "fold.toml", "--data", "."], "TRAIN_FAILED", ["data.fold", "3"]),
        (
            vec!["train", "run.toml", "--data", ".", "--out", "folder"],
            "TRAIN_FAILED",
            ["cannot write folder", "directory"],
        ),
        (
            vec!["train", "run.toml", "--data", ".", "--init", "folder"],
            "TRAIN_FAILED",
            ["cannot read", "folder"],
        ),
        (vec!["train", "run.toml", "--data", ".", "--fold", "0"], "OPTION_INVALID", ["--fold", "no folds"]),
    ] {
        let (found, message) = folder.failure(&arguments, b"");
        assert_eq!(found, code, "{arguments:?}: {message}");
        assert!(parts.iter().all(|part| message.contains(part)), "{arguments:?}: {message}");
    }
    let output = folder.run(&["train", "run.toml", "--data", ".", "--resume"], b"");
    assert!(
        text(&output.stderr).contains("run.safetensors.state does not exist"),
        "{}",
        text(&output.stderr)
    );
    for option in [&["export", "model", "--out", "made", "--words", "0"][..], &["words", "--min-count", "0"]]
    {
        let output = folder.run(&[option, if option[0] == "words" { &ON } else { &[] }].concat(), b"");
        assert_eq!(output.status.code(), Some(2), "{option:?}");
    }
}

#[test]
fn line_ends_and_byte_order_marks_of_other_systems_change_nothing() {
    let folder = folder();
    let figures = |data: &str| {
        let mut figures =
            folder.json(&["eval", "--model", "model", "--data", data, "--format", "lines"], b"");
        figures["tokens_per_second"] = 0.into();
        figures
    };
    folder.write("windows", format!("\u{feff}{}", TEXTS.repeat(8).replace('\n', "\r\n")).as_bytes());
    assert_eq!(figures("windows"), figures("texts"));
    folder.write("windows.toml", format!("\u{feff}{}", text(RUN).replace('\n', "\r\n")).as_bytes());
    let train = |run| {
        let output = folder.run(&["train", run, "--data", ".", "--out", "made"], b"");
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        folder.json(&["eval", "--model", "made", "--data", "texts", "--format", "lines"], b"")["accuracy"]
            .clone()
    };
    assert_eq!(train("windows.toml"), train("run.toml"));
    let reading = folder.read("\u{feff}a go\u{ad}od\u{200b} film\n");
    let tokens: Vec<_> =
        reading.tokens.iter().map(|token| (token.text.as_str(), token.start, token.end)).collect();
    assert_eq!(tokens, [("a", 0, 1), ("good", 2, 7), ("film", 9, 13)]);
    assert!(reading.tokens.iter().all(|token| token.known));
}
