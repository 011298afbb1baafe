//! One pass of a model over many texts, with hard decisions.

use super::dealt::{deal, ready};
use crate::cpu::order::argsort;
use crate::device::{Device, EngineError};
use crate::model::{Batches, Model, Verdict};

/// Reads texts, given as word ids, and hands each verdict to `each` with the text's number. Texts come in the order of
/// their lengths, so that similar ones run together. `progress` is called with the number of texts done, and stops the
/// pass by returning false; the result says whether the pass came to its end. A device that has threads deals the texts to them.
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
    if device.threads().0 > 1 {
        let order = argsort(texts.len(), &|a, b| texts[a].len().cmp(&texts[b].len()));
        let work = |device: &Device, part: &[usize]| {
            ready(async {
                let own: Vec<&[u32]> = part.iter().map(|&text| texts[text]).collect();
                let mut batches = Batches::new(model, device, &own, threshold);
                let mut found = Vec::with_capacity(part.len());
                while let Some(batch) = batches.next().await? {
                    found.extend(batch.into_iter().map(|(text, verdict)| (part[text], verdict)));
                }
                Ok(found)
            })
        };
        let take = |found: Vec<_>| found.into_iter().for_each(|(text, verdict)| each(text, verdict));
        return deal(device, &order, work, take, progress);
    }
    let mut batches = Batches::new(model, device, texts, threshold);
    let mut done = 0;
    while let Some(batch) = batches.next().await? {
        done += batch.len();
        batch.into_iter().for_each(|(text, verdict)| each(text, verdict));
        if !progress(done) {
            return Ok(false);
        }
    }
    Ok(true)
}
