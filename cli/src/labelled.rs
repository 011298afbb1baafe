//! A model and the labelled texts it is measured on, as arguments.

use std::path::{Path, PathBuf};

use saccade_rnn::model::{Model, ReadError, Task};
use saccade_rnn::train::{Evaluation, Item};

use crate::config::Part;
use crate::corpus::read_items;
use crate::data::Format;
use crate::failure::Failure;

/// What to measure, and on what.
#[derive(clap::Args)]
pub(crate) struct Labelled {
    /// The model file.
    #[arg(long)]
    pub(crate) model: PathBuf,
    /// The file of labelled texts.
    #[arg(long)]
    data: PathBuf,
    /// How it is written: lines (`label text`), imdb-tsv, ag-csv or sst-trees.
    #[arg(long)]
    format: Format,
}

impl Labelled {
    /// The texts as the model numbers their words.
    pub(crate) fn items(&self, model: &Model) -> Result<Vec<Item>, Failure> {
        let config = model.config();
        let labels = config.task.data_labels();
        let part = Part { path: self.data.clone(), format: self.format };
        Ok(read_items(&part, Path::new(""), model.tokenizer(), model.vocabulary(), labels)?)
    }
}

/// The model in a file.
pub(crate) fn open(path: &Path) -> Result<Model, Failure> {
    let bytes = std::fs::read(path).map_err(Failure::file(path))?;
    Model::from_bytes(&bytes).map_err(Failure::model(path))
}

/// The parser in a file, for a model that labels trees.
pub(crate) fn parser_for(model: &Model, path: &Path) -> Result<Model, Failure> {
    if !matches!(model.config().task, Task::Tree(_)) {
        let reason = "only a tree classifier labels a parser's trees";
        return Err(Failure::Option { option: "--parser", reason });
    }
    let parser = open(path)?;
    match &parser.config().task {
        Task::Parse(_) => Ok(parser),
        other => Err(Failure::Question { asked: "--parser", task: other.name() }),
    }
}

/// The model in a file, which must have a Skim layer.
pub(crate) fn open_skimming(path: &Path) -> Result<Model, Failure> {
    let model = open(path)?;
    if model.skims() { Ok(model) } else { Err(Failure::NeverSkims(path.to_owned())) }
}

/// The figures of a model, unless a score overflowed, which is no answer to any text.
pub(crate) fn finite(figures: Evaluation) -> Result<Evaluation, ReadError> {
    if figures.loss.is_finite() { Ok(figures) } else { Err(ReadError::Overflow("a score")) }
}

/// Why an option about skimming means nothing for a model.
pub(crate) const NEVER_SKIMS: &str = "this model has no Skim layer and reads every token";

/// The threshold asked for, which must be a probability, and of a model that skims; or the model's own.
pub(crate) fn threshold(asked: Option<f32>, model: &Model) -> Result<f32, Failure> {
    if asked.is_some() && !model.skims() {
        return Err(Failure::Option { option: "--threshold", reason: NEVER_SKIMS });
    }
    let threshold = asked.unwrap_or(model.threshold());
    if (0.0..=1.0).contains(&threshold) { Ok(threshold) } else { Err(ReadError::Threshold(threshold).into()) }
}
