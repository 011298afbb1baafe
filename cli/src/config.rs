//! What a training run is to do, as a TOML file says it: the library's settings, with files as the parts of a set.

mod parse;
mod tree;

use std::collections::BTreeMap;
use std::path::PathBuf;

use saccade_rnn::train::{self, ClassifyConfig};
use serde::{Deserialize, Serialize};

use crate::corpus::running::TextPart;
use crate::data::Format;
pub use parse::{ParseConfig, ParseOptions, ParseTask};
pub use saccade_rnn::train::Settings;
pub use tree::{TreeConfig, TreeData, TreeModel, TreeOptions, TreeTask};

/// A training run of any task.
#[derive(Clone, Debug, PartialEq)]
pub enum AnyConfig {
    /// One label for a text.
    Classify(Config),
    /// The next word after every word.
    Predict(PredictConfig),
    /// One label for every word.
    Tag(TagConfig),
    /// A tree over the words of a sentence.
    Parse(ParseConfig),
    /// One label for every node of a tree.
    Tree(TreeConfig),
}

impl AnyConfig {
    /// Reads a config in TOML: a table `[task.predict]` makes it one of a language model, `[task.tag]` of a tagger,
    /// `[task.parse]` of a parser, `[task.tree]` of a tree classifier.
    ///
    /// # Errors
    /// If it is not TOML, or not such a config.
    pub fn parse(text: &str) -> Result<Self, toml::de::Error> {
        #[derive(PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        enum Name {
            Predict,
            Tag,
            Parse,
            Tree,
        }
        #[derive(Deserialize)]
        struct Tasks {
            task: Option<BTreeMap<Name, serde::de::IgnoredAny>>,
        }
        match toml::from_str::<Tasks>(text)?.task {
            None => toml::from_str(text).map(Self::Classify),
            Some(task) if task.contains_key(&Name::Tag) => toml::from_str(text).map(Self::Tag),
            Some(task) if task.contains_key(&Name::Parse) => toml::from_str(text).map(Self::Parse),
            Some(task) if task.contains_key(&Name::Tree) => toml::from_str(text).map(Self::Tree),
            Some(_) => toml::from_str(text).map(Self::Predict),
        }
    }
}

/// A training run that learns to classify.
pub type Config = ClassifyConfig<Part>;

/// A training run of a language model.
pub type PredictConfig = train::PredictConfig<TextPart>;

/// A training run of a tagger.
pub type TagConfig = train::TagConfig<Treebank>;

/// A file of sentences in CoNLL-U, below the data folder.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Treebank(pub PathBuf);

impl train::Part for Treebank {}

/// A file of labelled text.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Below the data folder.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
}

impl train::Part for Part {}

fn one() -> u64 {
    1
}
