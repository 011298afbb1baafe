//! A text as a language model reads it on: how probable it found every word, and what may come next.
//!
//! Words are read in pieces. A piece leaves the states of all cells and its last row on the device, and the next one begins
//! with them. Every word of a piece is scored by a program of its own ([`Graph::join`]), which computes the tails that this
//! word needs; those of one piece are computed together.

use std::ops::ControlFlow;

use serde::Deserialize;
use web_time::Instant;

use super::encoder::Dropouts;
use super::session::Pace;
use super::{Head, Model, Network, Predict, ReadError, Watch};
use crate::cpu::noise;
use crate::device::{Device, EngineError};
use crate::graph::{Expr, Graph, Held, Strategy};
use crate::nn::{Distribution, Sampling, SkimControl, Word};

/// The most log-probabilities that a piece may compute, so that memory stays bounded: 16 MiB.
const MOST_VALUES: usize = 4 << 20;
/// The most words of a piece.
const LONGEST: usize = 1024;
/// The most words of a piece whose states are kept, and so the most that a change within it has read again.
const KEPT: usize = 16;

/// What is asked of the words that are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scores {
    /// Nothing.
    #[default]
    None,
    /// How probable they were, all together.
    Total,
    /// How probable each was, and how many others were more so.
    All,
}

/// What a model made of a word before it read it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WordScore {
    /// `ln p`.
    pub log_probability: f32,
    /// How many words were more probable, plus 1; 0 if that was not asked.
    pub rank: usize,
    /// How many logits were computed for it.
    pub rows: usize,
}

/// How probable words were together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// The sum of `ln p`.
    pub log_probability: f64,
    /// Of how many words.
    pub words: usize,
}

impl Total {
    /// `exp(-ln p / words)`; 1 without words.
    pub fn perplexity(&self) -> f64 {
        (-self.log_probability / self.words.max(1) as f64).exp()
    }
}

/// A question about the next word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ask {
    /// The most probable ones.
    Top(usize),
    /// One, drawn by a seed and by how many words there are before it.
    Draw(Sampling, u32),
}

/// The answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Next {
    /// The words asked for, the most probable first.
    pub words: Vec<Word>,
    /// The tails that were computed, in that order.
    pub opened: Vec<usize>,
    /// How many logits were computed.
    pub rows: usize,
}

/// The words so far, and where reading can go on.
#[derive(Debug, Default)]
pub struct Prefix {
    asks: Scores,
    /// Whether states are kept on the way, so that a text may change.
    keeps: bool,
    ids: Vec<u32>,
    scores: Vec<Option<WordScore>>,
    total: Total,
    places: Vec<Place>,
    computed: usize,
}

/// What a text that was read so far leaves on the device.
#[derive(Debug)]
struct Place {
    /// How many words were read.
    after: usize,
    state: Vec<Held>,
    row: Held,
}

impl Prefix {
    /// No words. With `keeps` a text that changes is read again from at most 16 words before; otherwise from its beginning,
    /// unless it goes on.
    pub fn new(asks: Scores, keeps: bool) -> Self {
        Self { asks, keeps, ..Self::default() }
    }

    /// The score of every word, if all are asked for; none of a word that nothing came before.
    pub fn scores(&self) -> &[Option<WordScore>] {
        &self.scores
    }

    /// How probable all words were together.
    pub fn total(&self) -> Total {
        self.total
    }

    /// How many words the last [`Self::read`] read.
    pub fn computed(&self) -> usize {
        self.computed
    }

    /// Forgets what is on the device, which may be gone.
    pub fn forget(&mut self) {
        self.places.clear();
    }

    /// Reads a text as far as it is not what was read before. A reading that is stopped, or fails, keeps what it has.
    ///
    /// # Errors
    /// See [`ReadError`]; also for a model that predicts no words.
    pub async fn read<W: Watch>(
        &mut self,
        model: &Model,
        device: &Device,
        ids: &[u32],
        watch: &mut W,
    ) -> Result<(), ReadError> {
        let same = self.ids.iter().zip(ids).take_while(|(old, new)| old == new).count();
        while self.places.pop_if(|place| place.after > same).is_some() {}
        if self.places.is_empty()
            && let Some(first) = None::<u32>
        {
            self.piece(model, device, &[first], Scores::None).await?;
            self.places[0].after = 0;
        }
        let mut done = self.places.last().map_or(0, |place| place.after);
        self.computed = ids.len() - done;
        self.ids.truncate(done);
        self.scores.truncate(done);
        if self.asks == Scores::All {
            self.total = Total::default();
            self.scores.iter().flatten().for_each(|score| self.total.add(score));
        } else if done == 0 {
            self.total = Total::default();
        }
        let most = match self.asks {
            _ if self.keeps => KEPT,
            Scores::None => LONGEST,
            _ => (MOST_VALUES / model.vocabulary().len()).clamp(1, LONGEST),
        };
        let mut pace = Pace { bounds: 1..=most, tokens: most.min(64) };
        while done < ids.len() {
            // The word that is being written is a piece by itself: it will be another.
            let rest = ids.len() - done;
            let tokens = pace.tokens.min(if self.keeps && rest > 1 { rest - 1 } else { rest });
            let begun = Instant::now();
            self.piece(model, device, &ids[done..done + tokens], self.asks).await?;
            pace.took(tokens, begun.elapsed().as_secs_f64() * 1e3);
            done += tokens;
            if let ControlFlow::Break(()) = watch.progress(done, ids.len()).await {
                return Err(ReadError::Cancelled { done, total: ids.len() });
            }
        }
        Ok(())
    }

    /// Reads a piece from the last place on.
    async fn piece(
        &mut self,
        model: &Model,
        device: &Device,
        words: &[u32],
        asks: Scores,
    ) -> Result<(), ReadError> {
        let Network { encoder, head } = model.network();
        let Head::Predict(Predict { softmax }) = head else { return Err(no_language_model().into()) };
        let graph = Graph::inference(model.parameters(), device, Strategy::Agenda);
        let before = self.places.last();
        let state = before.into_iter().flat_map(|place| &place.state);
        let state: Vec<Expr<'_>> = state.map(|state| graph.held(state.clone())).collect();
        let control = SkimControl::Decide { threshold: model.threshold(), force: &[] };
        let output = encoder.encode(&graph, words, state, control, Dropouts::default());
        let row_before = |word: usize| match word.checked_sub(1) {
            Some(before) => Some(output.rows.rows(&[before as u32])),
            None => before.map(|place| graph.held(place.row.clone())),
        };
        let mut scores = Vec::new();
        if asks != Scores::None {
            let programs = words.iter().enumerate().map(|(number, &word)| {
                let row = row_before(number);
                async move {
                    let Some(row) = row else { return Ok(None) };
                    let mut distribution = softmax.distribution(row).await?;
                    let log_probability = distribution.log_probability(word).await?;
                    let rank = if asks == Scores::All { distribution.rank(word).await? } else { 0 };
                    Ok(Some(WordScore { log_probability, rank, rows: distribution.rows_computed() }))
                }
            });
            scores = graph.join(programs).await;
        }
        // Read back, so that the piece is done before the next one begins.
        graph.values(&[output.last]).await?;
        let state = output.state.into_iter().map(Expr::hold).collect::<Result<_, _>>()?;
        let row = output.last.hold()?;
        let after = self.ids.len() + words.len();
        for score in scores {
            let score = score.map_err(|error: EngineError| ReadError::from(error))?;
            score.iter().for_each(|score| self.total.add(score));
            if asks == Scores::All {
                self.scores.push(score);
            }
        }
        if !self.keeps {
            self.places.clear();
        }
        self.places.push(Place { after, state, row });
        self.ids.extend_from_slice(words);
        Ok(())
    }

    /// What may come next. Before any word it is what the softmax makes of a row of zeros.
    ///
    /// # Errors
    /// See [`Self::read`]; also for a [`Sampling`] that cannot be.
    pub async fn next(&self, model: &Model, device: &Device, ask: Ask) -> Result<Next, ReadError> {
        let Network { encoder, head } = model.network();
        let Head::Predict(Predict { softmax }) = head else { return Err(no_language_model().into()) };
        let graph = Graph::inference(model.parameters(), device, Strategy::Agenda);
        let row = match self.places.last() {
            Some(place) => graph.held(place.row.clone()),
            None => graph.input(1, encoder.output_size(), vec![0.0; encoder.output_size()]),
        };
        let mut distribution = softmax.distribution(row).await?;
        let words = match ask {
            Ask::Top(count) => distribution.top(count).await?,
            Ask::Draw(sampling, seed) => {
                let (stream, mut drawn) = (self.ids.len() as u32, 0);
                let uniform = || {
                    drawn += 2;
                    let [high, low] = [drawn, drawn + 1].map(|i| noise::bits(seed, stream, i));
                    f64::from(high) / 2_f64.powi(32) + f64::from(low >> 11) / 2_f64.powi(53)
                };
                vec![distribution.sample(&sampling, uniform).await?]
            }
        };
        Ok(Next::of(&distribution, words))
    }
}

impl Next {
    fn of(distribution: &Distribution<'_, '_>, words: Vec<Word>) -> Self {
        Self { words, opened: distribution.opened().to_vec(), rows: distribution.rows_computed() }
    }
}

impl Total {
    fn add(&mut self, score: &WordScore) {
        self.log_probability += f64::from(score.log_probability);
        self.words += 1;
    }
}

fn no_language_model() -> EngineError {
    EngineError::Unsupported { op: "predict", reason: "the model predicts no words" }
}
