//! Running text as a language model reads it: how it is laid out, and its words as ids.

mod text;

pub(crate) use text::files;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use saccade_rnn::text::{Tokenizer, Vocabulary};
use saccade_rnn::train::{
    self, ConfigError, Example, Reset, RunningCorpus, RunningData, Set, check_lines, check_share,
    document_words, line_words, number_documents, remove_texts_of, share,
};
use serde::{Deserialize, Serialize};

use super::CorpusError;
use crate::data::{Format, Source};

/// How running text is laid out in files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Layout {
    /// A file of UTF-8, or a folder of such files named `*.txt`: each is a document, hard-wrapped or not.
    Text,
    /// One sentence a line, after which `<eos>` stands; blank lines are passed over. The file is one document.
    Lines,
    /// The Large Movie Review Dataset: each review is a document, after which `<eos>` stands.
    ImdbTsv,
}

impl Layout {
    /// Every layout.
    pub const ALL: [Self; 3] = [Self::Text, Self::Lines, Self::ImdbTsv];

    /// The name by which configurations and the command line call the layout.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Lines => "lines",
            Self::ImdbTsv => "imdb-tsv",
        }
    }
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no [`Layout`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("running text is not called {0:?}, but {list}", list = Layout::ALL.map(Layout::name).join(", "))]
pub struct UnknownLayout(pub String);

impl FromStr for Layout {
    type Err = UnknownLayout;

    fn from_str(name: &str) -> Result<Self, UnknownLayout> {
        let found = Self::ALL.into_iter().find(|layout| layout.name() == name);
        found.ok_or_else(|| UnknownLayout(name.to_owned()))
    }
}

/// Running text in files, or a part of it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TextPart {
    /// Below the data folder.
    pub path: PathBuf,
    /// How it is laid out.
    pub format: Layout,
    /// Where the part begins, as a share of the bytes of every file, or of the documents.
    #[serde(default)]
    pub from: f64,
    /// Where it ends.
    #[serde(default = "whole")]
    pub to: f64,
}

fn whole() -> f64 {
    1.0
}

impl TextPart {
    /// All of a text.
    pub fn whole(path: PathBuf, format: Layout) -> Self {
        Self { path, format, from: 0.0, to: whole() }
    }

    /// The files that it is read from: none of a folder that cannot be.
    pub(crate) fn files(&self, root: &Path) -> Vec<PathBuf> {
        text::files(&root.join(&self.path)).unwrap_or_default()
    }

    /// Hands the tokens of each document to `each`, but for reviews that are among `others`.
    fn read(
        &self,
        root: &Path,
        tokenizer: &Tokenizer,
        others: &[Example],
        each: &mut dyn FnMut(&mut dyn Iterator<Item = String>),
    ) -> Result<(), CorpusError> {
        let path = root.join(&self.path);
        let mut document = |text: &str| each(&mut document_words(text, tokenizer));
        match self.format {
            Layout::Text => {
                for file in text::files(&path)? {
                    document(share(Source::open(&file)?.utf8()?, self.from, self.to));
                }
            }
            Layout::Lines => {
                each(&mut line_words(share(Source::open(&path)?.utf8()?, self.from, self.to), tokenizer));
            }
            Layout::ImdbTsv => {
                let mut reviews = self.reviews(root)?;
                remove_texts_of(&mut reviews, others);
                reviews.iter().for_each(|review| document(&review.text));
            }
        }
        Ok(())
    }

    /// The reviews of the part, if it has reviews.
    fn reviews(&self, root: &Path) -> Result<Vec<Example>, CorpusError> {
        if self.format != Layout::ImdbTsv {
            return Ok(Vec::new());
        }
        let mut reviews = Format::ImdbTsv.read(root.join(&self.path))?;
        let at = |share: f64| (share * reviews.len() as f64) as usize;
        let (from, to) = (at(self.from), at(self.to));
        reviews.truncate(to);
        Ok(reviews.split_off(from))
    }

    /// The documents as ids of a given vocabulary, each after `start`, or, if a text is to go on from document to
    /// document, the first of them.
    ///
    /// # Errors
    /// If a file cannot be read, or holds no text.
    pub fn ids(
        &self,
        root: &Path,
        tokenizer: &Tokenizer,
        vocabulary: &Vocabulary,
        start: Option<&str>,
        reset: Reset,
    ) -> Result<Vec<Vec<u32>>, CorpusError> {
        number_documents(vocabulary, start, reset, |each| self.read(root, tokenizer, &[], each))
    }
}

impl train::Part for TextPart {
    fn validate(&self, tokenizer: &Tokenizer) -> Result<(), ConfigError> {
        check_share(self.from, self.to)?;
        if self.format == Layout::Lines { check_lines(tokenizer) } else { Ok(()) }
    }
}

/// Reads the files of a config below `root` and numbers their words; a text begins after `start`. Training reviews that occur in the test set are left
/// out.
///
/// # Errors
/// If a file cannot be read, or a set that is configured has no text in which a word can be predicted.
pub fn load(
    data: &RunningData<TextPart>,
    root: &Path,
    start: Option<&str>,
) -> Result<RunningCorpus, CorpusError> {
    let tested = data.test.as_ref().map(|test| test.reviews(root)).transpose()?.unwrap_or_default();
    RunningCorpus::new(data, start, |set, part, each| {
        let others = if set == Set::Train { &tested[..] } else { &[] };
        part.read(root, &data.tokenizer, others, each)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_review_of_the_test_set_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name, reviews: &[&str]| {
            let lines: Vec<String> = reviews.iter().map(|review| format!("pos\t0\t9\t{review}\n")).collect();
            std::fs::write(folder.path().join(name), lines.concat()).unwrap();
        };
        write("train.tsv", &["a fine film", "seen before", "a dull film", "seen  twice"]);
        write("test.tsv", &["seen before", "all new", "seen twice"]);
        let part = |path: &str| TextPart::whole(path.into(), Layout::ImdbTsv);
        let config = RunningData {
            name: "reviews".into(),
            licence: None,
            tokenizer: Tokenizer::treebank(),
            train: vec![part("train.tsv")],
            dev: TextPart { from: 0.5, ..part("train.tsv") },
            test: None,
            min_count: 1,
            max_words: None,
            steps: 2,
            reset: Reset::Document,
        };
        let read = |test| load(&RunningData { test, ..config.clone() }, folder.path(), None);
        assert_eq!(read(None).unwrap().texts.train.len(), 4);
        let corpus = read(Some(part("test.tsv"))).unwrap();
        assert_eq!((corpus.texts.train.len(), corpus.texts.test.len()), (2, 3));
        assert!(corpus.vocabulary.contains("dull") && !corpus.vocabulary.contains("seen"));
        // A part of the test set alone is compared.
        let half = TextPart { to: 0.5, ..part("test.tsv") };
        assert_eq!(read(Some(half)).unwrap().texts.train.len(), 3);
    }
}
