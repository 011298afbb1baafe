//! Layers: one file each, with its parameters under PyTorch's names, its equations, how it records itself on a graph
//! and what it costs.
//!
//! A layer is built by a [`Builder`], which either draws fresh weights or takes them from stored tensors after
//! checking every shape; the same constructor serves both. Layers hold only the identities of their parameters, so
//! they are cheap to clone and can be recorded on any number of graphs.

mod adaptive_input;
mod adaptive_softmax;
mod bands;
mod bidirectional;
mod builder;
mod crf;
mod elman;
mod embedding;
mod flops;
mod gru;
mod inspect;
mod linear;
mod lstm;
mod recurrent;
mod skim;
mod sru;
mod stack;
mod step;
#[cfg(any(feature = "graph", not(feature = "web")))]
mod tree_lstm;

pub use adaptive_input::{AdaptiveInput, AdaptiveInputConfig};
pub use adaptive_softmax::{
    AdaptiveSoftmax, AdaptiveSoftmaxConfig, Answer, Ask, Costs, Cutoffs, Distribution, Sampling, Word,
};
pub use bidirectional::Bidirectional;
pub use builder::{Alias, BuildError, Builder, Init, Tensor, Tensors};
pub(crate) use crf::follow;
pub use crf::{Best, Crf};
pub use embedding::Embedding;
pub use flops::Flops;
pub use inspect::{CellExprs, Inspected, Trace};
pub use linear::Linear;
pub use recurrent::{Recurrent, RecurrentConfig, RecurrentOutput, States};
pub use skim::{Skim, SkimConfig, SkimControl, SkimOutput, SmallReads};
pub use sru::{Sru, SruConfig, SruOutput};
pub use stack::{Layer, LayerOutput, Stack};
#[cfg(any(feature = "graph", not(feature = "web")))]
pub use tree_lstm::{BinaryTreeLstm, ChildSumTreeLstm, TreeState};
