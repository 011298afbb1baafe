//! What a caller chooses of a CPU.

/// How the CPU keeps its copies of weights. The parameters themselves, gradients, sums and states have 32 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// 32 bits.
    #[default]
    F32,
    /// bfloat16, whose 8 bits of precision are the first of an f32: each weight is off by at most 2^-9 of itself.
    /// The copy takes half the memory. A single sequence is read up to twice as fast where weights fit no near cache (an
    /// LSTM of 512 units or more).
    Bf16,
}

/// Options of a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuOptions {
    /// How copies of weights are kept.
    pub precision: Precision,
    /// How many bytes may be kept of the products of words with a weight that directly follows an embedding: for each Skim layer
    /// those of the big cell's input, and those of each product that is at most half as wide as the words. 8 MiB each by default,
    /// 0 for none. Results do not depend on it; a word that Skim reads again costs half as much.
    pub word_cache_bytes: usize,
}

impl Default for CpuOptions {
    fn default() -> Self {
        Self { precision: Precision::F32, word_cache_bytes: 8 << 20 }
    }
}
