//! The commands, a file each: its arguments, what it does, what it prints.

mod curve;
mod cutoffs;
mod eval;
mod export;
mod eyes;
mod inspect;
mod lines;
mod read;
mod train;
mod vectors;
mod words;
mod write;

use std::path::Path;

use clap::Subcommand;

use crate::failure::Failure;
use crate::lines::Question;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Read a text: what was read, what was skimmed, what it cost, what it says.
    Read(read::Arguments),
    /// Tag the words of texts, one a line.
    Tag(lines::Arguments),
    /// Parse texts, one a line.
    Parse(lines::Arguments),
    /// Have a language model score texts, one a line.
    Score(lines::Arguments),
    /// Show what is inside a model, or any safetensors file of floats.
    Inspect(inspect::Arguments),
    /// Have a language model go on with texts.
    Write(write::Arguments),
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
    /// Find where to cut a vocabulary for an adaptive softmax, by what its parts take on this device.
    Cutoffs(cutoffs::Arguments),
    /// Train word vectors on labelled text, whose labels are left aside.
    Vectors(vectors::Arguments),
}

impl Command {
    /// Runs the command; `json` asks for results as JSON.
    pub(crate) fn run(self, json: bool) -> Result<(), Failure> {
        match self {
            Self::Read(arguments) => read::run(arguments, json),
            Self::Tag(arguments) => lines::run(&arguments, Question::Tag),
            Self::Parse(arguments) => lines::run(&arguments, Question::Parse),
            Self::Score(arguments) => lines::run(&arguments, Question::Score),
            Self::Inspect(arguments) => inspect::run(&arguments, json),
            Self::Write(arguments) => write::run(arguments, json),
            Self::Eval(arguments) => eval::run(&arguments),
            Self::Curve(arguments) => curve::run(&arguments),
            Self::Words(arguments) => words::run(&arguments),
            Self::Eyes(arguments) => eyes::run(&arguments),
            Self::Export(arguments) => export::run(arguments, json),
            Self::Train(arguments) => train::run(&arguments, json),
            Self::Cutoffs(arguments) => cutoffs::run(&arguments, json),
            Self::Vectors(arguments) => vectors::run(arguments, json),
        }
    }
}

/// Refuses to write over a file that is read, under whatever name. An output that is not there yet is none.
fn check_apart(out: &Path, inputs: impl IntoIterator<Item: AsRef<Path>>) -> Result<(), Failure> {
    let Ok(out) = out.canonicalize() else { return Ok(()) };
    if inputs.into_iter().any(|input| input.as_ref().canonicalize().is_ok_and(|input| input == out)) {
        let reason = "it is a file that this command reads, which would be written over";
        return Err(Failure::Option { option: "--out", reason });
    }
    Ok(())
}
