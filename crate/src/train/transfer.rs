//! Starting from another model, or from word vectors.
//!
//! - `embedding.weight`: rows of words that both know are copied.
//! - Tensors of the same name and shape are copied.
//! - A Skim layer whose source is an LSTM or GRU of the same size takes it as its big cell (`weight_ih_l0` becomes
//!   `big.weight_ih`), so that the Skim model begins as the model that reads everything.
//!
//! The source is a model file, or a file of word vectors: `embedding.weight` and, under the metadata key
//! `vocabulary`, the JSON list of its rows' words.

use std::collections::HashMap;

use super::vectors::VOCABULARY_KEY;
use crate::model::{CONFIG_KEY, Checkpoint, Config, Model, ModelError};
use crate::nn::Tensors;

const EMBEDDING: &str = "embedding.weight";

/// A file cannot be started from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// It is neither a model nor word vectors.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Nothing fits.
    #[error("no tensor has the name and the shape of one of this model's")]
    Nothing,
}

/// What a model can be started from.
#[derive(Clone, Debug)]
pub struct Source {
    /// Words of the rows of `embedding.weight`.
    pub words: Vec<String>,
    tensors: Tensors,
}

impl Source {
    /// Reads a model or word vectors.
    ///
    /// # Errors
    /// If the file is neither.
    pub fn from_bytes(file: &[u8]) -> Result<Self, TransferError> {
        let checkpoint = Checkpoint::from_bytes(file)?;
        let words = match (checkpoint.metadata.get(CONFIG_KEY), checkpoint.metadata.get(VOCABULARY_KEY)) {
            (Some(config), _) => Config::from_json(config)?.vocabulary,
            (None, Some(words)) => serde_json::from_str(words)
                .map_err(|error| ModelError::ConfigSyntax { reason: error.to_string() })?,
            (None, None) => return Err(ModelError::ConfigMissing.into()),
        };
        Ok(Self { words, tensors: checkpoint.tensors })
    }
}

/// Copies what fits into a model; returns the number of words whose vectors were copied and the names of the other
/// tensors.
///
/// # Errors
/// If nothing fits.
pub fn transfer(model: &mut Model, source: &Source) -> Result<(usize, Vec<String>), TransferError> {
    let words = copy_words(model, source);
    let mut copied = Vec::new();
    for (_, parameter) in model.parameters_mut().iter_mut() {
        if parameter.name == EMBEDDING {
            continue;
        }
        let names = [Some(parameter.name.clone()), plain_name(&parameter.name)];
        let found = names.iter().flatten().find_map(|name| source.tensors.get(name));
        if let Some(tensor) = found.filter(|tensor| tensor.shape == parameter.shape) {
            parameter.values.clone_from(&tensor.values);
            copied.push(parameter.name.clone());
        }
    }
    if words == 0 && copied.is_empty() {
        return Err(TransferError::Nothing);
    }
    Ok((words, copied))
}

/// `encoder.0.big.weight_ih` as the plain cell names it: `encoder.0.weight_ih_l0`.
fn plain_name(name: &str) -> Option<String> {
    let (layer, tensor) = name.split_once(".big.")?;
    Some(format!("{layer}.{tensor}_l0"))
}

fn copy_words(model: &mut Model, source: &Source) -> usize {
    let Some(tensor) = source.tensors.get(EMBEDDING) else { return 0 };
    let size = model.config().embedding_size;
    if tensor.shape.len() != 2 || tensor.shape[1] != size || tensor.shape[0] != source.words.len() {
        return 0;
    }
    let rows: HashMap<&str, usize> = source.words.iter().enumerate().map(|(i, w)| (w.as_str(), i)).collect();
    let places: Vec<(usize, usize)> = model
        .vocabulary()
        .words()
        .iter()
        .enumerate()
        .filter_map(|(to, word)| rows.get(word.as_str()).map(|&from| (to, from)))
        .collect();
    let Some(table) = model.parameters().id(EMBEDDING) else { return 0 };
    let values = &mut model.parameters_mut().get_mut(table).values;
    for &(to, from) in &places {
        values[to * size..(to + 1) * size].copy_from_slice(&tensor.values[from * size..(from + 1) * size]);
    }
    places.len()
}
