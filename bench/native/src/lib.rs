//! The workloads of the side-by-side measurements, run through the engine's graph as a model would run them.
//!
//! W1 to W4 are shapes; each is run as an LSTM, a GRU and an SRU on fresh weights. Skim reads a sequence of token ids
//! with forced decisions, so that its share of skimming is given.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use saccade_rnn::device::{CellKind, Device, EngineError, Parameters, Pool};
use saccade_rnn::graph::{Expr, Graph, Strategy};
use saccade_rnn::nn::{
    BuildError, Builder, Embedding, Recurrent, RecurrentConfig, Skim, SkimConfig, SkimControl, SmallReads,
    Sru, SruConfig,
};

#[cfg(not(target_arch = "wasm32"))]
pub mod cells;
#[cfg(not(target_arch = "wasm32"))]
pub mod gpu;
pub mod lm;
pub mod loops;
pub mod next;
pub mod roofline;
pub mod silence;
pub mod texts;
#[cfg(target_arch = "wasm32")]
mod wasm;

/// Sizes of a workload.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Its name.
    pub name: &'static str,
    /// Sequences.
    pub batch: usize,
    /// Steps of each.
    pub steps: usize,
    /// Columns of the input.
    pub input: usize,
    /// Width of the state.
    pub hidden: usize,
    /// Layers.
    pub layers: usize,
}

/// W1 to W4.
pub const SHAPES: [Shape; 4] = [
    Shape { name: "W1", batch: 1, steps: 20, input: 100, hidden: 100, layers: 1 },
    Shape { name: "W2", batch: 1, steps: 200, input: 300, hidden: 100, layers: 1 },
    Shape { name: "W3", batch: 32, steps: 64, input: 128, hidden: 128, layers: 2 },
    Shape { name: "W4", batch: 1, steps: 256, input: 512, hidden: 512, layers: 1 },
];

/// What runs on a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Elman, with tanh.
    Elman,
    /// Elman, with ReLU.
    ElmanRelu,
    /// Long short-term memory.
    Lstm,
    /// Gated recurrent unit.
    Gru,
    /// Simple recurrent unit, version 2.
    Sru,
    /// The same LSTM behind an embedding.
    LstmOfIds,
    /// Skim-LSTM behind an embedding, a tenth of the state small, as many of a hundred tokens skimmed.
    Skim(u32),
    /// The same without the embedding, so that no product of a word can be known.
    SkimOfRows(u32),
}

/// Those run on the shapes, in the order in which they are printed.
pub const NETWORKS: [Network; 8] = [
    Network::Lstm,
    Network::Gru,
    Network::Sru,
    Network::LstmOfIds,
    Network::Skim(84),
    Network::SkimOfRows(84),
    Network::Skim(50),
    Network::Skim(0),
];

/// Rows of the embedding.
const WORDS: usize = 2000;

enum Layer {
    Recurrent(Recurrent),
    Sru(Sru),
    Skim(Skim, u32),
}

/// A network on a shape, ready to run.
pub struct Contestant {
    parameters: Parameters,
    device: Device,
    layer: Layer,
    embedding: Option<Embedding>,
    shape: Shape,
    /// Rows of one sequence, which all sequences share.
    x: Vec<f32>,
    ids: Vec<u32>,
}

impl Contestant {
    /// Draws the weights and the input.
    ///
    /// # Errors
    /// None for the shapes above; otherwise as the layers'.
    pub fn new(network: Network, shape: Shape) -> Result<Self, BuildError> {
        let mut builder = Builder::fresh(1);
        let Shape { input, hidden, layers, steps, .. } = shape;
        let config = RecurrentConfig { num_layers: layers, ..RecurrentConfig::new(input, hidden) };
        let layer = match network {
            Network::Elman => Layer::Recurrent(Recurrent::new(&mut builder, CellKind::ElmanTanh, config)?),
            Network::ElmanRelu => {
                Layer::Recurrent(Recurrent::new(&mut builder, CellKind::ElmanRelu, config)?)
            }
            Network::Lstm | Network::LstmOfIds => {
                Layer::Recurrent(Recurrent::new(&mut builder, CellKind::Lstm, config)?)
            }
            Network::Gru => Layer::Recurrent(Recurrent::new(&mut builder, CellKind::Gru, config)?),
            Network::Sru => Layer::Sru(Sru::new(&mut builder, SruConfig::new(input, hidden, layers))?),
            Network::Skim(share) | Network::SkimOfRows(share) => {
                let config = SkimConfig {
                    cell: CellKind::Lstm,
                    input_size: input,
                    hidden_size: hidden,
                    small_size: hidden / 10,
                    small_reads: SmallReads::Slice,
                    forget_bias: 1.0,
                };
                Layer::Skim(Skim::new(&mut builder, config)?, share)
            }
        };
        let of_ids = matches!(network, Network::LstmOfIds | Network::Skim(_));
        let embedding = if of_ids { Some(Embedding::new(&mut builder, WORDS, input)?) } else { None };
        Ok(Self {
            parameters: builder.finish()?,
            device: Device::cpu(),
            layer,
            embedding,
            shape,
            x: (0..steps * input).map(|i| (i as f32 * 0.37).sin()).collect(),
            ids: (0..steps).map(|t| (t * 7919 % WORDS) as u32).collect(),
        })
    }

    /// Multiplications and additions of the run, by the layer's formula.
    pub fn flops(&self) -> u64 {
        let rows = self.shape.steps;
        let of_one = match &self.layer {
            Layer::Recurrent(layer) => layer.flops(rows).spent,
            Layer::Sru(layer) => layer.flops(rows).spent,
            Layer::Skim(layer, share) => {
                let skimmed = (0..rows).filter(|&t| is_skimmed(t, *share)).count();
                layer.flops(rows - skimmed, skimmed).spent
            }
        };
        of_one * self.shape.batch as u64
    }

    /// One run from the input to the values of the last rows; their sum, so that nothing can be left out.
    ///
    /// # Errors
    /// None for the shapes above; otherwise the engine's.
    pub fn run(&self) -> Result<f32, EngineError> {
        let graph = Graph::inference(&self.parameters, &self.device, Strategy::Levels);
        let mut ends = Vec::with_capacity(self.shape.batch);
        for _ in 0..self.shape.batch {
            let x = match self.embedding {
                Some(embedding) => embedding.forward(&graph, &self.ids),
                None => graph.input(self.shape.steps, self.shape.input, self.x.clone()),
            };
            ends.push(self.end(x));
        }
        Ok(ready(graph.values(&ends))?.iter().flatten().sum())
    }

    /// One step of learning without the optimiser: forward and backward, of the sum of the last rows.
    ///
    /// # Errors
    /// None for the shapes above; otherwise the engine's.
    pub fn learn(&self) -> Result<(), EngineError> {
        let graph = Graph::training(&self.parameters, &self.device, Strategy::Levels, 1);
        let mut ends = Vec::with_capacity(self.shape.batch);
        for _ in 0..self.shape.batch {
            ends.push(self.end(graph.input(self.shape.steps, self.shape.input, self.x.clone())));
        }
        let ends = graph.concat_rows(&ends);
        let sum = ends.pool(Pool::Sum).columns(0..1);
        ready(sum.backward()).map(drop)
    }

    fn end<'g>(&self, x: Expr<'g>) -> Expr<'g> {
        self.rows(x).pool(Pool::Last)
    }

    /// The rows of the last layer over the rows of one sequence.
    fn rows<'g>(&self, x: Expr<'g>) -> Expr<'g> {
        match &self.layer {
            Layer::Recurrent(layer) => layer.forward(x, None).rows,
            Layer::Sru(layer) => layer.forward(x, None).rows,
            Layer::Skim(layer, share) => {
                let decision = |t| if is_skimmed(t, *share) { 2 } else { 1 };
                let force: Vec<u32> = (0..self.shape.steps).map(decision).collect();
                layer.forward(x, None, SkimControl::Decide { threshold: 0.5, force: &force }).rows
            }
        }
    }
}

/// Whether a step is skimmed where so many of a hundred are, spread evenly.
fn is_skimmed(t: usize, share: u32) -> bool {
    let share = share as usize;
    (t + 1) * share / 100 > t * share / 100
}

/// Records a chain of `nodes` elementwise operations that are never run, and drops it.
pub fn record(nodes: usize) {
    let parameters = Parameters::new();
    let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Levels);
    let mut x = graph.input(1, 1, vec![1.0]);
    for _ in 0..nodes {
        x = x.scale(0.5);
    }
    std::hint::black_box(x.shape());
}

/// The result of a future that never waits, as all of the CPU's are.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the CPU answers at once"),
    }
}
