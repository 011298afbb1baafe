//! What a model can be started from: a file with a model, or with word vectors, which are `embedding.weight` and, under the
//! metadata key `vocabulary`, the JSON list of its rows' words.

use std::collections::BTreeMap;

use super::names::{self, Named, Row};
use super::{EMBEDDING, TransferError};
use crate::device::{Device, EngineError, Parameter};
use crate::graph::{Graph, Strategy};
use crate::model::{CONFIG_KEY, Checkpoint, Model, ModelError, WordVectors, check_distinct};
use crate::nn::{AdaptiveInput, Tensor};
use crate::train::vectors::VOCABULARY_KEY;

/// Words whose vectors are projected in one go.
const TOGETHER: usize = 4096;

/// What a model can be started from.
#[derive(Clone, Debug)]
pub struct Source(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Model(Box<Model>),
    Vectors { words: Vec<String>, table: Tensor },
}

impl Source {
    /// Reads a model or word vectors.
    ///
    /// # Errors
    /// If the file is neither, or its word vectors are of an empty word or of one twice.
    pub fn from_bytes(file: &[u8]) -> Result<Self, TransferError> {
        let mut checkpoint = Checkpoint::from_bytes(file)?;
        match (checkpoint.metadata.get(CONFIG_KEY), checkpoint.metadata.get(VOCABULARY_KEY)) {
            (Some(_), _) => Ok(Self(Kind::Model(Box::new(Model::from_bytes(file)?)))),
            (None, Some(words)) => {
                let words: Vec<String> = serde_json::from_str(words)
                    .map_err(|error| ModelError::ConfigSyntax { reason: error.to_string() })?;
                check_distinct(VOCABULARY_KEY, &words)?;
                let expected = format!("[{}, columns]", words.len());
                let Some(table) = checkpoint.tensors.get_mut(EMBEDDING).map(std::mem::take) else {
                    return Err(ModelError::Missing { tensor: EMBEDDING.into(), expected }.into());
                };
                if table.shape.len() != 2 || table.shape[0] != words.len() {
                    let found = format!("{:?}", table.shape);
                    return Err(ModelError::Shape { tensor: EMBEDDING.into(), expected, found }.into());
                }
                Ok(Self(Kind::Vectors { words, table }))
            }
            (None, None) => Err(ModelError::ConfigMissing.into()),
        }
    }

    /// Its words, by their numbers.
    pub fn words(&self) -> &[String] {
        match &self.0 {
            Kind::Model(model) => &model.config().vocabulary,
            Kind::Vectors { words, .. } => words,
        }
    }

    /// The tensors whose rows stand for something.
    pub(super) fn named(&self) -> BTreeMap<String, Named<'_>> {
        match &self.0 {
            Kind::Model(model) => names::of(model.config()),
            Kind::Vectors { words, .. } => [(EMBEDDING.to_owned(), Named::words(words))].into(),
        }
    }

    /// The names of all tensors, without aliases.
    pub(super) fn tensor_names(&self) -> impl Iterator<Item = &str> {
        let (model, table) = match &self.0 {
            Kind::Model(model) => (Some(model), None),
            Kind::Vectors { .. } => (None, Some(EMBEDDING)),
        };
        let parameters = model.into_iter().flat_map(|model| model.parameters().iter());
        parameters.map(|(_, parameter)| parameter.name.as_str()).chain(table)
    }

    /// A tensor by its name, or by an alias.
    pub(super) fn tensor(&self, name: &str) -> Option<Tensor> {
        match &self.0 {
            Kind::Vectors { table, .. } => (name == EMBEDDING).then(|| table.clone()),
            Kind::Model(model) => {
                let (parameters, words) = (model.parameters(), &model.network().encoder.words);
                if let Some(id) = parameters.id(name) {
                    let parameter = parameters.get(id);
                    return Some(Tensor { shape: parameter.shape.clone(), values: parameter.values.clone() });
                }
                let alias = words.aliases().iter().find(|alias| alias.name == name);
                alias.map(|alias| alias.tensor(parameters))
            }
        }
    }

    /// Whether its word vectors are its softmax's.
    pub(super) fn ties(&self) -> bool {
        self.adaptive_input().is_some_and(|(_, input)| !input.aliases().is_empty())
    }

    /// Adaptive input, if that is where word vectors come from.
    pub(super) fn adaptive_input(&self) -> Option<(&Model, &AdaptiveInput)> {
        match &self.0 {
            Kind::Model(model) => match &model.network().encoder.words {
                WordVectors::Adaptive(input) => Some((model, input)),
                WordVectors::Table(_) => None,
            },
            Kind::Vectors { .. } => None,
        }
    }

    /// The vectors that adaptive input gives those of these words that it knows, which words these are, and the tensors that
    /// the vectors come from.
    pub(super) async fn projected<'m>(
        &'m self,
        wanted: &[Row<'_>],
    ) -> Result<(Tensor, Vec<Row<'m>>, Vec<String>), EngineError> {
        let Some((model, input)) = self.adaptive_input() else { return Ok(Default::default()) };
        let words = model.vocabulary();
        let id = |row: &Row<'_>| match row {
            Row::Word(word) if words.contains(word) => Some(words.id(word)),
            _ => None,
        };
        let ids: Vec<u32> = wanted.iter().filter_map(id).collect();
        let mut values = Vec::with_capacity(ids.len() * input.output_size());
        for ids in ids.chunks(TOGETHER) {
            let graph = Graph::inference(model.parameters(), &Device::cpu(), Strategy::Levels);
            values.extend(input.forward(&graph, ids).value().await?);
        }
        let rows = ids.iter().map(|&id| Row::Word(&model.config().vocabulary[id as usize])).collect();
        let is_read = |(id, parameter): &(_, &Parameter)| {
            parameter.name.starts_with("embedding.") || input.aliases().iter().any(|alias| alias.of == *id)
        };
        let stored = model.parameters().iter().filter(is_read);
        let from = stored.map(|(_, parameter)| parameter.name.clone()).collect();
        Ok((Tensor { shape: vec![ids.len(), input.output_size()], values }, rows, from))
    }
}
