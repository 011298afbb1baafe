//! Counters.

/// What a GPU was asked to do so far, and the memory it holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Statistics {
    /// Kernel launches.
    pub dispatches: u64,
    /// Command buffers sent.
    pub submissions: u64,
    /// Times that values were read back.
    pub reads: u64,
    /// Bytes that crossed between host and GPU, in both directions.
    pub bytes_moved: u64,
    /// Bytes of all buffers, without weights' host copies.
    pub bytes_allocated: u64,
    /// Bytes of those that are free for reuse.
    pub bytes_free: u64,
}
