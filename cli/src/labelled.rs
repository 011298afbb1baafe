//! A model and the labelled texts it is measured on, as arguments.

use std::path::{Path, PathBuf};

use saccade_rnn::model::{Model, ReadError};
use saccade_rnn::train::Item;

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

/// The model in a file, which must have a Skim layer.
pub(crate) fn open_skimming(path: &Path) -> Result<Model, Failure> {
    let model = open(path)?;
    if model.skims() { Ok(model) } else { Err(Failure::NeverSkims(path.to_owned())) }
}

/// The threshold asked for, which must be a probability, or the model's own.
pub(crate) fn threshold(asked: Option<f32>, model: &Model) -> Result<f32, Failure> {
    let threshold = asked.unwrap_or(model.threshold());
    if (0.0..=1.0).contains(&threshold) { Ok(threshold) } else { Err(ReadError::Threshold(threshold).into()) }
}
