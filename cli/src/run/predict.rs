//! Runs that learn to predict the next word.

use std::path::PathBuf;

use saccade_rnn::train::{Predict, PredictionScore, Prepared};
use serde_json::{Value, json};

use super::{Figures, Folders, Recipe, RunError};
use crate::config::PredictConfig;
use crate::corpus::running::load;

impl Recipe for PredictConfig {
    fn texts(&self, folders: Folders<'_>) -> Vec<PathBuf> {
        let data = &self.data;
        let parts = data.train.iter().chain([&data.dev]).chain(&data.test);
        parts.flat_map(|part| part.files(folders.data)).collect()
    }

    fn read(&self, folders: Folders<'_>, _: &[String], command: &str) -> Result<Prepared<Predict>, RunError> {
        let corpus = load(&self.data, folders.data, self.task.predict.start.as_deref())?;
        self.prepare(corpus, Some(command)).map_err(RunError::Train)
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
