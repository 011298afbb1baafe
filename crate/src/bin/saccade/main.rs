//! The native command line: `saccade --help`.

mod failure;
mod interrupt;
mod output;
mod train;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

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

#[derive(Subcommand)]
enum Command {
    /// Train a model.
    Train(train::Arguments),
}

fn main() -> ExitCode {
    let Arguments { json, command } = Arguments::parse();
    let outcome = match command {
        Command::Train(arguments) => train::run(arguments, json),
    };
    match outcome {
        // Whoever reads our output may stop early, as `head` does.
        Ok(()) | Err(Failure::OutputClosed) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.report(json);
            ExitCode::FAILURE
        }
    }
}
