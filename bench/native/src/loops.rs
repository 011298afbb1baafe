//! Networks recorded as loops over single examples, batched on the fly: DyNet's demonstrations, with its sizes.
//!
//! A Tree-LSTM over binary trees with a loss at every node, a greedy parser, and taggers that read a sentence in both directions,
//! word by word or as a whole, and rare words letter by letter.

mod examples;
mod layers;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use saccade_rnn::device::{Device, EngineError, Parameters};
use saccade_rnn::graph::{Expr, Gradients, Graph, Strategy};
use saccade_rnn::nn::Builder;
use saccade_rnn::train::{Optimizer, OptimizerConfig, Touched};

use crate::ready;
pub use examples::{Example, NETWORKS, Network, Word};
use layers::{GreedyParser, Layers, Tagger, TreeLstm, TreeOfCells};

/// Sentences of a minibatch.
pub const BATCH: usize = 64;

/// All strategies.
pub const STRATEGIES: [Strategy; 4] =
    [Strategy::Unbatched, Strategy::Depth, Strategy::Agenda, Strategy::Levels];
/// A network that learns.
pub struct Learner {
    layers: Layers,
    parameters: Parameters,
    device: Device,
    optimizer: Optimizer,
    gradients: Gradients,
}

/// What a minibatch took.
#[derive(Clone, Copy, Debug)]
pub struct Taken {
    /// Seconds of recording.
    pub recording: f64,
    /// Seconds of all.
    pub seconds: f64,
    /// The sum of all losses; of a parser, how many transitions it took.
    pub outcome: f32,
    /// Kernel calls, and how many any order needs; counted if asked for.
    pub batches: (usize, usize),
}

impl Learner {
    /// Draws the weights.
    ///
    /// # Errors
    /// None: the engine's, if it could not build the network.
    pub fn new(network: Network) -> Result<Self, Box<dyn Error>> {
        let mut builder = Builder::fresh(1);
        let layers = match network {
            Network::Tree { cells: false } => Layers::Tree(TreeLstm::new(&mut builder)?),
            Network::Tree { cells: true } => Layers::Cells(TreeOfCells::new(&mut builder)?),
            Network::Tagger { letters, whole } => {
                Layers::Tagger(Box::new(Tagger::new(&mut builder, letters, whole)?))
            }
            Network::Parser => Layers::Parser(GreedyParser::new(&mut builder)?),
        };
        let (parameters, device) = (builder.finish()?, Device::cpu());
        let optimizer = Optimizer::new(OptimizerConfig::default(), &device, &parameters)?;
        let gradients = Gradients::zeros(&parameters);
        Ok(Self { layers, parameters, device, optimizer, gradients })
    }

    fn record<'g>(&self, graph: &'g Graph, batch: &[Example]) -> Expr<'g> {
        let mut losses = Vec::new();
        for example in batch {
            match (&self.layers, example) {
                (Layers::Tree(layers), Example::Tree(nodes)) => layers.record(graph, nodes, &mut losses),
                (Layers::Cells(layers), Example::Tree(nodes)) => layers.record(graph, nodes, &mut losses),
                (Layers::Tagger(layers), Example::Sentence(words)) => {
                    layers.record(graph, words, &mut losses)
                }
                _ => unreachable!("a network is given its own kind of examples"),
            }
        }
        graph.concat_rows(&losses).sum_rows()
    }

    /// The loss of a minibatch, forward only.
    ///
    /// # Errors
    /// The engine's.
    pub fn read(&mut self, batch: &[Example], strategy: Strategy, count: bool) -> Result<Taken, EngineError> {
        let begun = Instant::now();
        let graph = Graph::inference(&self.parameters, &self.device, strategy);
        let (outcome, recording) = match &self.layers {
            Layers::Parser(parser) => (parse(parser, &graph, batch)?, 0.0),
            _ => {
                let loss = self.record(&graph, batch);
                let recording = begun.elapsed().as_secs_f64();
                (ready(loss.value())?[0], recording)
            }
        };
        let batches = if count { counts(&graph) } else { (0, 0) };
        drop(graph);
        Ok(Taken { recording, seconds: begun.elapsed().as_secs_f64(), outcome, batches })
    }

    /// One step of Adam.
    ///
    /// # Errors
    /// The engine's.
    pub fn learn(
        &mut self,
        batch: &[Example],
        strategy: Strategy,
        count: bool,
    ) -> Result<Taken, EngineError> {
        let begun = Instant::now();
        let graph = Graph::training(&self.parameters, &self.device, strategy, 1);
        let loss = self.record(&graph, batch);
        let recording = begun.elapsed().as_secs_f64();
        ready(loss.backward_into(&mut self.gradients))?;
        let outcome = ready(loss.value())?[0];
        let batches = if count { counts(&graph) } else { (0, 0) };
        drop(graph);
        let touched = self.touched(batch);
        let (parameters, gradients) = (&mut self.parameters, &mut self.gradients);
        ready(self.optimizer.update(&self.device, parameters, gradients, &touched, |_| 1e-3, &[]))?;
        Ok(Taken { recording, seconds: begun.elapsed().as_secs_f64(), outcome, batches })
    }

    /// The rows of tables that a minibatch has.
    fn touched(&self, batch: &[Example]) -> Touched {
        let (mut words, mut letters) = (Vec::new(), Vec::new());
        for example in batch {
            match example {
                Example::Tree(nodes) => words.extend(nodes.iter().filter_map(|node| node.1)),
                Example::Sentence(sentence) => {
                    words.extend(sentence.iter().map(|word| word.id));
                    letters.extend(sentence.iter().flat_map(|word| &word.letters));
                }
            }
        }
        let rows = |mut ids: Vec<u32>| {
            ids.sort_unstable();
            ids.dedup();
            ids
        };
        match &self.layers {
            Layers::Tree(layers) => Touched::from([(layers.words.weight, rows(words))]),
            Layers::Cells(layers) => Touched::from([(layers.words.weight, rows(words))]),
            Layers::Tagger(layers) => {
                let table = layers.letters.as_ref().map(|(table, _)| (table.weight, rows(letters)));
                table.into_iter().chain([(layers.words.weight, rows(words))]).collect()
            }
            Layers::Parser(_) => unreachable!("a parser is not trained"),
        }
    }
}

/// All sentences at once; how many transitions they took.
fn parse(parser: &GreedyParser, graph: &Graph, batch: &[Example]) -> Result<f32, EngineError> {
    let programs = batch.iter().map(|example| match example {
        Example::Sentence(words) => parser.parse(graph, words),
        Example::Tree(_) => unreachable!("a network is given its own kind of examples"),
    });
    let taken: Vec<usize> = ready(graph.join(programs)).into_iter().collect::<Result<_, _>>()?;
    Ok(taken.into_iter().sum::<usize>() as f32)
}

fn counts(graph: &Graph) -> (usize, usize) {
    let report = graph.explain();
    (report.batches().len(), report.lower_bound())
}

/// Times all networks whose names contain `only` under every strategy on drawn examples, training and forward, a minibatch
/// each in every round, and prints milliseconds a minibatch.
///
/// # Errors
/// None for the networks above.
pub fn compare(rounds: usize, only: &str) -> Result<(), Box<dyn Error>> {
    for (name, network) in NETWORKS.into_iter().filter(|(name, _)| name.contains(only)) {
        let batch = network.draw(BATCH);
        let mut contestants = Vec::new();
        for strategy in STRATEGIES {
            for training in [true, false].into_iter().filter(|&training| network.learns() || !training) {
                contestants.push((Learner::new(network)?, strategy, training, Vec::new(), (0, 0)));
            }
        }
        for round in 0..=rounds.max(1) {
            for (learner, strategy, training, taken, batches) in &mut contestants {
                let run = if *training { Learner::learn } else { Learner::read };
                let minibatch = run(learner, &batch, *strategy, round == 0)?;
                match round {
                    0 => *batches = minibatch.batches,
                    _ => taken.push(minibatch),
                }
            }
        }
        for (_, strategy, training, mut taken, (batches, bound)) in contestants {
            taken.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
            let (median, least) = (taken[taken.len() / 2], taken[0]);
            println!(
                "{:<32} {:>10.4} ms {:>10.4} least {:>8.0} sentences/s, {:>4.1} % recording, {batches} calls of at least {bound}",
                format!("{name} {strategy:?} {}", if training { "learn" } else { "read" }),
                median.seconds * 1e3,
                least.seconds * 1e3,
                BATCH as f64 / median.seconds,
                100.0 * median.recording / median.seconds,
            );
        }
    }
    Ok(())
}

/// Plays one side of `dynet_peers.py`: reads the examples of a file and, for every line of standard input, takes the
/// minibatch of that number, a step of training or forward only, and prints its milliseconds and the outcome.
///
/// # Errors
/// If there is no such network or strategy, or the file cannot be read.
pub fn take_turns(name: &str, strategy: &str, training: bool, file: &Path) -> Result<(), Box<dyn Error>> {
    let (_, network) = NETWORKS.into_iter().find(|(other, _)| *other == name).ok_or("no such network")?;
    let strategy =
        STRATEGIES.into_iter().find(|other| format!("{other:?}") == strategy).ok_or("no such strategy")?;
    let (examples, mut learner) = (network.load(file)?, Learner::new(network)?);
    let batches: Vec<&[Example]> = examples.chunks(BATCH).collect();
    println!("ready");
    for line in std::io::stdin().lines() {
        let number: usize = line?.trim().parse()?;
        let batch = batches.get(number).ok_or("no such minibatch")?;
        let run = if training { Learner::learn } else { Learner::read };
        let Taken { seconds, outcome, .. } = run(&mut learner, batch, strategy, false)?;
        println!("{} {outcome}", seconds * 1e3);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_fall_and_are_the_same_under_every_strategy() {
        for (name, network) in NETWORKS.into_iter().filter(|(_, network)| network.learns()) {
            let batch = network.draw(4);
            let mut first = Vec::new();
            for strategy in STRATEGIES {
                let mut learner = Learner::new(network).unwrap();
                let read = learner.read(&batch, strategy, true).unwrap();
                let losses: Vec<f32> =
                    (0..5).map(|_| learner.learn(&batch, strategy, false).unwrap().outcome).collect();
                assert!((read.outcome - losses[0]).abs() < 1e-3 * losses[0], "{name}");
                assert!(losses[4] < 0.99 * losses[0], "{name} {losses:?}");
                assert!(read.batches.0 >= read.batches.1, "{name}");
                first.push(losses[0]);
            }
            assert!(first.iter().all(|loss| (loss - first[0]).abs() < 1e-3 * first[0]), "{name} {first:?}");
        }
    }

    #[test]
    fn a_parser_takes_two_transitions_a_word_but_the_first_and_waits_for_the_longest_alone() {
        let batch = Network::Parser.draw(16);
        let lengths = batch.iter().map(|example| match example {
            Example::Sentence(words) => words.len(),
            Example::Tree(_) => 0,
        });
        let lengths: Vec<usize> = lengths.collect();
        let transitions: usize = lengths.iter().map(|words| 2 * words - 1).sum();
        let longest = batch[lengths.iter().enumerate().max_by_key(|(_, words)| **words).unwrap().0].clone();
        for strategy in STRATEGIES {
            let mut learner = Learner::new(Network::Parser).unwrap();
            let all = learner.read(&batch, strategy, true).unwrap();
            assert_eq!(all.outcome, transitions as f32, "{strategy:?}");
            let alone = learner.read(std::slice::from_ref(&longest), strategy, true).unwrap();
            // Where some sentences look a word up and others have none, that is a batch more.
            let together = all.batches.0 <= alone.batches.0 * 3 / 2;
            assert_eq!(together, strategy != Strategy::Unbatched, "{strategy:?}: {all:?}, alone {alone:?}");
        }
    }
}
