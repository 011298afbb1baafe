//! Why a command failed.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use saccade_rnn::device::EngineError;
use saccade_rnn::device::gpu::GpuUnavailable;
use saccade_rnn::model::{ModelError, ReadError};
use saccade_rnn::text::TreeError;
use saccade_rnn::train::vectors::VectorsError;

use crate::corpus::CorpusError;
use crate::files::FileError;
use crate::interrupt;
use crate::run::RunError;
use crate::softmax_costs::CostError;

/// Why a command failed; every kind has a code and a line for people.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A command line that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A file cannot be opened or read.
    #[error("cannot read {}: {reason}", .path.display())]
    File { path: PathBuf, reason: io::Error },
    /// A file is no model.
    #[error("{}: {reason}", .path.display())]
    Model { path: PathBuf, reason: ModelError },
    /// A model that does not decide, where decisions are what is asked for.
    #[error("{}: this model has no Skim layer and reads every token", .0.display())]
    NeverSkims(PathBuf),
    /// Running text, where a model wants labels.
    #[error(
        "this model classifies: it is measured on labelled text, as lines, imdb-tsv, ag-csv or sst-trees"
    )]
    Unlabelled,
    /// Labelled text, where a model predicts words.
    #[error("this model predicts words: it is measured on running text, as text, lines or imdb-tsv")]
    NotRunning,
    /// Text without tags, where a model tags words.
    #[error("this model tags words: it is measured on tagged text, as conllu")]
    Untagged,
    /// Text without trees, where a model parses.
    #[error("this model parses sentences: it is measured on a treebank, as conllu")]
    Unparsed,
    /// Text without trees, where a model labels their nodes.
    #[error("this model labels the nodes of trees: it is measured on trees in brackets, as ptb")]
    NoTrees,
    /// Lines, of which each ends in a word that the model does not know.
    #[error("this model has no word <eos>, in which every one of the lines ends: it is measured on text")]
    NoEnds,
    /// An option that means nothing for what it is given with.
    #[error("{option}: {reason}")]
    Option { option: &'static str, reason: &'static str },
    /// An output that is a file to be read.
    #[error("--out: this command reads {}, which would be written over", .0.display())]
    Overwrites(PathBuf),
    /// A model whose task is another than what it is asked for.
    #[error("{asked}: the model's task is {task}")]
    Question { asked: &'static str, task: &'static str },
    /// A grid that would take too long.
    #[error(
        "--grid: {cuts} cuts with {tails} tails, and at most {most} are measured: fewer --tails, or more --coverage"
    )]
    Grid { cuts: u128, tails: usize, most: u128 },
    /// A table of fixations without what was asked for.
    #[error("{}: no sentence is of the split {split:?}", .path.display())]
    NoSentences { path: PathBuf, split: String },
    /// Files without a word.
    #[error("{}: there is no word to count", .0.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "))]
    NoWords(Vec<PathBuf>),
    /// A text cannot be read as asked.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A text is no tree, where a tree is to be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// A training config is not one.
    #[error("{}: {reason}", path.display())]
    Config { path: PathBuf, reason: String },
    /// A training run failed.
    #[error(transparent)]
    Train(#[from] RunError),
    /// Word vectors cannot be had.
    #[error(transparent)]
    Vectors(#[from] VectorsError),
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] FileError),
    /// Labelled texts cannot be read.
    #[error(transparent)]
    Data(#[from] CorpusError),
    /// Nor can those below the folder of `--data`.
    #[error("{}{}", .0, .0.advice())]
    DataBelow(CorpusError),
    /// The engine failed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// An adaptive softmax cannot be measured.
    #[error(transparent)]
    Costs(#[from] CostError),
    /// There is no GPU, and a command was told to use it.
    #[error("--device gpu: {0}")]
    NoGpu(#[from] GpuUnavailable),
    /// Signals cannot be caught.
    #[error("cannot listen for signals: {0}")]
    Listen(io::Error),
    /// Stopped by Ctrl-C, or another signal.
    #[error("stopped: {0}")]
    Cancelled(String),
    /// Lines of which some have no answer but a mistake.
    #[error("{mistakes} of {lines} lines have an error for an answer: their records say why")]
    Lines { mistakes: u64, lines: u64 },
    /// Lines of which not all were read, since a signal asked to stop.
    #[error("stopped by signal {signal} after {lines} lines, whose records are written")]
    Ended { signal: i32, lines: u64 },
    /// A thread ended by a panic.
    #[error("a thread of this program failed")]
    Thread,
    /// Standard input fails.
    #[error("cannot read standard input: {0}")]
    Input(io::Error),
    /// Standard input is not text. It is refused, not repaired: spans would belong to another text.
    #[error("standard input is not UTF-8: byte {at} begins no character")]
    Encoding { at: usize },
    /// Standard output fails.
    #[error("cannot write to standard output: {0}")]
    Output(io::Error),
    /// Whoever read standard output has stopped.
    #[error("standard output was closed")]
    OutputClosed,
}

impl Failure {
    /// For [`Result::map_err`] on reading `path`.
    pub(crate) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |reason| Self::File { path: path.to_owned(), reason }
    }

    /// For [`Result::map_err`] on what is in `path`.
    pub(crate) fn model(path: &Path) -> impl FnOnce(ModelError) -> Self {
        move |reason| {
            let reason = match reason {
                // The library's advice is for programs, that give bytes.
                ModelError::Foreign { what, .. } if what.starts_with("text ") => ModelError::Foreign {
                    what,
                    remedy: "name the file of a model, as `saccade train` writes it",
                },
                reason => reason,
            };
            Self::Model { path: path.to_owned(), reason }
        }
    }

    /// A name for the kind of failure that stays the same between versions.
    fn code(&self) -> &'static str {
        match self {
            Self::Usage(_) => "USAGE_INVALID",
            Self::File { reason, .. } if reason.kind() == io::ErrorKind::NotFound => "FILE_NOT_FOUND",
            Self::File { .. } => "FILE_UNREADABLE",
            Self::Model { reason, .. } => reason.code(),
            Self::NeverSkims(_) => "MODEL_NEVER_SKIMS",
            Self::Read(reason) => reason.code(),
            Self::Config { .. } => "CONFIG_INVALID",
            Self::Train(_) => "TRAIN_FAILED",
            Self::Cancelled(_) | Self::Ended { .. } | Self::Vectors(VectorsError::Cancelled { .. }) => {
                "CANCELLED"
            }
            Self::Vectors(_) => "VECTORS_FAILED",
            Self::Write(_) => "FILE_UNWRITABLE",
            Self::Unlabelled
            | Self::NotRunning
            | Self::Untagged
            | Self::Unparsed
            | Self::NoTrees
            | Self::NoEnds => "FORMAT_INVALID",
            Self::Option { .. } | Self::Overwrites(_) | Self::Question { .. } | Self::Grid { .. } => {
                "OPTION_INVALID"
            }
            Self::Data(_)
            | Self::DataBelow(_)
            | Self::Tree(_)
            | Self::NoSentences { .. }
            | Self::NoWords(_) => "DATA_INVALID",
            Self::Engine(_) | Self::Costs(CostError::Engine(_)) => "ENGINE",
            Self::Costs(CostError::Build(_)) => "SIZES_INVALID",
            Self::NoGpu(_) => "NO_GPU",
            Self::Listen(_) => "SIGNAL",
            Self::Lines { .. } => "LINES_INVALID",
            Self::Thread => "THREAD_FAILED",
            Self::Input(_) => "INPUT_UNREADABLE",
            Self::Encoding { .. } => "INPUT_NOT_UTF8",
            Self::Output(_) | Self::OutputClosed => "OUTPUT_FAILED",
        }
    }

    /// The exit status that tells of it.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Lines { .. } => 3,
            Self::Cancelled(_)
            | Self::Read(ReadError::Cancelled { .. })
            | Self::Vectors(VectorsError::Cancelled { .. }) => interrupt::status(),
            // As shells have it.
            Self::Ended { signal, .. } => u8::try_from(128 + signal).unwrap_or(1),
            _ => 1,
        }
    }

    /// Writes one line to standard error.
    pub(crate) fn report(&self, json: bool) {
        let message = self.to_string();
        let line = if json {
            serde_json::json!({ "error": { "code": self.code(), "message": message } }).to_string()
        } else {
            format!("error: {}", crate::output::printable(&message).replace('\n', " "))
        };
        // With standard error closed there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{line}");
    }
}

/// Of a command line: what is wrong with it, without advice.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let said = error.to_string();
        let wrong = said.split("\n\n").next().unwrap_or(&said);
        let wrong = wrong.strip_prefix("error: ").unwrap_or(wrong);
        Self::Usage(wrong.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Of writing to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::OutputClosed } else { Self::Output(error) }
    }
}
