//! One label for every node of a tree: a Tree-LSTM over the encoder's rows, and a softmax over the state of each node.

use super::super::{TreeCell, TreeLabels};
use crate::graph::Expr;
use crate::nn::{BinaryTreeLstm, BuildError, Builder, Linear, TreeState};

/// A tree as a network sees it. Nodes are numbered: the words in their order, then what two nodes make together, children
/// before their parent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberedTree {
    /// Ids of its words.
    pub(crate) ids: Vec<u32>,
    /// The children of every other node.
    pub(crate) merges: Vec<[usize; 2]>,
}

impl NumberedTree {
    /// How many words there are.
    pub fn words(&self) -> usize {
        self.ids.len()
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.ids.len() + self.merges.len()
    }
}

/// Parameters `leaf.…` and `inner.…` of the cell, `weight [labels, hidden]`, `bias [labels]`.
#[derive(Clone, Debug)]
pub struct TreeHead {
    lstm: BinaryTreeLstm,
    linear: Linear,
}

impl TreeHead {
    pub(super) fn new(builder: &mut Builder, task: &TreeLabels, width: usize) -> Result<Self, BuildError> {
        let lstm = match task.cell {
            TreeCell::Binary => BinaryTreeLstm::new(builder, width, task.hidden_size)?,
        };
        Ok(Self { lstm, linear: Linear::new(builder, task.hidden_size, task.labels.len())? })
    }

    /// `rows x labels` of states.
    pub(super) fn logits<'g>(&self, states: Expr<'g>) -> Expr<'g> {
        self.linear.forward(states)
    }

    /// h of every node in order, of a tree whose words have these rows. Each node is a cell of its own, and the graph runs
    /// those of all trees that are ready together.
    pub(in crate::model) fn states<'g>(&self, words: Expr<'g>, merges: &[[usize; 2]]) -> Vec<Expr<'g>> {
        let rows = 0..words.shape().rows as u32;
        let mut states: Vec<TreeState<'g>> = rows.map(|row| self.lstm.leaf(words.rows(&[row]))).collect();
        for &children in merges {
            states.push(self.lstm.inner(children.map(|child| states[child])));
        }
        states.into_iter().map(|state| state.h).collect()
    }
}
