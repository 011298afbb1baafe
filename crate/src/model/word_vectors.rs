//! Word vectors as a config has them: a table, or adaptive input, which may share its weights with the head.

use super::{Config, Input, Task};
#[cfg(feature = "train")]
use crate::cpu::order::distinct;
#[cfg(feature = "train")]
use crate::device::ParamId;
use crate::graph::{Expr, Graph};
use crate::nn::{AdaptiveInput, AdaptiveSoftmax, Alias, BuildError, Builder, Embedding};

/// A vector for every word.
#[derive(Clone, Debug)]
pub enum WordVectors {
    /// Vectors of one width.
    Table(Embedding),
    /// Vectors of which rare words have fewer columns, projected to one width.
    Adaptive(AdaptiveInput),
}

impl WordVectors {
    /// The word vectors of a valid config. `softmax` is the head's, if the head is built before.
    pub(super) fn new(
        builder: &mut Builder,
        config: &Config,
        softmax: Option<&AdaptiveSoftmax>,
    ) -> Result<Self, BuildError> {
        let size = config.embedding_size;
        let adaptive = match (&config.task, softmax) {
            (Task::Predict(task), Some(softmax)) if task.input == Input::TiedProjections => {
                AdaptiveInput::tied_with_projections(builder, softmax)?
            }
            (Task::Predict(task), None) if task.input == Input::Adaptive => {
                AdaptiveInput::new(builder, task.adaptive_input(config))?
            }
            (_, Some(softmax)) => AdaptiveInput::tied(builder, softmax, size)?,
            _ => return Ok(Self::Table(Embedding::new(builder, config.vocabulary.len(), size)?)),
        };
        Ok(Self::Adaptive(adaptive))
    }

    /// `ids.len() x size`.
    pub fn forward<'g>(&self, graph: &'g Graph, ids: &[u32]) -> Expr<'g> {
        match self {
            Self::Table(table) => table.forward(graph, ids),
            Self::Adaptive(input) => input.forward(graph, ids),
        }
    }

    /// The rows of tables that nothing else reads and that have a gradient where these words were read.
    #[cfg(feature = "train")]
    pub fn own_rows(&self, ids: &[u32]) -> Vec<(ParamId, Vec<u32>)> {
        match self {
            Self::Table(table) => {
                vec![(table.weight, distinct(ids))]
            }
            Self::Adaptive(input) => input.own_rows(ids),
        }
    }

    /// Other names of the weights that the head has as well.
    pub fn aliases(&self) -> &[Alias] {
        match self {
            Self::Table(_) => &[],
            Self::Adaptive(input) => input.aliases(),
        }
    }
}
