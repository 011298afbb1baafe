//! Texts with a label each.

use std::collections::{BTreeSet, HashSet};

use super::{CorpusError, extend, split};
use crate::cpu::order::sort_by;
use crate::text::{Tokenizer, TokenizerKind, Vocabulary};
use crate::train::settings::LabelledData;
use crate::train::{Item, Texts};

/// A text and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The label as the data set writes it: `0`, `pos`, `3`.
    pub label: String,
    /// The text. If [`tokenised`](Self::tokenised), its tokens with one or more ASCII spaces between them.
    pub text: String,
    /// Whether somebody has tokenised the text, so that it is to be split at ASCII spaces and nowhere else.
    pub tokenised: bool,
    /// Whether the text is a part of a sentence that has its own label, as in a treebank. Phrases are for training;
    /// a figure of accuracy counts whole texts.
    pub phrase: bool,
    /// The line of the file on which the example begins, from 1.
    pub line: usize,
}

impl Example {
    /// The normalised words of the text: tokenised text is split at ASCII spaces, and lower-cased and ended as `tokenizer`
    /// does so; other text is given to `tokenizer`.
    pub fn words(&self, tokenizer: &Tokenizer) -> Vec<String> {
        let spaces = Tokenizer::new(TokenizerKind::Spaces, tokenizer.lowercase()).with_ends(tokenizer.ends());
        let tokenizer = if self.tokenised { &spaces } else { tokenizer };
        tokenizer.tokenize(&self.text).into_iter().map(|token| token.text).collect()
    }
}

/// Examples of one file, say.
#[derive(Clone, Debug)]
pub struct Examples {
    /// What an error calls them.
    pub name: String,
    /// The texts.
    pub examples: Vec<Example>,
}

impl Examples {
    /// The texts as word ids, and the numbers of their labels, which are among `labels`.
    ///
    /// # Errors
    /// If a label is not.
    pub fn items(
        &self,
        tokenizer: &Tokenizer,
        vocabulary: &Vocabulary,
        labels: &[String],
    ) -> Result<Vec<Item>, CorpusError> {
        let numbers = encode_labels(&self.examples, labels, &self.name)?;
        let item = |(example, label): (&Example, usize)| Item {
            ids: example.words(tokenizer).iter().map(|word| vocabulary.id(word)).collect(),
            label: label as u32,
            teacher: None,
        };
        Ok(self.examples.iter().zip(numbers).map(item).collect())
    }
}

/// As many labels may be of one text each.
const MOST: usize = 16;

/// The examples of a run.
#[derive(Clone, Debug, Default)]
pub struct LabelledSets {
    /// To learn from, together.
    pub train: Vec<Examples>,
    /// To choose by.
    pub dev: Vec<Examples>,
    /// To report on.
    pub test: Vec<Examples>,
}

/// All texts of a run, numbered.
#[derive(Clone, Debug)]
pub struct LabelledCorpus {
    /// The texts.
    pub texts: Texts<Item>,
    /// The words.
    pub vocabulary: Vocabulary,
    /// Readable labels.
    pub labels: Vec<String>,
    /// The labels as the texts have them, in the same order.
    pub data_labels: Vec<String>,
}

impl LabelledCorpus {
    /// Numbers words and labels. Development and test sets lose their phrases, and training texts that occur in the test
    /// set are removed. `more_words` (those of a model to start from) follow the words of the training texts as long as
    /// `max_words` allows. What is held out does not depend on the seed of the run.
    ///
    /// # Errors
    /// If a label is unknown, training or development texts are missing, or some are to be held out of texts with phrases, or
    /// there are more folds than texts; if `data.labels` names none and most texts have one of their own.
    pub fn new<P>(
        data: &LabelledData<P>,
        LabelledSets { mut train, mut dev, mut test }: LabelledSets,
        more_words: &[String],
    ) -> Result<Self, CorpusError> {
        for set in dev.iter_mut().chain(&mut test) {
            set.examples.retain(|example| !example.phrase);
        }
        // Before any are taken away: a rare label may be held out as a whole.
        let (data_labels, labels): (Vec<String>, _) = label_names(data, &train).into_iter().unzip();
        let count: usize = train.iter().map(|texts| texts.examples.len()).sum();
        if data.labels.is_empty() && data_labels.len() > (count / 2).max(MOST) {
            return Err(CorpusError::Labels { labels: data_labels.len(), texts: count });
        }
        if data.folds > 0 {
            test.extend(take_fold(&mut train, data)?);
        }
        for set in &test {
            train.iter_mut().for_each(|texts| {
                remove_texts_of(&mut texts.examples, &set.examples);
            });
        }
        if data.hold_out > 0 {
            dev.extend(hold_out(&mut train, data)?);
        }
        if data.distinct {
            keep_distinct(&mut train, &data.tokenizer);
        }
        for (set, texts) in [("training", &train), ("development", &dev)] {
            if texts.iter().all(|texts| texts.examples.is_empty()) {
                return Err(CorpusError::Empty(set));
            }
        }
        let words = train.iter().flat_map(|texts| &texts.examples).flat_map(|e| e.words(&data.tokenizer));
        let built = Vocabulary::build(words, data.min_count, None);
        let vocabulary = extend(built, more_words, data.max_words)?;
        let items = |sets: &[Examples]| -> Result<Vec<Item>, CorpusError> {
            let items = sets.iter().map(|texts| texts.items(&data.tokenizer, &vocabulary, &data_labels));
            Ok(items.collect::<Result<Vec<_>, _>>()?.concat())
        };
        let texts = Texts { train: items(&train)?, dev: items(&dev)?, test: items(&test)? };
        Ok(Self { texts, vocabulary, labels, data_labels })
    }
}

/// The different labels of `examples`, in byte order.
pub fn labels<'a>(examples: impl IntoIterator<Item = &'a Example>) -> Vec<String> {
    distinct(&mut examples.into_iter().map(|example| &example.label))
}

/// Each of the names once, in byte order.
pub(super) fn distinct(names: &mut dyn Iterator<Item = &String>) -> Vec<String> {
    let mut distinct = BTreeSet::new();
    distinct.extend(names);
    distinct.into_iter().cloned().collect()
}

/// The index of each example's label in `known`. `name` is what an error calls the examples.
///
/// # Errors
/// [`CorpusError::UnknownLabel`] for the first label that is not in `known`.
pub fn encode_labels(examples: &[Example], known: &[String], name: &str) -> Result<Vec<usize>, CorpusError> {
    let index = |example: &Example| {
        known.iter().position(|label| *label == example.label).ok_or_else(|| CorpusError::UnknownLabel {
            name: name.to_owned(),
            line: example.line,
            label: example.label.clone(),
            known: known.to_vec(),
        })
    };
    examples.iter().map(index).collect()
}

/// Removes from `examples` every text that occurs in `others`, white space apart, whatever its label; returns how
/// many were removed. A training set is kept apart from its test set in this way.
pub fn remove_texts_of(examples: &mut Vec<Example>, others: &[Example]) -> usize {
    let key = |example: &Example| example.text.split_whitespace().collect::<Vec<_>>().join(" ");
    let held: HashSet<_> = others.iter().map(key).collect();
    let before = examples.len();
    examples.retain(|example| !held.contains(&key(example)));
    before - examples.len()
}

/// Keeps the first of texts that are equal in words and label.
fn keep_distinct(train: &mut [Examples], tokenizer: &Tokenizer) {
    let mut seen = HashSet::new();
    for texts in train {
        texts.examples.retain(|e| seen.insert((e.label.clone(), e.words(tokenizer))));
    }
}

/// (label in the texts, readable label) in the order of the scores.
fn label_names<P>(data: &LabelledData<P>, train: &[Examples]) -> Vec<(String, String)> {
    if !data.labels.is_empty() {
        return data.labels.iter().map(|l| (l.file.clone(), l.name.clone())).collect();
    }
    let all = labels(train.iter().flat_map(|texts| &texts.examples));
    all.into_iter().map(|label| (label.clone(), label)).collect()
}

/// Moves one fold of the training texts into a set of its own. The folds do not depend on the seed of the run.
fn take_fold<P>(train: &mut [Examples], data: &LabelledData<P>) -> Result<Vec<Examples>, CorpusError> {
    let pick = |texts: &mut Examples| {
        let count = texts.examples.len();
        if data.folds > count {
            return Err(CorpusError::Folds { name: texts.name.clone(), texts: count });
        }
        take(texts, &split::fold(count, data.folds, data.fold, 0).held_out)
    };
    train.iter_mut().map(pick).collect()
}

/// Moves `hold_out` texts of the first training file into a set of their own. The choice does not depend on the
/// seed of the run, so that runs can be compared.
fn hold_out<P>(train: &mut [Examples], data: &LabelledData<P>) -> Result<Option<Examples>, CorpusError> {
    let Some(first) = train.first_mut() else { return Ok(None) };
    let len = first.examples.len();
    let indices = if data.dev_block {
        blocks(&first.examples, data.hold_out)
    } else {
        split::hold_out(len, data.hold_out, 0).held_out
    };
    take(first, &indices).map(Some)
}

/// The last texts of every label, in the order of the file, in proportion, `count` in all (all, if there are no more).
fn blocks(examples: &[Example], count: usize) -> Vec<usize> {
    let count = count.min(examples.len());
    let of = |label| (0..examples.len()).filter(|&i| examples[i].label == label).collect();
    let places: Vec<Vec<usize>> = labels(examples).into_iter().map(of).collect();
    let share = |label: usize| (places[label].len() as u64 * count as u64, examples.len() as u64);
    let mut taken: Vec<usize> =
        (0..places.len()).map(|label| (share(label).0 / share(label).1) as usize).collect();
    // What is left when every share is whole goes to those that lost most by it, of those that lost as much to the largest.
    let mut lost: Vec<_> =
        (0..places.len()).map(|label| (share(label).0 % share(label).1, places[label].len())).collect();
    for _ in taken.iter().sum()..count {
        let Some(label) = (0..lost.len()).max_by_key(|&label| lost[label]) else { break };
        taken[label] += 1;
        lost[label] = (0, 0);
    }
    let mut held = Vec::with_capacity(count);
    for (places, taken) in places.iter().zip(taken) {
        held.extend(&places[places.len() - taken..]);
    }
    sort_by(&mut held, &|a, b| a.cmp(&b));
    held
}

/// Moves texts into a set of their own, unless some have phrases: a sentence would be known by those that are left.
fn take(texts: &mut Examples, indices: &[usize]) -> Result<Examples, CorpusError> {
    if texts.examples.iter().any(|example| example.phrase) {
        return Err(CorpusError::Phrases { name: texts.name.clone() });
    }
    let taken = indices.iter().map(|&i| texts.examples[i].clone()).collect();
    let mut at = 0;
    texts.examples.retain(|_| {
        at += 1;
        indices.binary_search(&(at - 1)).is_err()
    });
    Ok(Examples { name: texts.name.clone(), examples: taken })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examples(texts: &[(&str, &str)]) -> Vec<Example> {
        let example = |(i, &(label, text)): (usize, &(&str, &str))| Example {
            label: label.into(),
            text: text.into(),
            tokenised: true,
            phrase: false,
            line: i + 1,
        };
        texts.iter().enumerate().map(example).collect()
    }

    #[test]
    fn labels_are_numbered_or_refused() {
        let examples = examples(&[("b", "x"), ("a", "y"), ("b", "z")]);
        let known = labels(&examples);
        assert_eq!(known, ["a", "b"]);
        assert_eq!(encode_labels(&examples, &known, "f").unwrap(), [1, 0, 1]);
        let error = encode_labels(&examples, &known[1..], "f").unwrap_err();
        assert_eq!(error.to_string(), "f:2: the label \"a\" is none of b");
    }

    #[test]
    fn texts_of_another_set_are_removed() {
        let mut train = examples(&[("1", "same  text"), ("0", "other"), ("1", "same text")]);
        assert_eq!(remove_texts_of(&mut train, &examples(&[("0", "same text")])), 2);
        assert_eq!(train.iter().map(|e| &e.text[..]).collect::<Vec<_>>(), ["other"]);
    }

    /// The corpus of these texts, which are of one file each, with these settings beside its tokenizer's.
    fn corpus(settings: &str, [train, dev, test]: [&[(&str, &str)]; 3]) -> LabelledCorpus {
        let data = format!(
            r#"{{ "name": "", "tokenizer": {{ "kind": "spaces", "lowercase": false }}, {settings} }}"#
        );
        let data: LabelledData<()> = serde_json::from_str(&data).expect("settings");
        let set = |texts: &[(&str, &str)]| vec![Examples { name: "f".into(), examples: examples(texts) }];
        let sets = LabelledSets { train: set(train), dev: set(dev), test: set(test) };
        LabelledCorpus::new(&data, sets, &[]).expect("a corpus")
    }

    #[test]
    fn texts_that_are_taken_for_labels_are_refused() {
        let made = |count: usize, different: usize, labels: &str| {
            let text = |i: usize| ((i % different).to_string(), "good");
            let texts: Vec<_> = (0..count).map(text).collect();
            let texts: Vec<_> = texts.iter().map(|(label, text)| (&label[..], *text)).collect();
            let data = format!(
                r#"{{ "name": "", "tokenizer": {{ "kind": "spaces", "lowercase": false }}, "labels": [{labels}] }}"#
            );
            let data: LabelledData<()> = serde_json::from_str(&data).expect("settings");
            let set = |name: &str| vec![Examples { name: name.into(), examples: examples(&texts) }];
            let sets = LabelledSets { train: set("f"), dev: set("g"), test: Vec::new() };
            LabelledCorpus::new(&data, sets, &[]).map(|corpus| corpus.labels.len())
        };
        assert_eq!((made(16, 16, ""), made(40, 20, "")), (Ok(16), Ok(20)));
        assert_eq!(made(17, 17, ""), Err(CorpusError::Labels { labels: 17, texts: 17 }));
        assert_eq!(made(40, 21, ""), Err(CorpusError::Labels { labels: 21, texts: 40 }));
        let unknown = made(17, 17, r#"{ "file": "0", "name": "none" }"#);
        assert!(matches!(unknown, Err(CorpusError::UnknownLabel { .. })), "{unknown:?}");
    }

    #[test]
    fn texts_are_distinct_as_their_words_are() {
        let train = [("a", "X y"), ("a", "x y"), ("a", "x y"), ("b", "x y")];
        let count = |settings: &str| corpus(settings, [&train, &train[..1], &[]]).texts.train.len();
        assert_eq!(count(r#""distinct": true"#), 3);
        assert_eq!(count(r#""distinct": false"#), 4);
    }

    #[test]
    fn labels_are_those_of_all_training_texts() {
        let corpus = corpus(
            r#""distinct": false"#,
            [&[("a", "x"), ("a", "z"), ("b", "y")], &[("a", "x")], &[("b", "y")]],
        );
        assert_eq!((corpus.labels.len(), corpus.texts.train.len(), corpus.texts.test[0].label), (2, 2, 1));
    }

    #[test]
    fn a_fold_is_kept_apart_from_the_texts_that_are_learned_from() {
        let texts = ["x", "y", "z", "x"].map(|text| ("a", text));
        let learned = |fold: usize| {
            let settings = format!(r#""folds": 4, "fold": {fold}"#);
            let texts = corpus(&settings, [&texts, &[("a", "w")], &[]]).texts;
            assert_eq!(texts.test.len(), 1);
            texts.train.len()
        };
        let mut learned = [0, 1, 2, 3].map(learned);
        learned.sort_unstable();
        assert_eq!(learned, [2, 2, 3, 3], "a text whose twin is in the fold is not learned from");
    }

    #[test]
    fn a_block_has_of_every_label_its_share() {
        let held = |counts: &[usize], count| {
            let labels = ["a", "b", "c"];
            let texts: Vec<_> =
                counts.iter().zip(labels).flat_map(|(&count, label)| vec![(label, "x"); count]).collect();
            blocks(&examples(&texts), count)
        };
        let last = |ranges: &[std::ops::Range<usize>]| ranges.iter().cloned().flatten().collect::<Vec<_>>();
        assert_eq!(held(&[900, 90, 10], 100), last(&[810..900, 981..990, 999..1000]));
        assert_eq!(held(&[5, 5], 4), last(&[3..5, 8..10]), "alike");
        assert_eq!(held(&[5, 5], 5), last(&[3..5, 7..10]), "what cannot be halved");
        assert_eq!(held(&[6, 3, 1], 4), last(&[3..6, 8..9]), "a rare one keeps its only text");
        assert_eq!(held(&[1, 99], 10), (90..100).collect::<Vec<_>>(), "whichever comes first");
        assert_eq!(held(&[2, 1], 9), [0, 1, 2], "all");
        assert_eq!(held(&[], 9), [0; 0]);
    }

    #[test]
    fn tokenised_text_ends_as_other_text_does() {
        let [mut text] = examples(&[("a", "x\ny")]).try_into().expect("one");
        let tokenizer = Tokenizer::treebank().with_ends(Some(crate::text::Ends::Line));
        let words = text.words(&tokenizer);
        text.tokenised = false;
        assert_eq!(
            (words, text.words(&tokenizer).len()),
            (["x", "<eos>", "y"].map(String::from).to_vec(), 3)
        );
    }
}
