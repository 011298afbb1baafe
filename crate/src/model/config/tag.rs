//! The config of a tagger: one label for every word, by the word, its letters and the words around it.

use serde::{Deserialize, Serialize};

use super::{Config, LARGEST_SIZE, LayerConfig, ModelError, UNKNOWN, check_distinct, check_range, excerpt};
use crate::text::{TokenizerKind, UNIVERSAL};

/// Whether taggers are compiled: the browser's inference binary leaves them out.
pub(in crate::model) const TAGS: bool = cfg!(any(feature = "graph", not(feature = "web")));
/// Whether tags may be scored together. Where there are words alone that somebody has cut, it takes too much room.
pub(in crate::model) const CRF: bool = UNIVERSAL;

/// One label for every word: `{"tag": {"labels": ["ADJ", …], "characters": {"alphabet": ["<unk>", "e", …], …}}}`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tagging {
    /// The tags in the order of the scores, each once.
    pub labels: Vec<String>,
    /// How words are spelled, beside their vectors; absent from a tagger that sees words alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub characters: Option<Characters>,
    /// Whether the tags of a sentence are scored together, by a conditional random field, or each for itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(all(feature = "web", not(feature = "graph")), serde(skip))]
    pub crf: bool,
}

/// An LSTM in both directions over the letters of each word. Its last states stand beside the word's vector.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Characters {
    /// The letters in the order of their vectors, each once and as written; the first is `<unk>`.
    pub alphabet: Vec<String>,
    /// The width of a letter's vector.
    pub embedding_size: usize,
    /// The width of the state, in each direction.
    pub hidden_size: usize,
}

impl Characters {
    pub(in crate::model) fn layer(&self) -> LayerConfig {
        LayerConfig::Lstm { hidden_size: self.hidden_size, bidirectional: true }
    }

    fn validate(&self) -> Result<(), ModelError> {
        match self.alphabet.first() {
            Some(first) if first == UNKNOWN => {}
            first => {
                let found = first.map_or("none".into(), |first| format!("{:?}", excerpt(first)));
                return Err(ModelError::config("alphabet[0]", UNKNOWN, found));
            }
        }
        check_distinct("alphabet", &self.alphabet)?;
        check_range("characters.embedding_size", self.embedding_size, 1, LARGEST_SIZE)?;
        check_range("characters.hidden_size", self.hidden_size, 1, LARGEST_SIZE)
    }

    fn weights(&self) -> u64 {
        let size = self.embedding_size as u64;
        self.alphabet.len() as u64 * size + self.layer().weights(size)
    }
}

impl Tagging {
    pub(super) fn validate(&self, config: &Config) -> Result<(), ModelError> {
        if self.labels.is_empty() {
            return Err(ModelError::config("labels", "at least one label", "none"));
        }
        check_distinct("labels", &self.labels)?;
        if self.crf && !CRF {
            return Err(ModelError::config("crf", "false: this build scores tags one by one", "true"));
        }
        let tokenizer = config.tokenizer;
        // The letters of a word are those of the text, so that no form of another spelling will do.
        if tokenizer.kind() == TokenizerKind::Treebank {
            let expected = "universal, spaces or characters, to tag";
            return Err(ModelError::config("tokenizer.kind", expected, "treebank"));
        }
        if tokenizer.ends().is_some() {
            return Err(ModelError::config("tokenizer.ends", "none, to tag", "one"));
        }
        if config.skims() {
            return Err(ModelError::config(
                "encoder",
                "layers that read every word, to tag",
                "one that skims",
            ));
        }
        self.characters.as_ref().map_or(Ok(()), Characters::validate)
    }

    /// The columns that the letters add to a word's vector.
    pub(super) fn letters_size(&self) -> usize {
        self.characters.as_ref().map_or(0, |characters| characters.layer().output_size())
    }

    /// The numbers in the matrices that only a tagger has, under its tags.
    pub(super) fn letters_weights(&self) -> u64 {
        self.characters.as_ref().map_or(0, Characters::weights)
    }

    /// The numbers in the matrices of the head over rows of `width` columns.
    pub(super) fn head_weights(&self, width: u64) -> u64 {
        let labels = self.labels.len() as u64;
        labels * if self.crf { width + labels } else { width }
    }
}
