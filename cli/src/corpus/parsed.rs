//! Sentences with their trees, as a parser numbers words, letters, tags, heads and relations.

use std::collections::BTreeSet;

use saccade_rnn::model::{Model, ROOT};
use saccade_rnn::train::ParsedText;

use super::CorpusError;
use super::tagged::{self, Sentences};
use crate::data::DataError;
use crate::data::conllu::{Sentence, Word};

/// The relation of a word but for its subtype, which follows a colon: `nsubj` of `nsubj:pass`.
pub fn universal(word: &Word) -> &str {
    word.relation.split(':').next().unwrap_or_default()
}

/// The relations of words that are no roots, in byte order.
pub fn relations(sentences: &[Sentence]) -> Vec<String> {
    let words = sentences.iter().flat_map(|sentence| &sentence.words);
    let relations: BTreeSet<_> = words.filter(|word| word.head != Some(0)).map(universal).collect();
    relations.into_iter().map(String::from).collect()
}

/// Whether a sentence is a tree with one root, and no arcs that cross: one that transitions of words side by side can build.
pub fn is_learnable(sentence: &Sentence) -> bool {
    sentence.is_tree() && sentence.is_projective()
}

/// Checks that every word has a head.
///
/// # Errors
/// The first that has none.
pub fn check_heads(sentences: &Sentences) -> Result<(), CorpusError> {
    let headless =
        sentences.examples.iter().flat_map(|sentence| &sentence.words).find(|word| word.head.is_none());
    headless.map_or(Ok(()), |word| {
        let problem = "has a word without a head, and a parser is about heads".into();
        Err(DataError::BadLine { path: (&sentences.name).into(), line: word.line, problem }.into())
    })
}

/// Numbers words, letters, tags, heads and relations.
///
/// # Errors
/// If a word has no head, or a tag that the model has not. A relation that it has not is none, and never found.
pub fn number(sentences: &Sentences, model: &Model) -> Result<Vec<ParsedText>, CorpusError> {
    check_heads(sentences)?;
    let known = model.config().task.relations();
    let tagged = tagged::number(sentences, model)?;
    let texts = tagged.into_iter().zip(&sentences.examples).map(|(text, sentence)| {
        let words = &sentence.words;
        let head = |word: &Word| word.head.and_then(|head| head.checked_sub(1)).unwrap_or(words.len()) as u32;
        let relation = |word: &Word| match word.head {
            Some(0) => (universal(word) == ROOT).then_some(known.len() as u32),
            _ => known.iter().position(|relation| relation == universal(word)).map(|number| number as u32),
        };
        ParsedText {
            words: text.words,
            tags: text.tags,
            heads: words.iter().map(head).collect(),
            relations: words.iter().map(relation).collect(),
        }
    });
    Ok(texts.collect())
}
