//! A run that learns to tag words.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use saccade_rnn::model::LayerConfig;
use saccade_rnn::text::Tokenizer;
use saccade_rnn::train::{ConfigError, OutputConfig, RunConfig, Settings, Tag, TrainConfig, check_biases};

/// A training run of a tagger.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TagConfig {
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u32,
    /// What to learn from.
    pub data: TaggedData,
    /// What the network is asked.
    pub task: TagTask,
    /// The network.
    pub model: TagModel,
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

/// Sentences in CoNLL-U.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TaggedData {
    /// The data set's name, for the record.
    pub name: String,
    /// Its licence as known, for the record.
    #[serde(default)]
    pub licence: Option<String>,
    /// How the model cuts text that nobody has cut, and whether it lower-cases words (letters stay as they are).
    pub tokenizer: Tokenizer,
    /// Training sentences, below the data folder.
    pub train: PathBuf,
    /// Development sentences; all choices are made on them.
    pub dev: PathBuf,
    /// Test sentences, looked at once, at the end.
    #[serde(default)]
    pub test: Option<PathBuf>,
    /// Words and letters that occur less often in the training sentences are unknown.
    #[serde(default = "super::one")]
    pub min_count: u64,
    /// The most words, `<unk>` included. Words of `init` fill what the training sentences leave.
    #[serde(default)]
    pub max_words: Option<usize>,
    /// The share of words that an epoch reads as unknown.
    #[serde(default)]
    pub unknown: f32,
}

/// The network under the tags.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TagModel {
    /// Width of word vectors.
    pub embedding_size: usize,
    /// Layers.
    pub encoder: Vec<LayerConfig>,
    /// Added to fresh biases of LSTM forget gates.
    #[serde(default)]
    pub forget_bias: f32,
}

impl Settings for TagConfig {
    type Task = Tag;

    fn validate(&self) -> Result<(), ConfigError> {
        let TagModel { encoder, forget_bias, .. } = &self.model;
        self.run().validate(encoder, None)?;
        if self.task.tag.characters.is_none() {
            check_biases(encoder, *forget_bias, 0.0)?;
        }
        self.objective().map(drop)
    }

    fn run(&self) -> RunConfig {
        RunConfig { seed: self.seed, train: self.train.clone(), output: self.output }
    }

    fn objective(&self) -> Result<Tag, ConfigError> {
        Tag::new(&self.train, self.data.unknown)
    }
}
