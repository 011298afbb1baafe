//! The texts of a run, read from files: this file has those with labels.

pub mod parsed;
pub mod running;
pub mod tagged;
pub mod trees;

use std::path::{Path, PathBuf};

use saccade_rnn::model::ReadError;
use saccade_rnn::text::{Tokenizer, Vocabulary, VocabularyError};
use saccade_rnn::train::vectors::{self, CorpusBuilder};
use saccade_rnn::train::{self, Examples, Item, LabelledSets};

use crate::config::{Config, Part};
use crate::data::DataError;

/// The texts of a run cannot be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A file.
    #[error(transparent)]
    Data(#[from] DataError),
    /// What is in the files.
    #[error(transparent)]
    Texts(#[from] train::CorpusError),
    /// A text with nothing to predict.
    #[error("{} holds no two words, of which one could be predicted", .0.display())]
    Short(PathBuf),
    /// Trees in brackets, of a model that labels words by their heads.
    #[error(
        "this model labels words by what depends on them: name a parser (`--parser`, in a config `data.parser`)"
    )]
    NoParser,
    /// A parser, of a model that labels trees in brackets.
    #[error("this model labels trees in brackets as they are: it takes no parser")]
    NeedsNoParser,
    /// What a parser made.
    #[error("the parser's heads make no tree")]
    NoTree,
    /// The parser.
    #[error("the parser: {0}")]
    Parser(#[from] ReadError),
    /// A folder without texts.
    #[error("{} holds no file named *.txt", .0.display())]
    NoFiles(PathBuf),
}

impl CorpusError {
    /// What to add for whoever has named a folder that the file is below.
    pub(crate) fn advice(&self) -> &'static str {
        match self {
            Self::Data(DataError::Missing { .. }) => "; `--data DIR` names the folder that holds the data",
            _ => "",
        }
    }
}

impl From<VocabularyError> for CorpusError {
    fn from(error: VocabularyError) -> Self {
        train::CorpusError::from(error).into()
    }
}

fn read(root: &Path, part: &Part) -> Result<Examples, CorpusError> {
    let path = root.join(&part.path);
    Ok(Examples { examples: part.format.read(&path)?, name: path.display().to_string() })
}

/// Reads the files of a config below `root`.
///
/// # Errors
/// If one cannot be read.
pub fn labelled_sets(config: &Config, root: &Path) -> Result<LabelledSets, CorpusError> {
    let all = |parts: &mut dyn Iterator<Item = &Part>| -> Result<Vec<_>, CorpusError> {
        parts.map(|part| read(root, part)).collect()
    };
    let data = &config.data;
    Ok(LabelledSets {
        train: all(&mut data.train.iter())?,
        dev: all(&mut data.dev.iter())?,
        test: all(&mut data.test.iter())?,
    })
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
    let mut texts = read(root, part)?;
    texts.examples.retain(|example| !example.phrase);
    if texts.examples.is_empty() {
        // Phrases alone.
        return Err(DataError::Empty { path: root.join(&part.path), format: part.format }.into());
    }
    Ok(texts.items(tokenizer, vocabulary, labels)?)
}

/// Reads labelled files below `root` for word vectors and leaves their labels aside. Every text is one sentence,
/// tokenised by `tokenizer` unless the format says it is tokenised; [phrases](train::Example::phrase) are left out, since they
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

#[cfg(test)]
mod tests {
    use saccade_rnn::text::UNKNOWN;

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
