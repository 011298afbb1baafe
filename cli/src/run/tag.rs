//! Runs that learn to tag words.

use std::path::PathBuf;

use saccade_rnn::train::{Prepared, Tag, TagScore, TaggedSets};

use super::{Figures, Folders, Recipe, RunError};
use crate::config::{TagConfig, Treebank};
use crate::corpus::tagged::{examples, read_sets};

impl Recipe for TagConfig {
    fn texts(&self, folders: Folders<'_>) -> Vec<PathBuf> {
        let data = &self.data;
        let parts = [&data.train].into_iter().chain(&data.dev).chain(&data.test);
        parts.map(|Treebank(path)| folders.data.join(path)).collect()
    }

    fn read(
        &self,
        folders: Folders<'_>,
        more_words: &[String],
        command: &str,
    ) -> Result<Prepared<Tag>, RunError> {
        let sets = read_sets(&self.data, folders.data)?;
        let [train, dev, test] = [&sets.train, &sets.dev, &sets.test].map(examples);
        let texts = train.examples.len();
        let prepared = self.prepare(TaggedSets { train, dev, test }, more_words, Some(command));
        prepared.map_err(RunError::preparing(self.data.hold_out, texts))
    }
}

impl Figures for TagScore {
    fn in_words(&self) -> String {
        format!(
            "{:.2} % of {} words right, {:.2} % of {} unknown ones, loss {:.4}",
            100.0 * self.accuracy,
            self.n,
            100.0 * self.unknown_accuracy,
            self.unknown,
            self.loss
        )
    }
}
