//! A case with its weights and input, to be run on any device.

use saccade_rnn::cpu::noise;
use saccade_rnn::device::{Device, EngineError, ParamId, Parameters};
use saccade_rnn::graph::{Expr, Gradients, Graph, Held, Strategy};
use saccade_rnn::nn::{AdaptiveSoftmax, AdaptiveSoftmaxConfig, BuildError, Builder};
use serde::Serialize;

use super::Work;
use crate::{Contestant, Network, Shape, ready};

/// Floating-point operations that the CPU is given when it checks a case.
const MOST_FLOPS_ON_CPU: u64 = 15_000_000_000;

/// The sizes of a case and what it must do at least.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Sizes {
    network: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<usize>,
    input: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    hidden: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skimmed: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cutoffs: Option<&'static [usize]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<usize>,
    training: bool,
    /// Multiplications and additions of the matrix products, in training thrice those of the forward pass: what the gradient of
    /// the input would take, which nobody computes here, is counted as well.
    pub(super) flops: u64,
    /// Bytes moved if weights, inputs and results are each read or written once; thrice in training.
    bytes: u64,
}

/// What is run on the input.
enum Net {
    Layer(Contestant),
    Softmax(Parameters, AdaptiveSoftmax, Vec<u32>),
}

pub(super) struct Subject {
    net: Net,
    sizes: Sizes,
    /// Sequences, each of `rows` rows of `columns`.
    batch: usize,
    rows: usize,
    columns: usize,
    x: Vec<f32>,
    training: bool,
}

impl Subject {
    pub(super) fn new(work: &Work) -> Result<Self, BuildError> {
        let (net, sizes, [batch, rows, columns], training) = match *work {
            Work::Layer { network, shape, training } => {
                let Shape { batch, steps, input, hidden, layers, .. } = shape;
                let contestant = Contestant::new(network, shape)?;
                let times = if training { 3 } else { 1 };
                let weights: usize =
                    ids(&contestant.parameters).map(|id| contestant.parameters.values(id).len()).sum();
                let sizes = Sizes {
                    network: match network {
                        Network::Lstm | Network::LstmOfIds => "lstm",
                        Network::Gru => "gru",
                        Network::Sru => "sru",
                        Network::Skim(_) | Network::SkimOfRows(_) => "skim",
                        Network::Elman | Network::ElmanRelu => "elman",
                    },
                    batch: Some(batch),
                    steps: Some(steps),
                    input,
                    hidden: Some(hidden),
                    layers: Some(layers),
                    skimmed: match network {
                        Network::Skim(share) | Network::SkimOfRows(share) => Some(f64::from(share) / 100.0),
                        _ => None,
                    },
                    training,
                    flops: times * contestant.flops(),
                    bytes: times * 4 * (weights + batch * steps * (input + hidden)) as u64,
                    ..Sizes::default()
                };
                (Net::Layer(contestant), sizes, [batch, steps, input], training)
            }
            Work::Softmax { input, words, cutoffs, rows, training } => {
                let mut builder = Builder::fresh(1);
                let config = AdaptiveSoftmaxConfig::new(input, words, cutoffs);
                let weights = config.weights();
                let layer = AdaptiveSoftmax::new(&mut builder, config)?;
                // By Zipf's law.
                let limit = (words + 1) as f32;
                let draw = |i: u32| (limit.powf(noise::uniform(1, 2, i)) as u32).clamp(1, words as u32) - 1;
                let targets: Vec<u32> = (0..rows as u32).map(draw).collect();
                let times = if training { 3 } else { 1 };
                let sizes = Sizes {
                    network: "adaptive",
                    input,
                    hidden: Some(input),
                    words: Some(words),
                    cutoffs: Some(cutoffs),
                    rows: Some(rows),
                    training,
                    flops: times * products(input, words, cutoffs, &targets),
                    bytes: times * 4 * (weights + (rows * input) as u64),
                    ..Sizes::default()
                };
                (Net::Softmax(builder.finish()?, layer, targets), sizes, [1, rows, input], training)
            }
        };
        let x = (0..batch * rows * columns).map(|i| noise::uniform(3, 4, i as u32) * 2.0 - 1.0).collect();
        Ok(Self { net, sizes, batch, rows, columns, x, training })
    }

    pub(super) fn sizes(&self) -> Sizes {
        self.sizes.clone()
    }

    fn parameters(&self) -> &Parameters {
        match &self.net {
            Net::Layer(contestant) => &contestant.parameters,
            Net::Softmax(parameters, ..) => parameters,
        }
    }

    /// The case on a device, its input in the device's memory.
    pub(super) fn on(&self, device: &Device) -> Result<Run<'_>, EngineError> {
        let all: Vec<usize> = (0..self.batch).collect();
        self.of(&all, device)
    }

    fn of(&self, sequences: &[usize], device: &Device) -> Result<Run<'_>, EngineError> {
        let graph = Graph::inference(self.parameters(), device, Strategy::Levels);
        let values = self.rows * self.columns;
        let input = |&at: &usize| {
            graph.input(self.rows, self.columns, self.x[at * values..(at + 1) * values].to_vec())
        };
        let inputs: Vec<Expr<'_>> = sequences.iter().map(input).collect();
        let x = inputs.into_iter().map(Expr::hold).collect::<Result<_, _>>()?;
        Ok(Run { subject: self, device: device.clone(), x })
    }

    /// The largest difference of the device's values and gradients from the CPU's, over the CPU's largest value of the kind.
    /// Of a large case the CPU computes some of the sequences.
    pub(super) fn error(&self, device: &Device) -> Result<f32, EngineError> {
        let of_one = (self.sizes.flops / self.batch as u64).max(1);
        let most = ((MOST_FLOPS_ON_CPU / of_one) as usize).clamp(1, self.batch);
        let some: Vec<usize> = (0..most).map(|i| i * self.batch / most).collect();
        let own = self.of(&some, &Device::cpu())?.results()?;
        // Forward, the device computes all sequences; a gradient is of all of them together.
        let found = if self.training {
            self.of(&some, device)?.results()?
        } else {
            let all = self.on(device)?.results()?;
            match &self.net {
                Net::Layer(_) => some.iter().map(|&at| all[at].clone()).collect(),
                Net::Softmax(..) => all,
            }
        };
        Ok(own.iter().zip(&found).map(|(own, found)| distance(own, found)).fold(0.0, f32::max))
    }
}

fn ids(parameters: &Parameters) -> impl Iterator<Item = ParamId> {
    parameters.iter().map(|(id, _)| id)
}

fn distance(own: &[f32], found: &[f32]) -> f32 {
    if own.len() != found.len() {
        return f32::NAN;
    }
    let largest = own.iter().fold(1e-6f32, |most, value| most.max(value.abs()));
    let apart = own.iter().zip(found).map(|(a, b)| (a - b).abs());
    // `max` would pass over what is no number.
    apart.fold(0.0, |most: f32, apart| if apart > most || apart.is_nan() { apart } else { most }) / largest
}

/// Multiplications and additions of an adaptive softmax's products for these targets.
fn products(input: usize, words: usize, cutoffs: &[usize], targets: &[u32]) -> u64 {
    let head = targets.len() * input * (cutoffs[0] + cutoffs.len());
    let ends = cutoffs[1..].iter().copied().chain([words]);
    let tails = cutoffs.iter().zip(ends).enumerate().map(|(tail, (&from, to))| {
        let rows = targets.iter().filter(|&&word| (from..to).contains(&(word as usize))).count();
        let size = input / 4usize.pow(tail as u32 + 1);
        rows * size * (input + to - from)
    });
    2 * (head + tails.sum::<usize>()) as u64
}

/// A case on a device.
pub(super) struct Run<'s> {
    subject: &'s Subject,
    device: Device,
    x: Vec<Held>,
}

impl Run<'_> {
    fn graph(&self) -> Graph {
        let parameters = self.subject.parameters();
        match self.subject.training {
            true => Graph::training(parameters, &self.device, Strategy::Levels, 1),
            false => Graph::inference(parameters, &self.device, Strategy::Levels),
        }
    }

    /// The rows of every sequence, or the losses of all rows.
    fn rows<'g>(&self, graph: &'g Graph) -> Vec<Expr<'g>> {
        let x = self.x.iter().map(|x| graph.held(x.clone()));
        match &self.subject.net {
            Net::Layer(contestant) => x.map(|x| contestant.rows(x)).collect(),
            Net::Softmax(_, layer, targets) => x.map(|x| layer.cross_entropy(x, targets)).collect(),
        }
    }

    fn loss<'g>(&self, graph: &'g Graph, rows: &[Expr<'g>]) -> Expr<'g> {
        let of_each: Vec<Expr<'g>> = rows.iter().map(|rows| rows.sum_columns().mean_rows()).collect();
        graph.mean(&of_each)
    }

    /// One call; waits for its results if so wished.
    pub(super) fn call(&self, wait: bool) -> Result<(), EngineError> {
        let graph = self.graph();
        let rows = self.rows(&graph);
        if self.subject.training {
            let loss = self.loss(&graph, &rows);
            let gradients = ready(loss.backward())?;
            if wait {
                ready(loss.value())?;
            }
            drop(gradients);
            return Ok(());
        }
        let last = rows[rows.len() - 1].rows(&[self.subject.rows as u32 - 1]);
        // What is held was sent to the device, and with it all that was recorded before.
        if wait { ready(last.value()).map(drop) } else { last.hold().map(drop) }
    }

    /// The rows of every sequence; in training the loss and the gradient of every parameter.
    fn results(&self) -> Result<Vec<Vec<f32>>, EngineError> {
        let graph = self.graph();
        let rows = self.rows(&graph);
        if !self.subject.training {
            return ready(graph.values(&rows));
        }
        let loss = self.loss(&graph, &rows);
        let gradients: Gradients = ready(loss.backward())?;
        let mut results = vec![ready(loss.value())?];
        for id in ids(self.subject.parameters()) {
            let gradient = ready(gradients.read(&self.device, self.subject.parameters(), id))?;
            results.push(gradient.unwrap_or_default());
        }
        Ok(results)
    }
}
