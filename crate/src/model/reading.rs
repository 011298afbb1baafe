//! Reading a text: which tokens were read and which skimmed, what that cost, and what the text says.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::batches::{Batch, Batches};
use super::passage::{Measured, Passage, Text};
use super::session::{Found, Session};
use super::{Model, Watch};
use crate::device::{Device, EngineError, number};
use crate::nn::Flops;
use crate::text::{Token, UNKNOWN};

/// What to do with one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Decision {
    /// The big cell.
    Read,
    /// The small cell.
    Skim,
}

/// The longest that a caller may have a reading repeated, in milliseconds.
const LONGEST_MEASURE_MS: f64 = 60_000.0;

/// Options of one reading.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ReadOptions {
    /// Skim iff the probability of skimming exceeds this, in 0..=1; the model's own if absent.
    pub threshold: Option<f32>,
    /// Decisions imposed on tokens, by number, in every Skim layer; a model without one reads every token all the
    /// same.
    pub force: BTreeMap<usize, Decision>,
    /// Repeat the computation until it has lasted this long, in 0..=60,000, and report the mean: clocks of browsers
    /// tick at up to 0.1 ms. 0 runs it once.
    pub measure_ms: f64,
}

impl ReadOptions {
    /// The threshold that these options mean for a model, if it is a probability.
    pub(super) fn checked_threshold(&self, model: &Model) -> Result<f32, ReadError> {
        let threshold = self.threshold.unwrap_or(model.threshold());
        if (0.0..=1.0).contains(&threshold) { Ok(threshold) } else { Err(ReadError::Threshold(threshold)) }
    }
}

/// What a reading found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// The likeliest label.
    pub label: String,
    /// Every label with its probability, in the model's order.
    pub scores: Vec<Score>,
    /// The tokens in order.
    pub tokens: Vec<TokenReading>,
    /// Share of decisions that were to skim; 0 without tokens or without a Skim layer.
    pub skim_rate: f64,
    /// What it cost.
    pub flops: FlopsReading,
    /// What it took.
    pub timing: Timing,
}

/// A label and its probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The label.
    pub label: String,
    /// In 0..=1; all sum to 1.
    pub probability: f32,
}

/// What happened to a token.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenReading {
    /// As the network sees it.
    pub text: String,
    /// First UTF-16 unit in the original string.
    pub start: usize,
    /// One past its last UTF-16 unit.
    pub end: usize,
    /// Whether the vocabulary has it.
    pub known: bool,
    /// What the first Skim layer did; read, in a model without one.
    pub decision: Decision,
    /// The first Skim layer's probability of skimming; none in a model without one.
    pub skim_probability: Option<f32>,
}

/// Floating-point operations by the formula of [`crate::nn::Flops`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlopsReading {
    /// What was computed.
    pub spent: u64,
    /// Had every token been read, without deciding.
    pub full: u64,
    /// `full / spent`.
    pub reduction: f64,
}

impl From<Flops> for FlopsReading {
    fn from(flops: Flops) -> Self {
        Self { spent: flops.spent, full: flops.full, reduction: flops.reduction() }
    }
}

/// Wall-clock time of the computation from token ids to scores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// Where it ran.
    pub device: String,
    /// Milliseconds a run.
    pub total_ms: f64,
    /// Microseconds a token; 0 without tokens.
    pub microseconds_per_token: f64,
    /// How it was measured.
    pub method: Method,
}

/// How a time was measured; whoever shows it words it. On a GPU all times include reading back.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Method {
    /// The mean of runs from token ids to scores.
    Mean {
        /// How many.
        runs: u32,
        /// Milliseconds of all.
        elapsed_ms: f64,
    },
    /// A text's share, by tokens, of the time of texts that were read together.
    Share {
        /// How many.
        texts: usize,
        /// Milliseconds of all.
        elapsed_ms: f64,
    },
    /// One run over the tokens from the first that changed on.
    Rest {
        /// How many.
        tokens: usize,
    },
}

/// A text cannot be read as asked.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A threshold that is no probability.
    #[error("threshold: expected a number from 0 to 1, found {}", number(*.0))]
    Threshold(f32),
    /// A time to measure for that is none, or too long.
    #[error("measureMs: expected milliseconds from 0 to 60000, found {}", number(*.0))]
    Measure(f64),
    /// A decision for a token that is not there.
    #[error("force: there is no token {token}; the text has {tokens}")]
    Force {
        /// The number given.
        token: usize,
        /// How many tokens the text has.
        tokens: usize,
    },
    /// Weights so large that the computation leaves the range of f32.
    #[error("this model has no result for this text: its computation overflows ({0} is not a finite number)")]
    Overflow(&'static str),
    /// The watcher did not want it to go on.
    #[error("the reading was stopped after {done} of {total} tokens")]
    Cancelled {
        /// How many tokens had been read.
        done: usize,
        /// How many tokens the text has.
        total: usize,
    },
    /// The engine reports a mistake or a failing device.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl ReadError {
    /// A name for the kind of error that stays the same between versions: `OPTION_INVALID`, `MODEL_OVERFLOW`,
    /// `ABORTED`, or a code of [`EngineError::code`].
    pub fn code(&self) -> &'static str {
        match self {
            Self::Threshold(_) | Self::Measure(_) | Self::Force { .. } => "OPTION_INVALID",
            Self::Overflow(_) => "MODEL_OVERFLOW",
            Self::Cancelled { .. } => "ABORTED",
            Self::Engine(error) => error.code(),
        }
    }
}

impl Model {
    /// Reads a text, piece by piece if the network allows it, so that the device's memory stays bounded; `watch`
    /// follows (`&mut ()` if nothing is to).
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read<W: Watch>(
        &self,
        device: &Device,
        text: &str,
        options: &ReadOptions,
        watch: &mut W,
    ) -> Result<Reading, ReadError> {
        let tokens = self.tokenizer().tokenize(text);
        self.read_tokens(device, tokens, options, watch).await
    }

    /// Reads a text that is already split into tokens, piece by piece like [`Self::read`].
    ///
    /// # Errors
    /// See [`ReadError`].
    pub async fn read_tokens<W: Watch>(
        &self,
        device: &Device,
        tokens: Vec<Token>,
        options: &ReadOptions,
        watch: &mut W,
    ) -> Result<Reading, ReadError> {
        let ids = self.ids(&tokens);
        self.read_ids(device, tokens, &ids, options, watch).await
    }

    /// Reads tokens whose ids are known.
    pub(crate) async fn read_ids<W: Watch>(
        &self,
        device: &Device,
        tokens: Vec<Token>,
        ids: &[u32],
        options: &ReadOptions,
        watch: &mut W,
    ) -> Result<Reading, ReadError> {
        let threshold = options.checked_threshold(self)?;
        if !(0.0..=LONGEST_MEASURE_MS).contains(&options.measure_ms) {
            return Err(ReadError::Measure(options.measure_ms));
        }
        let force = force_list(&options.force, tokens.len())?;
        let session = Session { model: self, device, threshold };
        let passage = Passage::new(session, Text { ids, force: &force }, watch);
        let Measured { found, runs, elapsed_ms } = passage.read_for(options.measure_ms).await?;
        found.check()?;
        let total_ms = elapsed_ms / f64::from(runs);
        let device = device.name().to_string();
        let method = Method::Mean { runs, elapsed_ms };
        let microseconds_per_token = if ids.is_empty() { 0.0 } else { total_ms * 1e3 / ids.len() as f64 };
        Ok(self.reading(tokens, ids, found, Timing { device, total_ms, microseconds_per_token, method }))
    }

    /// Mean wall time in milliseconds of reading words by their ids, for at least `measure_ms`. `force` is empty or has
    /// a decision for each: 0 free, 1 read, 2 skim.
    #[cfg(feature = "gpu")]
    pub(crate) async fn time<W: Watch>(
        &self,
        device: &Device,
        ids: &[u32],
        force: &[u32],
        measure_ms: f64,
        watch: &mut W,
    ) -> Result<f64, ReadError> {
        let session = Session { model: self, device, threshold: self.threshold() };
        let passage = Passage::new(session, Text { ids, force }, watch);
        let Measured { runs, elapsed_ms, .. } = passage.read_for(measure_ms).await?;
        Ok(elapsed_ms / f64::from(runs))
    }

    /// Reads texts together, in batches none of which takes long; no text is cut ([`Self::read`] had better read a text
    /// that is long). `watch` hears after each batch how many texts are read, and may stop them all. Of the options,
    /// forced decisions and repetition belong to one text and are not looked at.
    ///
    /// # Errors
    /// See [`ReadError`]; the first text that cannot be read ends the call.
    pub async fn read_all<W: Watch>(
        &self,
        device: &Device,
        texts: Vec<Vec<Token>>,
        options: &ReadOptions,
        watch: &mut W,
    ) -> Result<Vec<Reading>, ReadError> {
        let threshold = options.checked_threshold(self)?;
        let ids: Vec<_> = texts.iter().map(|text| self.ids(text)).collect();
        let total = texts.len();
        let mut batches = Batches::in_order(self, device, &ids, threshold);
        let (mut texts, mut readings) = (texts.into_iter(), Vec::with_capacity(total));
        while let Some(Batch { texts: numbers, found, tokens: all, ms }) = batches.read().await? {
            let of_token = if all == 0 { 0.0 } else { ms / all as f64 };
            let method = Method::Share { texts: numbers.len(), elapsed_ms: ms };
            for ((number, found), tokens) in numbers.into_iter().zip(found).zip(texts.by_ref()) {
                found.check()?;
                let timing = Timing {
                    device: device.name().into(),
                    total_ms: of_token * tokens.len() as f64,
                    microseconds_per_token: if tokens.is_empty() { 0.0 } else { of_token * 1e3 },
                    method,
                };
                readings.push(self.reading(tokens, &ids[number], found, timing));
            }
            let done = readings.len();
            if let ControlFlow::Break(()) = watch.progress(done, total).await {
                return Err(ReadError::Cancelled { done, total });
            }
        }
        Ok(readings)
    }

    /// What the network takes for these tokens.
    pub(crate) fn ids(&self, tokens: &[Token]) -> Vec<u32> {
        tokens.iter().map(|token| self.vocabulary().id(&token.text)).collect()
    }

    /// Puts a reading together; `ids` are those of the tokens.
    pub(super) fn reading(&self, tokens: Vec<Token>, ids: &[u32], found: Found, timing: Timing) -> Reading {
        let (scores, layers) = (found.probabilities(), found.layers);
        let skimmed: Vec<usize> =
            layers.iter().map(|(d, _)| d.iter().filter(|d| **d > 0.5).count()).collect();
        let decisions: usize = layers.iter().map(|(d, _)| d.len()).sum();
        let skim_rate = skimmed.iter().sum::<usize>() as f64 / decisions.max(1) as f64;
        let flops = self.network().flops(tokens.len(), skimmed.into_iter()).into();
        let labels = self.config().outcomes();
        let best = (0..scores.len()).max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap_or(0);
        let token_reading = |(i, token): (usize, Token)| {
            let first = layers.first();
            let skim = first.is_some_and(|(decisions, _)| decisions[i] > 0.5);
            TokenReading {
                known: ids[i] != 0 || token.text == UNKNOWN,
                text: token.text,
                start: token.span.utf16.start,
                end: token.span.utf16.end,
                decision: if skim { Decision::Skim } else { Decision::Read },
                skim_probability: first.map(|(_, probability)| probability[i]),
            }
        };
        Reading {
            label: labels[best].clone(),
            scores: labels
                .iter()
                .zip(&scores)
                .map(|(label, &probability)| Score { label: label.clone(), probability })
                .collect(),
            tokens: tokens.into_iter().enumerate().map(token_reading).collect(),
            skim_rate,
            flops,
            timing,
        }
    }
}

/// Forced decisions as the kernel takes them: empty, or 0 (free), 1 (read), 2 (skim) for every token.
pub(super) fn force_list(force: &BTreeMap<usize, Decision>, tokens: usize) -> Result<Vec<u32>, ReadError> {
    let mut list = vec![0; if force.is_empty() { 0 } else { tokens }];
    force_in(&mut list, force)?;
    Ok(list)
}

/// Writes forced decisions into a list of all tokens; those of tokens that are there, whatever it returns.
pub(super) fn force_in(list: &mut [u32], force: &BTreeMap<usize, Decision>) -> Result<(), ReadError> {
    let tokens = list.len();
    for (&token, decision) in force {
        let forced = list.get_mut(token).ok_or(ReadError::Force { token, tokens })?;
        *forced = match decision {
            Decision::Read => 1,
            Decision::Skim => 2,
        };
    }
    Ok(())
}
