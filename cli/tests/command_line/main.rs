//! The program `saccade`, run as a person or a script runs it.

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "some of it is for other tests")]
mod common;
mod figures;
mod files;
mod reading;

use common::{Folder, text};
use serde_json::{Value, json};

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
fn a_command_line_that_makes_no_sense_is_told_in_json() {
    let folder = Folder::new();
    for (arguments, message) in [
        (&["--json", "read"][..], "the following required arguments were not provided: --model <FILE>"),
        (
            &["read", "--model", "model", "--no-such-option", "--json", "a"],
            "unexpected argument '--no-such-option' found",
        ),
        (
            &["read", "--model", "model", "--threshold", "half", "--json"],
            "invalid value 'half' for '--threshold <T>': invalid float literal",
        ),
    ] {
        let output = folder.run(arguments, b"");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{arguments:?}");
        let error: Value = serde_json::from_slice(&output.stderr).expect("one value");
        assert_eq!(text(&output.stderr).lines().count(), 1, "{arguments:?}");
        assert_eq!(error, json!({ "error": { "code": "USAGE_INVALID", "message": message } }));
    }
    // After `--` stand texts.
    let output = folder.run(&["read", "--", "--json"], b"");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("error: "), "{}", text(&output.stderr));
}

#[test]
fn help_says_what_comes_of_a_command() {
    let folder = Folder::new();
    let help = |command, option| {
        let output = folder.run(&[command, option], b"");
        text(&output.stdout).split_whitespace().collect::<Vec<_>>().join(" ")
    };
    for (command, says) in [
        ("read", "exit statuses"),
        ("tag", "Exit status: 0"),
        ("parse", "Exit status: 0"),
        ("score", "Exit status: 0"),
        ("write", "log_probability"),
        ("eval", "perplexity"),
        ("curve", "flopReduction"),
        ("words", "skimRate"),
        ("eyes", "looked at"),
        ("export", "Figures recorded in the model are dropped"),
        ("train", "goes on from there"),
        ("cutoffs", "dynamic programming"),
        ("vectors", "Skip-gram"),
    ] {
        let (long, short) = (help(command, "--help"), help(command, "-h"));
        assert!(long.contains(says) && !short.contains(says), "{command} {says:?}: {long}");
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
