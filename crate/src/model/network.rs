//! The network a config describes: embedding, encoder, pool, head.

use super::encoder::{Cell, LayerConfig, Nonlinearity, SmallReads};
use super::{Config, Pool};
use crate::device::{self, CellKind, Device};
use crate::graph::{Expr, Graph};
use crate::nn::{
    self, BuildError, Builder, Embedding, Flops, Layer, LayerOutput, Linear, Recurrent, RecurrentConfig,
    SkimControl, SkimOutput, Stack,
};

/// A text classifier: `embedding.weight`, `encoder.{i}.…`, `head.{weight,bias}`.
#[derive(Clone, Debug)]
pub struct Network {
    /// Word vectors.
    pub embedding: Embedding,
    encoder: Stack,
    pool: Pool,
    head: Linear,
}

/// What is dropped in training; all zero at inference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dropouts {
    /// Of the word vectors' values.
    pub embedding: f32,
    /// Whether all words of a text share the mask ("variational").
    pub embedding_per_sequence: bool,
    /// Between layers, and inside SRU's highways.
    pub encoder: f32,
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

/// What a network computes for one text.
pub struct Classified<'g, D: Device> {
    /// `1 x labels`.
    pub logits: Expr<'g, D>,
    /// Of every Skim layer, in order.
    pub skims: Vec<SkimOutput<'g, D>>,
}

impl Network {
    /// Builds the network of a valid config.
    ///
    /// # Errors
    /// See [`Builder::parameter`].
    pub fn new(
        builder: &mut Builder,
        config: &Config,
        dropouts: Dropouts,
        fresh: FreshOptions,
    ) -> Result<Self, BuildError> {
        let words = config.vocabulary.len();
        let embedding = builder.scope("embedding", |b| Embedding::new(b, words, config.embedding_size))?;
        let mut width = config.embedding_size;
        let mut layers = Vec::new();
        for (i, layer) in config.encoder.iter().enumerate() {
            let layer =
                builder.scope(&format!("encoder.{i}"), |b| build_layer(b, layer, width, dropouts, fresh))?;
            width = layer.output_size();
            layers.push(layer);
        }
        let encoder = Stack { layers, dropout: dropouts.encoder };
        let head = builder.scope("head", |b| Linear::new(b, width, config.labels.len()))?;
        Ok(Self { embedding, encoder, pool: config.pool, head })
    }

    /// Records the network on a graph for one text.
    pub fn classify<'g, D: Device>(
        &self,
        graph: &'g Graph<'g, D>,
        ids: &[u32],
        control: SkimControl<'_, 'g, D>,
        dropouts: Dropouts,
    ) -> Classified<'g, D> {
        let LayerOutput { rows, last, skims, .. } = self.encode(graph, ids, [], control, dropouts);
        let pooled = match self.pool {
            Pool::Last => last,
            Pool::Mean => rows.pool(device::Pool::Mean),
            Pool::Max => rows.pool(device::Pool::Max),
        };
        Classified { logits: self.head.forward(pooled.dropout(dropouts.head, false)), skims }
    }

    /// Whether a text may be encoded piece by piece ([`Layer::is_causal`]).
    pub fn is_causal(&self) -> bool {
        self.encoder.is_causal()
    }

    /// Embedding and encoder over a piece of a text, from the state that the piece before left ([`Stack::forward`]).
    pub fn encode<'g, D: Device>(
        &self,
        graph: &'g Graph<'g, D>,
        ids: &[u32],
        state: impl IntoIterator<Item = Expr<'g, D>>,
        control: SkimControl<'_, 'g, D>,
        dropouts: Dropouts,
    ) -> LayerOutput<'g, D> {
        let words = self.embedding.forward(graph, ids);
        let words = words.dropout(dropouts.embedding, dropouts.embedding_per_sequence);
        self.encoder.forward(words, state, control)
    }

    /// What the pool has gathered after a piece, `1 x out`, given what it had gathered before: the last state, the
    /// sum or the maximum.
    pub fn gather<'g, D: Device>(
        &self,
        before: Option<Expr<'g, D>>,
        piece: &LayerOutput<'g, D>,
    ) -> Expr<'g, D> {
        let pool = match self.pool {
            Pool::Last => return piece.last,
            Pool::Mean => device::Pool::Sum,
            Pool::Max => device::Pool::Max,
        };
        let gathered = piece.rows.pool(pool);
        match before {
            Some(before) => gathered.graph().concat_rows(&[before, gathered]).pool(pool),
            None => gathered,
        }
    }

    /// The logits, `1 x labels`, given what the pool has gathered from all pieces of a text of `tokens`.
    pub fn conclude<'g, D: Device>(&self, gathered: Expr<'g, D>, tokens: usize) -> Expr<'g, D> {
        self.head.forward(match self.pool {
            Pool::Last | Pool::Max => gathered,
            Pool::Mean => gathered.scale(1.0 / tokens.max(1) as f32),
        })
    }

    /// Of the encoder, for a text of `tokens` of which each Skim layer skimmed as many as `skimmed` yields.
    pub fn flops(&self, tokens: usize, skimmed: impl Iterator<Item = usize>) -> Flops {
        self.encoder.flops(tokens, skimmed)
    }
}

fn build_layer(
    builder: &mut Builder,
    layer: &LayerConfig,
    input_size: usize,
    dropouts: Dropouts,
    fresh: FreshOptions,
) -> Result<Layer, BuildError> {
    let recurrent = |hidden_size, bidirectional| RecurrentConfig {
        bidirectional,
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
