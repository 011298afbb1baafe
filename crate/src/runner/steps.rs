//! What one token costs, measured by reading a text again and again.

use serde::Serialize;
use web_time::Instant;

use super::cost;
use crate::device::gpu::KernelTime;

/// Lengths of the replayed texts, in tokens: their difference leaves out what a text costs besides its tokens.
pub(super) const LENGTHS: [usize; 2] = [128, 256];

/// The cost of one token, read and skimmed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Steps {
    /// Where it was measured.
    pub device: String,
    /// Microseconds of a token that is read.
    pub read_us: f64,
    /// Microseconds of one that is skimmed; none in a model without a Skim layer.
    pub skim_us: Option<f64>,
    /// The smallest difference that the clock shows, in microseconds.
    pub clock_us: f64,
    /// How they were measured.
    pub method: Replay,
    /// Of one reading of the longer text, its decisions free: what each kernel took on the GPU, the longest first.
    /// None on the CPU and where the adapter has no timestamp queries.
    pub kernels: Option<Vec<KernelTime>>,
}

/// The text, repeated to two lengths, is read again and again, all of it read and all of it skimmed; the difference of
/// the lengths' times is that of so many tokens.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// Both lengths, in tokens.
    pub lengths: [usize; 2],
    /// Milliseconds for which a length is read again and again, for a mean.
    pub sample_ms: f64,
    /// How many such means are taken; the least counts.
    pub samples: usize,
}

impl Steps {
    pub(super) fn new(device: &str, [read_us, skim_us]: [f64; 2], skims: bool) -> Self {
        let method = Replay { lengths: LENGTHS, sample_ms: cost::SAMPLE_MS, samples: cost::SAMPLES };
        let skim_us = skims.then_some(skim_us);
        Self { device: device.into(), read_us, skim_us, clock_us: clock_us(), method, kernels: None }
    }
}

/// The smallest of several steps of the clock.
fn clock_us() -> f64 {
    const TICKS: usize = 5;
    const MOST_LOOKS: usize = 1_000_000;
    let mut smallest = f64::INFINITY;
    for _ in 0..TICKS {
        let begin = Instant::now();
        let tick = (0..MOST_LOOKS).map(|_| begin.elapsed()).find(|elapsed| !elapsed.is_zero());
        smallest = smallest.min(tick.unwrap_or_default().as_secs_f64() * 1e6);
    }
    smallest
}
