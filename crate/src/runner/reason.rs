//! Why a call ran where it did: codes and numbers, which whoever shows them words.

use serde::Serialize;

/// Why a call ran where it did.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "code", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Reason {
    /// The CPU was asked for.
    CpuAsked,
    /// The GPU was asked for.
    GpuAsked {
        /// The adapter, by name.
        adapter: String,
    },
    /// There is no GPU.
    NoGpu {
        /// Why, as the browser or the driver says.
        why: String,
    },
    /// The GPU failed during the call, which the CPU then did from its beginning.
    GpuFailed {
        /// The error.
        error: String,
    },
    /// Neither device is measured, so that the CPU runs it.
    Unmeasured,
    /// The device that is expected to be done first runs it.
    Measured {
        /// Tokens of the text, or of all texts.
        tokens: usize,
        /// Milliseconds expected of the CPU.
        cpu_ms: f64,
        /// Milliseconds expected of the GPU.
        gpu_ms: f64,
        /// What of those a text without words takes.
        gpu_fixed_ms: f64,
    },
    /// The GPU computes a layer only where it is asked for.
    LayerOnCpu,
    /// The CPU reads a text that is being written: a few tokens at a time.
    Incremental,
}
