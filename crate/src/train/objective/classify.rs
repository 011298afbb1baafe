//! One label for a text.

use std::hash::{Hash, Hasher};

use crate::device::{Device, EngineError, Pool};
use crate::graph::Graph;
use crate::model::{Dropouts, Model};
use crate::nn::SkimControl;
use crate::train::batches::{Draws, by_length, runs};
use crate::train::config::{ConfigError, SkimLoss, Spans, TrainConfig, check};
use crate::train::distill::Distill;
use crate::train::evaluate::{Evaluation, evaluate};

use super::{Before, Losses, Objective, Skimming};

/// A text as word ids, and the number of its label.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item {
    /// Words.
    pub ids: Vec<u32>,
    /// Label.
    pub label: u32,
    /// Log-probability of every label by a teacher ([`teach`](crate::train::teach)).
    pub teacher: Option<Vec<f32>>,
}

/// Also of what the teacher says: its file may hold another by now.
impl Hash for Item {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.ids.hash(state);
        self.label.hash(state);
        self.teacher.iter().flatten().for_each(|score| score.to_bits().hash(state));
    }
}

/// One label for a text, and where a layer skims, how much is skimmed.
///
/// - A batch is texts of similar length, or pieces of texts.
/// - The loss is the mean cross entropy, of texts that a teacher has scored shared with its probabilities ([`Distill`]), and of
///   models that skim `gamma` times the mean of `1/T Σ -log p_skim`.
/// - No state is carried from batch to batch.
/// - Accuracy, skim rate and FLOP reduction are scored.
#[derive(Clone, Debug, PartialEq)]
pub struct Classify {
    dropouts: Dropouts,
    skim: Option<SkimLoss>,
    distill: Option<Distill>,
    last_tokens: usize,
    spans: Option<Spans>,
}

impl Classify {
    /// Learns from whole texts, from the last `last_tokens` tokens of each unless that is 0, or from pieces of texts.
    ///
    /// # Errors
    /// If the lengths of `spans` contradict each other, or `last_tokens` is given beside them.
    pub fn new(config: &TrainConfig, last_tokens: usize, spans: Option<Spans>) -> Result<Self, ConfigError> {
        if let Some(spans) = &spans {
            spans.validate()?;
            let none = config.distill.is_none();
            check(
                "train.distill",
                none,
                "none where data.spans is given: a teacher reads whole texts",
                "one",
            )?;
            check("data.last_tokens", last_tokens == 0, "0 where data.spans is given", last_tokens)?;
        }
        let (skim, distill) = (config.skim, config.distill.clone());
        Ok(Self { dropouts: config.dropouts(), skim, distill, last_tokens, spans })
    }

    /// What an epoch learns from.
    fn cut(&self, texts: &[Item], seed: u32, epoch: usize) -> Vec<Item> {
        let Some(spans) = self.spans else {
            let keep = if self.last_tokens == 0 { usize::MAX } else { self.last_tokens };
            let end = |item: &Item| Item {
                ids: item.ids[item.ids.len().saturating_sub(keep)..].to_vec(),
                ..item.clone()
            };
            return texts.iter().map(end).collect();
        };
        let mut draws = Draws::new(seed, epoch, 1);
        let mut pieces = Vec::new();
        for item in texts {
            // The first piece is cut at a random place, so that pieces begin elsewhere in every epoch.
            let mut start = 0;
            let mut length = 4 + draws.below(spans.max - 3);
            while start < item.ids.len() {
                let end = (start + length).min(item.ids.len());
                if end - start >= 4 || start == 0 {
                    pieces.push(Item { ids: item.ids[start..end].to_vec(), ..item.clone() });
                }
                start = end;
                let short = draws.below(1000) < (spans.short * 1000.0) as usize;
                length = if short {
                    4 + draws.below(spans.min - 3)
                } else {
                    spans.min + draws.below(spans.max - spans.min + 1)
                };
            }
        }
        pieces
    }
}

impl Objective for Classify {
    type Item = Item;
    type Batch = Vec<Item>;
    type Score = Evaluation;
    const LOSSES: &'static [&'static str] = &["loss", "skim loss"];

    fn batches(&self, texts: &[Item], size: usize, seed: u32, epoch: usize) -> Vec<Vec<Item>> {
        by_length(self.cut(texts, seed, epoch), |item| item.ids.len(), size, seed, epoch)
    }

    fn words(&self, batch: &Vec<Item>) -> impl Iterator<Item = u32> {
        batch.iter().flat_map(|item| item.ids.iter().copied())
    }

    fn split(&self, batch: &Vec<Item>, most: usize) -> Vec<Vec<Item>> {
        runs(batch, most, |item| item.ids.len())
    }

    fn weight(&self, batch: &Vec<Item>) -> usize {
        batch.len()
    }

    fn losses<'g>(
        &self,
        model: &Model,
        graph: &'g Graph,
        batch: &Vec<Item>,
        _: &Before<'_, 'g>,
        Skimming { weight, temperature }: Skimming,
    ) -> Losses<'g> {
        let control = match self.skim {
            Some(_) => SkimControl::Mix { temperature, noise: None },
            None => SkimControl::Decide { threshold: 1.0, force: &[] },
        };
        let (mut losses, mut skim_losses) = (Vec::new(), Vec::new());
        for item in batch {
            let out = model.network().classify(graph, &item.ids, control, self.dropouts);
            let of_label = out.logits.cross_entropy(&[item.label]);
            losses.push(match (&self.distill, &item.teacher) {
                (Some(distill), Some(teacher)) => distill.loss(out.logits, of_label, teacher),
                (Some(_), None) => {
                    let reason = "no teacher has scored a text";
                    graph.mistaken(EngineError::Unsupported { op: "distill", reason })
                }
                (None, _) => of_label,
            });
            skim_losses.extend(out.skims.iter().map(|skim| skim.loss()));
        }
        let mean = |losses: &[_]| graph.concat_rows(losses).pool(Pool::Mean);
        let loss = mean(&losses);
        let mut parts = vec![("loss", loss)];
        let total = match self.skim {
            Some(_) => {
                let skim_loss = mean(&skim_losses);
                parts.push(("skim loss", skim_loss));
                loss + skim_loss.scale(weight)
            }
            None => loss,
        };
        Losses { total, parts, states: Vec::new() }
    }

    async fn score(
        &self,
        model: &Model,
        device: &Device,
        texts: &[Item],
        go_on: impl FnMut(usize) -> bool,
    ) -> Result<Option<Evaluation>, EngineError> {
        evaluate(model, device, texts, model.threshold(), go_on).await
    }

    /// Enough skimming, then accuracy, then loss.
    fn rank(&self, score: &Evaluation) -> [f64; 3] {
        let qualified = self.skim.is_none_or(|skim| score.skim_rate >= skim.min_rate);
        [f64::from(u8::from(qualified)), score.accuracy, -score.loss]
    }

    fn record(&self, score: &Evaluation, set: &str, model: &mut Model) {
        score.record(set, model);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_texts_and_keep_to_their_lengths() {
        let items: Vec<Item> =
            (0..501).map(|i| Item { ids: (0..i % 90).collect(), ..Item::default() }).collect();
        let spans = Spans { min: 20, max: 60, short: 0.2 };
        let task = Classify::new(&TrainConfig::new(8, 1, 0.1), 0, Some(spans)).unwrap();
        let pieces = task.cut(&items, 3, 0);
        assert!(pieces.iter().all(|p| p.ids.len() <= 60));
        let (total, kept) = (|v: &[Item]| v.iter().map(|i| i.ids.len()).sum::<usize>(), pieces.len());
        assert!(total(&pieces) > total(&items) * 9 / 10 && kept > 500);
        assert_ne!(pieces, task.cut(&items, 3, 1));
    }

    #[test]
    fn enough_skimming_comes_before_accuracy_and_accuracy_before_loss() {
        let skim = SkimLoss { gamma: 0.1, temperature_rate: 1e-3, rise: 0, min_rate: 0.5 };
        let task = |skim| {
            let config = TrainConfig { skim, ..TrainConfig::new(8, 1, 0.1) };
            Classify::new(&config, 0, None).unwrap()
        };
        let score =
            |skim_rate, accuracy, loss| Evaluation { skim_rate, accuracy, loss, ..Evaluation::default() };
        let better = |skim, a: Evaluation, b: Evaluation| task(skim).rank(&a) > task(skim).rank(&b);
        assert!(better(Some(skim), score(0.5, 0.1, 9.0), score(0.4, 0.9, 0.1)));
        assert!(better(None, score(0.0, 0.9, 9.0), score(0.0, 0.8, 0.1)));
        assert!(better(None, score(0.0, 0.9, 0.1), score(0.0, 0.9, 0.2)));
        assert!(!better(None, score(0.0, 0.9, 0.1), score(0.0, 0.9, 0.1)));
    }
}
