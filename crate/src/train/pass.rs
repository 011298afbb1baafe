//! One pass of a model over many texts, with hard decisions.

use crate::device::{Device, EngineError};
use crate::model::{Batches, Model, Verdict};

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
