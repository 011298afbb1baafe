//! Texts that a language model writes.
//!
//! Each is a program of a graph: a loop over the words of one text, which asks what comes next and goes on with that.
//! [`Graph::join`] runs any number of them together, a batch a word for all of them; no word is read twice.

use super::encoder::Dropouts;
use super::prefix::softmax;
use super::{Model, ReadError};
use crate::device::EngineError;
use crate::graph::{Expr, Graph, Held, Strategy};
use crate::nn::{AdaptiveSoftmax, Ask, Sampling, SkimControl};
use crate::text::{END, TokenizerKind};

/// The most words before a text that are read on its graph.
const LONGEST: usize = 1024;

/// How a text is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Writing {
    /// How each word is drawn.
    pub sampling: Sampling,
    /// The same seed draws the same text.
    pub seed: u32,
    /// The most words.
    pub most_words: usize,
}

/// What a text goes on with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// Its words.
    pub ids: Vec<u32>,
    /// `ln p` of all of them together, after what came before.
    pub log_probability: f64,
    /// Whether the last word is the end of a line, a paragraph or a document.
    pub ended: bool,
    /// How many logits were computed.
    pub rows: usize,
}

/// Where a text stands: the states of all cells, and the row that predicts the next word.
#[derive(Clone)]
struct Place<'g> {
    state: Vec<Expr<'g>>,
    row: Expr<'g>,
}

/// A text that may become one of the most probable ones.
struct Hypothesis<'g> {
    place: Place<'g>,
    written: Written,
}

impl Model {
    /// Goes on with a text word by word, as drawn, until it ends or has as many words as it may.
    ///
    /// ```
    /// # use saccade_rnn::device::Device;
    /// # use saccade_rnn::graph::{Graph, Strategy};
    /// # use saccade_rnn::model::{Model, Writing};
    /// # use saccade_rnn::nn::Sampling;
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/shakespeare-elman.safetensors");
    /// # let bytes = std::fs::read(path).expect("a model");
    /// # pollster::block_on(async {
    /// let (model, device) = (Model::from_bytes(&bytes)?, Device::cpu());
    /// let graph = Graph::inference(model.parameters(), &device, Strategy::Levels);
    /// // Four texts from two beginnings: every letter is one batch for all of them.
    /// let beginnings = ["ROMEO:\n", "JULIET:\n", "ROMEO:\n", "JULIET:\n"];
    /// let programs = beginnings.iter().zip(0..).map(|(beginning, seed)| {
    ///     let writing = Writing { sampling: Sampling::default(), seed, most_words: 20 };
    ///     let (model, graph) = (&model, &graph);
    ///     async move { model.write(graph, beginning, writing).await }
    /// });
    /// for written in graph.join(programs).await {
    ///     assert_eq!(model.text(&written?.ids).chars().count(), 20);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`ReadError`]; also for a model that predicts no words, and a [`Sampling`] that cannot be.
    pub async fn write(&self, graph: &Graph, text: &str, writing: Writing) -> Result<Written, ReadError> {
        let (ids, softmax) = (self.ids(&self.tokenizer().tokenize(text)), softmax(self)?);
        let mut place = self.begin(graph, &ids).await?;
        let mut written = Written::default();
        for number in 0..writing.most_words {
            if let Some(&word) = written.ids.last() {
                place = self.step(graph, &[word], place.state);
            }
            let stream = (ids.len() + number) as u32;
            let ask = Ask::Draw { sampling: writing.sampling, seed: writing.seed, stream };
            let drawn = softmax.answers(place.row, &[ask]).await?.pop().unwrap_or_default();
            let word = drawn.words[0];
            self.add(&mut written, word.id, word.log_probability);
            written.rows += drawn.rows;
            if written.ended {
                break;
            }
        }
        Ok(written)
    }

    /// The most probable ways to go on with a text that a search finds which keeps `width` of them after every word (beam
    /// search), at most `width`, the most probable first; each until it ends or has `most_words`. A shorter one is at an
    /// advantage, since every word costs probability.
    ///
    /// # Errors
    /// See [`Self::write`].
    pub async fn search(
        &self,
        graph: &Graph,
        text: &str,
        width: usize,
        most_words: usize,
    ) -> Result<Vec<Written>, ReadError> {
        let (ids, softmax) = (self.ids(&self.tokenizer().tokenize(text)), softmax(self)?);
        if width == 0 {
            return Ok(Vec::new());
        }
        let mut ended: Vec<Written> = Vec::new();
        let mut open =
            vec![Hypothesis { place: self.begin(graph, &ids).await?, written: Written::default() }];
        for _ in 0..most_words {
            // What has ended stays ahead of whatever is less probable now.
            let kept =
                ended.get(width.wrapping_sub(1)).map_or(f64::NEG_INFINITY, |last| last.log_probability);
            open.retain(|hypothesis| hypothesis.written.log_probability > kept);
            if open.is_empty() {
                break;
            }
            open = self.widen(graph, softmax, open, width).await?;
            let (done, rest) = open.into_iter().partition(|hypothesis| hypothesis.written.ended);
            open = rest;
            ended.extend(done.into_iter().map(|hypothesis: Hypothesis<'_>| hypothesis.written));
            order(&mut ended, |written| written);
        }
        ended.extend(open.into_iter().map(|hypothesis| hypothesis.written));
        order(&mut ended, |written| written);
        ended.truncate(width);
        Ok(ended)
    }

    /// The `width` most probable of all texts that are one word longer.
    async fn widen<'g>(
        &self,
        graph: &'g Graph,
        softmax: &AdaptiveSoftmax,
        open: Vec<Hypothesis<'g>>,
        width: usize,
    ) -> Result<Vec<Hypothesis<'g>>, EngineError> {
        let rows: Vec<Expr<'g>> = open.iter().map(|hypothesis| hypothesis.place.row).collect();
        let answers = softmax.answers(graph.concat_rows(&rows), &vec![Ask::Top(width); rows.len()]).await?;
        let mut next = Vec::new();
        for (from, answer) in answers.iter().enumerate() {
            for word in &answer.words {
                let mut written = open[from].written.clone();
                self.add(&mut written, word.id, word.log_probability);
                written.rows += answer.rows;
                next.push((from, written));
            }
        }
        order(&mut next, |(_, written)| written);
        next.truncate(width);
        let go_on = |(from, written): (usize, Written)| {
            let Place { state, row } = open[from].place.clone();
            let place = match written.ids.last() {
                Some(&word) if !written.ended => self.step(graph, &[word], state),
                _ => Place { state, row },
            };
            Hypothesis { place, written }
        };
        Ok(next.into_iter().map(go_on).collect())
    }

    /// Whether a text of its words has white space between them: not if they are letters.
    pub fn has_words_apart(&self) -> bool {
        self.tokenizer().kind() != TokenizerKind::Characters
    }

    /// Words as a text has them: apart, unless they are letters, and what they end on lines and in paragraphs of its own.
    pub fn text(&self, ids: &[u32]) -> String {
        let apart = self.has_words_apart();
        let mut text = String::new();
        for &id in ids {
            let word = self.vocabulary().word(id).unwrap_or_default();
            match self.tokenizer().ends().filter(|_| word == END) {
                Some(ends) => text.push_str(ends.white_space()),
                None => {
                    if apart && !text.is_empty() && !text.ends_with('\n') {
                        text.push(' ');
                    }
                    text.push_str(word);
                }
            }
        }
        text
    }

    /// Reads the words that are there, behind the word that every text begins with, if there is one: all but the last on graphs
    /// of their own, piece by piece, since a graph keeps what it has read.
    async fn begin<'g>(&self, graph: &'g Graph, ids: &[u32]) -> Result<Place<'g>, EngineError> {
        let ids: Vec<u32> = self.first_word().into_iter().chain(ids.iter().copied()).collect();
        if ids.is_empty() {
            // What the softmax makes of zeros, as where a text is read.
            let columns = self.network().encoder.output_size();
            return Ok(Place { state: Vec::new(), row: graph.input(1, columns, vec![0.0; columns]) });
        }
        let mut state: Vec<Held> = Vec::new();
        let (before, last) = ids.split_at((ids.len() - 1) / LONGEST * LONGEST);
        for piece in before.chunks(LONGEST) {
            let graph = Graph::inference(self.parameters(), graph.device(), Strategy::Levels);
            let place = self.step(&graph, piece, state.drain(..).map(|state| graph.held(state)).collect());
            // Read back, so that the piece is done before the next one begins.
            graph.values(&[place.row]).await?;
            state = place.state.into_iter().map(Expr::hold).collect::<Result<_, _>>()?;
        }
        Ok(self.step(graph, last, state.into_iter().map(|state| graph.held(state)).collect()))
    }

    fn step<'g>(&self, graph: &'g Graph, ids: &[u32], state: Vec<Expr<'g>>) -> Place<'g> {
        let control = SkimControl::Decide { threshold: self.threshold(), force: &[] };
        let output = self.network().encoder.encode(graph, ids, state, control, Dropouts::default());
        Place { state: output.state, row: output.last }
    }

    fn add(&self, written: &mut Written, word: u32, log_probability: f32) {
        written.ids.push(word);
        written.log_probability += f64::from(log_probability);
        written.ended = self.tokenizer().ends().is_some() && self.vocabulary().word(word) == Some(END);
    }
}

/// The most probable first; of equals, those with lower numbers of words.
fn order<T>(all: &mut [T], written: impl Fn(&T) -> &Written) {
    all.sort_by(|a, b| {
        let (a, b) = (written(a), written(b));
        b.log_probability.total_cmp(&a.log_probability).then_with(|| a.ids.cmp(&b.ids))
    });
}
