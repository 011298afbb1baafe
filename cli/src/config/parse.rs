//! A run that learns to parse sentences.

use serde::{Deserialize, Serialize};

use saccade_rnn::model::LayerConfig;
use saccade_rnn::train::{
    CharacterSizes, ConfigError, OutputConfig, Parse, RunConfig, Settings, TaggedData, TaggedNetwork,
    TrainConfig, check_biases,
};

use super::Treebank;

/// A training run of a parser.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ParseConfig {
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u32,
    /// What to learn from.
    pub data: TaggedData<Treebank>,
    /// What the network is asked.
    pub task: ParseTask,
    /// The network under tags and trees.
    pub model: TaggedNetwork,
    /// How to learn.
    pub train: TrainConfig,
    /// What to write.
    #[serde(default)]
    pub output: OutputConfig,
}

/// `[task.parse]`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ParseTask {
    /// Tags and relations are those of the training sentences.
    pub parse: ParseOptions,
}

/// How a parser sees words, and how it learns.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ParseOptions {
    /// Letters, beside the words' vectors; none for words alone.
    #[serde(default)]
    pub characters: Option<CharacterSizes>,
    /// Width of a tag's vector.
    pub tag_size: usize,
    /// The layers that read words with their tags.
    pub layers: Vec<LayerConfig>,
    /// Width of the layer that reads the tops of stack and buffer.
    pub hidden_size: usize,
    /// The share of transitions, after the first epoch, that are the parser's own, be they right or wrong.
    #[serde(default)]
    pub explore: f32,
}

impl Settings for ParseConfig {
    type Task = Parse;

    fn validate(&self) -> Result<(), ConfigError> {
        let spells = self.task.parse.characters.map(CharacterSizes::layer);
        let beside = [spells.as_slice(), &self.task.parse.layers];
        self.run().validate(&self.model.encoder, &beside, None)?;
        if self.task.parse.characters.is_none() {
            let layers = [&self.model.encoder[..], &self.task.parse.layers].concat();
            check_biases(&layers, self.model.forget_bias, 0.0)?;
        }
        self.data.validate()?;
        self.objective().map(drop)
    }

    fn run(&self) -> RunConfig {
        RunConfig { seed: self.seed, train: self.train.clone(), output: self.output }
    }

    fn objective(&self) -> Result<Parse, ConfigError> {
        Parse::new(&self.train, self.data.unknown, self.task.parse.explore)
    }
}
