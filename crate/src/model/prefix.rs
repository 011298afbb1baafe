//! A text as a language model reads it on: how probable it found every word, and what may come next.
//!
//! Words are read in pieces. A piece leaves the states of all cells and its last row on the device, and the next one begins
//! with them. Of every word only the tails that its score depends on are computed ([`AdaptiveSoftmax::answers`]).

use std::ops::ControlFlow;

use web_time::Instant;

use super::encoder::Dropouts;
use super::session::Pace;
use super::{Model, Network, ReadError, Watch};
use crate::device::{Device, EngineError};
use crate::graph::{Expr, Graph, Held, Strategy};
use crate::nn::{AdaptiveSoftmax, Answer, Ask, SkimControl};

/// The most words of a piece.
const LONGEST: usize = 1024;
/// The most words of a piece whose states are kept, and so the most that a change within it has read again.
const KEPT: usize = 16;

/// What is asked of the words that are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    /// `exp(-ln p / words)`; NaN without words.
    pub fn perplexity(&self) -> f64 {
        (-self.log_probability / self.words as f64).exp()
    }
}

/// The words so far, and where reading can go on.
#[derive(Debug, Default)]
pub struct Prefix {
    asks: Scores,
    /// Whether states are kept on the way, so that a text may change.
    keeps: bool,
    ids: Vec<u32>,
    scores: Vec<Option<WordScore>>,
    places: Vec<Place>,
    computed: usize,
}

/// What a text that was read so far leaves on the device.
#[derive(Debug)]
struct Place {
    /// How many words were read.
    after: usize,
    /// How probable they were.
    total: Total,
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

    /// How probable all words were together, if that was asked.
    pub fn total(&self) -> Total {
        self.places.last().map_or_else(Total::default, |place| place.total)
    }

    /// How many words the last [`Self::read`] read, be it to the end or not.
    pub fn computed(&self) -> usize {
        self.computed
    }

    /// Forgets all that was read: what is on the device may be gone.
    pub fn forget(&mut self) {
        *self = Self::new(self.asks, self.keeps);
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
        self.computed = 0;
        let same = self.ids.iter().zip(ids).take_while(|(old, new)| old == new).count();
        while self.places.pop_if(|place| place.after > same).is_some() {}
        if self.places.is_empty()
            && let Some(first) = model.first_word()
        {
            self.ids.clear();
            self.scores.clear();
            self.piece(model, device, &[first], Scores::None).await?;
            self.places[0].after = 0;
        }
        let mut done = self.places.last().map_or(0, |place| place.after);
        self.ids.truncate(done);
        self.scores.truncate(done);
        let most = match self.asks {
            _ if self.keeps => KEPT,
            Scores::None => LONGEST,
            _ => softmax(model)?.rows_together().min(LONGEST),
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
            self.computed += tokens;
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
        let (Network { encoder, .. }, softmax) = (model.network(), softmax(model)?);
        let graph = Graph::inference(model.parameters(), device, Strategy::Levels);
        let before = self.places.last();
        let state = before.into_iter().flat_map(|place| &place.state);
        let state: Vec<Expr<'_>> = state.map(|state| graph.held(state.clone())).collect();
        let control = SkimControl::Decide { threshold: model.threshold(), force: &[] };
        let output = encoder.encode(&graph, words, state, control, Dropouts::default());
        let mut answers = Vec::new();
        let mut total = before.map_or_else(Total::default, |place| place.total);
        // A word is predicted by the row before it; the first may have none. The last row is for the next piece.
        let first = usize::from(before.is_none());
        if asks != Scores::None && words.len() > first {
            let mut rows = Vec::new();
            rows.extend(before.map(|place| graph.held(place.row.clone())));
            rows.push(output.rows);
            let rank = asks == Scores::All;
            let questions: Vec<Ask> = words[first..].iter().map(|&word| Ask::Score { word, rank }).collect();
            let asked: Vec<u32> = (0..questions.len() as u32).collect();
            answers = softmax.answers(graph.concat_rows(&rows).rows(&asked), &questions).await?;
        }
        // Read back, so that the piece is done before the next one begins.
        graph.values(&[output.last]).await?;
        let state = output.state.into_iter().map(Expr::hold).collect::<Result<_, _>>()?;
        let row = output.last.hold()?;
        let after = self.ids.len() + words.len();
        if asks == Scores::All {
            self.scores.resize(self.scores.len() + first, None);
        }
        for Answer { words, rank, rows, .. } in answers {
            let score = WordScore { log_probability: words[0].log_probability, rank, rows };
            total.add(&score);
            if asks == Scores::All {
                self.scores.push(Some(score));
            }
        }
        if !self.keeps {
            self.places.clear();
        }
        self.places.push(Place { after, total, state, row });
        self.ids.extend_from_slice(words);
        Ok(())
    }

    /// What may come next. Before any word it is what the softmax makes of a row of zeros. Of what is drawn the stream is
    /// the number of words so far.
    ///
    /// # Errors
    /// See [`Self::read`]; also for a [`Sampling`](crate::nn::Sampling) that cannot be.
    pub async fn next(&self, model: &Model, device: &Device, mut ask: Ask) -> Result<Answer, ReadError> {
        if let Ask::Draw { stream, .. } = &mut ask {
            *stream = self.ids.len() as u32;
        }
        let (Network { encoder, .. }, softmax) = (model.network(), softmax(model)?);
        let graph = Graph::inference(model.parameters(), device, Strategy::Levels);
        let row = match self.places.last() {
            Some(place) => graph.held(place.row.clone()),
            None => graph.input(1, encoder.output_size(), vec![0.0; encoder.output_size()]),
        };
        Ok(softmax.answers(row, &[ask]).await?.pop().unwrap_or_default())
    }
}

impl Total {
    fn add(&mut self, score: &WordScore) {
        self.log_probability += f64::from(score.log_probability);
        self.words += 1;
    }
}

/// The softmax of a model that predicts words.
pub(super) fn softmax(model: &Model) -> Result<&AdaptiveSoftmax, EngineError> {
    let none = EngineError::Unsupported { op: "predict", reason: "the model's task is another" };
    model.network().head.softmax().ok_or(none)
}
