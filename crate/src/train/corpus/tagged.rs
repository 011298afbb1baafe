//! Sentences with a tag on every word, as a tagger numbers words, letters and tags.

use std::ops::Range;

use super::labelled::distinct;
use super::{CorpusError, split};
use crate::model::{Characters, Model};
use crate::text::{Token, Tokenizer, Vocabulary, is_ignored, sentences};
use crate::train::TaggedText;
use crate::train::settings::CharacterSizes;

/// A sentence, and the tags of its words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaggedExample {
    /// The words as the text has them.
    pub words: Vec<String>,
    /// As many tags.
    pub tags: Vec<String>,
    /// The line of the file on which it begins, from 1.
    pub line: usize,
}

/// The sentences of a set; what has more than words and tags is another type.
#[derive(Clone, Debug, Default)]
pub struct TaggedExamples<E = TaggedExample> {
    /// What an error calls them.
    pub name: String,
    /// The sentences.
    pub examples: Vec<E>,
}

impl TaggedExamples {
    /// Adds the sentences of a text with a tag for every token, cut as a tagger with this tokenizer cuts it. `line` is where it
    /// stands.
    ///
    /// # Errors
    /// [`CorpusError::Tags`] if it has more tokens than tags, or fewer.
    pub fn push_text(
        &mut self,
        text: &str,
        tags: &[String],
        tokenizer: &Tokenizer,
        line: usize,
    ) -> Result<(), CorpusError> {
        let tokens = tokenizer.tokenize(text);
        if tokens.len() != tags.len() {
            let (name, tokens, tags) = (self.name.clone(), tokens.len(), tags.len());
            return Err(CorpusError::Tags { name, line, tokens, tags });
        }
        let word = |token: &Token| text[token.span.bytes.clone()].to_owned();
        let sentence = |range: Range<usize>| TaggedExample {
            words: tokens[range.clone()].iter().map(word).collect(),
            tags: tags[range].to_vec(),
            line,
        };
        self.examples.extend(sentences(text, &tokens).into_iter().map(sentence));
        Ok(())
    }

    /// Numbers words, letters and tags as a model does. Words are those given, not cut anew.
    ///
    /// # Errors
    /// If there is a tag that the model has not.
    pub fn items(&self, model: &Model) -> Result<Vec<TaggedText>, CorpusError> {
        let known = model.config().task.labels();
        let text = |example: &TaggedExample| {
            let number = |tag: &String| {
                let number = known.iter().position(|known| known == tag);
                number.map(|number| number as u32).ok_or_else(|| CorpusError::UnknownLabel {
                    name: self.name.clone(),
                    line: example.line,
                    label: tag.clone(),
                    known: known.to_vec(),
                })
            };
            let words = model.spell(example.words.iter().map(String::as_str));
            Ok(TaggedText { words, tags: example.tags.iter().map(number).collect::<Result<_, _>>()? })
        };
        self.examples.iter().map(text).collect()
    }
}

/// The sentences of a run.
#[derive(Clone, Debug, Default)]
pub struct TaggedSets<E = TaggedExample> {
    /// To learn from.
    pub train: TaggedExamples<E>,
    /// To choose by.
    pub dev: TaggedExamples<E>,
    /// To report on.
    pub test: TaggedExamples<E>,
}

impl<E> TaggedSets<E> {
    /// Moves so many training sentences to those to choose by. Which they are depends on nothing but how many there are.
    pub fn hold_out(&mut self, count: usize) {
        if count > 0 {
            self.dev.name.clone_from(&self.train.name);
            self.dev.examples.extend(split::take_held_out(&mut self.train.examples, count));
        }
    }
}

/// The different tags of sentences, in byte order.
pub fn tags(examples: &[TaggedExample]) -> Vec<String> {
    distinct(&mut examples.iter().flat_map(|example| &example.tags))
}

/// What training sentences know: words and letters.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The words, as the tokenizer writes them.
    pub words: Vocabulary,
    /// The letters, as they are, but for those that are read past.
    pub letters: Vocabulary,
}

impl Known {
    /// Words that occur `min_count` times or more, and letters that do.
    pub fn of(examples: &[TaggedExample], tokenizer: &Tokenizer, min_count: u64) -> Self {
        let words = || examples.iter().flat_map(|example| &example.words);
        let letters = words().flat_map(|word| word.chars().filter(|&c| !is_ignored(c)).map(String::from));
        Self {
            words: Vocabulary::build(words().map(|word| tokenizer.form(word)), min_count, None),
            letters: Vocabulary::build(letters, min_count, None),
        }
    }

    /// How a network of these sizes spells these letters.
    pub fn characters(&self, sizes: CharacterSizes) -> Characters {
        let CharacterSizes { embedding_size, hidden_size } = sizes;
        Characters { alphabet: self.letters.words().to_vec(), embedding_size, hidden_size }
    }
}
