//! The texts of a run as word ids: this file has those with labels.

pub mod parsed;
pub mod running;
pub mod tagged;
pub mod trees;

use std::path::{Path, PathBuf};

use saccade_rnn::text::{Tokenizer, UNKNOWN, Vocabulary, VocabularyError};
use saccade_rnn::train::vectors::{self, CorpusBuilder};
use saccade_rnn::train::{Item, Texts};

use crate::config::{DataConfig, Part};
use crate::data::{self, DataError, Example};

/// All texts of a run.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// The texts.
    pub texts: Texts<Item>,
    /// The words.
    pub vocabulary: Vocabulary,
    /// Readable labels.
    pub labels: Vec<String>,
    /// The labels as the files have them, in the same order.
    pub data_labels: Vec<String>,
}

/// The texts of a run cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A file.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The words.
    #[error(transparent)]
    Vocabulary(#[from] VocabularyError),
    /// Nothing to learn from or choose by.
    #[error("there is no {0} text")]
    Empty(&'static str),
    /// A text with nothing to predict.
    #[error("{} holds no two words, of which one could be predicted", .0.display())]
    Short(PathBuf),
    /// A folder without texts.
    #[error("{} holds no file named *.txt", .0.display())]
    NoFiles(PathBuf),
}

/// Examples with the file they come from.
struct Examples {
    path: PathBuf,
    examples: Vec<Example>,
}

impl Examples {
    fn read(root: &Path, part: &Part) -> Result<Self, CorpusError> {
        let path = root.join(&part.path);
        Ok(Self { examples: part.format.read(&path)?, path })
    }
}

impl Corpus {
    /// Reads the files below `root` and numbers words and labels. Training texts that occur in the test set are
    /// removed. `more_words` (those of a model to start from) follow the words of the training texts as long as
    /// `max_words` allows. `seed` chooses what is held out.
    ///
    /// # Errors
    /// If a file cannot be read, a label is unknown, or training or development texts are missing.
    pub fn load(config: &DataConfig, root: &Path, more_words: &[String]) -> Result<Self, CorpusError> {
        let mut train: Vec<Examples> =
            config.train.iter().map(|part| Examples::read(root, part)).collect::<Result<_, _>>()?;
        let mut dev = config.dev.iter().map(|p| Examples::read(root, p)).collect::<Result<Vec<_>, _>>()?;
        let mut test = config.test.iter().map(|p| Examples::read(root, p)).collect::<Result<Vec<_>, _>>()?;
        for set in &test {
            train.iter_mut().for_each(|texts| {
                data::remove_texts_of(&mut texts.examples, &set.examples);
            });
        }
        if config.folds > 0 {
            test.extend(take_fold(&mut train, config));
        }
        if config.hold_out > 0 {
            dev.extend(hold_out(&mut train, config));
        }

        if config.distinct {
            keep_distinct(&mut train);
        }
        let names = label_names(config, &train);
        let of_file: Vec<String> = names.iter().map(|(file, _)| file.clone()).collect();
        let words = |texts: &[Examples]| -> Vec<Vec<Vec<String>>> {
            let of = |texts: &Examples| texts.examples.iter().map(|e| e.words(&config.tokenizer)).collect();
            texts.iter().map(of).collect()
        };
        let train_words = words(&train);
        let all = train_words.iter().flatten().flatten();
        let built = Vocabulary::build(all, config.min_count, config.max_words);
        let vocabulary = extend(built, more_words, config.max_words)?;
        let items = |texts: &[Examples], words: &[Vec<Vec<String>>]| -> Result<Vec<Item>, CorpusError> {
            let mut items = Vec::new();
            for (texts, words) in texts.iter().zip(words) {
                let labels = data::encode_labels(&texts.examples, &of_file, &texts.path)?;
                items.extend(words.iter().zip(labels).map(|(words, label)| Item {
                    ids: words.iter().map(|word| vocabulary.id(word)).collect(),
                    label: label as u32,
                    teacher: None,
                }));
            }
            Ok(items)
        };
        let corpus = Self {
            texts: Texts {
                train: items(&train, &train_words)?,
                dev: items(&dev, &words(&dev))?,
                test: items(&test, &words(&test))?,
            },
            labels: names.into_iter().map(|(_, name)| name).collect(),
            data_labels: of_file,
            vocabulary: vocabulary.clone(),
        };
        if corpus.texts.train.is_empty() {
            return Err(CorpusError::Empty("training"));
        }
        if corpus.texts.dev.is_empty() {
            return Err(CorpusError::Empty("development"));
        }
        Ok(corpus)
    }
}

/// The whole texts of a file (no phrases) as ids of a given vocabulary. `labels` are the file's, in the order of the
/// scores.
///
/// # Errors
/// If the file cannot be read, holds no text, or has a label that is not among `labels`.
pub fn read_items(
    part: &Part,
    root: &Path,
    tokenizer: &Tokenizer,
    vocabulary: &Vocabulary,
    labels: &[String],
) -> Result<Vec<Item>, CorpusError> {
    let texts = Examples::read(root, part)?;
    let whole = Examples { examples: texts.examples.into_iter().filter(|e| !e.phrase).collect(), ..texts };
    if whole.examples.is_empty() {
        // Phrases alone.
        return Err(DataError::Empty { path: whole.path, format: part.format }.into());
    }
    let numbers = data::encode_labels(&whole.examples, labels, &whole.path)?;
    let item = |(example, label): (&Example, usize)| Item {
        ids: example.words(tokenizer).iter().map(|word| vocabulary.id(word)).collect(),
        label: label as u32,
        teacher: None,
    };
    Ok(whole.examples.iter().zip(numbers).map(item).collect())
}

/// Reads labelled files below `root` for word vectors and leaves their labels aside. Every text is one sentence,
/// tokenised by `tokenizer` unless the format says it is tokenised; [phrases](Example::phrase) are left out, since they
/// repeat parts of sentences. The vocabulary holds the words that occur `min_count` times or more in all files together.
///
/// # Errors
/// If a file cannot be read.
pub fn read_sentences(
    parts: &[Part],
    root: &Path,
    tokenizer: &Tokenizer,
    min_count: u64,
) -> Result<vectors::Corpus, DataError> {
    let mut corpus = CorpusBuilder::default();
    for part in parts {
        for example in part.format.read(root.join(&part.path))?.iter().filter(|example| !example.phrase) {
            corpus.push(example.words(tokenizer));
        }
    }
    Ok(corpus.finish(min_count, None))
}

/// Keeps the first of texts that are equal in words and label.
fn keep_distinct(train: &mut [Examples]) {
    let mut seen = std::collections::HashSet::new();
    for texts in train {
        texts.examples.retain(|e| seen.insert((e.label.clone(), e.text.to_lowercase())));
    }
}

/// (label in the file, readable label) in the order of the scores.
fn label_names(config: &DataConfig, train: &[Examples]) -> Vec<(String, String)> {
    if !config.labels.is_empty() {
        return config.labels.iter().map(|l| (l.file.clone(), l.name.clone())).collect();
    }
    let all: Vec<Example> = train.iter().flat_map(|t| t.examples.iter().cloned()).collect();
    data::labels(&all).into_iter().map(|label| (label.clone(), label)).collect()
}

/// Adds words while there is room.
pub(crate) fn extend(
    built: Vocabulary,
    more: &[String],
    max: Option<usize>,
) -> Result<Vocabulary, VocabularyError> {
    let mut words = built.words().to_vec();
    let room = max.unwrap_or(usize::MAX);
    for word in more.iter().filter(|word| *word != UNKNOWN && !built.contains(word)) {
        if words.len() >= room {
            break;
        }
        words.push(word.clone());
    }
    Vocabulary::try_from(words)
}

/// Moves one fold of the training texts into a set of its own. The folds do not depend on the seed of the run.
fn take_fold(train: &mut [Examples], config: &DataConfig) -> Vec<Examples> {
    let pick = |texts: &mut Examples| {
        let split = data::folds(texts.examples.len(), config.folds, 0).swap_remove(config.fold);
        take(texts, &split.held_out)
    };
    train.iter_mut().map(pick).collect()
}

/// Moves `hold_out` texts of the first training file into a set of their own. The choice does not depend on the
/// seed of the run, so that runs can be compared.
fn hold_out(train: &mut [Examples], config: &DataConfig) -> Option<Examples> {
    let first = train.first_mut()?;
    let len = first.examples.len();
    let indices = if config.dev_block {
        blocks(&first.examples, config.hold_out)
    } else {
        data::hold_out(len, config.hold_out, 0).held_out
    };
    Some(take(first, &indices))
}

/// The last texts of every label, in the order of the file, in proportion, `count` in all.
fn blocks(examples: &[Example], count: usize) -> Vec<usize> {
    let labels = data::labels(examples);
    let share = count.div_ceil(labels.len().max(1));
    let of_label = |label: &String| {
        let mut places: Vec<usize> = (0..examples.len()).filter(|&i| examples[i].label == *label).collect();
        places.drain(..places.len().saturating_sub(share));
        places
    };
    let mut held: Vec<usize> = labels.iter().flat_map(of_label).collect();
    held.sort_unstable();
    held
}

fn take(texts: &mut Examples, indices: &[usize]) -> Examples {
    let taken = indices.iter().map(|&i| texts.examples[i].clone()).collect();
    let mut at = 0;
    texts.examples.retain(|_| {
        at += 1;
        indices.binary_search(&(at - 1)).is_err()
    });
    Examples { path: texts.path.clone(), examples: taken }
}

#[cfg(test)]
mod tests {
    use crate::data::Format;

    use super::*;

    #[test]
    fn sentences_are_read_from_labelled_files_without_labels_and_phrases() {
        let folder = tempfile::tempdir().unwrap();
        let [reviews, trees] = ["reviews.tsv", "trees.txt"].map(|name| folder.path().join(name));
        std::fs::write(&reviews, "neg\t0\t1\tDull, DULL film.\npos\t1\t9\tA film!\n").unwrap();
        std::fs::write(&trees, "(3 (3 Fine) (2 film))\n").unwrap();
        let read = |files: &[(&str, Format)]| {
            let part = |&(path, format): &(&str, _)| Part { path: path.into(), format };
            let parts: Vec<Part> = files.iter().map(part).collect();
            read_sentences(&parts, folder.path(), &Tokenizer::treebank(), 2)
        };
        let corpus = read(&[("reviews.tsv", Format::ImdbTsv), ("trees.txt", Format::SstTrees)]).unwrap();
        // "film" occurs three times (the phrase is left out), "dull" twice; the rest once.
        assert_eq!(corpus.vocabulary.words(), [UNKNOWN, "film", "dull"]);
        assert_eq!(corpus.sentences, [vec![2, 0, 2, 1, 0], vec![0, 1, 0], vec![0, 1]]);
        assert_eq!(corpus.tokens(), 10);
        assert!(matches!(read(&[("absent", Format::Lines)]), Err(DataError::Missing { .. })));
    }
}
