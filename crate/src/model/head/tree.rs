//! One label for every node of a tree: a Tree-LSTM over the encoder's rows, and a softmax over the state of each node.

use super::super::{TreeCell, TreeLabels};
use crate::device::EngineError;
use crate::graph::Expr;
use crate::nn::{BinaryTreeLstm, BuildError, Builder, ChildSumTreeLstm, Linear, TreeState};

/// A tree as a network sees it. Nodes are numbered: the words in their order, then what two nodes make together, children
/// before their parent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NumberedTree {
    /// Ids of its words.
    pub(crate) ids: Vec<u32>,
    pub(crate) nodes: Nodes,
}

/// What the nodes of a tree are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Nodes {
    /// The words, and others, each with its children.
    Merged(Vec<[usize; 2]>),
    /// The words alone, children before their heads, each with its head; the root has none.
    Words(Vec<(usize, Option<usize>)>),
}

impl Default for NumberedTree {
    fn default() -> Self {
        Self { ids: Vec::new(), nodes: Nodes::Merged(Vec::new()) }
    }
}

impl NumberedTree {
    /// A tree whose nodes are words, by the head of each, of which the root has none. There is no such tree where a head is
    /// not a word, words are heads in a circle, or more or fewer than one of several words have none.
    pub fn of_heads(ids: Vec<u32>, heads: &[Option<usize>]) -> Option<Self> {
        let words = ids.len();
        let roots = heads.iter().filter(|head| head.is_none()).count();
        if heads.len() != words || roots != words.min(1) || heads.iter().flatten().any(|&head| head >= words)
        {
            return None;
        }
        // How many children of each word are yet to come.
        let mut awaited = vec![0; words];
        heads.iter().flatten().for_each(|&head| awaited[head] += 1);
        let mut nodes: Vec<(usize, Option<usize>)> = Vec::with_capacity(words);
        let mut ready: Vec<usize> = (0..words).rev().filter(|&word| awaited[word] == 0).collect();
        while let Some(word) = ready.pop() {
            nodes.push((word, heads[word]));
            if let Some(head) = heads[word] {
                awaited[head] -= 1;
                if awaited[head] == 0 {
                    ready.push(head);
                }
            }
        }
        (nodes.len() == words).then_some(Self { ids, nodes: Nodes::Words(nodes) })
    }

    /// How many words there are.
    pub fn words(&self) -> usize {
        self.ids.len()
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        match &self.nodes {
            Nodes::Merged(merges) => self.ids.len() + merges.len(),
            Nodes::Words(_) => self.ids.len(),
        }
    }

    /// The words from the first to the last of those under each word of a tree of heads, itself among them.
    pub fn extents(&self) -> Vec<std::ops::Range<usize>> {
        let mut extents: Vec<_> = (0..self.ids.len()).map(|word| word..word + 1).collect();
        if let Nodes::Words(nodes) = &self.nodes {
            for &(word, head) in nodes {
                let of_word = extents[word].clone();
                let Some(of_head) = head.map(|head| &mut extents[head]) else { continue };
                *of_head = of_head.start.min(of_word.start)..of_head.end.max(of_word.end);
            }
        }
        extents
    }

    /// The number of the root; none of a tree without words.
    pub fn root(&self) -> Option<usize> {
        match &self.nodes {
            Nodes::Merged(_) => self.nodes().checked_sub(1),
            Nodes::Words(nodes) => nodes.last().map(|(word, _)| *word),
        }
    }
}

/// Parameters `leaf.…` and `inner.…` of a binary cell or `cell.…` of one that sums children, `weight [labels, hidden]`,
/// `bias [labels]`.
#[derive(Clone, Debug)]
pub struct TreeHead {
    lstm: Lstm,
    linear: Linear,
}

#[derive(Clone, Debug)]
enum Lstm {
    Binary(BinaryTreeLstm),
    ChildSum(ChildSumTreeLstm),
}

impl TreeHead {
    pub(super) fn new(builder: &mut Builder, task: &TreeLabels, width: usize) -> Result<Self, BuildError> {
        let hidden = task.hidden_size;
        let lstm = match task.cell {
            TreeCell::Binary => Lstm::Binary(BinaryTreeLstm::new(builder, width, hidden)?),
            TreeCell::ChildSum => {
                Lstm::ChildSum(builder.scope("cell", |b| ChildSumTreeLstm::new(b, width, hidden))?)
            }
        };
        Ok(Self { lstm, linear: Linear::new(builder, hidden, task.labels.len())? })
    }

    /// `rows x labels` of states.
    pub(super) fn logits<'g>(&self, states: Expr<'g>) -> Expr<'g> {
        self.linear.forward(states)
    }

    /// h of every node in order, of a tree whose words have these rows. Each node is a cell of its own, and the graph runs
    /// those of all trees that are ready together.
    pub(in crate::model) fn states<'g>(&self, words: Expr<'g>, nodes: &Nodes) -> Vec<Expr<'g>> {
        let rows = 0..words.shape().rows as u32;
        let states: Vec<TreeState<'g>> = match (&self.lstm, nodes) {
            (Lstm::Binary(lstm), Nodes::Merged(merges)) => {
                let mut states: Vec<_> = rows.map(|row| lstm.leaf(words.rows(&[row]))).collect();
                for &children in merges {
                    states.push(lstm.inner(children.map(|child| states[child])));
                }
                states
            }
            (Lstm::ChildSum(lstm), Nodes::Words(nodes)) => {
                let products = lstm.products(words);
                let mut children: Vec<Vec<TreeState<'g>>> = rows.map(|_| Vec::new()).collect();
                let mut states = Vec::with_capacity(nodes.len());
                for &(word, head) in nodes {
                    let state = lstm.node(products.rows(&[word as u32]), &children[word]);
                    states.push((word, state));
                    if let Some(head) = head {
                        children[head].push(state);
                    }
                }
                states.sort_by_key(|(word, _)| *word);
                states.into_iter().map(|(_, state)| state).collect()
            }
            (Lstm::Binary(_), Nodes::Words(_)) => {
                return vec![mistaken(words, "the model labels binary trees, and this one is of heads")];
            }
            (Lstm::ChildSum(_), Nodes::Merged(_)) => {
                return vec![mistaken(words, "the model labels trees of heads, and this one is binary")];
            }
        };
        states.into_iter().map(|state| state.h).collect()
    }
}

fn mistaken<'g>(words: Expr<'g>, reason: &'static str) -> Expr<'g> {
    words.graph().mistaken(EngineError::Unsupported { op: "trees", reason })
}
