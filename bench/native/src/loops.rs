//! Networks recorded as loops over single examples, batched on the fly: DyNet's demonstrations, with its sizes.
//!
//! A Tree-LSTM over binary trees with a loss at every node, and taggers that read a sentence in both directions, word by word
//! or as a whole, and rare words letter by letter.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use saccade_rnn::cpu::noise;
use saccade_rnn::device::{CellKind, Device, EngineError, ParamId, Parameters};
use saccade_rnn::graph::{Expr, Gradients, Graph, Strategy};
use saccade_rnn::nn::{
    BinaryTreeLstm, BuildError, Builder, Embedding, Init, Recurrent, RecurrentConfig, TreeState,
};
use saccade_rnn::train::{Optimizer, OptimizerConfig, Touched};

use crate::ready;

/// Sentences of a minibatch.
pub const BATCH: usize = 64;

/// Rows of the tables of words and of letters.
const WORDS: u32 = 20_000;
const LETTERS: u32 = 300;

/// Widths: of words, of a tree's states, of a tagger's, of its hidden layer, of letters.
const WORD: usize = 128;
const TREE: usize = 128;
const STATE: usize = 50;
const HIDDEN: usize = 32;
const LETTER: usize = 20;

/// Labels of nodes, tags of words.
const LABELS: usize = 5;
const TAGS: usize = 17;

/// What stands for the word of an inner node in a file of trees.
const INNER: u32 = u32::MAX;

/// All strategies.
pub const STRATEGIES: [Strategy; 4] =
    [Strategy::Unbatched, Strategy::Depth, Strategy::Agenda, Strategy::Levels];

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// Tree-LSTM.
    Tree {
        /// Whether a cell is one node, rather than one an operation. (Its forget gates then see both children.)
        cells: bool,
    },
    /// Tagger.
    Tagger {
        /// Whether rare words are read letter by letter.
        letters: bool,
        /// Whether an LSTM over a sequence is one node, rather than one a step.
        whole: bool,
    },
}

/// All networks with their names.
pub const NETWORKS: [(&str, Network); 6] = [
    ("tree", Network::Tree { cells: false }),
    ("tree-cells", Network::Tree { cells: true }),
    ("tagger", Network::Tagger { letters: false, whole: false }),
    ("tagger-whole", Network::Tagger { letters: false, whole: true }),
    ("letters", Network::Tagger { letters: true, whole: false }),
    ("letters-whole", Network::Tagger { letters: true, whole: true }),
];

/// An example.
#[derive(Clone, Debug)]
pub enum Example {
    /// Label and word of every node of a tree, children before their parent; inner nodes have no word.
    Tree(Vec<(u32, Option<u32>)>),
    /// The words of a sentence.
    Sentence(Vec<Word>),
}

/// A word to be tagged.
#[derive(Clone, Debug)]
pub struct Word {
    id: u32,
    tag: u32,
    /// None where the word is frequent.
    letters: Vec<u32>,
}

impl Network {
    /// Draws examples about as long as sentences are.
    pub fn draw(self, count: usize) -> Vec<Example> {
        let drawn = std::cell::Cell::new(0);
        let below = |bound: u32| {
            drawn.set(drawn.get() + 1);
            noise::bits(3, drawn.get(), 0) % bound
        };
        let tree = || {
            let mut nodes = Vec::new();
            // Leaves are shifted and pairs are reduced until one tree is left.
            let (mut leaves, mut roots) = (3 + below(32), 0);
            while leaves > 0 || roots > 1 {
                let shift = roots < 2 || leaves > 0 && below(2) == 0;
                nodes.push((below(LABELS as u32), shift.then(|| below(WORDS))));
                (leaves, roots) = if shift { (leaves - 1, roots + 1) } else { (leaves, roots - 1) };
            }
            Example::Tree(nodes)
        };
        let word = |_| {
            let letters = if below(8) == 0 { 4 + below(10) } else { 0 };
            let letters = (0..letters).map(|_| below(LETTERS)).collect();
            Word { id: below(WORDS), tag: below(TAGS as u32), letters }
        };
        let example = |_| match self {
            Network::Tree { .. } => tree(),
            Network::Tagger { .. } => Example::Sentence((0..1 + below(30)).map(word).collect()),
        };
        (0..count).map(example).collect()
    }

    /// Examples from a file of 32-bit numbers. Of a tree, how many nodes it has, and of every node the label and the word (or
    /// 2^32 - 1). Of a sentence, how many words it has, and of every word its number, its tag, how many letters it is read by,
    /// and these.
    ///
    /// # Errors
    /// If the file cannot be read or ends too early.
    pub fn load(self, file: &Path) -> Result<Vec<Example>, Box<dyn Error>> {
        let bytes = std::fs::read(file)?;
        let mut numbers = bytes.as_chunks().0.iter().map(|&number| u32::from_le_bytes(number));
        let mut examples = Vec::new();
        while let Some(count) = numbers.next() {
            let mut next = || numbers.next().ok_or("the file ends too early");
            examples.push(match self {
                Network::Tree { .. } => {
                    let node = |_| Ok((next()?, Some(next()?).filter(|&word| word != INNER)));
                    Example::Tree((0..count).map(node).collect::<Result<_, &str>>()?)
                }
                Network::Tagger { .. } => {
                    let word = |_| {
                        let (id, tag, count) = (next()?, next()?, next()?);
                        Ok(Word { id, tag, letters: (0..count).map(|_| next()).collect::<Result<_, _>>()? })
                    };
                    Example::Sentence((0..count).map(word).collect::<Result<_, &str>>()?)
                }
            });
        }
        Ok(examples)
    }
}

/// Weights of a network.
enum Layers {
    Tree(TreeLstm),
    Cells(TreeOfCells),
    Tagger(Box<Tagger>),
}

struct TreeOfCells {
    words: Embedding,
    lstm: BinaryTreeLstm,
    output: ParamId,
}

struct TreeLstm {
    words: Embedding,
    /// i, o and u of a leaf, and of an inner node.
    leaf: [ParamId; 3],
    inner: [ParamId; 3],
    /// The forget gates of both children.
    forget: [ParamId; 2],
    /// Of i, o, u and f.
    bias: [ParamId; 4],
    output: ParamId,
}

struct Tagger {
    words: Embedding,
    letters: Option<(Embedding, Reader)>,
    reader: Reader,
    hidden: ParamId,
    output: ParamId,
}

/// An LSTM in both directions.
enum Reader {
    Whole(Recurrent),
    Steps([Recurrent; 2]),
}

impl TreeLstm {
    fn new(builder: &mut Builder) -> Result<Self, BuildError> {
        let words = Embedding::new(builder, WORDS as usize, WORD)?;
        let mut weight = |name: String, rows, columns| {
            let bound = (6.0 / (rows + columns) as f32).sqrt();
            builder.parameter(&name, &[rows, columns], Init::Uniform(bound))
        };
        let mut three = |name: &str, columns| -> Result<[ParamId; 3], BuildError> {
            let mut gate = |gate| weight(format!("{name}.{gate}"), TREE, columns);
            Ok([gate('i')?, gate('o')?, gate('u')?])
        };
        let (leaf, inner) = (three("leaf", WORD)?, three("inner", 2 * TREE)?);
        let forget = [weight("left.f".into(), TREE, TREE)?, weight("right.f".into(), TREE, TREE)?];
        let output = weight("output".into(), LABELS, TREE)?;
        let mut bias = |name: &str| builder.parameter(name, &[TREE], Init::Constant(0.0));
        let bias = [bias("bias.i")?, bias("bias.o")?, bias("bias.u")?, bias("bias.f")?];
        Ok(Self { words, leaf, inner, forget, bias, output })
    }

    fn record<'g>(&self, graph: &'g Graph, nodes: &[(u32, Option<u32>)], losses: &mut Vec<Expr<'g>>) {
        let mut states: Vec<[Expr<'g>; 2]> = Vec::new();
        for &(label, word) in nodes {
            let children = if word.is_some() { Vec::new() } else { states.split_off(states.len() - 2) };
            let (weights, x) = match word {
                Some(word) => (&self.leaf, self.words.forward(graph, &[word])),
                None => (&self.inner, graph.concat_columns(&[children[0][0], children[1][0]])),
            };
            let gate = |i: usize| x.affine(weights[i], Some(self.bias[i]));
            let (i, o, u) = (gate(0).sigmoid(), gate(1).sigmoid(), gate(2).tanh());
            let kept = children.iter().zip(self.forget);
            let kept = kept.map(|([h, c], forget)| h.affine(forget, Some(self.bias[3])).sigmoid() * *c);
            let c = kept.fold(i * u, |c, kept| c + kept);
            let h = o * c.tanh();
            losses.push(h.affine(self.output, None).cross_entropy(&[label]));
            states.push([h, c]);
        }
    }
}

impl TreeOfCells {
    fn new(builder: &mut Builder) -> Result<Self, BuildError> {
        let words = Embedding::new(builder, WORDS as usize, WORD)?;
        let lstm = builder.scope("lstm", |builder| BinaryTreeLstm::new(builder, WORD, TREE))?;
        let output = builder.parameter("output", &[LABELS, TREE], Init::Uniform(0.2))?;
        Ok(Self { words, lstm, output })
    }

    fn record<'g>(&self, graph: &'g Graph, nodes: &[(u32, Option<u32>)], losses: &mut Vec<Expr<'g>>) {
        let mut states: Vec<TreeState<'g>> = Vec::new();
        for &(label, word) in nodes {
            let state = match word {
                Some(word) => self.lstm.leaf(self.words.forward(graph, &[word])),
                None => {
                    let children = states.split_off(states.len() - 2);
                    self.lstm.inner([children[0], children[1]])
                }
            };
            losses.push(state.h.affine(self.output, None).cross_entropy(&[label]));
            states.push(state);
        }
    }
}

impl Reader {
    fn new(
        builder: &mut Builder,
        name: &str,
        whole: bool,
        input: usize,
        hidden: usize,
    ) -> Result<Self, BuildError> {
        let config = RecurrentConfig { bidirectional: whole, ..RecurrentConfig::new(input, hidden) };
        let mut lstm =
            |name: String| builder.scope(&name, |builder| Recurrent::new(builder, CellKind::Lstm, config));
        Ok(match whole {
            true => Self::Whole(lstm(name.into())?),
            false => Self::Steps([lstm(format!("{name}.there"))?, lstm(format!("{name}.back"))?]),
        })
    }

    /// The states after every row, in the order of the rows, of both directions.
    fn steps<'g>(lstms: &[Recurrent; 2], rows: &[Expr<'g>]) -> [Vec<Expr<'g>>; 2] {
        let read = |lstm: &Recurrent, rows: &mut dyn Iterator<Item = &Expr<'g>>| {
            let mut states = None;
            let step = |&row: &Expr<'g>| {
                let output = lstm.step(row, states.as_ref());
                states = Some(output.states);
                output.rows
            };
            rows.map(step).collect::<Vec<_>>()
        };
        let mut back = read(&lstms[1], &mut rows.iter().rev());
        back.reverse();
        [read(&lstms[0], &mut rows.iter()), back]
    }
}

impl Tagger {
    fn new(builder: &mut Builder, letters: bool, whole: bool) -> Result<Self, BuildError> {
        let words = builder.scope("words", |builder| Embedding::new(builder, WORDS as usize, WORD))?;
        let letters = match letters {
            true => Some((
                builder.scope("letters", |builder| Embedding::new(builder, LETTERS as usize, LETTER))?,
                Reader::new(builder, "spelling", whole, LETTER, WORD / 2)?,
            )),
            false => None,
        };
        let reader = Reader::new(builder, "reader", whole, WORD, STATE)?;
        let mut weight = |name: &str, rows, columns| {
            let bound = (6.0 / (rows + columns) as f32).sqrt();
            builder.parameter(name, &[rows, columns], Init::Uniform(bound))
        };
        let (hidden, output) = (weight("hidden", HIDDEN, 2 * STATE)?, weight("output", TAGS, HIDDEN)?);
        Ok(Self { words, letters, reader, hidden, output })
    }

    fn record<'g>(&self, graph: &'g Graph, words: &[Word], losses: &mut Vec<Expr<'g>>) {
        let scores = |rows: Expr<'g>| rows.affine(self.hidden, None).tanh().affine(self.output, None);
        match &self.reader {
            Reader::Whole(lstm) => {
                // Words that follow one another in the table are looked up as one value.
                let groups = words.chunk_by(|a, b| self.spelled(a).is_none() && self.spelled(b).is_none());
                let rows: Vec<Expr<'g>> = groups
                    .map(|group| match self.spelled(&group[0]) {
                        Some((table, reader)) => spell(graph, table, reader, &group[0].letters),
                        None => {
                            let ids: Vec<u32> = group.iter().map(|word| word.id).collect();
                            self.words.forward(graph, &ids)
                        }
                    })
                    .collect();
                let x = if rows.len() == 1 { rows[0] } else { graph.concat_rows(&rows) };
                let tags: Vec<u32> = words.iter().map(|word| word.tag).collect();
                losses.push(scores(lstm.forward(x, None).rows).cross_entropy(&tags));
            }
            Reader::Steps(lstms) => {
                let row = |word: &Word| match self.spelled(word) {
                    Some((table, reader)) => spell(graph, table, reader, &word.letters),
                    None => self.words.forward(graph, &[word.id]),
                };
                let rows: Vec<Expr<'g>> = words.iter().map(row).collect();
                let [there, back] = Reader::steps(lstms, &rows);
                for ((there, back), word) in there.into_iter().zip(back).zip(words) {
                    let both = graph.concat_columns(&[there, back]);
                    losses.push(scores(both).cross_entropy(&[word.tag]));
                }
            }
        }
    }

    /// What reads a word letter by letter, if it is read so.
    fn spelled(&self, word: &Word) -> Option<&(Embedding, Reader)> {
        self.letters.as_ref().filter(|_| !word.letters.is_empty())
    }
}

fn spell<'g>(graph: &'g Graph, table: &Embedding, reader: &Reader, letters: &[u32]) -> Expr<'g> {
    match reader {
        Reader::Whole(lstm) => lstm.last(&lstm.forward(table.forward(graph, letters), None)),
        Reader::Steps(lstms) => {
            let letters: Vec<_> = letters.iter().map(|&letter| table.forward(graph, &[letter])).collect();
            let [there, back] = Reader::steps(lstms, &letters);
            graph.concat_columns(&[there[there.len() - 1], back[0]])
        }
    }
}

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
    /// The sum of all losses.
    pub loss: f32,
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
        let loss = self.record(&graph, batch);
        let recording = begun.elapsed().as_secs_f64();
        let loss = ready(loss.value())?[0];
        let batches = if count { counts(&graph) } else { (0, 0) };
        drop(graph);
        Ok(Taken { recording, seconds: begun.elapsed().as_secs_f64(), loss, batches })
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
        let loss = ready(loss.value())?[0];
        let batches = if count { counts(&graph) } else { (0, 0) };
        drop(graph);
        let touched = self.touched(batch);
        let (parameters, gradients) = (&mut self.parameters, &mut self.gradients);
        ready(self.optimizer.update(&self.device, parameters, gradients, &touched, |_| 1e-3, &[]))?;
        Ok(Taken { recording, seconds: begun.elapsed().as_secs_f64(), loss, batches })
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
        }
    }
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
            for training in [true, false] {
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
/// minibatch of that number, a step of training or forward only, and prints its milliseconds and the loss.
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
        let Taken { seconds, loss, .. } = run(&mut learner, batch, strategy, false)?;
        println!("{} {loss}", seconds * 1e3);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_fall_and_are_the_same_under_every_strategy() {
        for (name, network) in NETWORKS {
            let batch = network.draw(4);
            let mut first = Vec::new();
            for strategy in STRATEGIES {
                let mut learner = Learner::new(network).unwrap();
                let read = learner.read(&batch, strategy, true).unwrap();
                let losses: Vec<f32> =
                    (0..5).map(|_| learner.learn(&batch, strategy, false).unwrap().loss).collect();
                assert!((read.loss - losses[0]).abs() < 1e-3 * losses[0], "{name}");
                assert!(losses[4] < 0.99 * losses[0], "{name} {losses:?}");
                assert!(read.batches.0 >= read.batches.1, "{name}");
                first.push(losses[0]);
            }
            assert!(first.iter().all(|loss| (loss - first[0]).abs() < 1e-3 * first[0]), "{name} {first:?}");
        }
    }
}
