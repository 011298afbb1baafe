//! Text as word vectors are trained on it: a vocabulary, and sentences of its ids.

use std::collections::HashMap;
use std::path::Path;

use crate::text::{Tokenizer, Vocabulary};
use crate::train::data::{DataError, Format};

/// A vocabulary and the sentences it was counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    /// The words.
    pub vocabulary: Vocabulary,
    /// The sentences as ids of the vocabulary, 0 for a word outside it.
    pub sentences: Vec<Vec<u32>>,
}

impl Corpus {
    /// Reads labelled files and leaves their labels aside. Every text is one sentence, tokenised by `tokenizer`
    /// unless the format says it is tokenised; [phrases](crate::train::data::Example::phrase) are left out, since
    /// they repeat parts of sentences. The vocabulary holds the words that occur `min_count` times or more in all
    /// files together.
    ///
    /// # Errors
    /// As for [`Format::read`].
    pub fn read<P: AsRef<Path>>(
        files: &[(P, Format)],
        tokenizer: &Tokenizer,
        min_count: u64,
    ) -> Result<Self, DataError> {
        let mut draft = Draft::default();
        for (path, format) in files {
            for example in format.read(path)?.iter().filter(|example| !example.phrase) {
                draft.push(example.words(tokenizer));
            }
        }
        Ok(draft.finish(min_count))
    }

    /// A corpus of sentences that are in memory, with the words that occur `min_count` times or more.
    pub fn new<S, W>(sentences: S, min_count: u64) -> Self
    where
        S: IntoIterator,
        S::Item: IntoIterator<Item = W>,
        W: Into<String>,
    {
        let mut draft = Draft::default();
        sentences.into_iter().for_each(|sentence| draft.push(sentence));
        draft.finish(min_count)
    }

    /// The number of words in the sentences, those outside the vocabulary included.
    pub fn tokens(&self) -> u64 {
        self.sentences.iter().map(|sentence| sentence.len() as u64).sum()
    }
}

/// Sentences under ids in the order of first occurrence, so that each word is kept once while the text is read.
#[derive(Default)]
struct Draft {
    ids: HashMap<String, u32>,
    sentences: Vec<Vec<u32>>,
}

impl Draft {
    fn push<W: Into<String>>(&mut self, sentence: impl IntoIterator<Item = W>) {
        let mut id = |word: W| {
            let next = self.ids.len() as u32;
            *self.ids.entry(word.into()).or_insert(next)
        };
        let sentence = sentence.into_iter().map(&mut id).collect();
        self.sentences.push(sentence);
    }

    /// Replaces the ids by those of a vocabulary.
    fn finish(mut self, min_count: u64) -> Corpus {
        let mut words = vec![""; self.ids.len()];
        self.ids.iter().for_each(|(word, &id)| words[id as usize] = word);
        let occurrences = self.sentences.iter().flatten().map(|&id| words[id as usize]);
        let vocabulary = Vocabulary::build(occurrences, min_count, None);
        let ids: Vec<_> = words.iter().map(|word| vocabulary.id(word)).collect();
        self.sentences.iter_mut().flatten().for_each(|id| *id = ids[*id as usize]);
        Corpus { vocabulary, sentences: self.sentences }
    }
}
