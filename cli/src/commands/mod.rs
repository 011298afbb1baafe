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

// A command's help is what stands here: with `-h` the first paragraph, with `--help` all of it.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Read a text: what was read, what was skimmed, what it cost, what it says.
    ///
    /// With `--lines` texts come one a line, with the records and the exit statuses of `saccade tag`.
    Read(read::Arguments),
    /// Tag the words of texts, one a line.
    #[command(after_long_help = lines::RECORDS)]
    Tag(lines::Arguments),
    /// Parse texts, one a line.
    #[command(after_long_help = lines::RECORDS)]
    Parse(lines::Arguments),
    /// Have a language model score texts, one a line.
    #[command(after_long_help = lines::RECORDS)]
    Score(lines::Arguments),
    /// Show what is inside a model, or any safetensors file of floats.
    Inspect(inspect::Arguments),
    /// Have a language model go on with texts.
    ///
    /// With `--json` prints `{texts: [{beginning, text, words, log_probability, ended, rows_computed}], batches}`.
    Write(write::Arguments),
    /// Measure a model on texts whose answers are known.
    ///
    /// Prints JSON. Of a classifier on labelled texts: `{n, accuracy, skim_rate, flop_reduction, tokens_per_second}`. Of a language
    /// model on running text: `{n, perplexity, loss, unknown, tokens_per_second, clusters, convention}`. Of a tagger on tagged
    /// text: `{n, accuracy, sentences_per_second, from_text, …}`. Of a parser on a treebank: `{n, uas, las, accuracy,
    /// sentences_per_second, …}`. Of a tree classifier on trees in brackets: `{n, accuracy, nodes, node_accuracy, binary, …}`.
    Eval(eval::Arguments),
    /// Measure a model that skims at many thresholds: what accuracy it keeps for what it saves.
    ///
    /// Prints `{texts, of, points: [{threshold, accuracy, skimRate, flopReduction}]}`: the points were measured on `texts` of the
    /// file's `of` texts. Each is a pass of its own, since a skimmed word changes the state in which the next is met.
    Curve(curve::Arguments),
    /// List the words of labelled texts that a model skims most and reads most.
    ///
    /// Prints `{tokens, skimRate, minCount, unknown: {count, skimmed}, skimmed: [{word, count, skimmed}], read: […]}`: how often
    /// each word occurs and how often the first Skim layer skimmed it. `skimmed` holds words that are skimmed more often than read,
    /// `read` the others; each is ranked by the lower bound of the 95 % interval (Wilson 1927) of the share that is skimmed, or
    /// read, so that a word that occurs seldom does not lead by chance. Punctuation counts in the totals alone.
    Words(words::Arguments),
    /// Hold a model's decisions against where people's eyes rested.
    ///
    /// Prints how far the share of readers that looked at a word goes with the network's probability of reading it, and the share
    /// looked at by decision, by class and by length of the word. Aggregates alone: no sentence can be made of them.
    Eyes(eyes::Arguments),
    /// Write a smaller copy of a model.
    ///
    /// The copy has fewer words, or is stored less precisely. Figures recorded in the model are dropped: they are not the copy's.
    /// `--measure` records its own.
    Export(export::Arguments),
    /// Train a model.
    ///
    /// Ctrl-C stops it with exit status 1, and on Unix SIGTERM and SIGHUP with 143 and 129; the same command with `--resume` goes
    /// on from there.
    Train(train::Arguments),
    /// Find where to cut a vocabulary for an adaptive softmax, by what its parts take on this device.
    ///
    /// Measures the head and the tails of an adaptive softmax (Grave et al. 2017) at many sizes, finds for every number of tails
    /// the cut-offs of the least expected time by dynamic programming, and measures those: for a training step, forward and
    /// backward, and for one row, as a language model writes. The head is to hold most of the text, for a tail represents its
    /// words by fewer numbers. One vocabulary has two best cuts; a model has one, so that the choice is yours.
    Cutoffs(cutoffs::Arguments),
    /// Train word vectors on labelled text, whose labels are left aside.
    ///
    /// Skip-gram with negative sampling (Mikolov et al. 2013).
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
    let Ok(place) = out.canonicalize() else { return Ok(()) };
    if inputs.into_iter().any(|input| input.as_ref().canonicalize().is_ok_and(|input| input == place)) {
        return Err(Failure::Overwrites(out.to_owned()));
    }
    Ok(())
}
