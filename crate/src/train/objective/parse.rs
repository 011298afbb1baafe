//! A tree over the words of a sentence.

use serde::Serialize;

use super::tag::{Asking, each_text, read_as_unknown};
use super::{Before, Losses, Objective, Skimming};
use crate::cpu::noise;
use crate::device::{Device, EngineError};
use crate::graph::{Expr, Graph};
use crate::model::{Configuration, Dropouts, Model, SLOTS, Spelled, Transition};
use crate::train::batches::{by_length, runs};
use crate::train::config::{ConfigError, TrainConfig, check, check_number};
use crate::train::dealt::ready;
use crate::train::oracle::cost;

/// A sentence and its tree.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ParsedText {
    /// Words and letters.
    pub words: Spelled,
    /// The numbers of the words' tags.
    pub tags: Vec<u32>,
    /// The number of each word's head, from 0; the number of words stands for the root.
    pub heads: Vec<u32>,
    /// The number of each word's relation, that of the root behind the model's; none of one that the model has not.
    pub relations: Vec<Option<u32>>,
}

/// Sentences to learn from together, and how a parser goes through them.
#[derive(Clone, Debug, PartialEq)]
pub struct ParsedBatch {
    texts: Vec<ParsedText>,
    /// The share of transitions that are the parser's own, be they right or wrong.
    explore: f32,
}

/// A tree over the words of a sentence, and a tag for every word.
///
/// - A batch is sentences of similar length; a share of the words is read as `<unk>`, drawn anew for each epoch.
/// - The parser goes through each sentence by its own scores: in the first epoch by the best transition of those that cost
///   nothing, later in a share of its steps by its best of all, so that it learns what to do after a mistake.
/// - The loss is the mean, over the transitions there were, of -log of the probability of those that cost nothing (a dynamic
///   oracle), and the mean cross entropy of the tags. Where several threads or workers learn a part of a batch each, both are
///   means of the parts', by their words.
/// - What it reads of tags is what it expects itself, in training as later.
/// - LAS decides, then UAS, then the accuracy of tags. All words count, punctuation too.
#[derive(Clone, Debug, PartialEq)]
pub struct Parse {
    dropouts: Dropouts,
    unknown: f32,
    explore: f32,
}

/// How well a model parses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ParseScore {
    /// Words.
    pub n: usize,
    /// Sentences.
    pub sentences: usize,
    /// Share of words with the right head.
    pub uas: f64,
    /// Share of words with the right head and the right relation to it.
    pub las: f64,
    /// Share of words whose likeliest tag is right.
    pub accuracy: f64,
}

impl ParseScore {
    /// Adds the figures worth keeping to a model's record, under `{set}_uas`, `{set}_las` and `{set}_accuracy`.
    pub fn record(&self, set: &str, model: &mut Model) {
        let figures = &mut model.config_mut().training.figures;
        for (name, figure) in [("uas", self.uas), ("las", self.las), ("accuracy", self.accuracy)] {
            figures.insert(format!("{set}_{name}"), figure);
        }
    }
}

impl Parse {
    /// Reads a share `unknown` of the words as `<unk>`, and goes its own way in a share `explore` of the transitions.
    ///
    /// # Errors
    /// If one is no share, or the network is to learn to skim.
    pub fn new(config: &TrainConfig, unknown: f32, explore: f32) -> Result<Self, ConfigError> {
        check_number("data.unknown", (0.0..1.0).contains(&unknown), "0 to below 1", unknown)?;
        check_number("task.parse.explore", (0.0..=1.0).contains(&explore), "0 to 1", explore)?;
        check("train.skim", config.skim.is_none(), "none, to parse", "one")?;
        check("train.distill", config.distill.is_none(), "none, to parse", "one")?;
        Ok(Self { dropouts: config.dropouts(), unknown, explore })
    }

    /// Scores alone.
    pub fn scoring() -> Self {
        Self { dropouts: Dropouts::default(), unknown: 0.0, explore: 0.0 }
    }
}

/// Where a parser decided, and what would have been right.
#[derive(Default)]
struct Decided {
    places: Vec<[u32; SLOTS]>,
    /// A row each: 0 for what was possible, and for those of them that cost least; otherwise [`NEVER`].
    possible: Vec<f32>,
    right: Vec<f32>,
}

/// Added to a score, it leaves no probability.
const NEVER: f32 = -1e4;

impl Decided {
    /// Takes note of a place, and decides.
    fn decide(
        &mut self,
        at: &Configuration,
        scores: &[f32],
        text: &ParsedText,
        explores: bool,
    ) -> Transition {
        let costs = at.numbered().map(|transition| {
            at.allows(transition).then(|| cost(at, &text.heads, transition) + mislabels(at, text, transition))
        });
        let costs: Vec<Option<usize>> = costs.collect();
        let least = costs.iter().flatten().min().copied();
        let is_right = |place: usize| costs[place].is_some() && costs[place] == least;
        self.places.push(at.slots());
        self.possible.extend(costs.iter().map(|cost| if cost.is_some() { 0.0 } else { NEVER }));
        self.right.extend((0..costs.len()).map(|place| if is_right(place) { 0.0 } else { NEVER }));
        let open = |place: &usize| if explores { costs[*place].is_some() } else { is_right(*place) };
        let best = (0..costs.len()).filter(open).max_by(|a, b| scores[*a].total_cmp(&scores[*b]));
        at.numbered().nth(best.unwrap_or(0)).unwrap_or(Transition::Shift)
    }

    /// -log of the probability of what was right, for each place.
    fn losses<'g>(&self, scores: Expr<'g>) -> Expr<'g> {
        let (graph, columns) = (scores.graph(), self.possible.len() / self.places.len().max(1));
        let among =
            |mask: &[f32]| (scores + graph.input(self.places.len(), columns, mask.to_vec())).log_sum_exp();
        among(&self.possible) - among(&self.right)
    }
}

/// 1 for an arc of another relation than the word's: where a word's head is lost, its relation is yet learned.
fn mislabels(at: &Configuration, text: &ParsedText, transition: Transition) -> usize {
    let (Transition::Left(relation) | Transition::Right(relation)) = transition else { return 0 };
    let known = at.stack().last().and_then(|&top| text.relations[top as usize]);
    usize::from(known.is_some_and(|known| known != relation))
}

impl Objective for Parse {
    type Item = ParsedText;
    type Batch = ParsedBatch;
    type Score = ParseScore;
    const LOSSES: &'static [&'static str] = &["loss", "tags"];

    fn batches(&self, texts: &[ParsedText], size: usize, seed: u32, epoch: usize) -> Vec<ParsedBatch> {
        let mut texts = texts.to_vec();
        read_as_unknown(texts.iter_mut().flat_map(|text| &mut text.words.ids), self.unknown, seed, epoch);
        let explore = if epoch == 0 { 0.0 } else { self.explore };
        let batches = by_length(texts, |text| text.tags.len(), size, seed, epoch);
        batches.into_iter().map(|texts| ParsedBatch { texts, explore }).collect()
    }

    fn words(&self, batch: &ParsedBatch) -> impl Iterator<Item = u32> {
        batch.texts.iter().flat_map(|text| text.words.ids.iter().copied())
    }

    fn split(&self, batch: &ParsedBatch, most: usize) -> Vec<ParsedBatch> {
        let texts = runs(&batch.texts, most, |text| text.tags.len());
        texts.into_iter().map(|texts| ParsedBatch { texts, ..*batch }).collect()
    }

    fn weight(&self, batch: &ParsedBatch) -> usize {
        batch.texts.iter().map(|text| text.tags.len()).sum()
    }

    fn losses<'g>(
        &self,
        model: &Model,
        graph: &'g Graph,
        batch: &ParsedBatch,
        _: &Before<'_, 'g>,
        _: Skimming,
    ) -> Losses<'g> {
        /// No node has this number.
        const STREAM: u32 = u32::MAX - 1;
        let texts: Vec<&ParsedText> = batch.texts.iter().filter(|text| !text.tags.is_empty()).collect();
        let read = |text: &&ParsedText| model.network().parse(graph, &text.words, self.dropouts);
        let reads: Vec<_> = texts.iter().filter_map(read).collect();
        let programs =
            reads.iter().zip(&texts).enumerate().map(|(number, ((head, read), text))| async move {
                let (mut decided, mut step) = (Decided::default(), 0);
                let stream = noise::bits(STREAM, number as u32, 0);
                let walk = head.walk(read, |at, scores| {
                    step += 1;
                    let explores = noise::uniform(graph.seed(), stream, step) < batch.explore;
                    decided.decide(at, scores, text, explores)
                });
                walk.await.map(|_| decided)
            });
        let waits = || EngineError::Unsupported { op: "parse", reason: "a browser's GPU answers later" };
        let walked = ready(graph.join(programs)).ok_or_else(waits);
        let walked = walked.and_then(|walked| walked.into_iter().collect::<Result<Vec<Decided>, _>>());
        let decided = match walked {
            Ok(decided) => decided,
            Err(error) => {
                let total = graph.mistaken(error);
                return Losses { total, parts: Vec::new(), states: Vec::new() };
            }
        };
        let with_places = reads.iter().zip(&decided).filter(|(_, decided)| !decided.places.is_empty());
        let losses: Vec<_> = with_places
            .map(|((head, read), decided)| decided.losses(head.scores(read, &decided.places)))
            .collect();
        let tags: Vec<u32> = texts.iter().flat_map(|text| text.tags.iter().copied()).collect();
        let scores: Vec<_> = reads.iter().map(|(_, read)| read.tags).collect();
        let tagging = graph.concat_rows(&scores).cross_entropy(&tags).mean_rows();
        let (total, parts) = match &losses[..] {
            [] => (tagging, vec![("tags", tagging)]),
            losses => {
                let loss = graph.mean(losses);
                (loss + tagging, vec![("loss", loss), ("tags", tagging)])
            }
        };
        Losses { total, parts, states: Vec::new() }
    }

    async fn score(
        &self,
        model: &Model,
        device: &Device,
        texts: &[ParsedText],
        go_on: impl FnMut(usize) -> bool,
    ) -> Result<Option<ParseScore>, EngineError> {
        let words: Vec<Spelled> = texts.iter().map(|text| text.words.clone()).collect();
        let overflow = EngineError::Unsupported { op: "parse", reason: "the scores overflow" };
        let work = async |device: &Device, words: &[Spelled], go_on: &mut dyn FnMut(usize) -> bool| {
            model.parse_words(device, words, &mut Asking(go_on)).await
        };
        let Some(trees) = each_text(device, &words, overflow, work, go_on).await? else { return Ok(None) };
        let (mut n, mut heads, mut relations, mut tags) = (0, 0, 0, 0);
        for (text, tree) in texts.iter().zip(trees) {
            let labels = tree.tags.len() / text.tags.len().max(1);
            for (word, row) in tree.tags.chunks_exact(labels.max(1)).enumerate() {
                let best = (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b]));
                let is_attached = tree.heads[word] == text.heads[word];
                let is_named = Some(tree.relations[word]) == text.relations[word];
                n += 1;
                tags += usize::from(best == Some(text.tags[word] as usize));
                heads += usize::from(is_attached);
                relations += usize::from(is_attached && is_named);
            }
        }
        let share = |count: usize| count as f64 / n.max(1) as f64;
        let (uas, las, accuracy) = (share(heads), share(relations), share(tags));
        Ok(Some(ParseScore { n, sentences: texts.len(), uas, las, accuracy }))
    }

    fn rank(&self, score: &ParseScore) -> [f64; 3] {
        [score.las, score.uas, score.accuracy]
    }

    fn record(&self, score: &ParseScore, set: &str, model: &mut Model) {
        score.record(set, model);
    }
}
