//! Text as word vectors are trained on it: a vocabulary, and sentences of its ids.

use std::collections::HashMap;

use crate::text::Vocabulary;

/// A vocabulary and the sentences it was counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    /// The words.
    pub vocabulary: Vocabulary,
    /// The sentences as ids of the vocabulary, 0 for a word outside it.
    pub sentences: Vec<Vec<u32>>,
}

impl Corpus {
    /// A corpus of sentences, with the words that occur `min_count` times or more.
    pub fn new<S, W>(sentences: S, min_count: u64) -> Self
    where
        S: IntoIterator,
        S::Item: IntoIterator<Item = W>,
        W: Into<String>,
    {
        let mut builder = CorpusBuilder::default();
        sentences.into_iter().for_each(|sentence| builder.push(sentence));
        builder.finish(min_count, None)
    }

    /// The number of words in the sentences, those outside the vocabulary included.
    pub fn tokens(&self) -> u64 {
        self.sentences.iter().map(|sentence| sentence.len() as u64).sum()
    }
}

/// A corpus in the making: sentences under ids in the order of first occurrence, so that each word is kept once while
/// the text is read.
#[derive(Debug, Default)]
pub struct CorpusBuilder {
    ids: HashMap<String, u32>,
    sentences: Vec<Vec<u32>>,
}

impl CorpusBuilder {
    /// Adds a sentence.
    pub fn push<W: Into<String>>(&mut self, sentence: impl IntoIterator<Item = W>) {
        let mut id = |word: W| {
            let next = self.ids.len() as u32;
            *self.ids.entry(word.into()).or_insert(next)
        };
        let sentence = sentence.into_iter().map(&mut id).collect();
        self.sentences.push(sentence);
    }

    /// The corpus of these sentences, with the words that occur `min_count` times or more, at most `max_words`
    /// ([`Vocabulary::build`]).
    pub fn finish(mut self, min_count: u64, max_words: Option<usize>) -> Corpus {
        let mut words = vec![""; self.ids.len()];
        self.ids.iter().for_each(|(word, &id)| words[id as usize] = word);
        let occurrences = self.sentences.iter().flatten().map(|&id| words[id as usize]);
        let vocabulary = Vocabulary::build(occurrences, min_count, max_words);
        let ids: Vec<_> = words.iter().map(|word| vocabulary.id(word)).collect();
        self.sentences.iter_mut().flatten().for_each(|id| *id = ids[*id as usize]);
        Corpus { vocabulary, sentences: self.sentences }
    }
}
