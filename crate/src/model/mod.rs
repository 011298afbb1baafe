//! Models as files: tensors under PyTorch's names, and what they mean.
//!
//! A model is one safetensors file. Its tensors are a [`Checkpoint`]; its [`Config`], a JSON text under the
//! metadata key [`CONFIG_KEY`], says which network they belong to. A plain PyTorch `state_dict` is a
//! [`Checkpoint`] without a [`Config`].
//!
//! Nothing in a file is trusted. Reading one never panics, takes time in proportion to its length (times the
//! logarithm of its number of tensors or words), and holds at most
//! [`MEMORY_FACTOR`] × its length + [`MEMORY_BASE`] bytes at any moment.

mod batches;
mod checkpoint;
mod config;
mod elsewhere;
mod encoder;
mod error;
mod foreign;
mod head;
mod header;
mod incremental;
mod layer;
mod layer_config;
#[allow(clippy::module_inception, reason = "a model is the thing this floor is about")]
mod model;
mod network;
mod paced;
mod parsing;
mod passage;
mod place;
mod prefix;
mod reading;
mod session;
mod shape;
mod softmax;
mod spelling;
mod state_dict;
mod summary;
mod tagging;
#[cfg(any(feature = "graph", not(feature = "web")))]
mod trees;
mod watch;
mod word_vectors;
mod writing;

use header::Header;

pub use crate::nn::Tensor;
pub use batches::{Batches, Skims, Verdict};
pub use checkpoint::{Checkpoint, Storage};
#[cfg(feature = "train")]
pub(crate) use config::check_distinct;
pub use config::{
    CONFIG_KEY, Characters, Classification, Config, DEFAULT_THRESHOLD, FORMAT, Input, Parsing, Pool,
    Prediction, Tagging, Task, Training, TreeCell, TreeLabels,
};
pub use elsewhere::Elsewhere;
pub use encoder::{Dropouts, Encoder, FreshOptions};
pub use error::{Mismatch, ModelError};
pub use head::{Classify, Head, Parse, Predict, Read, Tag, TreeHead};
pub use incremental::Incremental;
pub use layer::{Computed, LayerError, SequenceLayer, Sequences};
pub use layer_config::{Cell, LayerConfig, Nonlinearity, SmallReads, SruConfig};
pub use model::Model;
pub use network::{Classified, Network};
pub use parsing::{Configuration, ParsedToken, ROOT, SLOTS, Transition, Tree};
pub use prefix::{Prefix, Scores, Total, WordScore};
pub use reading::{
    Decision, FlopsReading, Method, ReadError, ReadOptions, Reading, Score, Timing, TokenReading,
};
pub use shape::{LayerShape, StoredLayer, StoredSizes, StoredSkim, StoredSru};
pub use softmax::{SoftmaxLayer, StoredSoftmax};
pub use spelling::{Spelled, Spelling};
pub use summary::{ConfigSummary, FileSummary, Problem, TensorSummary};
pub use tagging::{TaggedToken, Tags};
pub(crate) use watch::Monotone;
pub use watch::Watch;
pub use word_vectors::WordVectors;
pub use writing::{Writing, Written};
#[cfg(any(feature = "graph", not(feature = "web")))]
pub use {
    head::NumberedTree,
    trees::{LabelledToken, TreeNode, tree_word},
};

/// A tensor of every model.
const EMBEDDING: &str = "embedding.weight";

/// The most bytes that [`open`] holds for each byte of the file.
///
/// An int8 value becomes an f32: 4. The rest is the header: a JSON list of very short words or very small
/// tensors is shorter than the same list in memory.
pub const MEMORY_FACTOR: usize = 20;

/// The bytes that [`open`] may hold whatever the length of the file.
pub const MEMORY_BASE: usize = 512 << 10;

/// Reads a model file: its config, and the tensors that the config speaks of.
///
/// # Errors
/// Any [`ModelError`] of [`Checkpoint::from_bytes`] and [`Config::from_json`]; [`ModelError::NoModel`]
/// for a file without a config; [`ModelError::Prefixed`] for a model within another module;
/// [`ModelError::TooFewParameters`] when the config describes a network larger than the file.
pub fn open(bytes: &[u8]) -> Result<(Config, Checkpoint), ModelError> {
    let (header, data) = Header::read(bytes)?;
    let Some(json) = header.metadata.get(CONFIG_KEY) else {
        return Err(ModelError::NoModel { found: place::found(&header) });
    };
    let config = Config::from_json(json)?;
    if let Some(prefix) = header.prefix_of(EMBEDDING) {
        return Err(ModelError::Prefixed { prefix: error::excerpt(prefix) });
    }
    let checkpoint = Checkpoint::decoded(header, data)?;
    let (needed, held) = (config.least_parameters(), checkpoint.parameter_count());
    if needed > held {
        return Err(ModelError::TooFewParameters { needed, held });
    }
    Ok((config, checkpoint))
}
