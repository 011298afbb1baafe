//! Embedding: a row of a table for every token id.

use super::{BuildError, Builder, CellExprs, Init, Trace};
use crate::device::ParamId;
use crate::graph::{Expr, Graph};

/// A table of word vectors, `weight [words, size]` (PyTorch `nn.Embedding`).
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{Builder, Embedding, Tensor};
/// # pollster::block_on(async {
/// let table = Tensor { shape: vec![3, 2], values: vec![0.0, 0.1, 1.0, 1.1, 2.0, 2.1] };
/// let mut builder = Builder::stored([("weight".to_string(), table)].into());
/// let embedding = Embedding::new(&mut builder, 3, 2)?;
/// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
/// assert_eq!(embedding.forward(&graph, &[2, 0]).value().await?, [2.0, 2.1, 0.0, 0.1]);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Embedding {
    /// The table.
    pub weight: ParamId,
}

impl Embedding {
    /// A table of `words` rows, drawn uniformly with standard deviation 0.1.
    ///
    /// # Errors
    /// See [`Builder::parameter`].
    pub fn new(builder: &mut Builder, words: usize, size: usize) -> Result<Self, BuildError> {
        let init = Init::Uniform(0.1 * 3f32.sqrt());
        Ok(Self { weight: builder.parameter("weight", &[words, size], init)? })
    }

    /// The trace of word vectors, which are its states.
    pub(crate) fn inspect<'g>(words: Expr<'g>) -> CellExprs<'g> {
        let (name, kind, size) = ("embedding".into(), "embedding", words.shape().columns);
        CellExprs {
            trace: Trace { name, kind, size, ..Trace::default() },
            gate_names: &[],
            states: words,
            gates: None,
            cells: None,
            skim: None,
        }
    }

    /// `ids.len() x size`.
    pub fn forward<'g>(&self, graph: &'g Graph, ids: &[u32]) -> Expr<'g> {
        graph.embedding(self.weight, ids)
    }
}
