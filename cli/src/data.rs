//! Labelled text and the formats it is read from.

mod ag_news;
pub mod conllu;
mod fixations;
mod imdb;
mod lines;
mod source;
mod trees;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use fixations::{Fixated, ReadSentence, read_fixations};
pub use saccade_rnn::train::{Example, labels, remove_texts_of};
pub(crate) use source::Source;

/// How a file of labelled text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// `label word word …`, one tokenised example a line. UTF-8, or Latin-1 if the file as a whole is not valid
    /// UTF-8; UTF-16 is refused. Only ASCII spaces separate; U+00A0 and its like are parts of words.
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
    #[error("{} does not exist{}", .path.display(), .folder.as_ref().map_or(String::new(), |folder| format!(" (there is no folder {})", folder.display())))]
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

#[cfg(test)]
mod tests;
