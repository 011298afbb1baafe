//! Runs that learn to label the nodes of trees.

use std::path::{Path, PathBuf};

use saccade_rnn::model::{self, FreshOptions, Model, Task, TreeLabels};
use saccade_rnn::text::Vocabulary;
use saccade_rnn::train::{Prepared, Tree, TreeScore, extend, record};

use super::{Figures, Folders, Recipe, RunError, texts};
use crate::config::TreeConfig;
use crate::corpus::CorpusError;
use crate::corpus::trees::{number, read};
use crate::files;

impl Recipe for TreeConfig {
    fn texts(&self, folders: Folders<'_>) -> Vec<PathBuf> {
        let data = &self.data;
        let texts = [&data.train, &data.dev].into_iter().chain(&data.test);
        let texts = texts.map(|path| folders.data.join(path));
        texts.chain(data.parser.iter().map(|path| folders.models.join(path))).collect()
    }

    fn read(
        &self,
        folders: Folders<'_>,
        more_words: &[String],
        command: &str,
    ) -> Result<Prepared<Tree>, RunError> {
        let set = &self.data;
        let read = |path: &PathBuf| {
            let path = folders.data.join(path);
            read(&path).map(|trees| (trees, path)).map_err(CorpusError::from)
        };
        let train = read(&set.train)?;
        let words = train.0.iter().flat_map(|(_, tree)| {
            (0..tree.words()).map(|word| model::tree_word(&set.tokenizer, tree.source(word)))
        });
        let words = Vocabulary::build(words, set.min_count, None);
        let words = extend(words, more_words, set.max_words).map_err(CorpusError::from)?;
        let config = model::Config {
            format: model::FORMAT,
            task: Task::Tree(TreeLabels {
                labels: set.labels.iter().map(|label| label.name.clone()).collect(),
                data_labels: set.labels.iter().map(|label| label.file.clone()).collect(),
                cell: self.task.tree.cell,
                hidden_size: self.task.tree.hidden_size,
            }),
            tokenizer: set.tokenizer,
            vocabulary: words.into(),
            embedding_size: self.model.embedding_size,
            encoder: self.model.encoder.clone(),
            threshold: None,
            training: record(Some(command), self.seed, &set.name, set.licence.as_ref()),
        };
        let fresh = FreshOptions { forget_bias: self.model.forget_bias, ..FreshOptions::default() };
        let parser = set.parser.as_ref().map(|path| parser(&folders.models.join(path))).transpose()?;
        let mut model = Model::fresh(config, self.train.dropouts(), fresh, self.seed)?;
        let texts = texts(train, &set.dev, set.test.as_ref(), read, |trees, path| {
            number(trees, path, &model, parser.as_ref())
        })?;
        if let (Some(path), Some(_)) = (&set.parser, &parser) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let labels = || texts.train.iter().flat_map(|text| &text.labels);
            let (nodes, labelled) = (labels().count(), labels().flatten().count());
            let note =
                format!("{name}; {labelled} of {nodes} words to learn from have the label of a phrase");
            model.config_mut().training.notes.insert("parser".into(), note);
        }
        Ok(Prepared { model, texts })
    }
}

/// The parser in a file.
fn parser(path: &Path) -> Result<Model, RunError> {
    let model = Model::from_bytes(&files::read(path)?);
    model.map_err(|source| RunError::Parser { path: path.to_owned(), source })
}

impl Figures for TreeScore {
    fn in_words(&self) -> String {
        format!(
            "{:.2} % of {} roots right, {:.2} % of {} nodes, {:.2} % of {} roots on the right side of the middle, \
             loss {:.4}",
            100.0 * self.accuracy,
            self.n,
            100.0 * self.node_accuracy,
            self.nodes,
            100.0 * self.pole_accuracy,
            self.poles,
            self.loss
        )
    }
}
