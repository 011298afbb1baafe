//! The next word, by truncated back-propagation: a text is read a few words at a time, and each piece begins with the
//! state that the one before left, as values without a gradient.

use serde::{Deserialize, Serialize};

use crate::device::{Device, EngineError};
use crate::graph::{Expr, Graph, Strategy};
use crate::model::{Dropouts, Model};
use crate::nn::{AdaptiveSoftmax, SkimControl};
use crate::train::batches::{Draws, runs};
use crate::train::carried::Carried;
use crate::train::config::{ConfigError, TrainConfig, check};

use super::{Before, Losses, Objective, Skimming};

#[cfg(not(target_arch = "wasm32"))]
mod ahead;

/// What begins with a state of zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reset {
    /// An epoch: the documents, end to end, are one text, cut into as many equal lanes as a batch has.
    #[default]
    Epoch,
    /// A document: a lane reads one to its end and then another, in an order drawn for each epoch.
    Document,
}

/// The next word after every word.
///
/// - An item is a document, as word ids; its first word is read, and not predicted.
/// - A batch is the next `steps` words of every lane, fewer where a document ends.
/// - The loss is the mean of `-log p` of the next word, in nats a word.
/// - A lane's state goes from batch to batch.
/// - Loss and perplexity are scored, with the state carried through the text or the document.
#[derive(Clone, Debug)]
pub struct Predict {
    dropouts: Dropouts,
    steps: usize,
    reset: Reset,
    lanes: usize,
}

/// Words that are scored in one go, of all lanes: a longer piece gives larger products, and takes more memory.
const SCORED: usize = 1024;

/// What one step reads: pieces of different lanes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pieces(Vec<Piece>);

/// Words in a row, and for each the word after it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    words: Vec<u32>,
    next: Vec<u32>,
    /// The piece of the batch before that it continues; none at the beginning.
    continues: Option<usize>,
}

/// How well a model predicts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PredictionScore {
    /// Words that were predicted.
    pub tokens: usize,
    /// Nats a word.
    pub loss: f64,
    /// Of the head's words and of every tail's: how many were predicted, and nats a word.
    pub bands: Vec<(usize, f64)>,
}

impl PredictionScore {
    /// `exp` of the loss.
    pub fn perplexity(&self) -> f64 {
        self.loss.exp()
    }

    /// Adds the figures worth keeping to a model's record, under `{set}_loss`, `{set}_tokens` and, unless it is beyond all
    /// numbers, `{set}_perplexity`.
    pub fn record(&self, set: &str, model: &mut Model) {
        let figures = &mut model.config_mut().training.figures;
        figures.insert(format!("{set}_loss"), self.loss);
        figures.insert(format!("{set}_tokens"), self.tokens as f64);
        if self.perplexity().is_finite() {
            figures.insert(format!("{set}_perplexity"), self.perplexity());
        }
    }
}

impl Predict {
    /// Reads `steps` words a batch of every lane.
    ///
    /// # Errors
    /// If there are no steps, or the network is to learn to skim.
    pub fn new(config: &TrainConfig, steps: usize, reset: Reset) -> Result<Self, ConfigError> {
        check("data.steps", steps > 0, "at least 1", steps)?;
        check("train.skim", config.skim.is_none(), "none, to predict", "one")?;
        let lanes = config.batch.max(1);
        Ok(Self { dropouts: config.dropouts(), steps, reset, lanes })
    }

    /// Scores alone: of one text with its state carried through it, or of documents side by side.
    pub fn scoring(reset: Reset) -> Self {
        Self { dropouts: Dropouts::default(), steps: 1, reset, lanes: 16 }
    }

    /// Batches of `lanes` lanes, `steps` words of each, over documents in the order given.
    fn cut<'t>(
        &self,
        documents: impl Iterator<Item = &'t Vec<u32>>,
        lanes: usize,
        steps: usize,
    ) -> Vec<Pieces> {
        match self.reset {
            Reset::Epoch => {
                let text = documents.flatten().copied().collect::<Vec<u32>>();
                // Every lane but the last word, which nothing follows, and what does not fill all lanes.
                let words = text.len().saturating_sub(1) / lanes;
                if words == 0 {
                    return Vec::new();
                }
                let mut lanes = (0..lanes).map(|lane| &text[lane * words..=(lane + 1) * words]);
                in_step(lanes.len(), steps, || lanes.next())
            }
            Reset::Document => {
                let mut documents = documents.filter(|document| document.len() > 1).map(Vec::as_slice);
                in_step(lanes, steps, || documents.next())
            }
        }
    }
}

/// Batches of `count` lanes, `steps` words of each. A lane asks for a text when it has none, and ends when it
/// gets none.
fn in_step<'t>(count: usize, steps: usize, mut next: impl FnMut() -> Option<&'t [u32]>) -> Vec<Pieces> {
    struct Lane<'t> {
        text: &'t [u32],
        read: usize,
        /// Its piece in the batch before.
        piece: usize,
    }
    let mut lanes: Vec<Lane<'t>> =
        (0..count).map_while(|_| next()).map(|text| Lane { text, read: 0, piece: 0 }).collect();
    let mut batches = Vec::new();
    loop {
        let mut pieces = Vec::new();
        for lane in &mut lanes {
            let end = (lane.read + steps).min(lane.text.len().saturating_sub(1));
            if lane.read < end {
                pieces.push(Piece {
                    words: lane.text[lane.read..end].to_vec(),
                    next: lane.text[lane.read + 1..end + 1].to_vec(),
                    continues: (lane.read > 0).then_some(lane.piece),
                });
                (lane.read, lane.piece) = (end, pieces.len() - 1);
            }
        }
        if pieces.is_empty() {
            return batches;
        }
        batches.push(Pieces(pieces));
        lanes.retain_mut(|lane| {
            if lane.read + 1 < lane.text.len() {
                return true;
            }
            next().is_some_and(|text| {
                (lane.text, lane.read) = (text, 0);
                true
            })
        });
    }
}

/// Records pieces from the states that those before left: the rows that predict their words, and the states.
fn encode<'g>(
    model: &Model,
    graph: &'g Graph,
    pieces: &[Piece],
    before: &Before<'_, 'g>,
    dropouts: Dropouts,
) -> (Expr<'g>, Vec<Vec<Expr<'g>>>) {
    let (mut rows, mut states) = (Vec::new(), Vec::new());
    for piece in pieces {
        let state = piece.continues.map_or_else(Vec::new, before);
        let control = SkimControl::Decide { threshold: model.threshold(), force: &[] };
        let output = model.network().encoder.encode(graph, &piece.words, state, control, dropouts);
        rows.push(output.rows.dropout(dropouts.head, dropouts.encoder_per_sequence));
        states.push(output.state);
    }
    (graph.concat_rows(&rows), states)
}

/// Records the losses of all words of pieces, from the rows that predict them.
fn losses<'g>(model: &Model, graph: &'g Graph, rows: Expr<'g>, pieces: &[Piece]) -> Expr<'g> {
    let next: Vec<u32> = pieces.iter().flat_map(|piece| &piece.next).copied().collect();
    match model.network().head.softmax() {
        Some(softmax) => softmax.cross_entropy(rows, &next),
        None => {
            let reason = "the model's task is another";
            graph.mistaken(EngineError::Unsupported { op: "predict", reason })
        }
    }
}

/// Nats of words, summed by the cluster of the word.
#[derive(Default)]
struct Sums(Vec<(usize, f64)>);

impl Sums {
    fn add(&mut self, model: &Model, pieces: &[Piece], losses: &[f32]) {
        let softmax = model.network().head.softmax();
        self.0.resize(1 + softmax.map_or(0, AdaptiveSoftmax::clusters), (0, 0.0));
        let next = pieces.iter().flat_map(|piece| &piece.next);
        for (&word, &loss) in next.zip(losses) {
            let tail = softmax.and_then(|softmax| softmax.cluster_of(word));
            let (count, sum) = &mut self.0[tail.map_or(0, |tail| tail + 1)];
            (*count, *sum) = (*count + 1, *sum + f64::from(loss));
        }
    }

    fn score(self) -> PredictionScore {
        let mean = |(count, sum): (usize, f64)| if count == 0 { 0.0 } else { sum / count as f64 };
        let all = self.0.iter().fold((0, 0.0), |all, band| (all.0 + band.0, all.1 + band.1));
        let bands = self.0.iter().map(|&band| (band.0, mean(band))).collect();
        PredictionScore { tokens: all.0, loss: mean(all), bands }
    }
}

impl Objective for Predict {
    type Item = Vec<u32>;
    type Batch = Pieces;
    type Score = PredictionScore;
    const LOSSES: &'static [&'static str] = &["loss"];

    fn batches(&self, texts: &[Vec<u32>], size: usize, seed: u32, epoch: usize) -> Vec<Pieces> {
        let mut order: Vec<usize> = (0..texts.len()).collect();
        if self.reset == Reset::Document {
            Draws::new(seed, epoch, 4).shuffle(&mut order);
        }
        self.cut(order.into_iter().map(|number| &texts[number]), size, self.steps)
    }

    fn words(&self, batch: &Pieces) -> impl Iterator<Item = u32> {
        batch.0.iter().flat_map(|piece| piece.words.iter().copied())
    }

    fn split(&self, batch: &Pieces, most: usize) -> Vec<Pieces> {
        runs(&batch.0, most, |piece| piece.words.len()).into_iter().map(Pieces).collect()
    }

    fn weight(&self, batch: &Pieces) -> usize {
        batch.0.iter().map(|piece| piece.words.len()).sum()
    }

    fn losses<'g>(
        &self,
        model: &Model,
        graph: &'g Graph,
        batch: &Pieces,
        before: &Before<'_, 'g>,
        _: Skimming,
    ) -> Losses<'g> {
        let (rows, states) = encode(model, graph, &batch.0, before, self.dropouts);
        let loss = losses(model, graph, rows, &batch.0).mean_rows();
        Losses { total: loss, parts: vec![("loss", loss)], states }
    }

    async fn score(
        &self,
        model: &Model,
        device: &Device,
        texts: &[Vec<u32>],
        mut go_on: impl FnMut(usize) -> bool,
    ) -> Result<Option<PredictionScore>, EngineError> {
        // One text has one state; documents have theirs, and may be read side by side.
        let lanes = if self.reset == Reset::Epoch { 1 } else { self.lanes };
        let batches = self.cut(texts.iter(), lanes, (SCORED / lanes).max(self.steps));
        #[cfg(not(target_arch = "wasm32"))]
        if device.threads().0 > 1 {
            return ahead::score(model, device, &batches, go_on);
        }
        let (mut carried, mut sums, mut done) = (Carried::default(), Sums::default(), 0);
        for Pieces(pieces) in &batches {
            let graph = Graph::inference(model.parameters(), device, Strategy::Levels);
            let before = |piece| carried.record(&graph, piece);
            let (rows, states) = encode(model, &graph, pieces, &before, Dropouts::default());
            let losses = losses(model, &graph, rows, pieces).value().await?;
            carried = Carried::hold(&states)?;
            sums.add(model, pieces, &losses);
            done += losses.len();
            if !go_on(done) {
                return Ok(None);
            }
        }
        Ok(Some(sums.score()))
    }

    fn rank(&self, score: &PredictionScore) -> [f64; 3] {
        [-score.loss, 0.0, 0.0]
    }

    fn record(&self, score: &PredictionScore, set: &str, model: &mut Model) {
        score.record(set, model);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objective(steps: usize, reset: Reset) -> Predict {
        Predict::new(&TrainConfig::new(3, 1, 0.1), steps, reset).expect("the config is valid")
    }

    /// The words that every lane reads, put together by what its pieces continue, with the words after them.
    fn lanes(batches: &[Pieces]) -> Vec<Vec<u32>> {
        let (mut lanes, mut before): (Vec<Vec<u32>>, Vec<usize>) = Default::default();
        for Pieces(pieces) in batches {
            let mut now = Vec::new();
            for Piece { words, next, continues } in pieces {
                let lane = match continues {
                    Some(piece) => before[*piece],
                    None => {
                        lanes.push(vec![words[0]]);
                        lanes.len() - 1
                    }
                };
                assert_eq!((lanes[lane].last(), words.len()), (words.first(), next.len()));
                assert_eq!(words[1..], next[..next.len() - 1]);
                lanes[lane].extend(next);
                now.push(lane);
            }
            before = now;
        }
        lanes
    }

    #[test]
    fn a_text_is_cut_into_equal_lanes() {
        let documents: Vec<Vec<u32>> = vec![(0..10).collect(), (10..12).collect(), (12..23).collect()];
        let batches = objective(4, Reset::Epoch).batches(&documents, 3, 0, 0);
        // 22 words are followed by another: 7 for each lane, and one that is left out.
        assert_eq!(batches.iter().map(|batch| batch.0.len()).collect::<Vec<_>>(), [3, 3]);
        assert_eq!(batches[1].0[2].words, [18, 19, 20]);
        let all = lanes(&batches);
        assert_eq!(all, [(0..8).collect::<Vec<u32>>(), (7..15).collect(), (14..22).collect()]);
    }

    #[test]
    fn documents_have_lanes_of_their_own() {
        let documents: Vec<Vec<u32>> =
            [0..9, 10..11, 20..20, 30..42, 50..52, 60..65].map(|words| words.collect()).to_vec();
        let task = objective(4, Reset::Document);
        let batches = task.batches(&documents, 2, 5, 0);
        assert!(batches.iter().all(|batch| batch.0.len() <= 2));
        let mut all = lanes(&batches);
        all.sort();
        // Those of one word and of none predict nothing.
        let expected: Vec<Vec<u32>> = [0..9, 30..42, 50..52, 60..65].map(|words| words.collect()).to_vec();
        assert_eq!(all, expected);
        assert_ne!(batches, task.batches(&documents, 2, 5, 1));
        assert_eq!(batches, task.batches(&documents, 2, 5, 0));
    }

    #[test]
    fn what_is_too_short_is_no_batch() {
        for reset in [Reset::Epoch, Reset::Document] {
            for documents in [vec![], vec![vec![]], vec![vec![7]]] {
                assert!(objective(4, reset).batches(&documents, 3, 0, 0).is_empty(), "{documents:?}");
            }
        }
        // In no more time, or memory, than the text takes.
        assert!(objective(4, Reset::Epoch).batches(&[vec![7; 9]], usize::MAX, 0, 0).is_empty());
        assert!(Predict::new(&TrainConfig::new(3, 1, 0.1), 0, Reset::Epoch).is_err());
    }
}
