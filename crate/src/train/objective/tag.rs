//! One label for every word.

use serde::Serialize;

use crate::device::{Device, EngineError};
use crate::graph::Graph;
use crate::model::{Dropouts, Head, Model, ReadError, Spelled, Tags, Watch};
use crate::train::batches::{Draws, by_length, runs};
use crate::train::config::{ConfigError, TrainConfig, check, check_number};
use crate::train::dealt::{deal, ready};

use super::{Before, Losses, Objective, Skimming};

/// A sentence, and the numbers of its words' tags.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TaggedText {
    /// Words and letters.
    pub words: Spelled,
    /// Tags.
    pub tags: Vec<u32>,
}

/// One label for every word.
///
/// - A batch is sentences of similar length.
/// - The loss is the mean cross entropy of the batch's words; of tags that are scored together, minus the logarithm of the
///   probability of all of them, over the number of words.
/// - A share of the words is read as `<unk>`, drawn anew for each epoch, so that letters and neighbours must do.
/// - No state is carried from batch to batch.
/// - Accuracy over all words is scored, and over those that the vocabulary lacks.
#[derive(Clone, Debug, PartialEq)]
pub struct Tag {
    dropouts: Dropouts,
    unknown: f32,
}

/// How well a model tags.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TagScore {
    /// Words.
    pub n: usize,
    /// Sentences.
    pub sentences: usize,
    /// Share of words that are given the right tag.
    pub accuracy: f64,
    /// How many words the vocabulary lacks.
    pub unknown: usize,
    /// Share of those that are given the right tag.
    pub unknown_accuracy: f64,
    /// Mean negative log-likelihood of the right tag.
    pub loss: f64,
}

impl TagScore {
    /// Adds the figures worth keeping to a model's record, under `{set}_accuracy` and `{set}_unknown_accuracy`.
    pub fn record(&self, set: &str, model: &mut Model) {
        let figures = &mut model.config_mut().training.figures;
        figures.insert(format!("{set}_accuracy"), self.accuracy);
        figures.insert(format!("{set}_unknown_accuracy"), self.unknown_accuracy);
    }
}

impl Tag {
    /// Reads a share `unknown` of the words as `<unk>`.
    ///
    /// # Errors
    /// If it is no share, or the network is to learn to skim.
    pub fn new(config: &TrainConfig, unknown: f32) -> Result<Self, ConfigError> {
        check_number("data.unknown", (0.0..1.0).contains(&unknown), "0 to below 1", unknown)?;
        check("train.skim", config.skim.is_none(), "none, to tag", "one")?;
        check("train.distill", config.distill.is_none(), "none, to tag", "one")?;
        Ok(Self { dropouts: config.dropouts(), unknown })
    }

    /// Scores alone.
    pub fn scoring() -> Self {
        Self { dropouts: Dropouts::default(), unknown: 0.0 }
    }
}

impl Objective for Tag {
    type Item = TaggedText;
    type Batch = Vec<TaggedText>;
    type Score = TagScore;
    const LOSSES: &'static [&'static str] = &["loss"];

    fn batches(&self, texts: &[TaggedText], size: usize, seed: u32, epoch: usize) -> Vec<Vec<TaggedText>> {
        let mut texts = texts.to_vec();
        read_as_unknown(texts.iter_mut().flat_map(|text| &mut text.words.ids), self.unknown, seed, epoch);
        by_length(texts, |text| text.tags.len(), size, seed, epoch)
    }

    fn words(&self, batch: &Vec<TaggedText>) -> impl Iterator<Item = u32> {
        batch.iter().flat_map(|text| text.words.ids.iter().copied())
    }

    fn split(&self, batch: &Vec<TaggedText>, most: usize) -> Vec<Vec<TaggedText>> {
        runs(batch, most, |text| text.tags.len())
    }

    fn weight(&self, batch: &Vec<TaggedText>) -> usize {
        batch.iter().map(|text| text.tags.len()).sum()
    }

    fn losses<'g>(
        &self,
        model: &Model,
        graph: &'g Graph,
        batch: &Vec<TaggedText>,
        _: &Before<'_, 'g>,
        _: Skimming,
    ) -> Losses<'g> {
        let logits = |text: &TaggedText| model.network().tag(graph, &text.words, self.dropouts);
        let tags: Vec<u32> = batch.iter().flat_map(|text| text.tags.iter().copied()).collect();
        let logits: Vec<_> = batch.iter().map(logits).collect();
        let loss = match &model.network().head {
            Head::Tag(head) if let Some(crf) = head.crf() => {
                let losses = batch.iter().zip(&logits).map(|(text, &scores)| crf.loss(scores, &text.tags));
                let losses: Vec<_> = losses.collect();
                graph.concat_rows(&losses).sum_rows().scale(1.0 / tags.len().max(1) as f32)
            }
            _ => graph.concat_rows(&logits).cross_entropy(&tags).mean_rows(),
        };
        Losses { total: loss, parts: vec![("loss", loss)], states: Vec::new() }
    }

    async fn score(
        &self,
        model: &Model,
        device: &Device,
        texts: &[TaggedText],
        go_on: impl FnMut(usize) -> bool,
    ) -> Result<Option<TagScore>, EngineError> {
        let words: Vec<Spelled> = texts.iter().map(|text| text.words.clone()).collect();
        let overflow = EngineError::Unsupported { op: "tag", reason: "the scores overflow" };
        let work = async |device: &Device, words: &[Spelled], go_on: &mut dyn FnMut(usize) -> bool| {
            model.tag_words(device, words, &mut Asking(go_on)).await
        };
        let Some(found) = each_text(device, &words, overflow, work, go_on).await? else { return Ok(None) };
        let (mut right, mut unknown, mut loss) = (0, [0, 0], 0.0);
        for (text, Tags { best, log_probabilities }) in texts.iter().zip(found) {
            let rows = log_probabilities.chunks_exact(model.config().task.labels().len());
            let words = text.words.ids.iter().zip(&text.tags);
            for ((&id, &tag), (best, row)) in words.zip(best.into_iter().zip(rows)) {
                let is_right = usize::from(best == tag as usize);
                right += is_right;
                loss -= f64::from(row[tag as usize]);
                if id == 0 {
                    unknown = [unknown[0] + 1, unknown[1] + is_right];
                }
            }
        }
        let n: usize = texts.iter().map(|text| text.tags.len()).sum();
        Ok(Some(TagScore {
            n,
            sentences: texts.len(),
            accuracy: right as f64 / n.max(1) as f64,
            unknown: unknown[0],
            unknown_accuracy: unknown[1] as f64 / unknown[0].max(1) as f64,
            loss: loss / n.max(1) as f64,
        }))
    }

    fn rank(&self, score: &TagScore) -> [f64; 3] {
        [score.accuracy, -score.loss, 0.0]
    }

    fn record(&self, score: &TagScore, set: &str, model: &mut Model) {
        score.record(set, model);
    }
}

/// Reads a share of the words as `<unk>`, drawn anew for each epoch.
pub(super) fn read_as_unknown<'a>(
    ids: impl Iterator<Item = &'a mut u32>,
    share: f32,
    seed: u32,
    epoch: usize,
) {
    const PARTS: usize = 1 << 20;
    let mut draws = Draws::new(seed, epoch, 6);
    let bound = (f64::from(share) * PARTS as f64) as usize;
    for id in ids {
        if draws.below(PARTS) < bound {
            *id = 0;
        }
    }
}

/// Asks whether to go on.
pub(super) struct Asking<F>(pub(super) F);

impl<F: FnMut(usize) -> bool> Watch for Asking<F> {
    async fn progress(&mut self, done: usize, _: usize) -> std::ops::ControlFlow<()> {
        if (self.0)(done) { std::ops::ControlFlow::Continue(()) } else { std::ops::ControlFlow::Break(()) }
    }
}

/// What `work` makes of each text, in order; none if `go_on`, which hears how many words are done, or texts where threads have
/// them dealt, stops it.
pub(super) async fn each_text<T: Sync, R: Send>(
    device: &Device,
    texts: &[T],
    overflow: EngineError,
    work: impl AsyncFn(&Device, &[T], &mut dyn FnMut(usize) -> bool) -> Result<Vec<R>, ReadError> + Sync,
    mut go_on: impl FnMut(usize) -> bool,
) -> Result<Option<Vec<R>>, EngineError> {
    let found = if device.threads().0 > 1 {
        let mut all = Vec::with_capacity(texts.len());
        let part = |device: &Device, texts: &[T]| ready(work(device, texts, &mut |_| true));
        deal(device, texts, part, |found| all.extend(found), go_on).map(|ended| ended.then_some(all))
    } else {
        work(device, texts, &mut go_on).await.map(Some)
    };
    match found {
        Ok(found) => Ok(found),
        Err(ReadError::Cancelled { .. }) => Ok(None),
        Err(ReadError::Engine(error)) => Err(error),
        Err(_) => Err(overflow),
    }
}
