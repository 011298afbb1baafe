//! Many texts, read together in batches.

use web_time::Instant;

use super::Model;
use super::session::{Before, Found, Pace, Piece, Session};
use crate::cpu::order::argsort;
use crate::device::{Device, EngineError};

/// Texts in batches of as many as take about as long as a piece of one long text. No text is cut.
///
/// ```
/// use saccade_rnn::device::Device;
/// use saccade_rnn::model::{Batches, Model};
/// # fn example(model: &Model, texts: &[Vec<u32>]) -> Result<(), Box<dyn std::error::Error>> {
/// # pollster::block_on(async {
/// let device = Device::cpu();
/// let mut batches = Batches::new(model, &device, texts, model.threshold());
/// while let Some(batch) = batches.next().await? {
///     for (text, verdict) in batch {
///         println!("text {text}: {:?}", verdict.log_p);
///     }
/// }
/// # Ok(()) }) }
/// ```
pub struct Batches<'a, T> {
    session: Session<'a>,
    texts: &'a [T],
    /// Numbers of the texts that are left, the next one last.
    left: Vec<usize>,
    pace: Pace,
}

/// What a model makes of one text.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Log-probability of every label.
    pub log_p: Vec<f32>,
    /// What every Skim layer decided, in order; empty of a model without one.
    pub skims: Vec<Skims>,
}

/// What a Skim layer decided, token by token.
#[derive(Clone, Debug, PartialEq)]
pub struct Skims {
    /// 1 where it skimmed, 0 where it read.
    pub decisions: Vec<f32>,
    /// Its probability of skimming.
    pub probability: Vec<f32>,
}

impl Skims {
    /// How many tokens were skimmed.
    pub fn count(&self) -> usize {
        self.decisions.iter().filter(|decision| **decision > 0.5).count()
    }
}

impl<'a, T: AsRef<[u32]>> Batches<'a, T> {
    /// Texts as word ids, to be read in the order of their lengths, so that similar ones run together.
    pub fn new(model: &'a Model, device: &'a Device, texts: &'a [T], threshold: f32) -> Self {
        let length = |text: usize| texts[text].as_ref().len();
        let mut left = argsort(texts.len(), &|a, b| length(a).cmp(&length(b)));
        left.reverse();
        Self { left, ..Self::in_order(model, device, texts, threshold) }
    }

    /// Texts to be read as they come.
    pub(super) fn in_order(model: &'a Model, device: &'a Device, texts: &'a [T], threshold: f32) -> Self {
        let session = Session { model, device, threshold };
        Self { session, texts, left: (0..texts.len()).rev().collect(), pace: Pace::of_texts() }
    }

    /// Reads the next batch: the numbers of its texts, and what the model makes of them; none after the last.
    ///
    /// # Errors
    /// If the engine fails.
    pub async fn next(&mut self) -> Result<Option<Vec<(usize, Verdict)>>, EngineError> {
        let Some(batch) = self.read().await? else { return Ok(None) };
        let verdict = |found: Found| {
            let log_p = found.log_probabilities();
            let skims =
                found.layers.into_iter().map(|(decisions, probability)| Skims { decisions, probability });
            Verdict { log_p, skims: skims.collect() }
        };
        Ok(Some(batch.texts.into_iter().zip(batch.found.into_iter().map(verdict)).collect()))
    }

    /// Reads the next batch.
    pub(super) async fn read(&mut self) -> Result<Option<Batch>, EngineError> {
        let Some(first) = self.left.pop() else { return Ok(None) };
        let length = |text: usize| self.texts[text].as_ref().len();
        let (mut texts, mut tokens) = (vec![first], length(first));
        while let Some(text) = self.left.pop_if(|text| tokens + length(*text) <= self.pace.tokens) {
            tokens += length(text);
            texts.push(text);
        }
        let begun = Instant::now();
        let piece = |&text: &usize| {
            let ids = self.texts[text].as_ref();
            Piece { ids, force: &[], before: Before::Nothing, ends: Some(ids.len()), inspect: false }
        };
        let pieces: Vec<_> = texts.iter().map(piece).collect();
        let found = self.session.read(&pieces).await?;
        let ms = begun.elapsed().as_secs_f64() * 1e3;
        self.pace.took(tokens, ms);
        Ok(Some(Batch { texts, found, tokens, ms }))
    }
}

/// A batch that was read.
pub(super) struct Batch {
    /// The numbers of its texts.
    pub(super) texts: Vec<usize>,
    /// What was found of each.
    pub(super) found: Vec<Found>,
    /// Tokens of all texts.
    pub(super) tokens: usize,
    /// What reading them took, in milliseconds.
    pub(super) ms: f64,
}
