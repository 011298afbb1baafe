//! What is known of the distribution of one row, of which a tail is computed only when an answer depends on it.
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

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::AdaptiveSoftmax;
use crate::cpu;
use crate::device::{EngineError, number};

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
    pub(super) fn check(&self) -> Result<(), EngineError> {
        let wrong = |what: &str, expected: &str, found: String| {
            Err(EngineError::Shape { op: "sample", what: what.into(), expected: expected.into(), found })
        };
        if !(self.temperature >= 0.0 && self.temperature.is_finite()) {
            return wrong("temperature", "a finite number of at least 0", number(self.temperature));
        }
        if self.top == Some(0) {
            return wrong("top", "at least 1", "0".into());
        }
        match self.nucleus {
            Some(mass) if !(mass > 0.0 && mass <= 1.0) => {
                wrong("nucleus", "above 0 and at most 1", number(mass))
            }
            _ => Ok(()),
        }
    }
}

/// An answer, or the tail that has to be computed before there is one.
pub(super) type Lazy<T> = Result<T, usize>;

/// The log-probabilities of a row that were computed.
pub(super) struct Known<'l> {
    layer: &'l AdaptiveSoftmax,
    /// Of the head's words, then of the clusters.
    head: Vec<f32>,
    /// Of the words of every tail, once computed.
    tails: Vec<Option<Vec<f32>>>,
    /// The tails that were computed, in that order.
    opened: Vec<usize>,
    /// A point that fell on a tail, the largest weight when it was drawn, and whether the tail was open then.
    point: Option<(usize, f64, f32, bool)>,
}

impl<'l> Known<'l> {
    /// Nothing but the head's words and the clusters.
    pub(super) fn new(layer: &'l AdaptiveSoftmax, head: Vec<f32>) -> Result<Self, EngineError> {
        let (head, tails) = (checked(head, 0.0)?, vec![None; layer.clusters()]);
        Ok(Self { layer, head, tails, opened: Vec::new(), point: None })
    }

    /// The words of a tail, by their log-probabilities within it.
    pub(super) fn open(&mut self, tail: usize, words: Vec<f32>) -> Result<(), EngineError> {
        self.tails[tail] = Some(checked(words, self.head[self.layer.short_list() + tail])?);
        self.opened.push(tail);
        Ok(())
    }

    pub(super) fn opened(&self) -> &[usize] {
        &self.opened
    }

    pub(super) fn rows_computed(&self) -> usize {
        self.head.len() + self.opened.iter().map(|&tail| self.layer.cluster(tail).len()).sum::<usize>()
    }

    /// `ln p` of a word that exists.
    pub(super) fn log_probability(&self, word: u32) -> Lazy<f32> {
        let Some(tail) = self.layer.cluster_of(word) else { return Ok(self.head[word as usize]) };
        let first = self.layer.cluster(tail).start;
        Ok(self.words(tail)?[word as usize - first])
    }

    pub(super) fn rank(&self, word: u32) -> Lazy<usize> {
        let this = Word { id: word, log_probability: self.log_probability(word)? };
        self.all_open(this.log_probability)?;
        let before = |(first, words): (usize, &[f32])| {
            // Of equals, those with lower numbers.
            let (equals, rest) = words.split_at((word as usize).saturating_sub(first).min(words.len()));
            equals.iter().filter(|&&log_p| log_p >= this.log_probability).count()
                + rest.iter().filter(|&&log_p| log_p > this.log_probability).count()
        };
        Ok(1 + self.slices().map(before).sum::<usize>())
    }

    pub(super) fn top(&self, count: usize) -> Lazy<Vec<Word>> {
        let mut best = Best::new(count);
        self.slices().for_each(|(first, words)| best.add_all(words, first));
        self.all_open(best.least())?;
        Ok(best.into_words())
    }

    /// `ln p` of all words, in the order of their numbers.
    pub(super) fn all(&self) -> Lazy<Vec<f32>> {
        self.all_open(f32::NEG_INFINITY)?;
        let mut all = Vec::with_capacity(self.layer.words());
        self.slices().for_each(|(_, words)| all.extend_from_slice(words));
        Ok(all)
    }

    pub(super) fn nucleus(&self, mass: f64) -> Lazy<Vec<Word>> {
        let closed = self.all_open(f32::NEG_INFINITY);
        // Words that no word of a closed tail can come before.
        let bound = match closed {
            Err(tail) => self.head[self.layer.short_list() + tail] + SLACK,
            Ok(()) => f32::NEG_INFINITY,
        };
        let mut sure = Vec::new();
        for (first, words) in self.slices() {
            sure.extend(numbered(words, first).filter(|word| word.log_probability > bound || closed.is_ok()));
        }
        match order_until(&sure, mass) {
            (_, false) if closed.is_err() => closed.map(|()| Vec::new()),
            (words, _) => Ok(words),
        }
    }

    /// Forgets a draw that was begun and that nobody waits for any more.
    pub(super) fn forget_draw(&mut self) {
        self.point = None;
    }

    /// A word by a [`Sampling`] that can be.
    pub(super) fn sample(&mut self, sampling: &Sampling, uniform: &mut dyn FnMut() -> f64) -> Lazy<Word> {
        let Sampling { temperature, top, nucleus } = *sampling;
        if temperature == 0.0 {
            return Ok(self.top(1)?[0]);
        }
        let power = (1.0 / temperature).min(f64::MAX);
        let words = match (top, nucleus) {
            (None, None) => return self.draw(power, uniform),
            (Some(count), None) => self.top(count)?,
            (None, Some(mass)) => self.nucleus(mass)?,
            (Some(count), Some(mass)) => {
                let mut words = self.top(count)?;
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
    fn draw(&mut self, power: f64, uniform: &mut dyn FnMut() -> f64) -> Lazy<Word> {
        let short_list = self.layer.short_list();
        loop {
            if let Some((tail, point, base, was_open)) = self.point {
                let words = self.words(tail)?;
                let weights = Weights::new(words, base, power);
                let word = (was_open || point < weights.sum)
                    .then(|| weights.chosen(words, self.layer.cluster(tail).start, point));
                // It is spent, whether it has chosen a word or is drawn again.
                self.point = None;
                if let Some(word) = word {
                    return Ok(word);
                }
            }
            // Weights are relative to the largest that a word can have, so that none overflows and their sum is at least 1.
            let mut base = f32::NEG_INFINITY;
            for (_, words) in self.slices() {
                base = words.iter().fold(base, |most, &log_p| if log_p > most { log_p } else { most });
            }
            for tail in self.closed() {
                base = base.max(self.head[short_list + tail] + SLACK);
            }
            let of_head = Weights::new(&self.head[..short_list], base, power);
            let of_tail = |tail: usize| match &self.tails[tail] {
                Some(words) => Weights::new(words, base, power).sum,
                None => {
                    let words = self.layer.cluster(tail).len() as f64;
                    let bound = weight(self.head[short_list + tail] + SLACK, base, power);
                    ((1.0 - power).max(0.0) * words.ln()).exp() * bound
                }
            };
            let of_tails: Vec<f64> = (0..self.tails.len()).map(of_tail).collect();
            let mut point = uniform() * (of_head.sum + of_tails.iter().sum::<f64>());
            if point < of_head.sum || of_tails.is_empty() {
                return Ok(of_head.chosen(&self.head[..short_list], 0, point));
            }
            point -= of_head.sum;
            let mut tail = 0;
            while tail + 1 < of_tails.len() && point >= of_tails[tail] {
                point -= of_tails[tail];
                tail += 1;
            }
            self.point = Some((tail, point, base, self.tails[tail].is_some()));
        }
    }

    fn closed(&self) -> impl Iterator<Item = usize> {
        (0..self.tails.len()).filter(|&tail| self.tails[tail].is_none())
    }

    /// Nothing, unless a word of a closed tail could be as probable as this; then the most probable such tail.
    fn all_open(&self, log_probability: f32) -> Lazy<()> {
        let clusters = &self.head[self.layer.short_list()..];
        // The first of equals, which `max_by` would not take.
        match self.closed().reduce(|a, b| if clusters[b] > clusters[a] { b } else { a }) {
            Some(most) if clusters[most] + SLACK >= log_probability => Err(most),
            _ => Ok(()),
        }
    }

    /// Log-probabilities of a tail's words.
    fn words(&self, tail: usize) -> Lazy<&[f32]> {
        self.tails[tail].as_deref().ok_or(tail)
    }

    /// The words of the head and of all open tails, in the order of their numbers, each slice with the number of its first.
    fn slices(&self) -> impl Iterator<Item = (usize, &[f32])> {
        let head = &self.head[..self.layer.short_list()];
        let tails = self.tails.iter().enumerate().filter_map(|(tail, words)| {
            words.as_deref().map(|words| (self.layer.cluster(tail).start, words))
        });
        std::iter::once((0, head)).chain(tails)
    }
}

/// A word in the order of decreasing probability, then of numbers.
#[derive(Clone, Copy)]
pub(super) struct Ranked(pub(super) Word);

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        let (Self(a), Self(b)) = (self, other);
        b.log_probability.total_cmp(&a.log_probability).then(a.id.cmp(&b.id))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ranked {}

/// The first words in the order of [`Ranked`], at most so many.
struct Best {
    count: usize,
    /// On top the last of them.
    words: BinaryHeap<Ranked>,
}

impl Best {
    fn new(count: usize) -> Self {
        Self { count, words: BinaryHeap::new() }
    }

    fn add(&mut self, word: Word) {
        if self.words.len() < self.count {
            self.words.push(Ranked(word));
        } else if let Some(mut last) = self.words.peek_mut()
            && Ranked(word) < *last
        {
            *last = Ranked(word);
        }
    }

    /// Words numbered from `first` on, behind all that were added.
    fn add_all(&mut self, words: &[f32], first: usize) {
        /// How many are compared at once.
        const TOGETHER: usize = 32;
        for (chunk, words) in words.chunks(TOGETHER).enumerate() {
            let least = self.least();
            // Of equals, the one with the lower number is there already.
            if self.words.len() < self.count || cpu::softmax::any_above(words, least) {
                numbered(words, first + chunk * TOGETHER).for_each(|word| self.add(word));
            }
        }
    }

    /// What a word must be as probable as to be among them.
    fn least(&self) -> f32 {
        match self.words.peek() {
            _ if self.words.len() < self.count => f32::NEG_INFINITY,
            Some(Ranked(last)) => last.log_probability,
            None => f32::INFINITY,
        }
    }

    fn into_words(self) -> Vec<Word> {
        self.words.into_sorted_vec().into_iter().map(|Ranked(word)| word).collect()
    }
}

/// The first of the words that together have at least this probability; all, and false, if they do not reach it.
fn order_until(words: &[Word], mass: f64) -> (Vec<Word>, bool) {
    // Few words usually suffice, and to order all takes longer than to compute them.
    let mut count = 64;
    loop {
        let mut best = Best::new(count.min(words.len()));
        words.iter().for_each(|word| best.add(*word));
        let mut best = best.into_words();
        if let Some(enough) = reaching(&best, mass) {
            best.truncate(enough);
            return (best, true);
        }
        if count >= words.len() {
            return (best, false);
        }
        count *= 4;
    }
}

/// How many of the words together have at least this probability.
pub(super) fn reaching(words: &[Word], mass: f64) -> Option<usize> {
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

/// Weights of words that lie end to end.
struct Weights {
    values: Vec<f32>,
    sum: f64,
}

impl Weights {
    /// `(p / base)^power`, of logarithms, none of which is above `base`.
    fn new(log_probabilities: &[f32], base: f32, power: f64) -> Self {
        let mut values = log_probabilities.to_vec();
        cpu::softmax::weights(&mut values, base, power as f32);
        let sum = values.iter().map(|&weight| f64::from(weight)).sum();
        Self { values, sum }
    }

    /// The word at a point of them. Rounding may leave the point behind the last.
    fn chosen(&self, words: &[f32], first: usize, mut point: f64) -> Word {
        let at = self.values.iter().position(|&weight| {
            point -= f64::from(weight);
            point < 0.0
        });
        let at = at.unwrap_or(words.len() - 1);
        Word { id: (first + at) as u32, log_probability: words[at] }
    }
}

/// Words numbered from `first` on.
pub(super) fn numbered(words: &[f32], first: usize) -> impl Iterator<Item = Word> {
    (first as u32..).zip(words).map(|(id, &log_probability)| Word { id, log_probability })
}

/// Log-probabilities plus one of what they are given; they are numbers, which finite weights do not warrant.
fn checked(mut log_probabilities: Vec<f32>, plus: f32) -> Result<Vec<f32>, EngineError> {
    if !cpu::softmax::shift(&mut log_probabilities, plus) {
        return Err(EngineError::Overflow { op: super::NAME });
    }
    Ok(log_probabilities)
}
