//! Runs that learn to classify.

use std::path::PathBuf;

use saccade_rnn::device::Device;
use saccade_rnn::model::Model;
use saccade_rnn::train::{Classify, Distill, Evaluation, Prepared, teach};

use super::{Figures, Folders, Recipe, RunError};
use crate::config::Config;
use crate::corpus::labelled_sets;
use crate::files;

impl Recipe for Config {
    fn texts(&self, folders: Folders<'_>) -> Vec<PathBuf> {
        let data = &self.data;
        let parts = data.train.iter().chain(&data.dev).chain(&data.test);
        parts.map(|part| folders.data.join(&part.path)).collect()
    }

    fn read(
        &self,
        folders: Folders<'_>,
        more_words: &[String],
        command: &str,
    ) -> Result<Prepared<Classify>, RunError> {
        let sets = labelled_sets(self, folders.data)?;
        let texts = sets.train.iter().map(|texts| texts.examples.len()).sum();
        let prepared = self.prepare(sets, more_words, Some(command));
        prepared.map_err(RunError::preparing(self.data.hold_out, texts))
    }

    async fn teach(
        &self,
        folders: Folders<'_>,
        device: &Device,
        Prepared { model, texts }: &mut Prepared<Classify>,
        go_on: impl FnMut(usize) -> bool,
    ) -> Result<(), RunError> {
        let Some(Distill { teacher: path, .. }) = &self.train.distill else { return Ok(()) };
        let path = folders.models.join(path);
        let error = |source| RunError::Teacher { path: path.clone(), source };
        let teacher = Model::from_bytes(&files::read(&path)?).map_err(|source| error(source.into()))?;
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
