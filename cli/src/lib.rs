//! The native command line: `saccade --help`. Files, arguments and what is shown to people; the arithmetic is
//! `saccade_rnn`'s.
//!
//! Exit status: 0 done, 1 an error (one line `error: …` on standard error; with `--json` the line is
//! `{"error": {"code", "message"}}`), 2 a command line that makes no sense (with `--json` such a line as well). Where texts come
//! in lines: 3 all have their records, and some of these tell of mistakes; 130 or 143 stopped by Ctrl-C or SIGTERM, with whole
//! records written. Elsewhere: 143 or 129 stopped by SIGTERM or SIGHUP, and 1 by Ctrl-C, a run of `train` with the state from
//! which `--resume` goes on. Output that cannot be written is an error, after a command has done all else that it is for;
//! whoever reads it may stop early, as `head` does, without one.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "these macros panic where the other end is closed"
)]

mod commands;
pub mod config;
pub mod corpus;
pub mod data;
mod device;
mod failure;
pub mod files;
mod interrupt;
mod labelled;
mod letters;
mod lines;
mod output;
mod perplexity;
mod progress;
mod reasons;
pub mod run;
mod softmax_costs;
mod source;
mod statistics;
mod writable;

use std::process::ExitCode;

use clap::Parser;

use commands::Command;
use failure::Failure;

#[derive(Parser)]
#[command(name = "saccade", version, about = "Recurrent networks that decide how much to compute")]
struct Arguments {
    /// Write results and errors as JSON, each on one line.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// Does what the program's arguments say.
pub fn main() -> ExitCode {
    let (json, done) = match Arguments::try_parse() {
        Ok(Arguments { json, command }) => (json, command.run(json)),
        Err(usage) if usage.use_stderr() && asks_for_json() => (true, Err(usage.into())),
        Err(usage) if usage.use_stderr() => {
            // With standard error closed there is nobody left to tell.
            let _ = usage.print();
            return ExitCode::from(2);
        }
        Err(help) => (false, help.print().map_err(Failure::from)),
    };
    match done.and_then(|()| writable::check()) {
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(json);
            failure.status().into()
        }
    }
}

/// Whether the arguments, which make no sense, have `--json`.
fn asks_for_json() -> bool {
    std::env::args_os().skip(1).take_while(|argument| argument != "--").any(|argument| argument == "--json")
}
