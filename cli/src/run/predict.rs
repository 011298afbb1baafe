//! Runs that learn to predict the next word.

use std::path::Path;

use saccade_rnn::model::{self, FreshOptions, Model, Task};
use saccade_rnn::train::{Predict, PredictionScore};
use serde_json::{Value, json};

use super::{Figures, Prepared, Recipe, RunError, record};
use crate::config::PredictConfig;
use crate::corpus::running::RunningCorpus;

impl Recipe for PredictConfig {
    fn prepare(&self, data: &Path, _: &[String], command: &str) -> Result<Prepared<Predict>, RunError> {
        let task = &self.task.predict;
        let RunningCorpus { texts, vocabulary } =
            RunningCorpus::load(&self.data, data, task.start.as_deref())?;
        let config = model::Config {
            format: model::FORMAT,
            task: Task::Predict(task.clone()),
            tokenizer: self.data.tokenizer,
            vocabulary: vocabulary.words().to_vec(),
            embedding_size: self.model.embedding_size,
            encoder: self.model.encoder.clone(),
            threshold: None,
            training: record(command, self.seed, &self.data.name, self.data.licence.as_ref()),
        };
        let fresh =
            FreshOptions { forget_bias: self.model.forget_bias, highway_bias: self.model.highway_bias };
        Ok(Prepared { model: Model::fresh(config, self.train.dropouts(), fresh, self.seed)?, texts })
    }
}

impl Figures for PredictionScore {
    fn in_words(&self) -> String {
        let [loss, perplexity] = [self.loss, self.perplexity()];
        format!("perplexity {perplexity:.2}, {loss:.4} nats a word, {} words", self.tokens)
    }

    fn json(&self) -> Value {
        json!({ "n": self.tokens, "loss": self.loss, "perplexity": self.perplexity() })
    }

    fn of_loss(name: &str, loss: f32) -> String {
        format!("{name} {loss:.3}, perplexity {:.1}", loss.exp())
    }
}
