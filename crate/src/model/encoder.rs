//! The encoder that a config describes: word vectors, and layers over them. It knows no task.

use super::layer_config::{Cell, LayerConfig, Nonlinearity, SmallReads};
use super::{Config, LayerShape, WordVectors};
use crate::device::CellKind;
use crate::graph::{Expr, Graph};
use crate::nn::{
    self, AdaptiveSoftmax, BuildError, Builder, Embedding, Flops, Inspected, Layer, LayerOutput, Recurrent,
    RecurrentConfig, SkimControl, Stack,
};

/// Word vectors and stack: parameters `embedding.…`, `encoder.{i}.…`.
#[derive(Clone, Debug)]
pub struct Encoder {
    /// Word vectors.
    pub words: WordVectors,
    stack: Stack,
    output_size: usize,
}

/// What is dropped in training; all zero at inference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dropouts {
    /// Of whole word vectors: of a word, all those that a graph reads, or none.
    pub words: f32,
    /// Of the word vectors' values.
    pub embedding: f32,
    /// Whether all words of a text share the mask ("variational").
    pub embedding_per_sequence: bool,
    /// Between layers, and inside SRU's highways.
    pub encoder: f32,
    /// Whether all words of a text share the mask between layers.
    pub encoder_per_sequence: bool,
    /// Of the pooled state in front of the head.
    pub head: f32,
}

/// Values that only fresh parameters depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FreshOptions {
    /// Added to the biases of LSTM forget gates.
    pub forget_bias: f32,
    /// Fresh bias of SRU's reset gates.
    pub highway_bias: f32,
}

impl Encoder {
    /// Builds the encoder of a valid config, whose word vectors may be the weights of a softmax.
    ///
    /// # Errors
    /// See [`Builder::parameter`].
    pub fn new(
        builder: &mut Builder,
        config: &Config,
        tied: Option<&AdaptiveSoftmax>,
        dropouts: Dropouts,
        fresh: FreshOptions,
    ) -> Result<Self, BuildError> {
        let words = builder.scope("embedding", |b| WordVectors::new(b, config, tied))?;
        let mut width = config.input_size();
        let mut layers = Vec::new();
        for (i, layer) in config.encoder.iter().enumerate() {
            let layer = builder.scope(&format!("encoder.{i}"), |b| {
                build_layer(b, &LayerShape::single(width, layer.clone()), dropouts, fresh)
            })?;
            width = layer.output_size();
            layers.push(layer);
        }
        let Dropouts { encoder: dropout, encoder_per_sequence: dropout_per_sequence, .. } = dropouts;
        let stack = Stack { layers, dropout, dropout_per_sequence };
        Ok(Self { words, stack, output_size: width })
    }

    /// Columns of the output.
    pub fn output_size(&self) -> usize {
        self.output_size
    }

    /// Whether no row depends on a later one, so that a text may be encoded piece by piece.
    pub fn is_causal(&self) -> bool {
        self.stack.is_causal()
    }

    /// Encodes a piece of a text from the state that the piece before left ([`Stack::forward`]), `ids.len() x out`.
    pub fn encode<'g>(
        &self,
        graph: &'g Graph,
        ids: &[u32],
        state: impl IntoIterator<Item = Expr<'g>>,
        control: SkimControl<'_, 'g>,
        dropouts: Dropouts,
    ) -> LayerOutput<'g> {
        self.encode_beside(graph, ids, None, state, control, dropouts)
    }

    /// Encodes words like [`Self::encode`], with a row of further columns `beside` the vector of each.
    pub(super) fn encode_beside<'g>(
        &self,
        graph: &'g Graph,
        ids: &[u32],
        beside: Option<Expr<'g>>,
        state: impl IntoIterator<Item = Expr<'g>>,
        control: SkimControl<'_, 'g>,
        dropouts: Dropouts,
    ) -> LayerOutput<'g> {
        let words = self.embed(graph, ids, beside, dropouts);
        self.stack.forward(words, state, control)
    }

    /// What the first layer reads of words, with a row of further columns `beside` the vector of each.
    fn embed<'g>(
        &self,
        graph: &'g Graph,
        ids: &[u32],
        beside: Option<Expr<'g>>,
        dropouts: Dropouts,
    ) -> Expr<'g> {
        let words = self.words.forward(graph, ids);
        #[cfg(feature = "train")]
        let words = drop_words(words, ids, dropouts.words);
        let words = beside.map_or(words, |beside| graph.concat_columns(&[words, beside]));
        words.dropout(dropouts.embedding, dropouts.embedding_per_sequence)
    }

    /// The rows of all words of a text, of which no state is wanted; without layers their vectors.
    #[cfg(any(feature = "graph", not(feature = "web")))]
    pub(super) fn rows<'g>(&self, graph: &'g Graph, ids: &[u32], dropouts: Dropouts) -> Expr<'g> {
        let words = self.embed(graph, ids, None, dropouts);
        if self.stack.layers.is_empty() {
            return words;
        }
        let control = SkimControl::Decide { threshold: 1.0, force: &[] };
        self.stack.forward(words, [], control).rows
    }

    /// Encodes a piece of a text like [`Self::encode`] and tells what every cell does, on the CPU: the word vectors
    /// first, then the cells of every layer.
    pub fn inspect<'g>(
        &self,
        graph: &'g Graph,
        ids: &[u32],
        state: impl IntoIterator<Item = Expr<'g>>,
        control: SkimControl<'_, 'g>,
    ) -> Inspected<'g> {
        let words = self.words.forward(graph, ids);
        let Inspected { output, mut cells } = self.stack.inspect(words, state, control);
        cells.iter_mut().for_each(|cell| cell.trace.name.insert_str(0, "encoder."));
        cells.insert(0, Embedding::inspect(words));
        Inspected { output, cells }
    }

    /// The cost of a text of `tokens` of which each Skim layer skimmed as many as `skimmed` yields.
    pub fn flops(&self, tokens: usize, skimmed: impl Iterator<Item = usize>) -> Flops {
        self.stack.flops(tokens, skimmed)
    }
}

/// Drops the vectors of some words, drawn by word.
#[cfg(feature = "train")]
fn drop_words<'g>(vectors: Expr<'g>, ids: &[u32], rate: f32) -> Expr<'g> {
    /// No node has this number.
    const STREAM: u32 = u32::MAX;
    let (graph, size) = (vectors.graph(), vectors.shape().columns);
    if rate <= 0.0 || !graph.is_training() {
        return vectors;
    }
    let is_kept = |id| crate::cpu::noise::uniform(graph.seed(), STREAM, id) >= rate;
    let factor = |&id: &u32| if is_kept(id) { 1.0 / (1.0 - rate) } else { 0.0 };
    let mask = ids.iter().flat_map(|id| std::iter::repeat_n(factor(id), size)).collect();
    vectors * graph.input(ids.len(), size, mask)
}

/// A layer of valid sizes.
pub(super) fn build_layer(
    builder: &mut Builder,
    shape: &LayerShape,
    dropouts: Dropouts,
    fresh: FreshOptions,
) -> Result<Layer, BuildError> {
    let LayerShape { input_size, num_layers, bias, proj_size, ref layer } = *shape;
    let recurrent = |hidden_size, bidirectional| RecurrentConfig {
        bidirectional,
        num_layers,
        bias,
        proj_size,
        ..RecurrentConfig::new(input_size, hidden_size)
    };
    Ok(match *layer {
        LayerConfig::Elman { hidden_size, nonlinearity, bidirectional } => {
            let relu = nonlinearity == Nonlinearity::Relu;
            Layer::Recurrent(Recurrent::elman(builder, recurrent(hidden_size, bidirectional), relu)?)
        }
        LayerConfig::Lstm { hidden_size, bidirectional } => {
            let config = recurrent(hidden_size, bidirectional);
            Layer::Recurrent(Recurrent::lstm(builder, config, fresh.forget_bias)?)
        }
        LayerConfig::Gru { hidden_size, bidirectional } => {
            Layer::Recurrent(Recurrent::gru(builder, recurrent(hidden_size, bidirectional))?)
        }
        LayerConfig::Sru(ref sru) => {
            let config = nn::SruConfig {
                bidirectional: sru.bidirectional,
                v1: sru.v1,
                rescale: sru.rescale,
                has_skip_term: sru.has_skip_term,
                use_tanh: sru.use_tanh,
                layer_norm: sru.layer_norm,
                normalize_after: sru.normalize_after,
                projection_size: sru.projection_size,
                proj_input_to_hidden_first: sru.proj_input_to_hidden_first,
                highway_bias: fresh.highway_bias,
                dropout: dropouts.encoder,
                ..nn::SruConfig::new(input_size, sru.hidden_size, sru.num_layers)
            };
            Layer::Sru(nn::Sru::new(builder, config)?)
        }
        LayerConfig::Skim { cell, hidden_size, small_size, small_reads } => {
            let config = nn::SkimConfig {
                cell: match cell {
                    Cell::Lstm => CellKind::Lstm,
                    Cell::Gru => CellKind::Gru,
                },
                input_size,
                hidden_size,
                small_size,
                small_reads: match small_reads {
                    SmallReads::Slice => nn::SmallReads::Slice,
                    SmallReads::All => nn::SmallReads::All,
                },
                forget_bias: fresh.forget_bias,
            };
            Layer::Skim(nn::Skim::new(builder, config)?)
        }
    })
}
