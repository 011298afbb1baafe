//! Inverted dropout: `y = x * mask`, mask = `1 / (1 - rate)` with probability `1 - rate`, otherwise 0.
//! The mask is a function of (seed, stream of the lane, element), never stored.
//!
//! WGSL twin: `shaders/dropout.wgsl`.

use crate::Ragged;
use crate::noise::uniform;

/// The mask at one element.
#[inline(always)]
pub fn mask(rate: f32, seed: u32, stream: u32, element: u32) -> f32 {
    if uniform(seed, stream, element) < rate { 0.0 } else { 1.0 / (1.0 - rate) }
}

/// Multiplies rows by their mask: forward with the input, backward with the gradient. With `per_sequence`
/// ("variational" dropout, Gal & Ghahramani 2016) all rows of a lane share one mask.
pub fn apply(x: Ragged<'_>, rate: f32, seed: u32, streams: &[u32], per_sequence: bool) -> Vec<f32> {
    let mut out = Vec::with_capacity(x.all().len());
    for (lane, &stream) in streams.iter().enumerate() {
        for (i, &value) in x.lane(lane).iter().enumerate() {
            let element = if per_sequence { i % x.columns } else { i };
            out.push(value * mask(rate, seed, stream, element as u32));
        }
    }
    out
}

/// One mask per lane and channel, for kernels that take it as an operand.
pub fn masks(rate: f32, seed: u32, streams: &[u32], channels: usize) -> Vec<f32> {
    let of = |stream| (0..channels as u32).map(move |j| mask(rate, seed, stream, j));
    streams.iter().flat_map(|&stream| of(stream)).collect()
}
