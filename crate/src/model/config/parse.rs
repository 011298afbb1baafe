//! The config of a parser: a tagger, and on top of it what finds the head of every word.

use serde::{Deserialize, Serialize};

use super::{Config, LARGEST_SIZE, LayerConfig, ModelError, Tagging, check_distinct, check_range};
use crate::model::layer_config;

/// A tree over the words of a sentence: `{"parse": {"tag": {"labels": ["ADJ", …]}, "relations": ["nsubj", …], "tag_size": 32,
/// "layers": [{"type": "lstm", …}], "hidden_size": 100}}`. The encoder's rows are scored for tags; with the vector of its
/// expected tag beside it, each goes through `layers`, and a parser decides by what comes out.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Parsing {
    /// The tags, and how words are spelled.
    pub tag: Tagging,
    /// How words depend on others, in the order of the scores, each once; the root of a sentence is not one of them.
    pub relations: Vec<String>,
    /// The width of a tag's vector.
    pub tag_size: usize,
    /// The layers that read words with their tags, in order.
    #[serde(deserialize_with = "layer_config::layers")]
    pub layers: Vec<LayerConfig>,
    /// The width of the layer that reads the tops of stack and buffer.
    pub hidden_size: usize,
}

impl Parsing {
    pub(super) fn validate(&self, config: &Config) -> Result<(), ModelError> {
        self.tag.validate(config)?;
        if self.tag.crf {
            return Err(ModelError::config("tag.crf", "false, to parse", "true"));
        }
        if self.relations.is_empty() {
            return Err(ModelError::config("relations", "at least one relation", "none"));
        }
        check_distinct("relations", &self.relations)?;
        check_range("tag_size", self.tag_size, 1, LARGEST_SIZE)?;
        check_range("hidden_size", self.hidden_size, 1, LARGEST_SIZE)?;
        check_range("the number of layers", self.layers.len(), 1, layer_config::MOST_LAYERS)?;
        for (index, layer) in self.layers.iter().enumerate() {
            layer.validate(&format!("layers[{index}]"))?;
            if matches!(layer, LayerConfig::Skim { .. }) {
                return Err(ModelError::config(
                    "layers",
                    "those that read every word, to parse",
                    "one that skims",
                ));
            }
        }
        Ok(())
    }

    /// How many transitions there are: to shift, and to the left and to the right by every relation.
    pub fn transitions(&self) -> usize {
        1 + 2 * self.relations.len()
    }

    /// The numbers in the matrices of the head over rows of so many columns.
    pub(super) fn head_weights(&self, width: u64) -> u64 {
        let (tags, tag_size) = (self.tag.labels.len() as u64, self.tag_size as u64);
        let hidden = self.hidden_size as u64;
        let (mut size, mut weights) = (width + tag_size, tags * (width + tag_size));
        for layer in &self.layers {
            weights += layer.weights(size);
            size = layer.output_size() as u64;
        }
        // Two rows stand for no word.
        weights + 2 * size + 4 * size * hidden + hidden * self.transitions() as u64
    }
}
