//! Training by skip-gram with negative sampling.

use std::sync::atomic::{AtomicBool, Ordering};

use super::random::{AliasTable, Random};
use super::{VectorsError, WordVectors};
use crate::cpu::skip_gram::{Line, Scratch, step};
use crate::text::Vocabulary;

/// Sentences are trained on in pieces of at most this many words, so that the learning rate, the progress and the
/// cancel flag keep pace with a text of any length. No pair of words lies across two pieces.
const PIECE: usize = 10_000;
/// Words between two calls of the progress callback.
const REPORT: u64 = 10_000;
/// The power of a word's count by which it is drawn as noise (Mikolov et al. 2013, section 2.2).
const NOISE_POWER: f64 = 0.75;

/// Skip-gram with negative sampling: each word's vector is trained to tell the words around it from noise
/// (Mikolov, Sutskever, Chen, Corrado & Dean 2013, "Distributed representations of words and phrases and their
/// compositionality").
///
/// For a word `w` and a word `c` within the window, a step up the gradient of
/// `log σ(u_c·v_w) + Σ log σ(−u_n·v_w)`, the sum over noise words `n` drawn by count^0.75; the `v` are the result.
/// As in the authors' program, the width of the window is drawn anew for each word, from 1 to
/// [`window`](Self::window); frequent words are left out at random *before* windows are laid; a noise word that
/// equals `c` is passed over; and the learning rate falls linearly with the words done. Sentences come in a new
/// random order in each epoch, so that a file sorted by label does no harm.
///
/// The unknown word is a word like any other: its vector is learned from the contexts of the rare words it stands
/// for.
#[derive(Clone, Debug, PartialEq)]
pub struct SkipGram {
    /// Numbers of a vector.
    pub size: usize,
    /// The farthest word on either side that a word is to predict; 1 is its neighbour.
    pub window: usize,
    /// Noise words for each pair.
    pub negatives: usize,
    /// A word whose share `f` of the text is above this threshold `t` stays with probability
    /// `(√(f/t) + 1) t/f`; 0 keeps every word.
    pub subsample: f64,
    /// Passes over the text.
    pub epochs: u32,
    /// Learning rate at the beginning.
    pub learning_rate: f32,
    /// Learning rate at the end.
    pub final_learning_rate: f32,
    /// Seed of every random choice. A seed gives the same vectors on machines of one kind.
    pub seed: u64,
}

impl Default for SkipGram {
    fn default() -> Self {
        Self {
            size: 100,
            window: 5,
            negatives: 5,
            subsample: 1e-4,
            epochs: 4,
            learning_rate: 0.025,
            final_learning_rate: 1e-4,
            seed: 1,
        }
    }
}

impl SkipGram {
    /// Trains vectors for the words of `vocabulary` on sentences of its ids, on one thread.
    ///
    /// `progress` is told, about every 10,000 words, how many words are done and how many there are, every epoch
    /// counted. When `cancel` is raised, training stops within as many words.
    ///
    /// # Errors
    /// [`VectorsError::Option`], [`VectorsError::UnknownId`], [`VectorsError::TooFewWords`] if fewer than two
    /// different words occur, [`VectorsError::TooLarge`], [`VectorsError::Cancelled`], and [`VectorsError::Diverged`]
    /// at the end of an epoch that leaves a number that is not finite.
    pub fn train<S: AsRef<[u32]>>(
        &self,
        vocabulary: Vocabulary,
        sentences: &[S],
        cancel: &AtomicBool,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<WordVectors, VectorsError> {
        self.check()?;
        let counts = count(&vocabulary, sentences)?;
        let words = vocabulary.len();
        let mut random = Random::new(self.seed);
        let mut tables = Tables::new(words, self.size, &mut random)?;
        let noise =
            AliasTable::new(&counts.iter().map(|&n| (n as f64).powf(NOISE_POWER)).collect::<Vec<_>>());
        let keep = self.keep(&counts);

        let mut pieces: Vec<_> =
            sentences.iter().flat_map(|sentence| sentence.as_ref().chunks(PIECE)).collect();
        let total = counts.iter().sum::<u64>() * u64::from(self.epochs);
        let (mut done, mut reported) = (0, 0);
        let mut kept = Vec::new();
        for epoch in 1..=self.epochs {
            random.shuffle(&mut pieces);
            for piece in &pieces {
                if cancel.load(Ordering::Relaxed) {
                    return Err(VectorsError::Cancelled { done, total });
                }
                let rest = 1.0 - (done as f64 / total as f64) as f32;
                let rate = self.final_learning_rate + (self.learning_rate - self.final_learning_rate) * rest;
                kept.clear();
                kept.extend(piece.iter().filter(|&&word| random.uniform() < keep[word as usize]));
                self.piece(&kept, rate, &noise, &mut tables, &mut random);
                done += piece.len() as u64;
                if done - reported >= REPORT || done == total {
                    progress(done, total);
                    reported = done;
                }
            }
            if let Some(word) = tables.first_not_finite() {
                let word = vocabulary.words()[word].clone();
                return Err(VectorsError::Diverged { epoch, word });
            }
        }
        WordVectors::new(vocabulary, self.size, tables.into_values(self.size))
    }

    /// Trains on every pair of a piece of text.
    fn piece(&self, words: &[u32], rate: f32, noise: &AliasTable, tables: &mut Tables, random: &mut Random) {
        let mut targets = Vec::with_capacity(self.negatives + 1);
        for (position, &word) in words.iter().enumerate() {
            let reach = 1 + random.below(self.window);
            let around = position.saturating_sub(reach)..(position + reach + 1).min(words.len());
            for context in around.filter(|&context| context != position) {
                let seen = words[context];
                targets.clear();
                targets.push(seen);
                targets.extend((0..self.negatives).map(|_| noise.draw(random)).filter(|&word| word != seen));
                tables.step(word, &targets, rate);
            }
        }
    }

    /// The probability with which each word stays in the text.
    fn keep(&self, counts: &[u64]) -> Vec<f32> {
        let threshold = self.subsample * counts.iter().sum::<u64>() as f64;
        let keep = |&count: &u64| {
            let excess = count as f64 / threshold;
            if excess > 1.0 { ((excess.sqrt() + 1.0) / excess) as f32 } else { 1.0 }
        };
        if threshold > 0.0 { counts.iter().map(keep).collect() } else { vec![1.0; counts.len()] }
    }

    fn check(&self) -> Result<(), VectorsError> {
        let within = |option, value: usize, expected, most| match value {
            value if (1..=most).contains(&value) => Ok(()),
            _ => Err(VectorsError::Option { option, expected, found: value.to_string() }),
        };
        let not_negative = |option, value: f64| match value {
            0.0..=f64::MAX => Ok(()),
            _ => Err(VectorsError::Option {
                option,
                expected: "a finite number, not negative",
                found: value.to_string(),
            }),
        };
        within("size", self.size, "1 to 65536", 1 << 16)?;
        within("window", self.window, "1 to 1000", 1000)?;
        within("negatives", self.negatives, "1 to 1000", 1000)?;
        within("epochs", self.epochs as usize, "1 to 1000", 1000)?;
        not_negative("subsample", self.subsample)?;
        not_negative("learning_rate", self.learning_rate.into())?;
        not_negative("final_learning_rate", self.final_learning_rate.into())
    }
}

/// How often each word occurs; at least two do.
fn count<S: AsRef<[u32]>>(vocabulary: &Vocabulary, sentences: &[S]) -> Result<Vec<u64>, VectorsError> {
    let words = vocabulary.len();
    let mut counts = vec![0_u64; words];
    for (sentence, ids) in sentences.iter().enumerate() {
        for (position, &id) in ids.as_ref().iter().enumerate() {
            *counts.get_mut(id as usize).ok_or(VectorsError::UnknownId {
                sentence,
                position,
                id,
                words,
            })? += 1;
        }
    }
    match counts.iter().filter(|&&count| count > 0).count() {
        found @ 0..=1 => Err(VectorsError::TooFewWords { found }),
        _ => Ok(counts),
    }
}

/// The vectors of the words as they predict (`v`) and as they are predicted (`u`), rows of whole lines.
struct Tables {
    /// Lines of a row.
    width: usize,
    inputs: Vec<Line>,
    outputs: Vec<Line>,
    scratch: Scratch,
}

impl Tables {
    /// `v` uniform in ±1/2 `size`, `u` zero.
    fn new(words: usize, size: usize, random: &mut Random) -> Result<Self, VectorsError> {
        let too_large = || VectorsError::TooLarge { words, size };
        let width = size.div_ceil(Line::COLUMNS);
        let lines = words.checked_mul(width).ok_or_else(too_large)?;
        let zeros = || -> Result<Vec<Line>, VectorsError> {
            let mut table = Vec::new();
            table.try_reserve_exact(lines).map_err(|_| too_large())?;
            table.resize(lines, Line::default());
            Ok(table)
        };
        let (mut inputs, outputs) = (zeros()?, zeros()?);
        for row in inputs.chunks_exact_mut(width) {
            let columns = row.iter_mut().flat_map(|line| &mut line.0).take(size);
            columns.for_each(|value| *value = (random.uniform() - 0.5) / size as f32);
        }
        Ok(Self { width, inputs, outputs, scratch: Scratch::default() })
    }

    fn step(&mut self, word: u32, targets: &[u32], rate: f32) {
        let input = &mut self.inputs[word as usize * self.width..][..self.width];
        step(input, &mut self.outputs, targets, rate, &mut self.scratch);
    }

    /// The first word with a number that is not finite in either of its vectors.
    fn first_not_finite(&self) -> Option<usize> {
        let first =
            |table: &[Line]| table.iter().position(|line| line.0.iter().any(|value| !value.is_finite()));
        let line = first(&self.inputs).into_iter().chain(first(&self.outputs)).min()?;
        Some(line / self.width)
    }

    /// The `v`, row by row, without padding.
    fn into_values(self, size: usize) -> Vec<f32> {
        let row = |row: &'_ [Line]| row.iter().flat_map(|line| line.0).take(size).collect::<Vec<_>>();
        self.inputs.chunks_exact(self.width).flat_map(row).collect()
    }
}
