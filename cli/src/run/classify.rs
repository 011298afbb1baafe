//! Runs that learn to classify.

use std::path::Path;

use saccade_rnn::device::Device;
use saccade_rnn::model::{self, Classification, FreshOptions, Model, ModelError, Task};
use saccade_rnn::train::{Classify, Distill, Evaluation, teach};

use super::{Figures, Prepared, Recipe, RunError, record};
use crate::config::Config;
use crate::corpus::Corpus;
use crate::files;

impl Recipe for Config {
    fn prepare(
        &self,
        data: &Path,
        more_words: &[String],
        command: &str,
    ) -> Result<Prepared<Classify>, RunError> {
        let corpus = Corpus::load(&self.data, data, more_words)?;
        Ok(Prepared { model: fresh(self, &corpus, command)?, texts: corpus.texts })
    }

    async fn teach(
        &self,
        device: &Device,
        Prepared { model, texts }: &mut Prepared<Classify>,
        go_on: impl FnMut(usize) -> bool,
    ) -> Result<(), RunError> {
        let Some(Distill { teacher: path, .. }) = &self.train.distill else { return Ok(()) };
        let error = |source| RunError::Teacher { path: path.into(), source };
        let teacher =
            Model::from_bytes(&files::read(path.as_ref())?).map_err(|source| error(source.into()))?;
        teach(&teacher, device, model, &mut texts.train, go_on).await.map(drop).map_err(error)
    }
}

impl Figures for Evaluation {
    fn in_words(&self) -> String {
        let skim = if self.skim_rate > 0.0 {
            format!(", {:.1} % skimmed, {:.2} x fewer FLOPs", 100.0 * self.skim_rate, self.flop_reduction)
        } else {
            String::new()
        };
        format!("{:.2} % of {} right, loss {:.4}{skim}", 100.0 * self.accuracy, self.n, self.loss)
    }
}

/// The model that a config describes, untrained.
fn fresh(config: &Config, corpus: &Corpus, command: &str) -> Result<Model, ModelError> {
    let options =
        FreshOptions { forget_bias: config.model.forget_bias, highway_bias: config.model.highway_bias };
    let model_config = model::Config {
        format: model::FORMAT,
        task: Task::Classify(Classification {
            labels: corpus.labels.clone(),
            data_labels: if corpus.data_labels == corpus.labels {
                Vec::new()
            } else {
                corpus.data_labels.clone()
            },
            pool: config.model.pool,
        }),
        tokenizer: config.data.tokenizer,
        vocabulary: corpus.vocabulary.words().to_vec(),
        embedding_size: config.model.embedding_size,
        encoder: config.model.encoder.clone(),
        threshold: config.train.skim.map(|_| model::DEFAULT_THRESHOLD),
        training: record(command, config.seed, &config.data.name, config.data.licence.as_ref()),
    };
    Model::fresh(model_config, config.train.dropouts(), options, config.seed)
}
