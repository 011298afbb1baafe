//! Figures of a model on labelled texts.

use serde::Serialize;

use super::objective::Item;
use super::pass::pass;
use crate::device::{Device, EngineError};
use crate::model::{Model, Skims, Verdict};
use crate::nn::Flops;

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

/// Evaluates a model on a device, with hard decisions. `progress` is called with the number of texts done, and stops the
/// evaluation by returning false.
///
/// # Errors
/// If the engine fails.
pub async fn evaluate(
    model: &Model,
    device: &Device,
    items: &[Item],
    threshold: f32,
    progress: impl FnMut(usize) -> bool,
) -> Result<Option<Evaluation>, EngineError> {
    let mut right = 0usize;
    let (mut loss, mut decisions, mut skims) = (0.0f64, 0usize, 0usize);
    let mut flops = Flops::default();
    let count = |text: usize, Verdict { log_p, skims: layers }: Verdict| {
        let Item { ids, label, .. } = &items[text];
        let best = (0..log_p.len()).max_by(|a, b| log_p[*a].total_cmp(&log_p[*b]));
        right += usize::from(best == Some(*label as usize));
        loss -= f64::from(log_p[*label as usize]);
        decisions += ids.len() * layers.len();
        skims += layers.iter().map(Skims::count).sum::<usize>();
        flops = flops + model.network().flops(ids.len(), layers.iter().map(Skims::count));
    };
    let texts: Vec<&[u32]> = items.iter().map(|item| item.ids.as_slice()).collect();
    if !pass(model, device, &texts, threshold, count, progress).await? {
        return Ok(None);
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
