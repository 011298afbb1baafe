//! The native command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod vectors;

/// Recurrent networks that decide how much to compute
#[derive(Parser)]
#[command(name = "saccade", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Vectors(vectors::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Vectors(args) => vectors::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("saccade: {error}");
            ExitCode::FAILURE
        }
    }
}
