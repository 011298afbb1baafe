//! Word vectors: trained on text without labels, to begin a model's embedding with.

mod corpus;
mod error;
mod random;
mod skip_gram;

use crate::model::{Checkpoint, ModelError, Storage, Tensor};
use crate::text::Vocabulary;
pub use corpus::{Corpus, CorpusBuilder};
pub use error::VectorsError;
pub use skip_gram::SkipGram;

/// The name of the tensor in a file of vectors: PyTorch's for the weight of an embedding.
pub const TENSOR: &str = "embedding.weight";
/// The key of the metadata under which a file of vectors lists its words, as JSON.
pub const VOCABULARY_KEY: &str = "vocabulary";

/// A vector for each word of a vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct WordVectors {
    vocabulary: Vocabulary,
    size: usize,
    values: Vec<f32>,
}

impl WordVectors {
    /// Vectors of `size` numbers, one a word, row by row in the order of the ids.
    ///
    /// # Errors
    /// [`VectorsError::Shape`] unless there are `vocabulary.len()` × `size` values.
    pub fn new(vocabulary: Vocabulary, size: usize, values: Vec<f32>) -> Result<Self, VectorsError> {
        let (words, found) = (vocabulary.len(), values.len());
        if words.checked_mul(size) == Some(found) {
            Ok(Self { vocabulary, size, values })
        } else {
            Err(VectorsError::Shape { words, size, found })
        }
    }

    /// The words.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// Numbers of a vector.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The matrix `[words, size]`, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The vector of `word`, if the vocabulary holds it.
    pub fn get(&self, word: &str) -> Option<&[f32]> {
        self.vocabulary.contains(word).then(|| self.row(self.vocabulary.id(word) as usize))
    }

    /// The `k` words nearest to `word` by the cosine of their vectors, nearest first, with the cosine; `word` itself
    /// is not among them. `None` if the vocabulary does not hold `word`.
    pub fn nearest(&self, word: &str, k: usize) -> Option<Vec<(&str, f32)>> {
        let query = self.get(word)?;
        let others = (0..).zip(self.vocabulary.words()).filter(|&(_, other)| other != word);
        let mut scored: Vec<_> =
            others.map(|(id, other)| (other.as_str(), cosine(query, self.row(id)))).collect();
        scored.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        scored.truncate(k);
        Some(scored)
    }

    fn row(&self, id: usize) -> &[f32] {
        &self.values[id * self.size..][..self.size]
    }

    /// A safetensors file: the tensor [`TENSOR`] `[words, size]` as f32, and the list of words as JSON in the
    /// metadata under [`VOCABULARY_KEY`]. Equal vectors give equal bytes.
    ///
    /// # Errors
    /// [`VectorsError::Model`] for a number that is not finite, or more words than a header holds.
    pub fn to_bytes(&self) -> Result<Vec<u8>, VectorsError> {
        let words = serde_json::to_string(self.vocabulary.words()).map_err(VectorsError::VocabularySyntax)?;
        let tensor = Tensor::new(TENSOR, vec![self.vocabulary.len(), self.size], self.values.clone())?;
        let checkpoint = Checkpoint {
            tensors: [(TENSOR.to_owned(), tensor)].into(),
            metadata: [(VOCABULARY_KEY.to_owned(), words)].into(),
        };
        Ok(checkpoint.to_bytes(|_, _| Storage::F32)?)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) writes, in any storage that a [`Checkpoint`] reads.
    ///
    /// # Errors
    /// [`VectorsError::Model`], [`VectorsError::MissingVocabulary`], [`VectorsError::VocabularySyntax`],
    /// [`VectorsError::Vocabulary`].
    pub fn from_bytes(file: &[u8]) -> Result<Self, VectorsError> {
        let mut checkpoint = Checkpoint::from_bytes(file)?;
        let words = checkpoint.metadata.get(VOCABULARY_KEY).ok_or(VectorsError::MissingVocabulary)?;
        let words: Vec<String> = serde_json::from_str(words).map_err(VectorsError::VocabularySyntax)?;
        let vocabulary = Vocabulary::try_from(words)?;
        let words = vocabulary.len();
        let size = match checkpoint.tensors.get(TENSOR).map(|tensor| tensor.shape.as_slice()) {
            Some(&[rows, size]) if rows == words => size,
            Some(shape) => {
                let expected = format!("a matrix of {words} rows, one for each word");
                let found = format!("shape {shape:?}");
                return Err(ModelError::Tensor { tensor: TENSOR.to_owned(), expected, found }.into());
            }
            None => {
                let expected = format!("[{words}, size]");
                return Err(ModelError::Missing { tensor: TENSOR.to_owned(), expected }.into());
            }
        };
        let tensor = checkpoint.take(TENSOR, &[words, size])?;
        checkpoint.finish()?;
        Self::new(vocabulary, size, tensor.values)
    }
}

/// 0 if either vector is zero.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let norms = (dot(a, a) * dot(b, b)).sqrt();
    if norms > 0.0 { dot(a, b) / norms } else { 0.0 }
}

#[cfg(test)]
mod tests;
