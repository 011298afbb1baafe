//! How well a language model predicts a text, and by which convention that is counted.

use std::path::Path;
use std::time::Instant;

use saccade_rnn::device::Device;
use saccade_rnn::model::{Model, Task};
use saccade_rnn::text::END;
use saccade_rnn::train::{Objective, Predict, PredictionScore, Reset};
use serde::Serialize;

use crate::corpus::CorpusError;
use crate::corpus::running::{Layout, TextPart};
use crate::failure::Failure;

/// A text as a language model numbers its words.
pub(crate) struct Running {
    documents: Vec<Vec<u32>>,
    reset: Reset,
}

/// What `saccade eval` prints.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Words that were predicted.
    n: usize,
    perplexity: f64,
    /// Nats a word.
    loss: f64,
    /// The share of them that the vocabulary does not hold.
    unknown: f64,
    tokens_per_second: f64,
    clusters: Vec<Cluster>,
    convention: String,
}

/// The words of the head, or of a tail, where they were to be predicted.
#[derive(Debug, Serialize)]
struct Cluster {
    /// The first, and the one after the last, by frequency.
    words: [usize; 2],
    n: usize,
    /// None where no word was to be predicted.
    perplexity: Option<f64>,
}

impl Running {
    /// Reads a text for a model.
    pub(crate) fn read(path: &Path, layout: Layout, model: &Model) -> Result<Self, Failure> {
        let reset = match layout {
            Layout::Text | Layout::Lines => Reset::Epoch,
            Layout::ImdbTsv => Reset::Document,
        };
        let part = TextPart::whole(path.to_owned(), layout);
        let (tokenizer, vocabulary) = (model.tokenizer(), model.vocabulary());
        let documents = part.ids(Path::new(""), tokenizer, vocabulary, start(model), reset)?;
        if layout == Layout::Lines && !vocabulary.contains(END) {
            return Err(Failure::NoEnds);
        }
        let running = Self { documents, reset };
        if running.words() == 0 {
            return Err(CorpusError::Short(path.to_owned()).into());
        }
        Ok(running)
    }

    /// How many words can be predicted.
    pub(crate) fn words(&self) -> usize {
        self.predicted().count()
    }

    /// Words that can be predicted: all but the first of every text through which a state is carried.
    fn predicted(&self) -> impl Iterator<Item = u32> {
        let first = |number| number == 0 || self.reset == Reset::Document;
        let texts = self.documents.iter().filter(|text| !text.is_empty()).enumerate();
        texts.flat_map(move |(number, text)| text[usize::from(first(number))..].iter().copied())
    }

    /// The figures that a run records; none if `go_on`, which hears how many words are done, stops it.
    pub(crate) fn score(
        &self,
        model: &Model,
        device: &Device,
        go_on: impl FnMut(usize) -> bool,
    ) -> Result<Option<PredictionScore>, Failure> {
        let task = Predict::scoring(self.reset);
        Ok(pollster::block_on(task.score(model, device, &self.documents, go_on))?)
    }

    /// All figures; none if `go_on` stops it.
    pub(crate) fn report(
        &self,
        model: &Model,
        device: &Device,
        go_on: impl FnMut(usize) -> bool,
    ) -> Result<Option<Report>, Failure> {
        let begun = Instant::now();
        let Some(score) = self.score(model, device, go_on)? else { return Ok(None) };
        let seconds = begun.elapsed().as_secs_f64();
        let (Task::Predict(task), words) = (&model.config().task, model.vocabulary().len()) else {
            return Ok(None);
        };
        let starts = [&[0], &task.cutoffs[..], &[words]].concat();
        let cluster = |(range, &(n, loss)): (&[usize], &(usize, f64))| Cluster {
            words: [range[0], range[1]],
            n,
            perplexity: (n > 0).then(|| loss.exp()),
        };
        let unknown = self.predicted().filter(|&id| id == 0).count();
        Ok(Some(Report {
            n: score.tokens,
            perplexity: score.perplexity(),
            loss: score.loss,
            unknown: unknown as f64 / self.words() as f64,
            tokens_per_second: score.tokens as f64 / seconds,
            clusters: starts.windows(2).zip(&score.bands).map(cluster).collect(),
            convention: self.convention(model),
        }))
    }

    fn convention(&self, model: &Model) -> String {
        let carried = match self.reset {
            Reset::Epoch => "state carried through the whole text",
            Reset::Document => "state carried through each document",
        };
        let vocabulary = model.vocabulary();
        let ends = vocabulary.contains(END) && self.predicted().any(|id| id == vocabulary.id(END));
        let end = if ends { "<eos> counted" } else { "no <eos>" };
        let first = match start(model) {
            Some(start) => format!("the first word predicted after {start:?}"),
            None => "the first word read and not predicted".into(),
        };
        format!("{carried}; {end}; <unk> a word like others; {first}")
    }
}

/// The word that a model's texts begin after.
fn start(model: &Model) -> Option<&str> {
    match &model.config().task {
        Task::Predict(task) => task.start.as_deref(),
        Task::Classify(_) | Task::Tag(_) | Task::Parse(_) | Task::Tree(_) => None,
    }
}
