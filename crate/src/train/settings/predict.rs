//! A run that learns to predict the next word.

use serde::{Deserialize, Serialize};

use super::{Part, Prepared, Settings, check_biases, one, record};
use crate::model::{self, FreshOptions, LayerConfig, Model, Prediction, Task};
use crate::text::Tokenizer;
use crate::train::config::{ConfigError, OutputConfig, RunConfig, TrainConfig, check_number};
use crate::train::corpus::RunningCorpus;
use crate::train::{Predict, Reset, TrainError};

/// A training run of a language model. `P` says where texts come from.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PredictConfig<P> {
    /// Seed of every random choice.
    #[serde(default)]
    pub seed: u32,
    /// What to learn from.
    pub data: RunningData<P>,
    /// What the network is asked, as model files have it.
    pub task: PredictTask,
    /// The network.
    pub model: PredictNetwork,
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
pub struct RunningData<P> {
    /// The data set's name, for the record.
    pub name: String,
    /// Its licence as known, for the record.
    #[serde(default)]
    pub licence: Option<String>,
    /// How text becomes words or characters, and what `<eos>` ends.
    pub tokenizer: Tokenizer,
    /// Training texts, in order.
    pub train: Vec<P>,
    /// Development texts; all choices are made on them.
    pub dev: P,
    /// Test texts, looked at once, at the end.
    #[serde(default = "super::classify::none")]
    pub test: Option<P>,
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
pub struct PredictNetwork {
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

impl<P: Part> Settings for PredictConfig<P> {
    type Task = Predict;

    fn validate(&self) -> Result<(), ConfigError> {
        let (PredictNetwork { encoder, forget_bias, highway_bias, .. }, task) =
            (&self.model, &self.task.predict);
        self.run().validate(encoder, &[], Some(task))?;
        check_biases(encoder, *forget_bias, *highway_bias)?;
        let div_value = Prediction::new(&[]).div_value;
        let divides = task.div_value == div_value || !task.cutoffs.is_empty();
        check_number("task.predict.div_value", divides, "its default, 4, without cutoffs", task.div_value)?;
        for part in self.data.train.iter().chain([&self.data.dev]).chain(&self.data.test) {
            part.validate(&self.data.tokenizer)?;
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

impl<P> PredictConfig<P> {
    /// Draws the model of numbered texts. `command` is recorded.
    ///
    /// # Errors
    /// If the config makes no model.
    pub fn prepare(
        &self,
        corpus: RunningCorpus,
        command: Option<&str>,
    ) -> Result<Prepared<Predict>, TrainError> {
        let RunningCorpus { texts, vocabulary } = corpus;
        let PredictNetwork { embedding_size, encoder, forget_bias, highway_bias } = &self.model;
        let config = model::Config {
            format: model::FORMAT,
            task: Task::Predict(self.task.predict.clone()),
            tokenizer: self.data.tokenizer,
            vocabulary: vocabulary.into(),
            embedding_size: *embedding_size,
            encoder: encoder.clone(),
            threshold: None,
            training: record(command, self.seed, &self.data.name, self.data.licence.as_ref()),
        };
        let options = FreshOptions { forget_bias: *forget_bias, highway_bias: *highway_bias };
        Ok(Prepared { model: Model::fresh(config, self.train.dropouts(), options, self.seed)?, texts })
    }
}
