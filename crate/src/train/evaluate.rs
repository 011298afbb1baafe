//! Figures of a model on labelled texts.

use serde::Serialize;

use super::corpus::Item;
use crate::device::{Device, EngineError};
use crate::graph::{Graph, Strategy};
use crate::model::{Dropouts, Model};
use crate::nn::{Flops, SkimControl};

/// What a model reaches. Skim rate and FLOP reduction are totals over all tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Evaluation {
    /// Texts.
    pub n: usize,
    /// Tokens of all texts.
    pub tokens: usize,
    /// Share of texts whose likeliest label is right.
    pub accuracy: f64,
    /// Mean negative log-likelihood of the right label.
    pub loss: f64,
    /// Share of decisions that were to skim; 0 in a model that does not decide.
    pub skim_rate: f64,
    /// FLOPs had every token been read, over FLOPs spent ([`Flops`]).
    pub flop_reduction: f64,
}

impl Evaluation {
    /// Adds the figures worth keeping to a model's record, under `{set}_accuracy` and, of a model that skims,
    /// `{set}_skim_rate` and `{set}_flop_reduction`.
    pub fn record(&self, set: &str, model: &mut Model) {
        let skims = model.skims();
        let figures = &mut model.config_mut().training.figures;
        figures.insert(format!("{set}_accuracy"), self.accuracy);
        if skims {
            figures.insert(format!("{set}_skim_rate"), self.skim_rate);
            figures.insert(format!("{set}_flop_reduction"), self.flop_reduction);
        }
    }
}

/// How many texts run together: their rows share one matrix product.
const TEXTS_TOGETHER: usize = 32;

/// Evaluates a model on a device, with hard decisions. `progress` is called with the number of texts done, and stops the
/// evaluation by returning false.
///
/// # Errors
/// If the engine fails.
pub async fn evaluate<D: Device>(
    model: &Model,
    device: &D,
    items: &[Item],
    threshold: f32,
    mut progress: impl FnMut(usize) -> bool,
) -> Result<Option<Evaluation>, EngineError> {
    let mut right = 0usize;
    let (mut loss, mut decisions, mut skims) = (0.0f64, 0usize, 0usize);
    let mut flops = Flops::default();
    // Texts of similar length run together.
    let mut order: Vec<&Item> = items.iter().collect();
    order.sort_by_key(|item| item.ids.len());
    let mut done = 0;
    for batch in order.chunks(TEXTS_TOGETHER) {
        let graph = Graph::inference(model.parameters(), device, Strategy::Agenda);
        let control = SkimControl::Decide { threshold, force: &[] };
        let mut wanted = Vec::new();
        for item in batch {
            let out = model.network().classify(&graph, &item.ids, control, Dropouts::default());
            wanted.push(out.logits.log_softmax());
            wanted.extend(out.skims.iter().map(|skim| skim.decisions));
        }
        let values = graph.values(&wanted).await?;
        for (item, values) in batch.iter().zip(values.chunks(wanted.len() / batch.len())) {
            let (log_p, layers) = (&values[0], &values[1..]);
            let best = (0..log_p.len()).max_by(|a, b| log_p[*a].total_cmp(&log_p[*b]));
            right += usize::from(best == Some(item.label as usize));
            loss -= f64::from(log_p[item.label as usize]);
            let skimmed = layers.iter().map(|choices| choices.iter().filter(|d| **d > 0.5).count());
            let skimmed: Vec<usize> = skimmed.collect();
            decisions += layers.iter().map(Vec::len).sum::<usize>();
            skims += skimmed.iter().sum::<usize>();
            flops = flops + model.network().flops(item.ids.len(), skimmed.into_iter());
        }
        done += batch.len();
        if !progress(done) {
            return Ok(None);
        }
    }
    let n = items.len().max(1) as f64;
    Ok(Some(Evaluation {
        n: items.len(),
        tokens: items.iter().map(|item| item.ids.len()).sum(),
        accuracy: right as f64 / n,
        loss: loss / n,
        skim_rate: skims as f64 / decisions.max(1) as f64,
        flop_reduction: flops.reduction(),
    }))
}
