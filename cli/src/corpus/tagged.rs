//! Sentences with a tag on every word, as a tagger numbers words, letters and tags.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use saccade_rnn::device::Device;
use saccade_rnn::model::{Characters, Model, ReadError, Spelled};
use saccade_rnn::text::{Tokenizer, Vocabulary};
use saccade_rnn::train::TaggedText;
use serde::Serialize;

use super::CorpusError;
use crate::data::DataError;
use crate::data::conllu::{self, Sentence};

/// What the training sentences know: words, letters, tags.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The words, as the tokenizer writes them.
    pub words: Vocabulary,
    /// The letters, as they are.
    pub letters: Vocabulary,
    /// The tags, in byte order.
    pub tags: Vec<String>,
}

impl Known {
    /// Words that occur `min_count` times or more, and letters that do.
    pub fn of(sentences: &[Sentence], tokenizer: &Tokenizer, min_count: u64) -> Self {
        let words = || sentences.iter().flat_map(|sentence| &sentence.words);
        let letters = words().flat_map(|word| word.form.chars().map(String::from));
        let tags: BTreeSet<_> = words().map(|word| word.tag.clone()).collect();
        Self {
            words: Vocabulary::build(words().map(|word| tokenizer.form(&word.form)), min_count, None),
            letters: Vocabulary::build(letters, min_count, None),
            tags: tags.into_iter().collect(),
        }
    }

    /// How a network spells these letters.
    pub fn characters(&self, embedding_size: usize, hidden_size: usize) -> Characters {
        Characters { alphabet: self.letters.words().to_vec(), embedding_size, hidden_size }
    }
}

/// Sentences of a file as a tagger sees them: its words are those of the treebank, not cut anew.
///
/// # Errors
/// If the file cannot be read, or has a tag that the model has not.
pub fn read_tagged(path: &Path, model: &Model) -> Result<Vec<TaggedText>, CorpusError> {
    number(&conllu::read(path)?, path, model)
}

/// Numbers words, letters and tags. `path` is the file they come from, for the error.
///
/// # Errors
/// If there is a tag that the model has not.
pub fn number(sentences: &[Sentence], path: &Path, model: &Model) -> Result<Vec<TaggedText>, CorpusError> {
    let known = model.config().task.labels();
    let text = |sentence: &Sentence| {
        let words: Spelled = model.spell(sentence.words.iter().map(|word| word.form.as_str()));
        let tags = sentence.words.iter().map(|word| {
            let tag = known.iter().position(|tag| *tag == word.tag);
            tag.map(|tag| tag as u32).ok_or_else(|| DataError::UnknownLabel {
                path: path.to_owned(),
                line: sentence.line,
                label: word.tag.clone(),
                known: known.to_vec(),
            })
        });
        Ok(TaggedText { words, tags: tags.collect::<Result<_, DataError>>()? })
    };
    sentences.iter().map(text).collect()
}

/// What a tagger makes of sentences that it cuts into words itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct FromText {
    /// Words of the treebank.
    pub n: usize,
    /// Words that the tokenizer cuts out.
    pub words: usize,
    /// The share of the treebank's words that it cuts out, with the same bytes.
    pub found: f64,
    /// The share of the treebank's words that it cuts out and tags rightly.
    pub accuracy: f64,
}

/// Tags the texts of sentences.
///
/// # Errors
/// If the engine fails.
pub fn cut(sentences: &[Sentence], model: &Model, device: &Device) -> Result<FromText, ReadError> {
    let texts: Vec<&str> = sentences.iter().map(|sentence| sentence.text.as_str()).collect();
    let tagged = pollster::block_on(model.tag_all(device, &texts, &mut ()))?;
    let mut counts = [0; 4];
    for (sentence, tagged) in sentences.iter().zip(tagged) {
        let cut: BTreeMap<_, _> =
            tagged.iter().map(|word| ((word.span.bytes.start, word.span.bytes.end), word.tag)).collect();
        counts[1] += cut.len();
        for word in &sentence.words {
            let found = cut.get(&(word.span.start, word.span.end));
            let right = found.is_some_and(|tag| *tag == word.tag);
            counts = [
                counts[0] + 1,
                counts[1],
                counts[2] + usize::from(found.is_some()),
                counts[3] + usize::from(right),
            ];
        }
    }
    let [n, words, found, right] = counts;
    let share = |count: usize| count as f64 / n.max(1) as f64;
    Ok(FromText { n, words, found: share(found), accuracy: share(right) })
}
