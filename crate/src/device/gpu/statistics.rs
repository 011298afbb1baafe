//! Counters of a GPU's work and memory.

/// The work of a GPU so far, and the memory that it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// Kernel launches.
    pub dispatches: u64,
    /// Command buffers submitted.
    pub submissions: u64,
    /// Reads of values back to the host.
    pub reads: u64,
    /// Bytes that crossed between host and GPU, in both directions.
    pub bytes_moved: u64,
    /// Bytes of all buffers, without weights' host copies.
    pub bytes_allocated: u64,
    /// Bytes of those that are free for reuse.
    pub bytes_free: u64,
}
