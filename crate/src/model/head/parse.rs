//! A tree over the words of a sentence: what a greedy parser looks at becomes scores of what it may do next.

use super::super::Parsing;
use super::super::encoder::{Dropouts, FreshOptions, build_layer};
use super::super::parsing::{Configuration, SLOTS, Transition};
use super::super::shape::LayerShape;
use crate::device::{EngineError, ParamId};
use crate::graph::Expr;
use crate::nn::{BuildError, Builder, Embedding, Init, Linear, SkimControl, Stack};

/// Tags, layers over words with their expected tags, and a perceptron over the tops of stack and buffer: parameters
/// `tags.weight [labels, width]`, `tag_vectors.weight [tag_size, labels]`, `layers.{i}.…`, `edges.weight [2, out]` (the root,
/// and what is not there), `slots.{i}.weight [hidden, out]`, `slots.bias [hidden]`, `transitions.weight [transitions, hidden]`.
#[derive(Clone, Debug)]
pub struct Parse {
    tags: Linear,
    tag_vectors: ParamId,
    layers: Stack,
    edges: Embedding,
    slots: [ParamId; SLOTS],
    bias: ParamId,
    transitions: Linear,
    relations: usize,
}

/// A sentence as a parser has read it.
pub struct Read<'g> {
    /// The scores of each word's tags, `words x labels`.
    pub tags: Expr<'g>,
    /// What each word, the root and what is not there add to the hidden layer in each place, `words + 2 x hidden`.
    pub(in crate::model) slots: [Expr<'g>; SLOTS],
    pub(in crate::model) words: usize,
}

impl Parse {
    pub(super) fn new(
        builder: &mut Builder,
        task: &Parsing,
        width: usize,
        dropouts: Dropouts,
        fresh: FreshOptions,
    ) -> Result<Self, BuildError> {
        let labels = task.tag.labels.len();
        let uniform = |inputs: usize| Init::Uniform(1.0 / (inputs as f32).sqrt());
        let tags = builder.scope("tags", |b| Linear::new(b, width, labels))?;
        let tag_vectors =
            builder.parameter("tag_vectors.weight", &[task.tag_size, labels], Init::Uniform(1.0))?;
        let (mut size, mut layers) = (width + task.tag_size, Vec::new());
        for (i, layer) in task.layers.iter().enumerate() {
            let layer = builder.scope(&format!("layers.{i}"), |b| {
                build_layer(b, &LayerShape::single(size, layer.clone()), dropouts, fresh)
            })?;
            size = layer.output_size();
            layers.push(layer);
        }
        let edges = builder.scope("edges", |b| Embedding::new(b, 2, size))?;
        let mut slot = |i: usize| {
            builder.parameter(&format!("slots.{i}.weight"), &[task.hidden_size, size], uniform(SLOTS * size))
        };
        let slots = [slot(0)?, slot(1)?, slot(2)?, slot(3)?];
        let bias = builder.parameter("slots.bias", &[task.hidden_size], uniform(SLOTS * size))?;
        let transitions =
            builder.scope("transitions", |b| Linear::new(b, task.hidden_size, task.transitions()))?;
        let Dropouts { encoder: dropout, encoder_per_sequence: dropout_per_sequence, .. } = dropouts;
        let layers = Stack { layers, dropout, dropout_per_sequence };
        let relations = task.relations.len();
        Ok(Self { tags, tag_vectors, layers, edges, slots, bias, transitions, relations })
    }

    /// The scores of the tags of an encoder's rows.
    pub(super) fn tags<'g>(&self, rows: Expr<'g>) -> Expr<'g> {
        self.tags.forward(rows)
    }

    /// Reads the words of a sentence, of an encoder's rows; `dropouts` in training.
    pub(in crate::model) fn read<'g>(&self, rows: Expr<'g>, dropouts: Dropouts) -> Read<'g> {
        let graph = rows.graph();
        let rows = rows.dropout(dropouts.head, false);
        let tags = self.tags(rows);
        let expected = tags.softmax().affine(self.tag_vectors, None);
        let control = SkimControl::Decide { threshold: 1.0, force: &[] };
        let tagged = graph.concat_columns(&[rows, expected]);
        let read = self.layers.forward(tagged, [], control).rows;
        let all = graph.concat_rows(&[read, self.edges.forward(graph, &[0, 1])]);
        let all = all.dropout(dropouts.head, false);
        let words = rows.shape().rows;
        let [first, rest @ ..] = self.slots;
        let [b, c, d] = rest.map(|weight| all.affine(weight, None));
        Read { tags, slots: [all.affine(first, Some(self.bias)), b, c, d], words }
    }

    /// The scores of all transitions where a parser looks at these words, `places x transitions`.
    pub fn scores<'g>(&self, read: &Read<'g>, places: &[[u32; SLOTS]]) -> Expr<'g> {
        let part = |slot: usize| {
            let numbers: Vec<u32> = places.iter().map(|place| place[slot]).collect();
            read.slots[slot].rows(&numbers)
        };
        let hidden = (part(0) + part(1)) + (part(2) + part(3));
        self.transitions.forward(hidden.tanh())
    }

    /// Parses a sentence that was read: a loop that looks at scores and lets `choose` decide. It may be one of many programs
    /// ([`Graph::join`](crate::graph::Graph::join)), whose transitions then run together.
    ///
    /// # Errors
    /// The engine's.
    pub async fn walk(
        &self,
        read: &Read<'_>,
        mut choose: impl FnMut(&Configuration, &[f32]) -> Transition,
    ) -> Result<Configuration, EngineError> {
        let mut at = Configuration::new(read.words, self.relations);
        while !at.is_done() {
            let transition = match at.forced() {
                Some(transition) => transition,
                None => choose(&at, &self.scores(read, &[at.slots()]).value().await?),
            };
            at.apply(transition);
        }
        Ok(at)
    }
}
