//! The network a config describes: embedding, encoder, pool, head.

use super::encoder::{Cell, LayerConfig, Nonlinearity, SmallReads};
use super::{Config, Pool};
use crate::device::{self, CellKind, EngineError};
use crate::graph::{Expr, Graph};
use crate::nn::{
    self, BuildError, Builder, Embedding, Flops, Layer, LayerOutput, Linear, Recurrent, RecurrentConfig,
    SkimControl, SkimOutput, Stack, Trace,
};

/// A text classifier: `embedding.weight`, `encoder.{i}.…`, `head.{weight,bias}`.
#[derive(Clone, Debug)]
pub struct Network {
    /// Word vectors.
    pub embedding: Embedding,
    encoder: Stack,
    pool: Pool,
    head: Linear,
    output_size: usize,
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
pub struct Classified<'g> {
    /// `1 x labels`.
    pub logits: Expr<'g>,
    /// Of every Skim layer, in order.
    pub skims: Vec<SkimOutput<'g>>,
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
            let layer = builder.scope(&format!("encoder.{i}"), |b| {
                build_layer(b, layer, width, (1, true), dropouts, fresh)
            })?;
            width = layer.output_size();
            layers.push(layer);
        }
        let encoder = Stack { layers, dropout: dropouts.encoder };
        let head = builder.scope("head", |b| Linear::new(b, width, config.labels.len()))?;
        Ok(Self { embedding, encoder, pool: config.pool, head, output_size: width })
    }

    /// Records the network on a graph for one text.
    pub fn classify<'g>(
        &self,
        graph: &'g Graph,
        ids: &[u32],
        control: SkimControl<'_, 'g>,
        dropouts: Dropouts,
    ) -> Classified<'g> {
        let LayerOutput { rows, last, skims, .. } = self.encode(graph, ids, Vec::new(), control, dropouts);
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
    pub fn encode<'g>(
        &self,
        graph: &'g Graph,
        ids: &[u32],
        state: impl IntoIterator<Item = Expr<'g>>,
        control: SkimControl<'_, 'g>,
        dropouts: Dropouts,
    ) -> LayerOutput<'g> {
        let words = self.embedding.forward(graph, ids);
        let words = words.dropout(dropouts.embedding, dropouts.embedding_per_sequence);
        self.encoder.forward(words, state, control)
    }

    /// What the pool has gathered after a piece, `1 x out`, given what it had gathered before: the last state, the
    /// sum or the maximum.
    pub fn gather<'g>(&self, before: Option<Expr<'g>>, piece: &LayerOutput<'g>) -> Expr<'g> {
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
    pub fn conclude<'g>(&self, gathered: Expr<'g>, tokens: usize) -> Expr<'g> {
        self.head.forward(match self.pool {
            Pool::Last | Pool::Max => gathered,
            Pool::Mean => gathered.scale(1.0 / tokens.max(1) as f32),
        })
    }

    /// Columns of the encoder's output.
    pub fn output_size(&self) -> usize {
        self.output_size
    }

    /// Runs the encoder over word vectors from the state that [`Trace::state_at`] has of every cell, in order, or from
    /// zeros, and tells what happened: the word vectors, then every cell. What the pool has gathered after each row is
    /// added to `pooled`, as many rows; in a network that is not causal one row takes its place.
    ///
    /// # Errors
    /// What the graph reports; [`EngineError::Unsupported`] on a browser's GPU.
    pub fn trace<'g>(
        &self,
        words: Expr<'g>,
        state: Vec<Vec<f32>>,
        control: SkimControl<'_, 'g>,
        pooled: &mut Vec<f32>,
    ) -> Result<Vec<Trace>, EngineError> {
        let (graph, mut state) = (words.graph(), state.into_iter());
        let mut cells = vec![Trace {
            name: "embedding".into(),
            kind: "embedding",
            size: words.shape().columns,
            states: graph.ready_values(&[words])?.pop().unwrap_or_default(),
            ..Trace::default()
        }];
        let (mut rows, mut last) = (words, words.pool(device::Pool::Last));
        for (i, layer) in self.encoder.layers.iter().enumerate() {
            let traced = layer.trace(rows, &mut state, control)?;
            (rows, last) = (traced.rows, traced.last);
            cells.extend(traced.cells.into_iter().map(|mut cell| {
                let dot = if cell.name.is_empty() { "" } else { "." };
                cell.name = format!("encoder.{i}{dot}{}", cell.name);
                cell
            }));
        }
        let mut values = graph.ready_values(&[rows, last])?.into_iter();
        let (rows, last) = (values.next().unwrap_or_default(), values.next().unwrap_or_default());
        let out = self.output_size;
        for row in rows.chunks_exact(out) {
            let before = pooled.len().checked_sub(out).filter(|_| self.pool != Pool::Last);
            pooled.extend_from_slice(row);
            let end = pooled.len() - out;
            let (pooled, row) = pooled.split_at_mut(end);
            for (x, before) in row.iter_mut().zip(before.map_or(&[][..], |at| &pooled[at..])) {
                *x = if self.pool == Pool::Mean { *x + before } else { x.max(*before) };
            }
        }
        if !self.is_causal() {
            pooled.drain(..pooled.len().saturating_sub(out));
            if self.pool == Pool::Last {
                *pooled = last;
            }
        }
        Ok(cells)
    }

    /// Probabilities of the labels, a row for every row that the pool has gathered ([`Self::trace`]), the first of them
    /// from `first` tokens, each of the others from one more.
    pub fn scores<'g>(&self, graph: &'g Graph, mut pooled: Vec<f32>, first: usize) -> Expr<'g> {
        if self.pool == Pool::Mean {
            for (i, row) in pooled.chunks_exact_mut(self.output_size).enumerate() {
                row.iter_mut().for_each(|x| *x /= (first + i).max(1) as f32);
            }
        }
        let rows = graph.input(pooled.len() / self.output_size, self.output_size, pooled);
        self.head.forward(rows).softmax()
    }

    /// Of the encoder, for a text of `tokens` of which each Skim layer skimmed as many as `skimmed` yields.
    pub fn flops(&self, tokens: usize, skimmed: impl Iterator<Item = usize>) -> Flops {
        self.encoder.flops(tokens, skimmed)
    }
}

/// A layer of a valid config. `depth` is how many layers of an Elman, LSTM or GRU stand on top of one another, and
/// whether they have biases.
pub(super) fn build_layer(
    builder: &mut Builder,
    layer: &LayerConfig,
    input_size: usize,
    (num_layers, bias): (usize, bool),
    dropouts: Dropouts,
    fresh: FreshOptions,
) -> Result<Layer, BuildError> {
    let recurrent = |hidden_size, bidirectional| RecurrentConfig {
        bidirectional,
        num_layers,
        bias,
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
