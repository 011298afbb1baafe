//! Questions about the words that many rows predict. Rounds alternate: every row says which tail its answer depends on, and
//! each of these tails is computed for all rows that need it.

use super::known::{Known, Lazy};
use super::{AdaptiveSoftmax, Sampling, Word};
use crate::cpu::noise;
use crate::device::EngineError;
use crate::graph::Expr;

/// A question about the word that a row predicts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ask {
    /// How probable every word is.
    All,
    /// So many of the most probable words.
    Top(usize),
    /// How probable a word is.
    Score {
        /// Its number.
        word: u32,
        /// Whether to count the words that are more probable.
        rank: bool,
    },
    /// A word drawn by random numbers that follow from seed and stream.
    Draw {
        /// How.
        sampling: Sampling,
        /// The same for a whole text.
        seed: u32,
        /// Another for every word of it.
        stream: u32,
    },
}

/// What was asked of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    /// The words asked for, unless those are all.
    pub words: Vec<Word>,
    /// `ln p` of all words in the order of their numbers, if that was asked.
    pub all: Vec<f32>,
    /// How many words are more probable than the one asked for, plus 1; 0 if that was not asked.
    pub rank: usize,
    /// The tails that were computed, in that order.
    pub opened: Vec<usize>,
    /// How many logits were computed.
    pub rows: usize,
}

/// A row that is asked.
struct Asked<'l> {
    known: Known<'l>,
    ask: Ask,
    /// How many random numbers were drawn.
    drawn: u32,
    answer: Option<Answer>,
}

impl AdaptiveSoftmax {
    /// Answers for rows, as many as there are questions.
    ///
    /// # Errors
    /// [`EngineError::Shape`] for another number of rows; [`EngineError::Index`] for a word that does not exist; a
    /// [`Sampling`] that cannot be; a probability that is no number; or what the device reports.
    pub async fn answers(&self, rows: Expr<'_>, asks: &[Ask]) -> Result<Vec<Answer>, EngineError> {
        for ask in asks {
            match ask {
                Ask::Score { word, .. } => self.check_word(*word)?,
                Ask::Draw { sampling, .. } => sampling.check()?,
                Ask::All | Ask::Top(_) => {}
            }
        }
        let mut asked = Vec::new();
        // Rows of a mistake have no shape, and the value says which mistake.
        let heads = self.head(rows).value().await?;
        let (expected, found) = (asks.len(), rows.shape().rows);
        if found != expected {
            let (expected, found) = (expected.to_string(), found.to_string());
            return Err(EngineError::Shape { op: super::NAME, what: "rows".into(), expected, found });
        }
        for (head, &ask) in rows_of(heads, self.short_list() + self.clusters()).into_iter().zip(asks) {
            asked.push(Asked { known: Known::new(self, head)?, ask, drawn: 0, answer: None });
        }
        loop {
            let mut waiting: Vec<Vec<u32>> = vec![Vec::new(); self.clusters()];
            for (row, asked) in asked.iter_mut().enumerate().filter(|(_, asked)| asked.answer.is_none()) {
                match asked.try_to_answer() {
                    Ok(answer) => asked.answer = Some(answer),
                    Err(tail) => waiting[tail].push(row as u32),
                }
            }
            let tails: Vec<usize> = (0..self.clusters()).filter(|&tail| !waiting[tail].is_empty()).collect();
            if tails.is_empty() {
                return Ok(asked.into_iter().filter_map(|asked| asked.answer).collect());
            }
            let wanted: Vec<_> =
                tails.iter().map(|&tail| self.tail(rows.rows(&waiting[tail]), tail)).collect();
            for (&tail, words) in tails.iter().zip(rows.graph().values(&wanted).await?) {
                for (&row, words) in waiting[tail].iter().zip(rows_of(words, self.cluster(tail).len())) {
                    asked[row as usize].known.open(tail, words)?;
                }
            }
        }
    }
}

/// The rows of a matrix. A single one is not copied.
fn rows_of(values: Vec<f32>, columns: usize) -> Vec<Vec<f32>> {
    if values.len() == columns {
        return vec![values];
    }
    values.chunks(columns).map(<[f32]>::to_vec).collect()
}

impl Asked<'_> {
    fn try_to_answer(&mut self) -> Lazy<Answer> {
        let Self { known, ask, drawn, .. } = self;
        let mut answer = Answer::default();
        match *ask {
            Ask::All => answer.all = known.all()?,
            Ask::Top(count) => answer.words = known.top(count)?,
            Ask::Score { word, rank } => {
                answer.words.push(Word { id: word, log_probability: known.log_probability(word)? });
                if rank {
                    answer.rank = known.rank(word)?;
                }
            }
            Ask::Draw { ref sampling, seed, stream } => {
                let mut uniform = || {
                    *drawn += 2;
                    let [high, low] = [*drawn, *drawn + 1].map(|element| noise::bits(seed, stream, element));
                    // 53 bits, which is what a double has.
                    (f64::from(high) * 2_097_152.0 + f64::from(low >> 11)) / 9_007_199_254_740_992.0
                };
                answer.words.push(known.sample(sampling, &mut uniform)?);
            }
        }
        Ok(Answer { opened: known.opened().to_vec(), rows: known.rows_computed(), ..answer })
    }
}
