//! Tree-structured long short-term memory (Tai, Socher, Manning 2015): the state of a node is made of those of its
//! children. Every step is a cell ([`crate::graph::Cell`]), so that nodes of all trees that are ready run as one batch.
//!
//! Binary, over trees whose leaves are words and whose other nodes have two children (equations 9 to 14, N = 2, an inner node
//! having no x):
//! ```text
//! leaf:  i, o = sigmoid(W_i x + b_i), sigmoid(W_o x + b_o)    u = tanh(W_u x + b_u)
//!        c = i ⊙ u                                            h = o ⊙ tanh(c)
//! inner: i, f_l, f_r, o = sigmoid(U [h_l; h_r] + b)           u = tanh(U_u [h_l; h_r] + b_u)
//!        c = i ⊙ u + f_l ⊙ c_l + f_r ⊙ c_r                    h = o ⊙ tanh(c)
//! ```
//!
//! Child-Sum, over trees whose nodes are words with any number of children, such as dependency trees (equations 2 to 8):
//! ```text
//! s = Σ_k h_k
//! i, o = sigmoid(W x + U s + b)    u = tanh(W_u x + U_u s + b_u)    f_k = sigmoid(W_f x + U_f h_k + b_f)
//! c = i ⊙ u + Σ_k f_k ⊙ c_k                                         h = o ⊙ tanh(c)
//! ```

use std::sync::{Arc, OnceLock};

use super::{BuildError, Builder, Flops, Init};
use crate::device::{EngineError, ParamId};
use crate::graph::{Cell, Expr, Graph};

/// The state of a node: h and c, `1 x hidden` each.
#[derive(Clone, Copy)]
pub struct TreeState<'g> {
    /// What the node puts out.
    pub h: Expr<'g>,
    /// Its memory.
    pub c: Expr<'g>,
}

/// A cell that is recorded when it is first called: before, a layer's parameters may only be listed.
#[derive(Clone)]
struct Lazy<const I: usize>(Arc<OnceLock<Result<Cell<I, 2>, EngineError>>>);

impl<const I: usize> Lazy<I> {
    fn new() -> Self {
        Self(Arc::default())
    }

    #[track_caller]
    fn call<'g>(
        &self,
        record: impl FnOnce(&'g Graph) -> Result<Cell<I, 2>, EngineError>,
        inputs: [Expr<'g>; I],
    ) -> [Expr<'g>; 2] {
        let graph = inputs[0].graph();
        match self.0.get_or_init(|| record(graph)) {
            Ok(cell) => cell.call(inputs),
            Err(error) => [graph.mistaken(error.clone()); 2],
        }
    }
}

impl<const I: usize> std::fmt::Debug for Lazy<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A Tree-LSTM over binary trees.
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::graph::{Expr, Graph, Strategy};
/// use saccade_rnn::nn::{BinaryTreeLstm, Builder, TreeState};
///
/// /// A word by its row, or two parts.
/// enum Tree {
///     Word(u32),
///     Parts(Box<[Tree; 2]>),
/// }
///
/// fn state<'g>(lstm: &BinaryTreeLstm, words: Expr<'g>, tree: &Tree) -> TreeState<'g> {
///     match tree {
///         Tree::Word(row) => lstm.leaf(words.rows(&[*row])),
///         Tree::Parts(parts) => lstm.inner(parts.each_ref().map(|part| state(lstm, words, part))),
///     }
/// }
///
/// # pollster::block_on(async {
/// let mut builder = Builder::fresh(0);
/// let lstm = BinaryTreeLstm::new(&mut builder, 2, 3)?;
/// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::default());
/// let words = graph.input(3, 2, vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
/// // (the (blue sky))
/// let [the, blue, sky] = [0, 1, 2].map(Tree::Word);
/// let tree = Tree::Parts(Box::new([the, Tree::Parts(Box::new([blue, sky]))]));
/// assert_eq!(state(&lstm, words, &tree).h.value().await?.len(), 3);
/// let report = graph.explain();
/// let cells = report.batches().iter().filter(|batch| batch.op.starts_with("tree_lstm"));
/// assert_eq!(cells.map(|batch| (batch.op, batch.lanes)).collect::<Vec<_>>(), [
///     ("tree_lstm_leaf", 3), ("tree_lstm", 1), ("tree_lstm", 1),
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct BinaryTreeLstm {
    input: usize,
    hidden: usize,
    leaf: (ParamId, ParamId),
    inner: (ParamId, ParamId),
    leaf_cell: Lazy<1>,
    inner_cell: Lazy<4>,
}

impl BinaryTreeLstm {
    /// Parameters `leaf.weight [3 * hidden, input]` and `leaf.bias` in the order i, o, u; `inner.weight [5 * hidden, 2 * hidden]`
    /// and `inner.bias` in the order i, f_l, f_r, o, u. All are drawn uniformly in ±1/sqrt(hidden), and 1 is added to fresh
    /// biases of the forget gates.
    ///
    /// # Errors
    /// See [`Builder::parameter`]; also if `hidden` is 0.
    pub fn new(builder: &mut Builder, input: usize, hidden: usize) -> Result<Self, BuildError> {
        let init = init(hidden)?;
        let leaf = builder.scope("leaf", |builder| weights(builder, [3 * hidden, input], init))?;
        let inner = builder.scope("inner", |builder| weights(builder, [5 * hidden, 2 * hidden], init))?;
        builder.adjust_fresh(inner.1, |bias| bias[hidden..3 * hidden].iter_mut().for_each(|b| *b += 1.0));
        let (leaf_cell, inner_cell) = (Lazy::new(), Lazy::new());
        Ok(Self { input, hidden, leaf, inner, leaf_cell, inner_cell })
    }

    /// Columns of h.
    pub fn output_size(&self) -> usize {
        self.hidden
    }

    /// The state of a leaf, of its word `1 x input`. (Of more rows: the states of as many leaves.)
    #[track_caller]
    pub fn leaf<'g>(&self, x: Expr<'g>) -> TreeState<'g> {
        let ((weight, bias), d) = (self.leaf, self.hidden);
        let record = |graph: &Graph| {
            graph.cell("tree_lstm_leaf", [self.input], |_, [x]| {
                let gates = x.affine(weight, Some(bias));
                let [i, o, u] = [0, 1, 2].map(|gate| gates.columns(gate * d..(gate + 1) * d));
                put_out(o, i.sigmoid() * u.tanh())
            })
        };
        let [h, c] = self.leaf_cell.call(record, [x]);
        TreeState { h, c }
    }

    /// The state of a node with a left child and a right one.
    #[track_caller]
    pub fn inner<'g>(&self, [left, right]: [TreeState<'g>; 2]) -> TreeState<'g> {
        let ((weight, bias), d) = (self.inner, self.hidden);
        let record = |graph: &Graph| {
            graph.cell("tree_lstm", [d; 4], |graph, [h_l, c_l, h_r, c_r]| {
                let gates = graph.concat_columns(&[h_l, h_r]).affine(weight, Some(bias));
                let [i, f_l, f_r, o, u] = [0, 1, 2, 3, 4].map(|gate| gates.columns(gate * d..(gate + 1) * d));
                put_out(o, i.sigmoid() * u.tanh() + f_l.sigmoid() * c_l + f_r.sigmoid() * c_r)
            })
        };
        let [h, c] = self.inner_cell.call(record, [left.h, left.c, right.h, right.c]);
        TreeState { h, c }
    }

    /// `6 h in` for a leaf, `20 h²` for every other node.
    pub fn flops(&self, leaves: usize, inner: usize) -> Flops {
        let Self { input, hidden, .. } = *self;
        Flops::per_row(6 * hidden * input, leaves) + Flops::per_row(20 * hidden * hidden, inner)
    }
}

/// A Tree-LSTM over trees whose nodes are words with any number of children.
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{Builder, ChildSumTreeLstm};
/// # pollster::block_on(async {
/// let mut builder = Builder::fresh(0);
/// let lstm = ChildSumTreeLstm::new(&mut builder, 2, 3)?;
/// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::default());
/// let words = graph.input(3, 2, vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]);
/// // "sky", of which depend "the" and "blue".
/// let products = lstm.products(words);
/// let [the, blue] = [0, 1].map(|word| lstm.node(products.rows(&[word]), &[]));
/// let sky = lstm.node(products.rows(&[2]), &[the, blue]);
/// assert_eq!(sky.h.value().await?.len(), 3);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct ChildSumTreeLstm {
    input: usize,
    hidden: usize,
    of_word: (ParamId, ParamId),
    of_sum: ParamId,
    of_child: ParamId,
    leaf_cell: Lazy<1>,
    first_cell: Lazy<3>,
    child_cell: Lazy<5>,
    node_cell: Lazy<3>,
}

impl ChildSumTreeLstm {
    /// Parameters `weight_ih [4 * hidden, input]` and `bias` in the order i, o, u, f; `weight_hh [3 * hidden, hidden]` of the sum
    /// of the children in the order i, o, u; `weight_fh [hidden, hidden]` of each child. All are drawn uniformly in
    /// ±1/sqrt(hidden), and 1 is added to fresh biases of the forget gate.
    ///
    /// # Errors
    /// See [`Builder::parameter`]; also if `hidden` is 0.
    pub fn new(builder: &mut Builder, input: usize, hidden: usize) -> Result<Self, BuildError> {
        let init = init(hidden)?;
        let weight_ih = builder.parameter("weight_ih", &[4 * hidden, input], init)?;
        let bias = builder.parameter("bias", &[4 * hidden], init)?;
        builder.adjust_fresh(bias, |bias| bias[3 * hidden..].iter_mut().for_each(|b| *b += 1.0));
        Ok(Self {
            input,
            hidden,
            of_word: (weight_ih, bias),
            of_sum: builder.parameter("weight_hh", &[3 * hidden, hidden], init)?,
            of_child: builder.parameter("weight_fh", &[hidden, hidden], init)?,
            leaf_cell: Lazy::new(),
            first_cell: Lazy::new(),
            child_cell: Lazy::new(),
            node_cell: Lazy::new(),
        })
    }

    /// Columns of h.
    pub fn output_size(&self) -> usize {
        self.hidden
    }

    /// What words contribute to their nodes, `rows x 4 hidden` of `rows x input`: one product for all words of a sentence.
    #[track_caller]
    pub fn products<'g>(&self, words: Expr<'g>) -> Expr<'g> {
        words.affine(self.of_word.0, Some(self.of_word.1))
    }

    /// The state of a node, of its row of [`Self::products`] and its children.
    #[track_caller]
    pub fn node<'g>(&self, product: Expr<'g>, children: &[TreeState<'g>]) -> TreeState<'g> {
        let (d, of_sum, of_child) = (self.hidden, self.of_sum, self.of_child);
        let [h, c] = match children {
            [] => {
                let record = |graph: &Graph| {
                    graph.cell("child_sum_leaf", [4 * d], |_, [x]| {
                        let [i, o, u] = [0, 1, 2].map(|gate| x.columns(gate * d..(gate + 1) * d));
                        put_out(o, i.sigmoid() * u.tanh())
                    })
                };
                self.leaf_cell.call(record, [product])
            }
            [first, others @ ..] => {
                let record = |graph: &Graph| {
                    let columns = [4 * d, d, d];
                    graph.cell("child_sum_first", columns, |_, [x, h, c]| [h, forget(x, h, of_child) * c])
                };
                let mut sums = self.first_cell.call(record, [product, first.h, first.c]);
                for child in others {
                    let record = |graph: &Graph| {
                        graph.cell("child_sum_child", [4 * d, d, d, d, d], |_, [x, h, c, sum, memory]| {
                            [sum + h, memory + forget(x, h, of_child) * c]
                        })
                    };
                    sums = self.child_cell.call(record, [product, child.h, child.c, sums[0], sums[1]]);
                }
                let record = |graph: &Graph| {
                    graph.cell("child_sum", [4 * d, d, d], |_, [x, sum, memory]| {
                        let gates = x.columns(0..3 * d) + sum.affine(of_sum, None);
                        let [i, o, u] = [0, 1, 2].map(|gate| gates.columns(gate * d..(gate + 1) * d));
                        put_out(o, i.sigmoid() * u.tanh() + memory)
                    })
                };
                self.node_cell.call(record, [product, sums[0], sums[1]])
            }
        };
        TreeState { h, c }
    }

    /// `8 h in` for every node, `6 h²` for one that has children, `2 h²` for every child.
    pub fn flops(&self, nodes: usize, parents: usize, children: usize) -> Flops {
        let Self { input, hidden, .. } = *self;
        let of_states =
            Flops::per_row(6 * hidden * hidden, parents) + Flops::per_row(2 * hidden * hidden, children);
        Flops::per_row(8 * hidden * input, nodes) + of_states
    }
}

/// h and c.
fn put_out<'g>(o: Expr<'g>, c: Expr<'g>) -> [Expr<'g>; 2] {
    [o.sigmoid() * c.tanh(), c]
}

/// The gate of a child's memory, whose h is given.
fn forget<'g>(x: Expr<'g>, h: Expr<'g>, of_child: ParamId) -> Expr<'g> {
    let d = h.shape().columns;
    (x.columns(3 * d..4 * d) + h.affine(of_child, None)).sigmoid()
}

fn init(hidden: usize) -> Result<Init, BuildError> {
    if hidden == 0 {
        return Err(BuildError::size("hidden size of a tree", "at least 1", hidden));
    }
    Ok(Init::Uniform(1.0 / (hidden as f32).sqrt()))
}

/// A weight and a bias.
fn weights(builder: &mut Builder, shape: [usize; 2], init: Init) -> Result<(ParamId, ParamId), BuildError> {
    Ok((builder.parameter("weight", &shape, init)?, builder.parameter("bias", &shape[..1], init)?))
}
