//! Why a call ran where it did, in codes and numbers; the package and the command line put them into words.

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
    /// The GPU is being made ready for the model, so the CPU ran the call.
    GpuStarting,
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
    /// Neither device has been measured yet, so the CPU ran the call.
    Unmeasured,
    /// The device that was expected to be done first ran the call.
    Measured {
        /// Tokens of the text, or of all texts.
        tokens: usize,
        /// Milliseconds expected of the CPU.
        cpu_ms: f64,
        /// Milliseconds expected of the GPU.
        gpu_ms: f64,
        /// The part of `gpu_ms` that even an empty text takes.
        gpu_fixed_ms: f64,
    },
    /// The GPU computes a layer only where it is asked for.
    LayerOnCpu,
    /// The CPU reads a text that is being written: a few tokens at a time.
    Incremental,
}
