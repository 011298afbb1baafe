//! One pass of a model over many texts, with hard decisions.

use crate::device::{Device, EngineError};
use crate::graph::{Graph, Strategy};
use crate::model::{Dropouts, Model};
use crate::nn::SkimControl;

/// What a model makes of one text.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Log-probability of every label.
    pub log_p: Vec<f32>,
    /// What every Skim layer decided, in order; empty of a model without one.
    pub skims: Vec<Skims>,
}

/// What a Skim layer decided, token by token.
#[derive(Clone, Debug, PartialEq)]
pub struct Skims {
    /// 1 where it skimmed, 0 where it read.
    pub decisions: Vec<f32>,
    /// Its probability of skimming.
    pub probability: Vec<f32>,
}

impl Skims {
    /// How many tokens were skimmed.
    pub fn count(&self) -> usize {
        self.decisions.iter().filter(|decision| **decision > 0.5).count()
    }
}

/// How many texts run together: their rows share one matrix product.
const TEXTS_TOGETHER: usize = 32;

/// Reads texts, given as word ids, and hands each verdict to `each` with the text's number. Texts come in the order of
/// their lengths, so that similar ones run together. `progress` is called with the number of texts done, and stops the
/// pass by returning false; the result says whether the pass came to its end.
///
/// # Errors
/// If the engine fails.
pub async fn pass(
    model: &Model,
    device: &Device,
    texts: &[&[u32]],
    threshold: f32,
    mut each: impl FnMut(usize, Verdict),
    mut progress: impl FnMut(usize) -> bool,
) -> Result<bool, EngineError> {
    let mut order: Vec<usize> = (0..texts.len()).collect();
    order.sort_by_key(|&text| texts[text].len());
    let mut done = 0;
    for batch in order.chunks(TEXTS_TOGETHER) {
        let graph = Graph::inference(model.parameters(), device, Strategy::Agenda);
        let control = SkimControl::Decide { threshold, force: &[] };
        let mut wanted = Vec::new();
        for &text in batch {
            let out = model.network().classify(&graph, texts[text], control, Dropouts::default());
            wanted.push(out.logits.log_softmax());
            for skim in &out.skims {
                wanted.extend([skim.decisions, skim.logits.softmax().columns(1..2)]);
            }
        }
        let mut values = graph.values(&wanted).await?.into_iter();
        let layers = (wanted.len() / batch.len() - 1) / 2;
        let mut next = || values.next().expect("the graph gives a value for each expression");
        for &text in batch {
            let log_p = next();
            let skims = (0..layers).map(|_| Skims { decisions: next(), probability: next() }).collect();
            each(text, Verdict { log_p, skims });
        }
        done += batch.len();
        if !progress(done) {
            return Ok(false);
        }
    }
    Ok(true)
}
