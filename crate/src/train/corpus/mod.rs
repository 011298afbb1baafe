//! Texts in memory as word ids, by what is to be learned from them.

mod labelled;
mod running;
mod split;
mod table;
mod tagged;

pub use labelled::{Example, Examples, LabelledCorpus, LabelledSets, encode_labels, labels, remove_texts_of};
pub use running::{
    RunningCorpus, Set, check_lines, check_share, document_words, line_words, number_documents, share,
};
pub use split::{Split, fold, hold_out};
pub use table::{Column, TableError, TableFormat, TableReader};
pub use tagged::{Known, TaggedExample, TaggedExamples, TaggedSets, tags};

use crate::text::{UNKNOWN, Vocabulary, VocabularyError};

/// The texts of a run cannot be numbered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A label is none of those known.
    #[error("{name}:{line}: the label {label:?} is none of {}", .known.join(", "))]
    UnknownLabel {
        /// What the texts are called.
        name: String,
        /// The line, from 1.
        line: usize,
        /// The label.
        label: String,
        /// The labels that would do.
        known: Vec<String>,
    },
    /// A text has not a tag for every token.
    #[error("{name}:{line}: expected one tag for each of its {tokens} tokens, found {tags}")]
    Tags {
        /// What the texts are called.
        name: String,
        /// The line, from 1.
        line: usize,
        /// How many tokens it is cut into.
        tokens: usize,
        /// How many tags it has.
        tags: usize,
    },
    /// Texts of which some are to be held out have phrases.
    #[error("{name} has phrases: data.hold_out and data.folds would part them from their sentences")]
    Phrases {
        /// What the texts are called.
        name: String,
    },
    /// Most texts have a label of their own, as where a table's columns are exchanged.
    #[error(
        "there are {labels} different labels for {texts} texts; if no texts are taken for labels, name them in data.labels"
    )]
    Labels {
        /// How many labels there are.
        labels: usize,
        /// How many texts to learn from there are.
        texts: usize,
    },
    /// There are too few texts to cut them into folds.
    #[error("data.folds: {name} has {texts} texts")]
    Folds {
        /// What the texts are called.
        name: String,
        /// How many texts there are.
        texts: usize,
    },
    /// The words.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// Nothing to learn from or choose by.
    #[error("there is no {0} text")]
    Empty(&'static str),
    /// Too little for a language model.
    #[error("no {0} text has two words, of which one could be predicted")]
    Short(&'static str),
}

/// The most frequent words, and then more while there is room for `max` in all.
///
/// # Errors
/// If there are too many.
pub fn extend(built: Vocabulary, more: &[String], max: Option<usize>) -> Result<Vocabulary, VocabularyError> {
    let mut words = built.words().to_vec();
    let room = max.unwrap_or(usize::MAX).max(1);
    words.truncate(room);
    for word in more.iter().filter(|word| *word != UNKNOWN && !built.contains(word)) {
        if words.len() >= room {
            break;
        }
        words.push(word.clone());
    }
    Vocabulary::try_from(words)
}
