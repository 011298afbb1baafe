//! What is in a file, for people to look at: the config without its words, the tensors with their ranges.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

use super::checkpoint::SCALE;
use super::header::{Entry, Header, elements};
use super::place::places;
use super::{
    CONFIG_KEY, Classification, Config, LayerConfig, Model, ModelError, Pool, Prediction, Task, Training,
};
use crate::text::Tokenizer;

/// A config without its vocabulary.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigSummary<'a> {
    /// What the network is asked.
    pub task: &'static str,
    /// The names of the classes in the order of the scores.
    pub labels: Cow<'a, [String]>,
    /// Whether a layer decides what to skim.
    pub skims: bool,
    /// The skim probability above which a word is skimmed, where the caller gives none.
    pub threshold: f32,
    /// Of a model that predicts words: the first word of every tail of its softmax.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cutoffs: Option<Cow<'a, [usize]>>,
    /// How text becomes words.
    pub tokenizer: Tokenizer,
    /// The number of words.
    pub vocabulary_size: usize,
    /// The width of a word's vector.
    pub embedding_size: usize,
    /// The layers that a sequence passes through, in order, as the file spells them.
    pub encoder: Cow<'a, [LayerConfig]>,
    /// How a sequence of states becomes one; none where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<Pool>,
    /// How the model was made and what it reached.
    pub training: Cow<'a, Training>,
}

impl<'a> From<&'a Config> for ConfigSummary<'a> {
    fn from(config: &'a Config) -> Self {
        let (pool, cutoffs) = match &config.task {
            Task::Classify(Classification { pool, .. }) => (Some(*pool), None),
            Task::Predict(Prediction { cutoffs, .. }) => (None, Some(Cow::Borrowed(&cutoffs[..]))),
            Task::Tag(_) | Task::Parse(_) | Task::Tree(_) => (None, None),
        };
        Self {
            task: config.task.name(),
            labels: Cow::Borrowed(config.task.labels()),
            skims: config.skims(),
            threshold: config.default_threshold(),
            cutoffs,
            tokenizer: config.tokenizer,
            vocabulary_size: config.vocabulary.len(),
            embedding_size: config.embedding_size,
            encoder: Cow::Borrowed(&config.encoder),
            pool,
            training: Cow::Borrowed(&config.training),
        }
    }
}

impl ConfigSummary<'_> {
    /// With copies of what it borrows.
    pub fn into_owned(self) -> ConfigSummary<'static> {
        ConfigSummary {
            labels: Cow::Owned(self.labels.into_owned()),
            encoder: Cow::Owned(self.encoder.into_owned()),
            cutoffs: self.cutoffs.map(|cutoffs| Cow::Owned(cutoffs.into_owned())),
            training: Cow::Owned(self.training.into_owned()),
            ..self
        }
    }
}

/// What a safetensors file holds, be it a model or a plain `state_dict`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileSummary {
    /// The length of the file in bytes.
    pub bytes: usize,
    /// The numbers in all tensors, row scales not counted.
    pub parameters: u64,
    /// The config; none in a plain `state_dict`, or if it cannot be read (see [`Self::problem`]).
    pub config: Option<ConfigSummary<'static>>,
    /// Why a file with a config is yet no model.
    pub problem: Option<Problem>,
    /// The layers that it seems to have, each by kind and prefix.
    pub layers: Vec<String>,
    /// The rest of the metadata.
    pub metadata: BTreeMap<String, String>,
    /// The tensors, by name.
    pub tensors: Vec<TensorSummary>,
}

/// A [`ModelError`] as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// See [`ModelError::code`].
    pub code: &'static str,
    /// What is wrong, and where.
    pub message: String,
}

/// A tensor, and the range of its values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TensorSummary {
    /// Its name.
    pub name: String,
    /// The type of its numbers, as the file spells it; `I8` has row scales beside it.
    pub dtype: String,
    /// Its dimensions, outermost first.
    pub shape: Vec<usize>,
    /// Its bytes in the file, with those of its row scales.
    pub bytes: usize,
    /// The smallest value; none in an empty tensor, and of a type of numbers that no layer has.
    pub min: Option<f32>,
    /// The largest value, or none like [`Self::min`].
    pub max: Option<f32>,
    /// The mean of the values, or none like [`Self::min`].
    pub mean: Option<f64>,
}

impl FileSummary {
    /// Looks into a file. Tensors of any type are listed.
    ///
    /// # Errors
    /// If the file is no safetensors file, or cut short. A config that is wrong, or that does not fit the tensors, is no
    /// error but a [`Problem`].
    pub fn from_bytes(file: &[u8]) -> Result<Self, ModelError> {
        let (mut header, data) = Header::read(file)?;
        let config = header.metadata.remove(CONFIG_KEY).map(|json| Config::from_json(&json));
        let problem = config.as_ref().and_then(|_| Model::from_bytes(file).err());
        let summary = |(name, entry): (&String, &Entry)| {
            // Of another type there is nothing to tell but how many there are.
            let values = header.decode(name, entry, data).map(|tensor| tensor.values).unwrap_or_default();
            let sum: f64 = values.iter().copied().map(f64::from).sum();
            let scales = header.entries.get(&format!("{name}{SCALE}")).filter(|_| entry.dtype == "I8");
            TensorSummary {
                name: name.clone(),
                dtype: entry.dtype.clone(),
                shape: entry.shape.0.clone(),
                bytes: entry.extent().len() + scales.map_or(0, |scales| scales.extent().len()),
                min: values.iter().copied().reduce(f32::min),
                max: values.iter().copied().reduce(f32::max),
                mean: (!values.is_empty()).then(|| sum / values.len() as f64),
            }
        };
        let tensors = header.entries.iter().filter(|(name, _)| header.scaled(name).is_none()).map(summary);
        let tensors: Vec<TensorSummary> = tensors.collect();
        let numbers = |tensor: &TensorSummary| elements(&tensor.shape).unwrap_or(0) as u64;
        Ok(Self {
            bytes: file.len(),
            parameters: tensors.iter().map(numbers).fold(0, u64::saturating_add),
            layers: places(&header).into_iter().map(|place| place.to_string()).collect(),
            config: config.and_then(Result::ok).map(|config| ConfigSummary::from(&config).into_owned()),
            problem: problem.map(|error| Problem { code: error.code(), message: error.to_string() }),
            tensors,
            metadata: header.metadata,
        })
    }
}
