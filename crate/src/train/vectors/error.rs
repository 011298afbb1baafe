//! Why there are no vectors.

use crate::model::ModelError;
use crate::text::VocabularyError;

/// Why word vectors could not be trained or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VectorsError {
    /// An option has a value that no training can have.
    #[error("`{option}` is {found}; it must be {expected}")]
    Option {
        /// The option, as it is called in [`SkipGram`](super::SkipGram).
        option: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        found: String,
    },
    /// There is nothing to tell apart: a word is learned from the words around it, against other words.
    #[error("the text has {found} different words of the vocabulary; vectors need at least two")]
    TooFewWords {
        /// How many there are.
        found: usize,
    },
    /// A sentence holds a number that is no word's.
    #[error("sentence {sentence}, word {position}: id {id} is not below {words}, the size of the vocabulary")]
    UnknownId {
        /// The sentence, from 0.
        sentence: usize,
        /// The position in the sentence, from 0.
        position: usize,
        /// The id.
        id: u32,
        /// The words of the vocabulary.
        words: usize,
    },
    /// The vectors would need more memory than can be addressed.
    #[error("{words} vectors of {size} numbers do not fit in memory")]
    TooLarge {
        /// Words of the vocabulary.
        words: usize,
        /// Numbers of a vector.
        size: usize,
    },
    /// The cancel flag was raised.
    #[error("stopped after {done} of {total} words; no vectors were made")]
    Cancelled {
        /// Words trained on, every epoch counted.
        done: u64,
        /// Words there were to train on, every epoch counted.
        total: u64,
    },
    /// A vector holds a number that is not finite.
    #[error(
        "training diverged in epoch {epoch}: the vector of {word:?} is not finite; a lower learning rate may help"
    )]
    Diverged {
        /// The epoch, from 1.
        epoch: u32,
        /// The first word whose vector is not finite.
        word: String,
    },
    /// The parts of a set of vectors contradict each other.
    #[error("{words} words with vectors of {size} numbers need {expected} numbers; there are {found}", expected = words.saturating_mul(*size))]
    Shape {
        /// Words of the vocabulary.
        words: usize,
        /// Numbers of a vector.
        size: usize,
        /// Numbers there are.
        found: usize,
    },
    /// A file of vectors is not a valid safetensors file, or its tensors are not those of word vectors.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A file of vectors does not say which words they belong to.
    #[error("the file holds no word vectors: its metadata lacks the key {:?}", super::VOCABULARY_KEY)]
    MissingVocabulary,
    /// The list of words in a file is not JSON of that shape.
    #[error("the list of words is malformed: {0}")]
    VocabularySyntax(#[source] serde_json::Error),
    /// The list of words in a file is no vocabulary.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
}
