//! Words as people saw them, beside the tokens that a network saw.

use std::collections::HashMap;

use saccade_rnn::text::{Token, Tokenizer};

use super::class::Class;
use crate::data::{Fixated, ReadSentence};
use crate::letters::letters;

/// A word that people and the network saw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Word {
    /// The number of its sentence.
    pub(super) sentence: usize,
    /// Share of the readers that looked at it.
    pub(super) looked_at: f64,
    /// The network's probability of reading it: of its tokens, the likeliest to be read.
    pub(super) probability: f64,
    /// Whether the network read it: one of its tokens.
    pub(super) read: bool,
    /// Letters and digits.
    pub(super) length: usize,
    /// How often its rarest token occurs in some other text.
    pub(super) frequency: u64,
    /// Of its longest token, the last of equals.
    pub(super) class: Class,
}

/// A sentence cut for the network.
pub(super) struct Sentence<'a> {
    read: &'a ReadSentence,
    /// What the network is given.
    pub(super) tokens: Vec<Token>,
}

/// What a network did with a token.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    /// Its probability of skimming it.
    pub(super) skim_probability: f32,
    /// Whether it skimmed it.
    pub(super) skimmed: bool,
}

impl<'a> Sentence<'a> {
    /// The words with spaces between, as they stood on the screen, cut by `tokenizer`.
    pub(super) fn new(read: &'a ReadSentence, tokenizer: &Tokenizer) -> Self {
        let words: Vec<&str> = read.words.iter().map(|word| word.word.as_str()).collect();
        Self { read, tokens: tokenizer.tokenize(&words.join(" ")) }
    }

    /// The words of sentence number `number`, given what the network did with each token. Tokens without a letter or digit do
    /// not count, nor do words that have no other.
    pub(super) fn words(
        &self,
        number: usize,
        seen: &[Seen],
        frequencies: &HashMap<String, u64>,
    ) -> Vec<Word> {
        let mut start = 0;
        let word = |fixated: &Fixated| {
            let span = start..start + fixated.word.len();
            start = span.end + 1;
            let of_word = |(token, _): &(&Token, &Seen)| {
                span.contains(&token.span.bytes.start) && letters(&token.text) > 0
            };
            let own: Vec<(&Token, &Seen)> = self.tokens.iter().zip(seen).filter(of_word).collect();
            let longest = own.iter().max_by_key(|(token, _)| letters(&token.text))?.0;
            let frequency = |token: &Token| frequencies.get(&token.text).copied().unwrap_or(0);
            Some(Word {
                sentence: number,
                looked_at: fixated.share,
                probability: own.iter().map(|(_, s)| 1.0 - f64::from(s.skim_probability)).fold(0.0, f64::max),
                read: own.iter().any(|(_, seen)| !seen.skimmed),
                length: letters(&fixated.word),
                frequency: own.iter().map(|(token, _)| frequency(token)).min()?,
                class: Class::of(&longest.text.to_lowercase()),
            })
        };
        self.read.words.iter().filter_map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_its_tokens_without_punctuation() {
        let fixated = |word: &str, share| Fixated { word: word.to_owned(), share };
        let words = [("``It's", 0.5), ("--", 0.0), ("Grand,", 1.0), ("don't", 0.25)];
        let read = ReadSentence {
            split: "test".into(),
            words: words.iter().map(|(word, share)| fixated(word, *share)).collect(),
        };
        let sentence = Sentence::new(&read, &Tokenizer::treebank());
        let tokens: Vec<&str> = sentence.tokens.iter().map(|token| token.text.as_str()).collect();
        assert_eq!(tokens, ["``", "it", "'s", "--", "grand", ",", "do", "n't"]);
        // Punctuation is read, and must not count; of "it 's" the second is read, of "do n't" neither.
        let skim_probability = [0.0, 0.75, 0.25, 0.0, 0.5, 0.0, 0.75, 1.0];
        let seen: Vec<Seen> =
            skim_probability.map(|p| Seen { skim_probability: p, skimmed: p > 0.5 }).to_vec();
        let frequencies =
            HashMap::from([("it", 9), ("'s", 7), ("do", 5), ("n't", 8)].map(|(w, n)| (w.into(), n)));
        let word = |looked_at, probability, read, length, frequency, class| Word {
            sentence: 3,
            looked_at,
            probability,
            read,
            length,
            frequency,
            class,
        };
        assert_eq!(
            sentence.words(3, &seen, &frequencies),
            [
                word(0.5, 0.75, true, 3, 7, Class::Pronoun),
                word(1.0, 0.5, true, 5, 0, Class::Content),
                word(0.25, 0.25, false, 4, 5, Class::Negation),
            ]
        );
    }
}
