//! Runs of the command line that a signal interrupts, and what goes on with them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[allow(dead_code, reason = "some of it is for other tests")]
mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use common::{Folder, RUN, TEXTS, text};

/// A folder with a run in a folder of its own, which starts from a model beside its config and does not end.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("texts", TEXTS.repeat(8).as_bytes());
    fs::create_dir(folder.path("runs")).unwrap();
    folder.write("runs/start.toml", RUN);
    let start = folder.run(&["train", "runs/start.toml", "--data", "."], b"");
    assert!(start.status.success(), "{}", text(&start.stderr));
    let endless = text(RUN).replace("epochs = 2", "epochs = 1000000");
    folder.write("runs/run.toml", format!("{endless}\ninit = \"start.safetensors\"\n").as_bytes());
    folder
}

/// What a run says at its end, interrupted once a model has been evaluated.
fn interrupted(folder: &Folder, from: &str, arguments: &[&str]) -> String {
    ended(folder, from, arguments, "INT", 1)
}

/// The same, of a signal, and the exit status that tells of it.
fn ended(folder: &Folder, from: &str, arguments: &[&str], signal: &str, status: i32) -> String {
    let mut command = folder.command(arguments);
    command.arg("--json").current_dir(folder.path(from)).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Under `nohup`, which tests may run under as well, a run would not hear of SIGHUP.
    let heard = || {
        // SAFETY: `signal` may be called between a fork and the program that comes in its place.
        unsafe { libc::signal(libc::SIGHUP, libc::SIG_DFL) };
        Ok(())
    };
    // SAFETY: it allocates nothing and takes no lock.
    unsafe { command.pre_exec(heard) };
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        if line.contains("evaluated") {
            let sent = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
            assert!(sent.success());
            break;
        }
        line.clear();
    }
    output.read_to_string(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(status));
    text(&output.stderr).to_owned()
}

const BEGIN: [&str; 4] = ["train", "runs/run.toml", "--data", "."];
const RESUME: [&str; 5] = ["train", "runs/run.toml", "--data", ".", "--resume"];
/// What a run says that has kept its state.
const KEPT: &str = "`--resume` goes on";

#[test]
fn a_run_goes_on_from_any_folder() {
    let folder = folder();
    let said = interrupted(&folder, ".", &BEGIN);
    assert!(said.contains(KEPT), "{said}");
    let said = interrupted(&folder, "runs", &["train", "run.toml", "--data", "..", "--resume"]);
    assert!(said.contains(KEPT), "{said}");
}

#[test]
fn a_run_that_is_ended_from_elsewhere_goes_on() {
    let folder = folder();
    let said = ended(&folder, ".", &BEGIN, "TERM", 143);
    assert!(said.contains(KEPT), "{said}");
    let said = ended(&folder, ".", &RESUME, "HUP", 129);
    assert!(said.contains(KEPT), "{said}");
    assert!(folder.path("runs/run.safetensors.state").exists());
}

#[test]
fn word_vectors_that_are_ended_from_elsewhere_say_so() {
    let folder = Folder::new();
    let pipe = folder.path("texts");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = folder.command(&["vectors", "texts:lines", "--out", "made", "--size", "2", "--json"]);
    let child = command.args(["--epochs", "1000"]).stderr(Stdio::piped()).spawn().unwrap();
    // It opens its text once it hears of signals.
    let mut pipe = fs::File::options().write(true).open(pipe).unwrap();
    let sent = Command::new("kill").args(["-s", "TERM", &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
    pipe.write_all(TEXTS.repeat(20_000).as_bytes()).unwrap();
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let said = text(&output.stderr);
    assert!(said.contains(r#""code":"CANCELLED""#), "{said}");
    assert_eq!(output.status.code(), Some(143));
    assert!(!folder.path("made").exists());
}

#[test]
fn another_run_does_not_go_on() {
    let folder = folder();
    let said = interrupted(&folder, ".", &BEGIN);
    assert!(said.contains(KEPT), "{said}");
    for (other, why) in [
        (&["--seed", "5"][..], "another config"),
        (&["--init", "runs/start.safetensors"], "another config"),
        (&["--threads", "2"], "another --threads"),
    ] {
        let said = interrupted(&folder, ".", &[&RESUME, other].concat());
        assert!(said.contains("run.safetensors.state") && said.contains(why), "{other:?}: {said}");
    }
    folder.write("texts", TEXTS.repeat(9).as_bytes());
    let said = interrupted(&folder, ".", &RESUME);
    assert!(said.contains("other texts"), "{said}");
    folder.write("texts", TEXTS.repeat(8).as_bytes());
    let said = interrupted(&folder, ".", &RESUME);
    assert!(said.contains(KEPT), "{said}");
}
