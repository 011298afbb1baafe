//! The native command line: `saccade --help`. Files, arguments and what is shown to people; the arithmetic is
//! `saccade_rnn`'s.
//!
//! Exit status: 0 done, 1 an error (one line `error: …` on standard error; with `--json` the line is
//! `{"error": {"code", "message"}}`), 2 a command line that makes no sense.

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
mod output;
mod progress;
mod reasons;
pub mod run;
mod source;
mod statistics;

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
    let Arguments { json, command } = Arguments::parse();
    match command.run(json) {
        // Whoever reads our output may stop early, as `head` does.
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(json);
            ExitCode::FAILURE
        }
    }
}
