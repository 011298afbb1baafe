//! A run that learns to tag words.

use serde::{Deserialize, Serialize};

use super::{Part, Prepared, Settings, check_biases, one, record};
use crate::model::{self, FreshOptions, LayerConfig, Model, Tagging, Task};
use crate::text::Tokenizer;
use crate::train::config::{ConfigError, OutputConfig, RunConfig, TrainConfig, check};
use crate::train::corpus::{Known, TaggedSets, extend, tags};
use crate::train::{CorpusError, Tag, Texts, TrainError};

/// A training run of a tagger. `P` says where sentences come from.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TagConfig<P> {
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u32,
    /// What to learn from.
    pub data: TaggedData<P>,
    /// What the network is asked.
    pub task: TagTask,
    /// The network.
    pub model: TaggedNetwork,
    /// How to learn.
    pub train: TrainConfig,
    /// What to write.
    #[serde(default)]
    pub output: OutputConfig,
}

/// `[task.tag]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TagTask {
    /// The tags are those of the training sentences.
    pub tag: TagOptions,
}

/// How a tagger sees words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TagOptions {
    /// Letters, beside the words' vectors; none for words alone.
    #[serde(default)]
    pub characters: Option<CharacterSizes>,
    /// Whether the tags of a sentence are scored together, by a conditional random field.
    #[serde(default)]
    pub crf: bool,
}

/// The sizes of the LSTM that spells words. The letters are those of the training sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CharacterSizes {
    /// Width of a letter's vector.
    pub embedding_size: usize,
    /// Width of the state, in each direction.
    pub hidden_size: usize,
}

impl CharacterSizes {
    /// The LSTM.
    pub fn layer(self) -> LayerConfig {
        LayerConfig::Lstm { hidden_size: self.hidden_size, bidirectional: true }
    }
}

/// Sentences with a tag on every word.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaggedData<P> {
    /// The data set's name, for the record.
    pub name: String,
    /// Its licence as known, for the record.
    #[serde(default)]
    pub licence: Option<String>,
    /// How the model cuts text that nobody has cut, and whether it lower-cases words (letters stay as they are).
    pub tokenizer: Tokenizer,
    /// Training sentences.
    pub train: P,
    /// Development sentences; all choices are made on them.
    #[serde(default = "super::classify::none")]
    pub dev: Option<P>,
    /// If there is no `dev`: how many training sentences to hold out.
    #[serde(default)]
    pub hold_out: usize,
    /// Test sentences, looked at once, at the end.
    #[serde(default = "super::classify::none")]
    pub test: Option<P>,
    /// Words and letters that occur less often in the training sentences are unknown.
    #[serde(default = "one")]
    pub min_count: u64,
    /// The most words, `<unk>` included. Words of `init` fill what the training sentences leave.
    #[serde(default)]
    pub max_words: Option<usize>,
    /// The share of words that an epoch reads as unknown.
    #[serde(default)]
    pub unknown: f32,
}

impl<P: Part> TaggedData<P> {
    /// Checks ranges that the types do not.
    ///
    /// # Errors
    /// The first field that is wrong.
    pub fn validate(&self) -> Result<(), ConfigError> {
        for part in [&self.train].into_iter().chain(&self.dev).chain(&self.test) {
            part.validate(&self.tokenizer)?;
        }
        let exclusive = self.dev.is_none() || self.hold_out == 0;
        check("data.hold_out", exclusive, "0 where data.dev is given", self.hold_out)
    }
}

/// The network under the tags.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaggedNetwork {
    /// Width of word vectors.
    pub embedding_size: usize,
    /// Layers.
    pub encoder: Vec<LayerConfig>,
    /// Added to fresh biases of LSTM forget gates.
    #[serde(default)]
    pub forget_bias: f32,
}

impl<P: Part> Settings for TagConfig<P> {
    type Task = Tag;

    fn validate(&self) -> Result<(), ConfigError> {
        let TaggedNetwork { encoder, forget_bias, .. } = &self.model;
        let spells = self.task.tag.characters.map(CharacterSizes::layer);
        self.run().validate(encoder, &[spells.as_slice()], None)?;
        if self.task.tag.characters.is_none() {
            check_biases(encoder, *forget_bias, 0.0)?;
        }
        self.data.validate()?;
        self.objective().map(drop)
    }

    fn run(&self) -> RunConfig {
        RunConfig { seed: self.seed, train: self.train.clone(), output: self.output }
    }

    fn objective(&self) -> Result<Tag, ConfigError> {
        Tag::new(&self.train, self.data.unknown)
    }
}

impl<P> TagConfig<P> {
    /// Numbers words, letters and tags of sentences and draws the model. `more_words` are those of a model to start from;
    /// `command` is recorded. What is held out does not depend on the seed of the run.
    ///
    /// # Errors
    /// If a tag is unknown, a set has no word, or the config makes no model.
    pub fn prepare(
        &self,
        mut sets: TaggedSets,
        more_words: &[String],
        command: Option<&str>,
    ) -> Result<Prepared<Tag>, TrainError> {
        let set = &self.data;
        // Before any are taken away: the only sentence with a tag may be held out.
        let labels = tags(&sets.train.examples);
        sets.hold_out(set.hold_out);
        for (name, sentences) in [("training", &sets.train), ("development", &sets.dev)] {
            if sentences.examples.iter().all(|sentence| sentence.words.is_empty()) {
                return Err(CorpusError::Empty(name).into());
            }
        }
        let known = Known::of(&sets.train.examples, &set.tokenizer, set.min_count);
        let TagOptions { characters, crf } = self.task.tag;
        let characters = characters.map(|sizes| known.characters(sizes));
        let words = extend(known.words, more_words, set.max_words).map_err(CorpusError::from)?;
        let config = model::Config {
            format: model::FORMAT,
            task: Task::Tag(Tagging { labels, characters, crf }),
            tokenizer: set.tokenizer,
            vocabulary: words.into(),
            embedding_size: self.model.embedding_size,
            encoder: self.model.encoder.clone(),
            threshold: None,
            training: record(command, self.seed, &set.name, set.licence.as_ref()),
        };
        let fresh = FreshOptions { forget_bias: self.model.forget_bias, ..FreshOptions::default() };
        let model = Model::fresh(config, self.train.dropouts(), fresh, self.seed)?;
        let [train, dev, test] = [&sets.train, &sets.dev, &sets.test].map(|set| set.items(&model));
        let texts = Texts { train: train?, dev: dev?, test: test? };
        Ok(Prepared { model, texts })
    }
}
