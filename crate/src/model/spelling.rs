//! Words by their letters: what a tagger knows of a word that its vocabulary lacks, and of any other besides.

use super::Characters;
use crate::graph::{Expr, Graph};
use crate::nn::{BuildError, Builder, Embedding, Layer, Recurrent, RecurrentConfig, SkimControl};

/// A text as a tagger sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Spelled {
    /// Ids of its words.
    pub ids: Vec<u32>,
    /// Of every word, the numbers of its letters in the alphabet.
    pub letters: Vec<Vec<u32>>,
}

/// An LSTM in both directions over the letters of a word: parameters `embedding.weight [letters, size]`,
/// `lstm.weight_ih_l0` and so on.
#[derive(Clone, Debug)]
pub struct Spelling {
    embedding: Embedding,
    lstm: Layer,
}

impl Spelling {
    pub(super) fn new(
        builder: &mut Builder,
        config: &Characters,
        forget_bias: f32,
    ) -> Result<Self, BuildError> {
        let letters = config.alphabet.len();
        let sizes = RecurrentConfig {
            bidirectional: true,
            ..RecurrentConfig::new(config.embedding_size, config.hidden_size)
        };
        Ok(Self {
            embedding: builder.scope("embedding", |b| Embedding::new(b, letters, config.embedding_size))?,
            lstm: Layer::Recurrent(builder.scope("lstm", |b| Recurrent::lstm(b, sizes, forget_bias))?),
        })
    }

    /// The last states of each word, `words x 2 hidden`: a loop over words, of which the graph runs all together.
    pub(super) fn forward<'g>(&self, graph: &'g Graph, words: &[Vec<u32>]) -> Expr<'g> {
        let control = SkimControl::Decide { threshold: 1.0, force: &[] };
        let last = |letters: &Vec<u32>| {
            let letters = self.embedding.forward(graph, letters);
            self.lstm.forward(letters, &mut std::iter::empty(), control).last
        };
        match words {
            [] => graph.input(0, self.lstm.output_size(), Vec::new()),
            _ => graph.concat_rows(&words.iter().map(last).collect::<Vec<_>>()),
        }
    }
}
