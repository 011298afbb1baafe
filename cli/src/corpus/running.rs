//! Running text as a language model reads it: how it is laid out, and its words as ids.

mod lines;
mod text;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use saccade_rnn::text::{END, Token, Tokenizer, Vocabulary};
use saccade_rnn::train::vectors::CorpusBuilder;
use saccade_rnn::train::{ConfigError, Reset, Texts};
use serde::{Deserialize, Serialize};

use super::CorpusError;
use crate::config::RunningData;
use crate::data::{self, Example, Format};

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

    /// Checks that a part lies within its whole.
    ///
    /// # Errors
    /// If it does not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        if 0.0 <= self.from && self.from < self.to && self.to <= 1.0 {
            return Ok(());
        }
        let found = format!("{} to {}", self.from, self.to);
        Err(ConfigError::Field { field: "data: from, to", expected: "0 <= from < to <= 1", found })
    }

    /// Hands the tokens of each document to `each`, but for reviews that are among `others`.
    fn read(
        &self,
        root: &Path,
        tokenizer: &Tokenizer,
        others: &[Example],
        mut each: impl FnMut(&mut dyn Iterator<Item = String>),
    ) -> Result<(), CorpusError> {
        let path = root.join(&self.path);
        let words = |tokens: Vec<Token>| tokens.into_iter().map(|token| token.text);
        // What ends where the document does is not told by its text.
        let mut whole = |tokens: Vec<Token>| {
            let is_ended = tokenizer.ends().is_none() || tokens.last().is_none_or(|token| token.text == END);
            each(&mut words(tokens).chain((!is_ended).then(|| END.to_owned())));
        };
        match self.format {
            Layout::Text => {
                for file in text::files(&path)? {
                    whole(tokenizer.tokenize(self.of_text(&text::read(&file)?)));
                }
            }
            Layout::Lines => {
                let content = text::read(&path)?;
                let sentences = lines::sentences(self.of_text(&content));
                let tokenizer = tokenizer.with_ends(None);
                let sentence = |line| words(tokenizer.tokenize(line)).chain([END.to_owned()]);
                each(&mut sentences.flat_map(sentence));
            }
            Layout::ImdbTsv => {
                let mut reviews = self.reviews(root)?;
                data::remove_texts_of(&mut reviews, others);
                for review in &reviews {
                    whole(tokenizer.tokenize(&review.text));
                }
            }
        }
        Ok(())
    }

    /// The part of a file. It begins and ends between characters.
    fn of_text<'t>(&self, text: &'t str) -> &'t str {
        let at = |share: f64| text.floor_char_boundary((share * text.len() as f64) as usize);
        &text[at(self.from)..at(self.to)]
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
        let mut documents = Vec::new();
        self.read(root, tokenizer, &[], |words| {
            documents.push(words.map(|word| vocabulary.id(&word)).collect())
        })?;
        begin(&mut documents, start.map(|start| vocabulary.id(start)), reset);
        Ok(documents)
    }
}

/// Puts the word that a text begins after in front of it.
fn begin(documents: &mut [Vec<u32>], start: Option<u32>, reset: Reset) {
    let texts = match reset {
        Reset::Epoch => 1,
        Reset::Document => documents.len(),
    };
    for text in documents.iter_mut().take(texts) {
        text.splice(0..0, start);
    }
}

/// All texts of a run, and the words of the training texts.
#[derive(Clone, Debug)]
pub struct RunningCorpus {
    /// Documents.
    pub texts: Texts<Vec<u32>>,
    /// The words, by decreasing frequency.
    pub vocabulary: Vocabulary,
}

impl RunningCorpus {
    /// Reads the files below `root`. Training reviews that occur in the test set are left out.
    ///
    /// # Errors
    /// If a file cannot be read, or a set that is configured has no text in which a word can be predicted.
    pub fn load(config: &RunningData, root: &Path, start: Option<&str>) -> Result<Self, CorpusError> {
        let tested = config.test.as_ref().map(|test| test.reviews(root)).transpose()?.unwrap_or_default();
        let mut builder = CorpusBuilder::default();
        for part in &config.train {
            part.read(root, &config.tokenizer, &tested, |words| builder.push(words))?;
        }
        let corpus = builder.finish(config.min_count, config.max_words);
        let (mut train, vocabulary) = (corpus.sentences, corpus.vocabulary);
        begin(&mut train, start.map(|start| vocabulary.id(start)), config.reset);
        let ids = |part: &TextPart| part.ids(root, &config.tokenizer, &vocabulary, start, config.reset);
        let (dev, test) = (ids(&config.dev)?, config.test.as_ref().map(ids).transpose()?.unwrap_or_default());
        let tested = config.test.is_some().then_some(("test", &test));
        for (set, texts) in [("training", &train), ("development", &dev)].into_iter().chain(tested) {
            if texts.iter().all(|text| text.len() < 2) {
                return Err(CorpusError::Empty(set));
            }
        }
        Ok(Self { texts: Texts { train, dev, test }, vocabulary })
    }
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
        let read = |test| RunningCorpus::load(&RunningData { test, ..config.clone() }, folder.path(), None);
        assert_eq!(read(None).unwrap().texts.train.len(), 4);
        let corpus = read(Some(part("test.tsv"))).unwrap();
        assert_eq!((corpus.texts.train.len(), corpus.texts.test.len()), (2, 3));
        assert!(corpus.vocabulary.contains("dull") && !corpus.vocabulary.contains("seen"));
        // A part of the test set alone is compared.
        let half = TextPart { to: 0.5, ..part("test.tsv") };
        assert_eq!(read(Some(half)).unwrap().texts.train.len(), 3);
    }
}
