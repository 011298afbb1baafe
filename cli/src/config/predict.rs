//! A run that learns to predict the next word.

use serde::{Deserialize, Serialize};

use saccade_rnn::model::{LayerConfig, Prediction};
use saccade_rnn::text::Tokenizer;
use saccade_rnn::train::{ConfigError, OutputConfig, Predict, Reset, RunConfig, TrainConfig};

use super::{Settings, check, check_biases};
use crate::corpus::running::{Layout, TextPart};

/// A training run of a language model.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PredictConfig {
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u32,
    /// What to learn from.
    pub data: RunningData,
    /// What the network is asked, as model files have it.
    pub task: PredictTask,
    /// The network.
    pub model: PredictModel,
    /// How to learn.
    pub train: TrainConfig,
    /// What to write.
    #[serde(default)]
    pub output: OutputConfig,
}

/// `[task.predict]`.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PredictTask {
    /// The softmax, where word vectors come from, and what a text begins after.
    pub predict: Prediction,
}

/// Texts without labels.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunningData {
    /// The data set's name, for the record.
    pub name: String,
    /// Its licence as known, for the record.
    #[serde(default)]
    pub licence: Option<String>,
    /// How text becomes words or characters, and what `<eos>` ends.
    pub tokenizer: Tokenizer,
    /// Training texts, in order.
    pub train: Vec<TextPart>,
    /// Development texts; all choices are made on them.
    pub dev: TextPart,
    /// Test texts, looked at once, at the end.
    #[serde(default)]
    pub test: Option<TextPart>,
    /// Words that occur less often in the training texts are unknown.
    #[serde(default = "one")]
    pub min_count: u64,
    /// The most words, `<unk>` included.
    #[serde(default)]
    pub max_words: Option<usize>,
    /// Words that a lane reads a step; back-propagation goes no further.
    pub steps: usize,
    /// What begins with a state of zeros.
    #[serde(default)]
    pub reset: Reset,
}

/// The network under the softmax.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PredictModel {
    /// Width of word vectors.
    pub embedding_size: usize,
    /// Layers.
    pub encoder: Vec<LayerConfig>,
    /// Added to fresh biases of LSTM forget gates.
    #[serde(default)]
    pub forget_bias: f32,
    /// Fresh bias of SRU's reset gates.
    #[serde(default)]
    pub highway_bias: f32,
}

impl Settings for PredictConfig {
    type Task = Predict;

    fn validate(&self) -> Result<(), ConfigError> {
        let (PredictModel { encoder, forget_bias, highway_bias, .. }, task) =
            (&self.model, &self.task.predict);
        self.run().validate(encoder, Some(task))?;
        check_biases(encoder, *forget_bias, *highway_bias)?;
        let div_value = Prediction::new(&[]).div_value;
        let divides = task.div_value == div_value || !task.cutoffs.is_empty();
        check(
            "task.predict.div_value",
            divides,
            "its default, 4, without cutoffs",
            task.div_value.to_string(),
        )?;
        let parts = self.data.train.iter().chain([&self.data.dev]).chain(&self.data.test);
        for part in parts {
            part.validate()?;
            // What is written would otherwise never come to the end of a line.
            let ends = part.format != Layout::Lines || self.data.tokenizer.ends().is_some();
            let expected = "line, since every line of format = \"lines\" ends in <eos>";
            check("data.tokenizer.ends", ends, expected, "none".into())?;
        }
        self.objective().map(drop)
    }

    fn run(&self) -> RunConfig {
        RunConfig { seed: self.seed, train: self.train.clone(), output: self.output }
    }

    fn objective(&self) -> Result<Predict, ConfigError> {
        Predict::new(&self.train, self.data.steps, self.data.reset)
    }
}

fn one() -> u64 {
    1
}
