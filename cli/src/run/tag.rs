//! Runs that learn to tag words.

use std::path::{Path, PathBuf};

use saccade_rnn::model::{self, FreshOptions, Model, Tagging, Task};
use saccade_rnn::train::{Prepared, Tag, TagScore, extend, record};

use super::{Figures, Recipe, RunError, texts};
use crate::config::TagConfig;
use crate::corpus::CorpusError;
use crate::corpus::tagged::{Known, number};
use crate::data::conllu;

impl Recipe for TagConfig {
    fn read(&self, data: &Path, more_words: &[String], command: &str) -> Result<Prepared<Tag>, RunError> {
        let set = &self.data;
        let read = |path: &PathBuf| {
            let path = data.join(path);
            conllu::read(&path).map(|sentences| (sentences, path)).map_err(CorpusError::from)
        };
        let train = read(&set.train)?;
        let known = Known::of(&train.0, &set.tokenizer, set.min_count);
        let characters =
            self.task.tag.characters.map(|sizes| known.characters(sizes.embedding_size, sizes.hidden_size));
        let words = extend(known.words, more_words, set.max_words).map_err(CorpusError::from)?;
        let config = model::Config {
            format: model::FORMAT,
            task: Task::Tag(Tagging { labels: known.tags, characters, crf: self.task.tag.crf }),
            tokenizer: set.tokenizer,
            vocabulary: words.into(),
            embedding_size: self.model.embedding_size,
            encoder: self.model.encoder.clone(),
            threshold: None,
            training: record(Some(command), self.seed, &set.name, set.licence.as_ref()),
        };
        let fresh = FreshOptions { forget_bias: self.model.forget_bias, ..FreshOptions::default() };
        let model = Model::fresh(config, self.train.dropouts(), fresh, self.seed)?;
        let texts = texts(train, &set.dev, set.test.as_ref(), read, |sentences, path| {
            number(sentences, path, &model)
        })?;
        Ok(Prepared { model, texts })
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
