//! The vocabulary: which words a model knows, and the number of each.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::cpu::order::argsort;

/// The word that stands for every word outside the vocabulary. Its id is 0.
pub const UNKNOWN: &str = "<unk>";

/// Words numbered from 0 by decreasing frequency in the text they were counted in, after [`UNKNOWN`], which is 0.
///
/// A vocabulary is (de)serialised as the plain list of its words in the order of their ids.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Vocabulary {
    words: Vec<String>,
    /// Ids in the byte order of their words, for look-up.
    sorted: Vec<u32>,
    /// The beginning of each word as a number, in the same order: a search compares these, which lie side by side, and
    /// waits for memory less often than one that compares words.
    beginnings: Vec<u64>,
}

/// The first eight bytes of a word as a number in byte order, zeros behind its end.
fn beginning(word: &str) -> u64 {
    let mut first = [0; 8];
    let length = word.len().min(8);
    first[..length].copy_from_slice(&word.as_bytes()[..length]);
    u64::from_be_bytes(first)
}

/// Why a list of words is no vocabulary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VocabularyError {
    /// The list does not begin with [`UNKNOWN`].
    #[error("a vocabulary begins with `{UNKNOWN}`; this one {}", .found.as_ref().map_or("is empty".to_owned(), |word| format!("begins with {word:?}")))]
    MissingUnknown {
        /// The first word, if there is one.
        found: Option<String>,
    },
    /// A word occurs twice.
    #[error("the vocabulary holds {word:?} twice, as words {first} and {second}")]
    Duplicate {
        /// The word.
        word: String,
        /// Its first id.
        first: u32,
        /// Its second id.
        second: u32,
    },
    /// There are more words than ids.
    #[error("a vocabulary of {words} words does not fit 32-bit ids")]
    TooLarge {
        /// The number of words.
        words: usize,
    },
}

impl Vocabulary {
    /// Counts `words` and keeps those that occur `min_count` times or more, at most `max_size` words in all
    /// ([`UNKNOWN`] included, and present in any case). An empty word, as one that a tokenizer reads past is left, is none.
    /// Words of equal frequency are in byte order, so the result does not depend on the order of the input.
    pub fn build<W: AsRef<str>>(
        words: impl IntoIterator<Item = W>,
        min_count: u64,
        max_size: Option<usize>,
    ) -> Self {
        let mut counts = HashMap::<String, u64>::new();
        for word in words {
            match counts.get_mut(word.as_ref()) {
                Some(count) => *count += 1,
                None => {
                    counts.insert(word.as_ref().to_owned(), 1);
                }
            }
        }
        Self::of_counts(counts, min_count, max_size)
    }

    fn of_counts(mut counts: HashMap<String, u64>, min_count: u64, max_size: Option<usize>) -> Self {
        counts.remove("");
        counts.remove(UNKNOWN);
        let (mut words, counts): (Vec<_>, Vec<_>) =
            counts.into_iter().filter(|&(_, count)| count >= min_count).unzip();
        let order =
            argsort(words.len(), &|a, b| counts[b].cmp(&counts[a]).then_with(|| words[a].cmp(&words[b])));
        let ids = u32::MAX as usize;
        let most = max_size.unwrap_or(ids).clamp(1, ids) - 1;
        let kept = order.into_iter().take(most).map(|word| std::mem::take(&mut words[word]));
        let words: Vec<_> = std::iter::once(UNKNOWN.to_owned()).chain(kept).collect();
        Self::try_from(words)
            .expect("the keys of a map without `<unk>`, cut to the number of ids, after one `<unk>`")
    }

    /// The id of `word`, or 0 if the vocabulary does not hold it.
    pub fn id(&self, word: &str) -> u32 {
        self.find(word).unwrap_or(0)
    }

    /// Whether the vocabulary holds `word`.
    pub fn contains(&self, word: &str) -> bool {
        self.find(word).is_some()
    }

    /// The word with this id, if there is one.
    pub fn word(&self, id: u32) -> Option<&str> {
        self.words.get(usize::try_from(id).ok()?).map(String::as_str)
    }

    /// The words in the order of their ids.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// The number of words, [`UNKNOWN`] included; at least 1.
    #[expect(clippy::len_without_is_empty, reason = "a vocabulary is never empty")]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    fn find(&self, word: &str) -> Option<u32> {
        let wanted = beginning(word);
        let first = self.beginnings.partition_point(|&beginning| beginning < wanted);
        // Few share a beginning as a rule, but a file may hold any words.
        let mut alike = 1;
        while self.beginnings.get(first + alike) == Some(&wanted) {
            alike *= 2;
        }
        let sorted = &self.sorted[first..self.sorted.len().min(first + alike)];
        let found = sorted.binary_search_by(|&id| self.words[id as usize].as_str().cmp(word));
        found.ok().map(|at| sorted[at])
    }
}

impl TryFrom<Vec<String>> for Vocabulary {
    type Error = VocabularyError;

    fn try_from(words: Vec<String>) -> Result<Self, VocabularyError> {
        if u32::try_from(words.len()).is_err() {
            return Err(VocabularyError::TooLarge { words: words.len() });
        }
        if words.first().map(String::as_str) != Some(UNKNOWN) {
            return Err(VocabularyError::MissingUnknown { found: words.into_iter().next() });
        }
        let word = |id: u32| words[id as usize].as_str();
        let sorted = argsort(words.len(), &|a, b| words[a].cmp(&words[b]));
        let sorted: Vec<u32> = sorted.into_iter().map(|id| id as u32).collect();
        if let Some(&[first, second]) = sorted.array_windows().find(|[a, b]| word(*a) == word(*b)) {
            return Err(VocabularyError::Duplicate { word: word(first).to_owned(), first, second });
        }
        let beginnings = sorted.iter().map(|&id| beginning(word(id))).collect();
        Ok(Self { words, sorted, beginnings })
    }
}

impl From<Vocabulary> for Vec<String> {
    fn from(vocabulary: Vocabulary) -> Self {
        vocabulary.words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn frequent_words_come_first_and_ties_are_in_byte_order() {
        let text = "b a a c <unk> <unk> <unk> b d";
        let vocabulary = Vocabulary::build(text.split(' '), 1, None);
        assert_eq!(vocabulary.words(), ["<unk>", "a", "b", "c", "d"]);
        let reversed = Vocabulary::build(text.split(' ').rev(), 1, None);
        assert_eq!(vocabulary, reversed);
        assert_eq!(Vocabulary::build(text.split(' '), 2, None).words(), ["<unk>", "a", "b"]);
        assert_eq!(Vocabulary::build(text.split(' '), 1, Some(4)).words(), ["<unk>", "a", "b", "c"]);
        assert_eq!(Vocabulary::build(text.split(' '), 1, Some(0)).words(), ["<unk>"]);
    }

    #[test]
    fn ids_and_words_are_inverse_and_the_unknown_is_zero() {
        let vocabulary = Vocabulary::build(["read", "skim", "skim"], 1, None);
        for (id, word) in (0..).zip(vocabulary.words()) {
            assert_eq!(vocabulary.id(word), id);
            assert_eq!(vocabulary.word(id), Some(word.as_str()));
        }
        assert_eq!(vocabulary.id("jump"), 0);
        assert!(vocabulary.contains("skim") && !vocabulary.contains("jump"));
        assert_eq!(vocabulary.word(3), None);
    }

    #[test]
    fn words_that_begin_alike_are_told_apart() {
        let words = [
            "<unk>",
            "skimming",
            "skimming-stone",
            "skimmings",
            "skim",
            "skim\0",
            "s",
            "",
            "\u{e9}t\u{e9}",
            "skimmin\u{e9}",
        ];
        let vocabulary = Vocabulary::try_from(list(&words)).unwrap();
        for (id, word) in (0..).zip(words) {
            assert_eq!(vocabulary.id(word), id, "{word:?}");
        }
        for word in ["skimmin", "skimming ", "skim\0\0", "\0", "z", "skimmings\u{e9}"] {
            assert!(!vocabulary.contains(word), "{word:?}");
        }
    }

    #[test]
    fn it_is_stored_as_a_plain_list() {
        let vocabulary = Vocabulary::build(["x", "y", "y"], 1, None);
        let json = serde_json::to_string(&vocabulary).unwrap();
        assert_eq!(json, r#"["<unk>","y","x"]"#);
        assert_eq!(serde_json::from_str::<Vocabulary>(&json).unwrap(), vocabulary);
    }

    #[test]
    fn bad_lists_are_refused_with_the_reason() {
        let duplicate = Vocabulary::try_from(list(&["<unk>", "a", "b", "a"])).unwrap_err();
        assert_eq!(duplicate, VocabularyError::Duplicate { word: "a".into(), first: 1, second: 3 });
        let twice = Vocabulary::try_from(list(&["<unk>", "<unk>"])).unwrap_err();
        assert_eq!(twice.to_string(), "the vocabulary holds \"<unk>\" twice, as words 0 and 1");
        let headless = Vocabulary::try_from(list(&["a", "<unk>"])).unwrap_err();
        assert_eq!(headless.to_string(), "a vocabulary begins with `<unk>`; this one begins with \"a\"");
        let empty = serde_json::from_str::<Vocabulary>("[]").unwrap_err();
        assert!(empty.to_string().contains("this one is empty"), "{empty}");
    }
}
