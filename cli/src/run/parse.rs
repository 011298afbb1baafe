//! Runs that learn to parse sentences.

use std::path::PathBuf;

use saccade_rnn::model::{self, FreshOptions, Model, Parsing, Tagging, Task};
use saccade_rnn::train::{Known, Parse, ParseScore, Prepared, Texts, extend, record, tags};

use super::{Figures, Folders, Recipe, RunError};
use crate::config::{ParseConfig, Treebank};
use crate::corpus::CorpusError;
use crate::corpus::parsed::{check_heads, is_learnable, number, relations};
use crate::corpus::tagged::{examples, read_sets};

impl Recipe for ParseConfig {
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
    ) -> Result<Prepared<Parse>, RunError> {
        let (set, options) = (&self.data, &self.task.parse);
        let mut sets = read_sets(set, folders.data)?;
        check_heads(&sets.train)?;
        // Before any are taken away: the only sentence with a tag or a relation may be held out.
        let (labels, relations) = (tags(&examples(&sets.train).examples), relations(&sets.train.examples));
        let (hold_out, texts) = (set.hold_out, sets.train.examples.len());
        sets.hold_out(hold_out);
        if hold_out > 0 && sets.train.examples.is_empty() {
            return Err(RunError::HeldOut { hold_out, texts });
        }
        let known = Known::of(&examples(&sets.train).examples, &set.tokenizer, set.min_count);
        let characters = options.characters.map(|sizes| known.characters(sizes));
        let words = extend(known.words, more_words, set.max_words).map_err(CorpusError::from)?;
        let train = &mut sets.train.examples;
        let sentences = train.len();
        train.retain(is_learnable);
        let left_out = format!(
            "{} of {sentences} training sentences, whose heads make no projective tree of one root",
            sentences - train.len()
        );
        let config = model::Config {
            format: model::FORMAT,
            task: Task::Parse(Parsing {
                tag: Tagging { labels, characters, crf: false },
                relations,
                tag_size: options.tag_size,
                layers: options.layers.clone(),
                hidden_size: options.hidden_size,
            }),
            tokenizer: set.tokenizer,
            vocabulary: words.into(),
            embedding_size: self.model.embedding_size,
            encoder: self.model.encoder.clone(),
            threshold: None,
            training: model::Training {
                notes: [("left_out".to_owned(), left_out)].into(),
                ..record(Some(command), self.seed, &set.name, set.licence.as_ref())
            },
        };
        let fresh = FreshOptions { forget_bias: self.model.forget_bias, ..FreshOptions::default() };
        let model = Model::fresh(config, self.train.dropouts(), fresh, self.seed)?;
        let [train, dev, test] = [&sets.train, &sets.dev, &sets.test].map(|set| number(set, &model));
        let texts = Texts { train: train?, dev: dev?, test: test? };
        Ok(Prepared { model, texts })
    }
}

impl Figures for ParseScore {
    fn in_words(&self) -> String {
        format!(
            "{:.2} % UAS, {:.2} % LAS, {:.2} % of the tags of {} words",
            100.0 * self.uas,
            100.0 * self.las,
            100.0 * self.accuracy,
            self.n
        )
    }
}
