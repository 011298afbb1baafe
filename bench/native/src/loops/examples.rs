//! What the loops run over: trees and sentences, drawn or from files.

use std::error::Error;
use std::path::Path;

use saccade_rnn::cpu::noise;

/// Rows of the tables of words and of letters.
pub(super) const WORDS: u32 = 20_000;
pub(super) const LETTERS: u32 = 300;

/// Labels of nodes, tags of words.
pub(super) const LABELS: usize = 5;
pub(super) const TAGS: usize = 17;

/// What stands for the word of an inner node in a file of trees.
const INNER: u32 = u32::MAX;
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
    /// A layer in one direction over a sentence, one node, and a guess at every word.
    Sequence {
        /// Whether it is an SRU, rather than an LSTM.
        sru: bool,
    },
    /// Greedy parser, whose transitions depend on scores. It is not trained.
    Parser,
}

/// All networks with their names.
pub const NETWORKS: [(&str, Network); 9] = [
    ("tree", Network::Tree { cells: false }),
    ("tree-cells", Network::Tree { cells: true }),
    ("tagger", Network::Tagger { letters: false, whole: false }),
    ("tagger-whole", Network::Tagger { letters: false, whole: true }),
    ("letters", Network::Tagger { letters: true, whole: false }),
    ("letters-whole", Network::Tagger { letters: true, whole: true }),
    ("lstm", Network::Sequence { sru: false }),
    ("sru", Network::Sequence { sru: true }),
    ("parser", Network::Parser),
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
    pub(super) id: u32,
    pub(super) tag: u32,
    /// None where the word is frequent.
    pub(super) letters: Vec<u32>,
}

impl Network {
    /// Whether it is trained, too.
    pub fn learns(self) -> bool {
        self != Self::Parser
    }

    /// Whether the same minibatch is also batched by hand.
    pub fn is_batched_by_hand(self) -> bool {
        matches!(self, Self::Tagger { letters: false, .. } | Self::Sequence { .. })
    }

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
            Network::Tagger { .. } | Network::Sequence { .. } | Network::Parser => {
                Example::Sentence((0..1 + below(30)).map(word).collect())
            }
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
                Network::Tagger { .. } | Network::Sequence { .. } | Network::Parser => {
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
