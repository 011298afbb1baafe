//! Linear-chain conditional random field (Lafferty, McCallum, Pereira 2001) over the scores of a tagger (Collobert et al. 2011;
//! Huang, Xu, Yu 2015): a sentence's tags are scored together.
//!
//! Of n words with scores `e [n, tags]`, tags `y` have the score
//! ```text
//! s(y) = start[y_1] + Σ_t e[t, y_t] + Σ_t T[y_t, y_t+1] + end[y_n]        p(y) = exp(s(y) - ln Z)
//! ```
//! and `ln Z`, over all tags that a sentence may have, is found by the forward algorithm, the best by the Viterbi algorithm: both
//! are chains of products in a semiring ([`Expr::log_product`], [`Expr::max_product`]), a node a word, so that the words at the
//! same place in all sentences run as one batch.
//! ```text
//! α_1 = start + e_1      α_t = ln Σ_i exp(α_t-1,i + T_i) + e_t          ln Z = ln Σ_i exp(α_n,i + end_i)
//! β_n = end              β_t = ln Σ_j exp(T_·j + e_t+1,j + β_t+1,j)     p(y_t) = exp(α_t + β_t - ln Z)
//! ```
//! A sentence without words has one way to be tagged, of score 0.

use super::{BuildError, Builder, Init};
use crate::device::{EngineError, ParamId, WeightView};
use crate::graph::{Expr, Graph};

/// Scores of tags by their neighbours: parameters `start_transitions [tags]`, `end_transitions [tags]` and `transitions
/// [tags, tags]`, from a row's tag to a column's (as the package `pytorch-crf` has them). A transition of minus
/// infinity is one that no sentence has.
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{Builder, Crf, Tensor};
/// # pollster::block_on(async {
/// let tensor = |shape: &[usize], values: &[f32]| Tensor { shape: shape.to_vec(), values: values.to_vec() };
/// let mut builder = Builder::stored([
///     ("start_transitions".to_string(), tensor(&[2], &[0.0, 0.0])),
///     ("end_transitions".to_string(), tensor(&[2], &[0.0, 0.0])),
///     // Nobody stays where they are.
///     ("transitions".to_string(), tensor(&[2, 2], &[-9.0, 0.0, 0.0, -9.0])),
/// ].into());
/// let crf = Crf::new(&mut builder, 2)?;
/// let graph = Graph::inference(&builder.finish()?, &Device::cpu(), Strategy::Levels);
/// let scores = graph.input(3, 2, vec![2.0, 0.0, 1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(crf.best(scores).path().await?, [0, 1, 0]); // alone, each word had the first tag
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Crf {
    start: ParamId,
    end: ParamId,
    transitions: ParamId,
    tags: usize,
}

/// The likeliest tags of a sentence, recorded.
pub struct Best<'g> {
    scores: Expr<'g>,
    /// Of every word but the first, by its tag, the tag before it; and of the end, the last tag.
    pub(crate) before: Vec<Expr<'g>>,
}

impl Crf {
    /// All are drawn uniformly in ±0.1.
    ///
    /// # Errors
    /// See [`Builder::parameter`]; also if there is no tag.
    pub fn new(builder: &mut Builder, tags: usize) -> Result<Self, BuildError> {
        if tags == 0 {
            return Err(BuildError::size("tags", "at least 1", tags));
        }
        let init = Init::Uniform(0.1);
        let start = builder.parameter("start_transitions", &[tags], init)?;
        let end = builder.parameter("end_transitions", &[tags], init)?;
        let transitions = builder.parameter("transitions", &[tags, tags], init)?;
        Ok(Self { start, end, transitions, tags })
    }

    /// The score of a sentence's tags, `1 x 1`, of its words' scores, `words x tags`.
    #[track_caller]
    pub fn score<'g>(&self, scores: Expr<'g>, tags: &[u32]) -> Expr<'g> {
        let graph = scores.graph();
        if let Some(&index) = tags.iter().find(|&&tag| tag as usize >= self.tags) {
            return graph.mistaken(EngineError::Index { op: "crf", index, bound: self.tags });
        }
        let Some((&last, before)) = tags.split_last() else {
            return match scores.shape().rows {
                0 => of_no_words(scores),
                words => {
                    let (expected, found) = (words.to_string(), "0".into());
                    graph.mistaken(EngineError::Shape { op: "crf", what: "tags".into(), expected, found })
                }
            };
        };
        let p = graph.parameters();
        let only = |tags: &[u32]| graph.input(tags.len(), self.tags, only(tags, self.tags));
        let edge = |edge| graph.input(1, 1, vec![1.0]).affine_view(WeightView::input_major(p, edge), None);
        let mut by_neighbours = vec![edge(self.start)];
        if !before.is_empty() {
            by_neighbours.push(only(before).max_product(self.transitions, false).0);
        }
        // The largest of one is that one, where products with zeros would make no number of minus infinity.
        let of_words = scores + graph.concat_rows(&by_neighbours) + only(tags);
        graph.concat_rows(&[of_words, edge(self.end) + only(&[last])]).max_columns().0.sum_rows()
    }

    /// `ln Z`, `1 x 1`.
    #[track_caller]
    pub fn partition<'g>(&self, scores: Expr<'g>) -> Expr<'g> {
        match self.forward(scores).pop() {
            Some(last) => last.log_product(self.end, true),
            None => of_no_words(scores),
        }
    }

    /// Minus the logarithm of the probability of a sentence's tags, `1 x 1`.
    ///
    #[cfg_attr(feature = "train", doc = "```")]
    #[cfg_attr(not(feature = "train"), doc = "```no_run")]
    /// use saccade_rnn::device::Device;
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// use saccade_rnn::nn::{Builder, Crf};
    /// # pollster::block_on(async {
    /// let mut builder = Builder::fresh(0);
    /// let crf = Crf::new(&mut builder, 3)?;
    /// let graph = Graph::training(&builder.finish()?, &Device::cpu(), Strategy::Levels, 0);
    /// // The probabilities of the three tags of a sentence of one word add up to 1.
    /// let word = graph.variable(1, 3, vec![0.5, -1.0, 2.0]);
    /// let losses = [0, 1, 2].map(|tag| crf.loss(word, &[tag]));
    /// let probabilities = graph.concat_columns(&losses.map(|loss| loss.scale(-1.0).exp()));
    /// assert!((probabilities.sum_columns().value().await?[0] - 1.0).abs() < 1e-6);
    /// losses[0].backward().await?; // gradients of the transitions and of `word`
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn loss<'g>(&self, scores: Expr<'g>, tags: &[u32]) -> Expr<'g> {
        self.partition(scores) - self.score(scores, tags)
    }

    /// The logarithm of the probability of every tag of every word, less a number of each sentence's own (`ln Z` more):
    /// `words x tags`, of which a softmax makes probabilities.
    #[track_caller]
    pub fn marginals<'g>(&self, scores: Expr<'g>) -> Expr<'g> {
        let words = scores.shape().rows;
        if words == 0 {
            return scores;
        }
        let graph = scores.graph();
        let mut backward = vec![nothing(graph).log_product(self.end, false)];
        for word in (1..words as u32).rev() {
            let next = scores.rows(&[word]) + backward[backward.len() - 1];
            backward.push(next.log_product(self.transitions, true));
        }
        backward.reverse();
        graph.concat_rows(&self.forward(scores)) + graph.concat_rows(&backward)
    }

    /// The likeliest tags of a sentence: [`Best::path`].
    #[track_caller]
    pub fn best<'g>(&self, scores: Expr<'g>) -> Best<'g> {
        let mut before = Vec::new();
        let step = |x: Expr<'g>, weight, transposed| {
            let (best, from) = x.max_product(weight, transposed);
            before.push(from);
            best
        };
        if let Some(last) = self.chain(scores, step).pop() {
            before.push(last.max_product(self.end, true).1);
            // Nothing is before the first word.
            before.remove(0);
        }
        Best { scores, before }
    }

    /// α of every word.
    fn forward<'g>(&self, scores: Expr<'g>) -> Vec<Expr<'g>> {
        self.chain(scores, Expr::log_product)
    }

    /// The sums so far of every word, by a product in a semiring.
    fn chain<'g>(
        &self,
        scores: Expr<'g>,
        mut product: impl FnMut(Expr<'g>, ParamId, bool) -> Expr<'g>,
    ) -> Vec<Expr<'g>> {
        let mut sums: Vec<Expr<'g>> = Vec::with_capacity(scores.shape().rows);
        for word in 0..scores.shape().rows as u32 {
            let before = match sums.last() {
                Some(&sum) => product(sum, self.transitions, false),
                None => product(nothing(scores.graph()), self.start, false),
            };
            sums.push(before + scores.rows(&[word]));
        }
        sums
    }
}

impl Best<'_> {
    /// The tags.
    ///
    /// # Errors
    /// See [`Expr::value`].
    pub async fn path(&self) -> Result<Vec<usize>, EngineError> {
        if self.before.is_empty() {
            // Those of no word, or a mistake.
            return self.scores.value().await.map(|_| Vec::new());
        }
        Ok(follow(&self.scores.graph().values(&self.before).await?))
    }
}

/// The tags by the values of [`Best::before`], from the last to the first.
pub(crate) fn follow(before: &[Vec<f32>]) -> Vec<usize> {
    let mut tag = 0;
    let from_the_end = before.iter().rev().map(|places| {
        tag = places[tag] as usize;
        tag
    });
    let mut tags: Vec<usize> = from_the_end.collect();
    tags.reverse();
    tags
}

/// Zero, or the mistake that scores are.
fn of_no_words(scores: Expr<'_>) -> Expr<'_> {
    scores.sum_rows().sum_columns()
}

/// The logarithm of one.
fn nothing(graph: &Graph) -> Expr<'_> {
    graph.input(1, 1, vec![0.0])
}

/// A row for each tag, which leaves its column as it is and makes minus infinity of all others it is added to.
fn only(tags: &[u32], columns: usize) -> Vec<f32> {
    let mut rows = vec![f32::NEG_INFINITY; tags.len() * columns];
    tags.iter().enumerate().for_each(|(word, &tag)| rows[word * columns + tag as usize] = 0.0);
    rows
}
