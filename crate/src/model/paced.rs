//! Many texts at a pace: batch after batch, none of which takes long.

use std::ops::{ControlFlow, Range};

use web_time::Instant;

use super::session::Pace;
use super::{ReadError, Watch};

/// Has `run` take texts of so many words, a range of them at a time. `watch` hears after each how many words are done, and may
/// stop.
pub(super) async fn paced<W: Watch>(
    lengths: &[usize],
    watch: &mut W,
    mut run: impl AsyncFnMut(Range<usize>) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let total = lengths.iter().sum();
    let (mut pace, mut done, mut start) = (Pace::of_texts(), 0, 0);
    while start < lengths.len() {
        let texts = batch(lengths, start, pace.tokens);
        let (end, words) = (texts.end, lengths[texts.clone()].iter().sum());
        let begun = Instant::now();
        run(texts).await?;
        pace.took(words, begun.elapsed().as_secs_f64() * 1e3);
        (start, done) = (end, done + words);
        if let ControlFlow::Break(()) = watch.progress(done, total).await {
            return Err(ReadError::Cancelled { done, total });
        }
    }
    Ok(())
}

/// The next texts from `start` on that have so many words together, given the words of each; one at least.
fn batch(lengths: &[usize], start: usize, most: usize) -> Range<usize> {
    let (mut end, mut words) = (start, 0);
    while let Some(length) = lengths.get(end)
        && (end == start || words + length <= most)
    {
        words += length;
        end += 1;
    }
    start..end
}
