//! Questions about the distribution of one row, one after the other.

use super::AdaptiveSoftmax;
use super::known::{Known, Lazy, Sampling, Word};
use crate::device::EngineError;
use crate::graph::Expr;

/// The distribution of one row. It remembers the tails that were computed: a second question may need none.
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{AdaptiveSoftmax, AdaptiveSoftmaxConfig, Builder, Sampling};
/// # pollster::block_on(async {
/// let mut builder = Builder::fresh(0);
/// let config = AdaptiveSoftmaxConfig { head_bias: true, ..AdaptiveSoftmaxConfig::new(16, 100, &[10, 40]) };
/// let layer = AdaptiveSoftmax::new(&mut builder, config)?;
/// let mut parameters = builder.finish()?;
/// let bias = parameters.id("head.bias").expect("there is one");
/// parameters.get_mut(bias).values[3] = 5.0;
/// let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Levels);
/// let mut distribution = layer.distribution(graph.input(1, 16, vec![0.1; 16])).await?;
/// // Word 3 is more probable than both clusters: no tail can hold a better one.
/// assert_eq!(distribution.top(1).await?[0].id, 3);
/// assert_eq!((distribution.opened(), distribution.rows_computed()), (&[][..], 12));
/// // A word of a tail needs that tail.
/// distribution.log_probability(70).await?;
/// assert_eq!((distribution.opened(), distribution.rows_computed()), (&[1][..], 12 + 60));
/// let word = distribution.sample(&Sampling::default(), || 0.5).await?;
/// assert_eq!(word.id, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
pub struct Distribution<'l, 'g> {
    layer: &'l AdaptiveSoftmax,
    x: Expr<'g>,
    known: Known<'l>,
}

impl<'l, 'g> Distribution<'l, 'g> {
    pub(super) async fn new(layer: &'l AdaptiveSoftmax, x: Expr<'g>) -> Result<Self, EngineError> {
        // Rows of a mistake have no shape, and the value says which mistake.
        let head = layer.head(x).value().await?;
        let rows = x.shape().rows;
        if rows != 1 {
            let (op, what, found) = (super::NAME, "rows".to_string(), rows.to_string());
            return Err(EngineError::Shape { op, what, expected: "1".into(), found });
        }
        Ok(Self { layer, x, known: Known::new(layer, head)? })
    }

    /// The tails that were computed, in that order.
    pub fn opened(&self) -> &[usize] {
        self.known.opened()
    }

    /// How many logits were computed: the head's, and those of the opened tails' words.
    pub fn rows_computed(&self) -> usize {
        self.known.rows_computed()
    }

    /// `ln p` of a word; opens the tail that has it.
    ///
    /// # Errors
    /// [`EngineError::Index`] for a word that does not exist; a probability that is no number; or what the device reports, as
    /// for all questions.
    pub async fn log_probability(&mut self, word: u32) -> Result<f32, EngineError> {
        self.layer.check_word(word)?;
        self.answer(|known| known.log_probability(word)).await
    }

    /// How many words are more probable than this one, plus 1.
    ///
    /// # Errors
    /// See [`Self::log_probability`].
    pub async fn rank(&mut self, word: u32) -> Result<usize, EngineError> {
        self.layer.check_word(word)?;
        self.answer(|known| known.rank(word)).await
    }

    /// The `count` most probable words, or as many as there are, from the most probable on.
    ///
    /// # Errors
    /// See [`Self::log_probability`].
    pub async fn top(&mut self, count: usize) -> Result<Vec<Word>, EngineError> {
        self.answer(|known| known.top(count)).await
    }

    /// The fewest words that together have at least this probability, from the most probable on; all words if rounding
    /// keeps them below it.
    ///
    /// # Errors
    /// See [`Self::log_probability`].
    pub async fn nucleus(&mut self, mass: f64) -> Result<Vec<Word>, EngineError> {
        self.answer(|known| known.nucleus(mass)).await
    }

    /// Draws a word; `uniform` gives numbers from 0 to below 1, of which one is enough unless a closed cluster was drawn and
    /// turned out to be less probable than it could have been.
    ///
    /// # Errors
    /// See [`Self::log_probability`]; also for a [`Sampling`] that cannot be.
    pub async fn sample(
        &mut self,
        sampling: &Sampling,
        mut uniform: impl FnMut() -> f64,
    ) -> Result<Word, EngineError> {
        sampling.check()?;
        self.known.forget_draw();
        self.answer(|known| known.sample(sampling, &mut uniform)).await
    }

    /// Opens the tails that an answer needs.
    async fn answer<T>(&mut self, mut ask: impl FnMut(&mut Known<'l>) -> Lazy<T>) -> Result<T, EngineError> {
        loop {
            match ask(&mut self.known) {
                Ok(answer) => return Ok(answer),
                Err(tail) => self.known.open(tail, self.layer.tail(self.x, tail).value().await?)?,
            }
        }
    }
}

#[cfg(test)]
mod tests;
