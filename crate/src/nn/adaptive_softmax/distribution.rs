//! The distribution of one row, of which a tail is computed only when an answer depends on it.
//!
//! The head says how probable each cluster is, P(c), and no word of it is more probable. Hence, exactly:
//!
//! - *Top k, nucleus, rank*: clusters are opened from the most probable on, until none left could hold a word that counts.
//! - *Sampling* with weights `p^a`, a = 1 / temperature: the weights of a closed cluster sum to at most `P(c)^a` if a >= 1
//!   and `n^(1-a) P(c)^a` if a < 1 (power means), n being its words. A point is drawn below the sum of all weights and
//!   bounds. If it falls on a closed cluster, that is opened; if the point lies within the cluster's sum, it chooses the
//!   word there, otherwise the bound is replaced by the sum and another point is drawn. Rejecting a point leaves every word
//!   the share that it had, so the law of the word is `p^a / Σ p^a`.
//!
//! Words are compared by their log-probabilities as the device rounds them; of equal ones the lower number comes first.

use super::AdaptiveSoftmax;
use crate::device::EngineError;
use crate::graph::Expr;

/// How much the computed log-probability of a word, or of all words of a cluster together, may exceed the cluster's: rounding.
const SLACK: f32 = 1e-5;

/// A word and the logarithm of its probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Word {
    /// Its number.
    pub id: u32,
    /// `ln p`.
    pub log_probability: f32,
}

impl Word {
    /// `p`.
    pub fn probability(&self) -> f64 {
        f64::from(self.log_probability).exp()
    }
}

/// How a word is drawn: from the most probable ones alone, if `top` or `nucleus` say so, with probabilities raised to
/// `1 / temperature`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// 1 draws by the model's own probabilities, less prefers probable words; 0 takes the most probable.
    pub temperature: f64,
    /// Only so many words, at least 1.
    pub top: Option<usize>,
    /// Only the most probable words that together reach this probability, above 0 and at most 1; of the words that `top`
    /// leaves, if both are given.
    pub nucleus: Option<f64>,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { temperature: 1.0, top: None, nucleus: None }
    }
}

impl Sampling {
    fn check(&self) -> Result<(), EngineError> {
        let wrong = |what: &str, expected: &str, found: String| {
            Err(EngineError::Shape { op: "sample", what: what.into(), expected: expected.into(), found })
        };
        if !(self.temperature >= 0.0 && self.temperature.is_finite()) {
            return wrong("temperature", "a finite number of at least 0", self.temperature.to_string());
        }
        if self.top == Some(0) {
            return wrong("top", "at least 1", "0".into());
        }
        match self.nucleus {
            Some(mass) if !(mass > 0.0 && mass <= 1.0) => {
                wrong("nucleus", "above 0 and at most 1", mass.to_string())
            }
            _ => Ok(()),
        }
    }
}

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
/// let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Agenda);
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
    /// Log-probabilities of the head's words, then of the clusters.
    head: Vec<f32>,
    /// Log-probabilities of the words of every tail, once computed.
    tails: Vec<Option<Vec<f32>>>,
    /// The tails that answers have looked into, in that order; others count as closed.
    opened: Vec<usize>,
}

impl<'l, 'g> Distribution<'l, 'g> {
    pub(super) async fn new(layer: &'l AdaptiveSoftmax, x: Expr<'g>) -> Result<Self, EngineError> {
        let rows = x.shape().rows;
        if rows != 1 {
            let (op, what, found) = (super::NAME, "rows".to_string(), rows.to_string());
            return Err(EngineError::Shape { op, what, expected: "1".into(), found });
        }
        let head = checked(layer.head(x).value().await?)?;
        Ok(Self { layer, x, head, tails: vec![None; layer.clusters()], opened: Vec::new() })
    }

    /// The tails that were computed, in that order.
    pub fn opened(&self) -> &[usize] {
        &self.opened
    }

    /// How many logits were computed: the head's, and those of the opened tails' words.
    pub fn rows_computed(&self) -> usize {
        self.head.len() + self.opened.iter().map(|&tail| self.layer.cluster(tail).len()).sum::<usize>()
    }

    /// `ln p` of a word; opens the tail that has it.
    ///
    /// # Errors
    /// [`EngineError::Index`] for a word that does not exist; a probability that is no number; or what the device reports, as
    /// for all questions.
    pub async fn log_probability(&mut self, word: u32) -> Result<f32, EngineError> {
        let bound = self.layer.words();
        if word as usize >= bound {
            return Err(EngineError::Index { op: super::NAME, index: word, bound });
        }
        let Some(tail) = self.layer.cluster_of(word) else { return Ok(self.head[word as usize]) };
        let first = self.layer.cluster(tail).start;
        Ok(self.open(tail).await?[word as usize - first])
    }

    /// How many words are more probable than this one, plus 1.
    ///
    /// # Errors
    /// See [`Self::log_probability`].
    pub async fn rank(&mut self, word: u32) -> Result<usize, EngineError> {
        let this = Word { id: word, log_probability: self.log_probability(word).await? };
        while let Some(tail) = self.most_probable_closed(this.log_probability) {
            self.open(tail).await?;
        }
        Ok(1 + self.known().filter(|other| order(other, &this).is_lt()).count())
    }

    /// The `count` most probable words, or as many as there are, from the most probable on.
    ///
    /// # Errors
    /// See [`Self::log_probability`].
    pub async fn top(&mut self, count: usize) -> Result<Vec<Word>, EngineError> {
        let mut best: Vec<Word> = self.known().collect();
        keep_best(&mut best, count);
        while let Some(tail) = self.most_probable_closed(least(&best, count)) {
            self.open(tail).await?;
            best.extend(self.words_of(tail));
            keep_best(&mut best, count);
        }
        best.sort_unstable_by(order);
        Ok(best)
    }

    /// The fewest words that together have at least this probability, from the most probable on; all words if rounding
    /// keeps them below it.
    ///
    /// # Errors
    /// See [`Self::log_probability`].
    pub async fn nucleus(&mut self, mass: f64) -> Result<Vec<Word>, EngineError> {
        loop {
            let closed = self.most_probable_closed(f32::NEG_INFINITY);
            // Words that no word of a closed tail can come before.
            let mut sure: Vec<Word> = match closed {
                Some(tail) => {
                    let bound = self.head[self.layer.short_list() + tail] + SLACK;
                    self.known().filter(|word| word.log_probability > bound).collect()
                }
                None => self.known().collect(),
            };
            if order_until(&mut sure, mass) || closed.is_none() {
                return Ok(sure);
            }
            if let Some(tail) = closed {
                self.open(tail).await?;
            }
        }
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
        let Sampling { temperature, top, nucleus } = *sampling;
        if temperature == 0.0 {
            return Ok(self.top(1).await?[0]);
        }
        let power = (1.0 / temperature).min(f64::MAX);
        let words = match (top, nucleus) {
            (None, None) => return self.draw(power, uniform).await,
            (Some(count), None) => self.top(count).await?,
            (None, Some(mass)) => self.nucleus(mass).await?,
            (Some(count), Some(mass)) => {
                let mut words = self.top(count).await?;
                let all: f64 = words.iter().map(Word::probability).sum();
                words.truncate(reaching(&words, mass * all).unwrap_or(words.len()));
                words
            }
        };
        // The first is the most probable: no weight overflows.
        let weight = |word: &Word| weight(word.log_probability, words[0].log_probability, power);
        let mut point = uniform() * words.iter().map(weight).sum::<f64>();
        let chosen = words.iter().find(|word| {
            point -= weight(word);
            point < 0.0
        });
        Ok(chosen.copied().unwrap_or(words[words.len() - 1]))
    }

    /// Draws a word with weights `p^power`.
    async fn draw(&mut self, power: f64, mut uniform: impl FnMut() -> f64) -> Result<Word, EngineError> {
        let short_list = self.layer.short_list();
        loop {
            // Weights are relative to the largest that a word can have, so that none overflows and their sum is at least 1.
            let bounds = (0..self.tails.len()).filter(|tail| !self.opened.contains(tail));
            let bounds = bounds.map(|tail| self.head[short_list + tail] + SLACK);
            let base =
                self.known().map(|word| word.log_probability).chain(bounds).fold(f32::NEG_INFINITY, f32::max);
            let weight = |log_p: f32| weight(log_p, base, power);
            let sum = |words: &[f32]| words.iter().map(|&log_p| weight(log_p)).sum::<f64>();
            let of_head = sum(&self.head[..short_list]);
            let of_tail = |tail: usize| match self.open_words(tail) {
                Some(words) => sum(words),
                None => {
                    let words = self.layer.cluster(tail).len() as f64;
                    words.powf((1.0 - power).max(0.0)) * weight(self.head[short_list + tail] + SLACK)
                }
            };
            let of_tails: Vec<f64> = (0..self.tails.len()).map(of_tail).collect();
            let mut point = uniform() * (of_head + of_tails.iter().sum::<f64>());
            if point < of_head || of_tails.is_empty() {
                return Ok(chosen(&self.head[..short_list], 0, point, weight));
            }
            point -= of_head;
            let mut tail = 0;
            while tail + 1 < of_tails.len() && point >= of_tails[tail] {
                point -= of_tails[tail];
                tail += 1;
            }
            let first = self.layer.cluster(tail).start;
            let words = self.open(tail).await?;
            if point < sum(words) {
                return Ok(chosen(words, first, point, weight));
            }
        }
    }

    /// The closed tail with the most probable cluster, if a word of it could be as probable as this.
    fn most_probable_closed(&self, log_probability: f32) -> Option<usize> {
        let clusters = &self.head[self.layer.short_list()..];
        let closed = (0..clusters.len()).filter(|tail| !self.opened.contains(tail));
        // The first of equals, which `max_by` would not take.
        let most = closed.reduce(|a, b| if clusters[b] > clusters[a] { b } else { a })?;
        (clusters[most] + SLACK >= log_probability).then_some(most)
    }

    /// Log-probabilities of a tail's words.
    async fn open(&mut self, tail: usize) -> Result<&[f32], EngineError> {
        if self.tails[tail].is_none() {
            let mut words = self.layer.tail(self.x, tail).value().await?;
            let cluster = self.head[self.layer.short_list() + tail];
            words.iter_mut().for_each(|word| *word += cluster);
            self.tails[tail] = Some(checked(words)?);
        }
        if !self.opened.contains(&tail) {
            self.opened.push(tail);
        }
        Ok(self.open_words(tail).unwrap_or_default())
    }

    /// Log-probabilities of a tail's words, if it is open.
    fn open_words(&self, tail: usize) -> Option<&[f32]> {
        self.tails[tail].as_deref().filter(|_| self.opened.contains(&tail))
    }

    /// The words of a tail; none unless it is open.
    fn words_of(&self, tail: usize) -> impl Iterator<Item = Word> {
        numbered(self.open_words(tail).unwrap_or_default(), self.layer.cluster(tail).start)
    }

    /// The words of the head and of all opened tails.
    fn known(&self) -> impl Iterator<Item = Word> {
        let head = numbered(&self.head[..self.layer.short_list()], 0);
        head.chain((0..self.tails.len()).flat_map(|tail| self.words_of(tail)))
    }
}

/// By decreasing probability, then by number.
fn order(a: &Word, b: &Word) -> std::cmp::Ordering {
    b.log_probability.total_cmp(&a.log_probability).then(a.id.cmp(&b.id))
}

/// Keeps the first `count` words in [`order`], in no order.
fn keep_best(words: &mut Vec<Word>, count: usize) {
    if (1..words.len()).contains(&count) {
        words.select_nth_unstable_by(count - 1, order);
    }
    words.truncate(count);
}

/// What a word must be as probable as to be among the best `count`.
fn least(best: &[Word], count: usize) -> f32 {
    match best.len() < count {
        true => f32::NEG_INFINITY,
        false => best.iter().map(|word| word.log_probability).fold(f32::INFINITY, f32::min),
    }
}

/// Orders words and keeps the first that together have at least this probability; all, if they do not reach it.
fn order_until(words: &mut Vec<Word>, mass: f64) -> bool {
    // Few words usually suffice, and to order all takes longer than to compute them.
    let mut count = 64;
    while count < words.len() {
        words.select_nth_unstable_by(count - 1, order);
        words[..count].sort_unstable_by(order);
        if let Some(enough) = reaching(&words[..count], mass) {
            words.truncate(enough);
            return true;
        }
        count *= 4;
    }
    words.sort_unstable_by(order);
    let enough = reaching(words, mass);
    words.truncate(enough.unwrap_or(words.len()));
    enough.is_some()
}

/// How many of the words together have at least this probability.
fn reaching(words: &[Word], mass: f64) -> Option<usize> {
    let mut sum = 0.0;
    let reached = words.iter().position(|word| {
        sum += word.probability();
        sum >= mass
    });
    reached.map(|last| last + 1)
}

/// `(p / base)^power`, of logarithms.
fn weight(log_p: f32, base: f32, power: f64) -> f64 {
    (power * (f64::from(log_p) - f64::from(base))).exp()
}

/// The word at a point of the weights laid end to end. Rounding may leave the point behind the last.
fn chosen(words: &[f32], first: usize, mut point: f64, weight: impl Fn(f32) -> f64) -> Word {
    let at = words.iter().position(|&log_p| {
        point -= weight(log_p);
        point < 0.0
    });
    let at = at.unwrap_or(words.len() - 1);
    Word { id: (first + at) as u32, log_probability: words[at] }
}

/// Words numbered from `first` on.
fn numbered(words: &[f32], first: usize) -> impl Iterator<Item = Word> {
    (first as u32..).zip(words).map(|(id, &log_probability)| Word { id, log_probability })
}

/// Log-probabilities that are numbers, which finite weights do not warrant.
fn checked(log_probabilities: Vec<f32>) -> Result<Vec<f32>, EngineError> {
    if log_probabilities.iter().any(|log_p| log_p.is_nan()) {
        let reason = "a probability is not a number; the row or the weights are too large";
        return Err(EngineError::Unsupported { op: super::NAME, reason });
    }
    Ok(log_probabilities)
}

#[cfg(test)]
mod tests;
