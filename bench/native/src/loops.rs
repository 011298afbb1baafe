//! Networks recorded as loops over single examples, batched on the fly: DyNet's demonstrations, with its sizes.
//!
//! A Tree-LSTM over binary trees with a loss at every node, a greedy parser, and taggers that read a sentence in both directions,
//! word by word or as a whole, and rare words letter by letter. An LSTM and an SRU over whole
//! sentences, and the taggers without letters, are batched by hand as well.

mod by_hand;
mod examples;
mod layers;

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use saccade_rnn::device::{Device, EngineError, ParamGradients, Parameters};
use saccade_rnn::graph::{Expr, Gradients, Graph, Strategy};
use saccade_rnn::nn::Builder;
use saccade_rnn::train::{Optimizer, OptimizerConfig, Touched};

use crate::ready;
use by_hand::ByHand;
pub use examples::{Example, NETWORKS, Network, Word};
use layers::{GreedyParser, Layers, Sequence, Tagger, TreeLstm, TreeOfCells};

/// Sentences of a minibatch.
pub const BATCH: usize = 64;

/// All strategies.
pub const STRATEGIES: [Strategy; 4] =
    [Strategy::Unbatched, Strategy::Depth, Strategy::Agenda, Strategy::Levels];
/// Minibatches of a turn of the comparison with batches made by hand.
const TURN: usize = 5;

/// A network that learns.
pub struct Learner {
    network: Network,
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
            Network::Sequence { sru } => Layers::Sequence(Sequence::new(&mut builder, sru)?),
            Network::Parser => Layers::Parser(GreedyParser::new(&mut builder)?),
        };
        let (parameters, device) = (builder.finish()?, Device::cpu());
        let optimizer = Optimizer::new(OptimizerConfig::default(), &device, &parameters)?;
        let gradients = Gradients::zeros(&parameters);
        Ok(Self { network, layers, parameters, device, optimizer, gradients })
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
                (Layers::Sequence(layers), Example::Sentence(words)) => {
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

    /// The loss of a minibatch, and its gradients added to those that are there: recorded as a loop over its sentences.
    ///
    /// # Errors
    /// The engine's.
    pub fn differentiate(&mut self, batch: &[Example]) -> Result<f32, EngineError> {
        let graph = Graph::training(&self.parameters, &self.device, Strategy::default(), 1);
        let loss = self.record(&graph, batch);
        ready(loss.backward_into(&mut self.gradients))?;
        Ok(ready(loss.value())?[0])
    }

    /// The same of a minibatch that is batched by hand.
    ///
    /// # Errors
    /// The engine's.
    pub fn differentiate_by_hand(
        &self,
        batch: &[Example],
        gradients: &mut ParamGradients,
    ) -> Result<f32, EngineError> {
        let sentences = batch.iter().map(|example| match example {
            Example::Sentence(words) => &words[..],
            Example::Tree(_) => unreachable!("trees are not batched by hand"),
        });
        let sentences: Vec<&[Word]> = sentences.collect();
        let made = ByHand::forward(&self.device, &self.parameters, self.network, &sentences)?;
        made.backward(gradients)?;
        made.loss()
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
            Layers::Sequence(layers) => Touched::from([(layers.words.weight, rows(words))]),
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
/// each in every round, and prints milliseconds a minibatch. Where it can be batched by hand, it also prints what the loop takes
/// over that, forward and backward.
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
        if network.is_batched_by_hand() {
            compare_with_hands(name, network, &batch, rounds)?;
        }
    }
    Ok(())
}

/// Prints what a loop over sentences takes over the same minibatch batched by hand, by turns: the median of the rounds' ratios
/// and its quartiles, and the ratio of the least times.
fn compare_with_hands(
    name: &str,
    network: Network,
    batch: &[Example],
    rounds: usize,
) -> Result<(), Box<dyn Error>> {
    let mut learner = Learner::new(network)?;
    let mut gradients = vec![None; learner.parameters.len()];
    let (mut ratios, mut milliseconds, mut least) = (Vec::new(), Vec::new(), [f64::INFINITY; 2]);
    for round in 0..=rounds.max(1) {
        let mut seconds = [0.0; 2];
        for by_hand in [round % 2 == 0, round % 2 == 1] {
            let begun = Instant::now();
            for _ in 0..TURN {
                std::hint::black_box(match by_hand {
                    true => learner.differentiate_by_hand(batch, &mut gradients)?,
                    false => learner.differentiate(batch)?,
                });
            }
            seconds[usize::from(by_hand)] = begun.elapsed().as_secs_f64() / TURN as f64;
        }
        // The first round warms up.
        if round > 0 {
            least = [least[0].min(seconds[0]), least[1].min(seconds[1])];
            ratios.push(seconds[0] / seconds[1]);
            milliseconds.push(seconds[1] * 1e3);
        }
    }
    ratios.sort_by(f64::total_cmp);
    milliseconds.sort_by(f64::total_cmp);
    let quarter = |part: usize| ratios[(part * ratios.len() / 4).min(ratios.len() - 1)];
    println!(
        "{:<32} {:>10.4} ms by hand, {:.3}x by the loop ({:.3} to {:.3}), least {:.3}x",
        format!("{name} by hand"),
        milliseconds[milliseconds.len() / 2],
        quarter(2),
        quarter(1),
        quarter(3),
        least[0] / least[1],
    );
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
    use saccade_rnn::device::Buffer;

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
    fn what_is_batched_by_hand_has_the_loss_and_the_gradients_of_the_loop() {
        for (name, network) in NETWORKS.into_iter().filter(|(_, network)| network.is_batched_by_hand()) {
            let batch = network.draw(5);
            let mut learner = Learner::new(network).unwrap();
            let mut by_hand = vec![None; learner.parameters.len()];
            let loss = learner.differentiate(&batch).unwrap();
            let loss_by_hand = learner.differentiate_by_hand(&batch, &mut by_hand).unwrap();
            assert!((loss - loss_by_hand).abs() < 1e-5 * loss, "{name}: {loss} and {loss_by_hand} by hand");
            let read = |buffer: &Option<Buffer>, size| match buffer {
                Some(buffer) => ready(learner.device.read(&[(buffer.clone(), 0..size)])).unwrap().remove(0),
                None => vec![0.0; size],
            };
            for (id, parameter) in learner.parameters.iter() {
                let size = learner.parameters.values(id).len();
                let found = read(&by_hand[id.index()], size);
                let expected = read(&learner.gradients.get(id).cloned(), size);
                let largest = expected.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
                let differs = |(a, b): (&f32, &f32)| (a - b).abs() > 1e-4 * largest;
                assert!(largest > 0.0 || !parameter.trainable, "{name}: {}", parameter.name);
                assert!(!found.iter().zip(&expected).any(differs), "{name}: {}", parameter.name);
            }
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
