//! Labelled text: examples, the formats they are read from, and how a set is split.

mod ag_news;
pub mod conllu;
mod fixations;
mod imdb;
mod lines;
mod source;
mod split;
mod trees;

use std::collections::HashSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use fixations::{Fixated, ReadSentence, read_fixations};
use saccade_rnn::text::{Tokenizer, TokenizerKind};
pub(crate) use source::Source;
pub use split::{Split, folds, hold_out};

/// A text and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The label as the data set writes it: `0`, `pos`, `3`.
    pub label: String,
    /// The text. If [`tokenised`](Self::tokenised), its tokens with one or more ASCII spaces between them.
    pub text: String,
    /// Whether somebody has tokenised the text, so that it is to be split at ASCII spaces and nowhere else.
    pub tokenised: bool,
    /// Whether the text is a part of a sentence that has its own label, as in a treebank. Phrases are for training;
    /// a figure of accuracy counts whole texts.
    pub phrase: bool,
    /// The line of the file on which the example begins, from 1.
    pub line: usize,
}

impl Example {
    /// The normalised words of the text: tokenised text is split at ASCII spaces, and lower-cased if `tokenizer`
    /// does so; other text is given to `tokenizer`.
    pub fn words(&self, tokenizer: &Tokenizer) -> Vec<String> {
        let spaces = Tokenizer::new(TokenizerKind::Spaces, tokenizer.lowercase());
        let tokenizer = if self.tokenised { &spaces } else { tokenizer };
        tokenizer.tokenize(&self.text).into_iter().map(|token| token.text).collect()
    }
}

/// How a file of labelled text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `label word word …`, one tokenised example a line. UTF-8, or Latin-1 if the file as a whole is not valid
    /// UTF-8. Only ASCII spaces separate; U+00A0 and its like are parts of words.
    Lines,
    /// The Large Movie Review Dataset: label, id, rating and text between tabs. The text is raw, with its `<br />`.
    ImdbTsv,
    /// AG News as comma-separated values. Without a header: class (1–4), title, description. With the header
    /// `label,gt,text,group` of NoisyAG-News: the class is `gt` + 1, never the deliberately noisy `label`. Either way
    /// the label is `1` to `4` and the text `title . description`, with the damaged character references, escapes and
    /// markup of that collection repaired.
    AgCsv,
    /// The Stanford Sentiment Treebank as bracketed trees with a label of 0–4 on every node. Each node is an example
    /// with the binary label `0` (0, 1) or `1` (3, 4); neutral nodes are left out. All but the root are
    /// [phrases](Example::phrase). Words are lower-cased, which makes the leaves those of `stsa.binary.*`.
    SstTrees,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Lines, Self::ImdbTsv, Self::AgCsv, Self::SstTrees];

    /// The name by which configurations and the command line call the format.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::ImdbTsv => "imdb-tsv",
            Self::AgCsv => "ag-csv",
            Self::SstTrees => "sst-trees",
        }
    }

    /// Reads a file of this format. Blank lines are passed over.
    ///
    /// # Errors
    /// If the file cannot be read, is not text, holds a line that is not of this format, or no text at all.
    pub fn read(self, path: impl AsRef<Path>) -> Result<Vec<Example>, DataError> {
        let path = path.as_ref();
        let source = Source::open(path)?;
        let examples = match self {
            Self::Lines => lines::parse(&source),
            Self::ImdbTsv => imdb::parse(&source),
            Self::AgCsv => ag_news::parse(&source),
            Self::SstTrees => trees::parse(&source),
        }?;
        if examples.is_empty() {
            return Err(DataError::Empty { path: path.to_owned(), format: self });
        }
        Ok(examples)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.name() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// A name that is no [`Format`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no format is called {0:?}; there are {list}", list = Format::ALL.map(Format::name).join(", "))]
pub struct UnknownFormat(pub String);

/// Why labelled text could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// A file, or a folder on the way to it, does not exist.
    #[error("{} does not exist{}; `--data DIR` names the folder that holds the data", .path.display(), .folder.as_ref().map_or(String::new(), |folder| format!(" (there is no folder {})", folder.display())))]
    Missing {
        /// The file that was wanted.
        path: PathBuf,
        /// The outermost folder on the way to it that is missing, if one is.
        folder: Option<PathBuf>,
    },
    /// The file exists and cannot be read.
    #[error("{} cannot be read: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file holds no text.
    #[error("{} holds no labelled text of the format {format}", .path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// The format by which it was read.
        format: Format,
    },
    /// A line is not of the format.
    #[error("{}:{line}: {problem}", .path.display())]
    BadLine {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A label is none of those known.
    #[error("{}:{line}: the label {label:?} is none of {}", .path.display(), .known.join(", "))]
    UnknownLabel {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The label.
        label: String,
        /// The labels that would do.
        known: Vec<String>,
    },
}

/// The different labels of `examples`, in byte order.
pub fn labels(examples: &[Example]) -> Vec<String> {
    let labels: std::collections::BTreeSet<_> = examples.iter().map(|example| &example.label).collect();
    labels.into_iter().cloned().collect()
}

/// The index of each example's label in `known`. `path` is the file they were read from, for the error.
///
/// # Errors
/// [`DataError::UnknownLabel`] for the first label that is not in `known`.
pub fn encode_labels(examples: &[Example], known: &[String], path: &Path) -> Result<Vec<usize>, DataError> {
    let index = |example: &Example| {
        known.iter().position(|label| *label == example.label).ok_or_else(|| DataError::UnknownLabel {
            path: path.to_owned(),
            line: example.line,
            label: example.label.clone(),
            known: known.to_vec(),
        })
    };
    examples.iter().map(index).collect()
}

/// Removes from `examples` every text that occurs in `others`, white space apart, whatever its label; returns how
/// many were removed. A training set is kept apart from its test set in this way.
pub fn remove_texts_of(examples: &mut Vec<Example>, others: &[Example]) -> usize {
    let key = |example: &Example| example.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let held: HashSet<_> = others.iter().map(key).collect();
    let before = examples.len();
    examples.retain(|example| !held.contains(&key(example)));
    before - examples.len()
}

#[cfg(test)]
mod tests;
