//! The native command line: `saccade --help`.
//!
//! Exit status: 0 done, 1 an error (one line `error: …` on standard error; with `--json` the line is
//! `{"error": {"code", "message"}}`), 2 a command line that makes no sense.

mod curve;
mod device;
mod eval;
mod export;
mod eyes;
mod failure;
mod inspect;
mod interrupt;
mod labelled;
mod letters;
mod output;
mod progress;
mod read;
mod reasons;
mod source;
mod statistics;
mod train;
mod vectors;
mod words;

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
    /// Read a text: what was read, what was skimmed, what it cost, what it says.
    Read(read::Arguments),
    /// Show what is inside a model, or any safetensors file of floats.
    Inspect(inspect::Arguments),
    /// Measure a model on labelled texts.
    Eval(eval::Arguments),
    /// Measure a model that skims at many thresholds: what accuracy it keeps for what it saves.
    Curve(curve::Arguments),
    /// List the words of labelled texts that a model skims most and reads most.
    Words(words::Arguments),
    /// Hold a model's decisions against where people's eyes rested.
    Eyes(eyes::Arguments),
    /// Write a smaller copy of a model.
    Export(export::Arguments),
    /// Train a model.
    Train(train::Arguments),
    /// Train word vectors on labelled text, whose labels are left aside.
    Vectors(vectors::Arguments),
}

fn main() -> ExitCode {
    let Arguments { json, command } = Arguments::parse();
    let outcome = match command {
        Command::Read(arguments) => read::run(arguments, json),
        Command::Inspect(arguments) => inspect::run(&arguments, json),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Curve(arguments) => curve::run(&arguments),
        Command::Words(arguments) => words::run(&arguments),
        Command::Eyes(arguments) => eyes::run(&arguments),
        Command::Export(arguments) => export::run(arguments, json),
        Command::Train(arguments) => train::run(arguments, json),
        Command::Vectors(arguments) => vectors::run(arguments, json),
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
