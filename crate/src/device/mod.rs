//! What a device must offer the graph, and the devices there are.
//!
//! A device keeps row-major `f32` matrices in buffers of its own, runs one batched [`Call`] at a time, forward and
//! backward, and reads values back as a future (on a GPU that is a copy the caller waits for; on the CPU it is
//! ready at once).

mod cpu;
mod error;
#[cfg(feature = "gpu")]
pub mod gpu;
mod infer;
mod op;
#[cfg(feature = "train")]
mod optimize;
mod parameters;
mod place;

use std::ops::Range;

pub use crate::cpu::cell::CellKind;
pub use crate::cpu::pool::Pool;
pub use cpu::Cpu;
pub use error::{EngineError, Failure};
pub use op::{Binary, Op, Real, Shape, Skim, SkimMode, Sru, Unary, WeightView};
#[cfg(feature = "train")]
pub use optimize::{AdamStep, Optimize, Part, Rows};
pub use parameters::{ParamId, Parameter, Parameters, Precision};
pub use place::{Place, Placed};

/// Rows of several nodes laid end to end in one buffer.
#[derive(Clone, Debug)]
pub struct Operand<B> {
    /// The buffer that holds them, perhaps among others.
    pub buffer: B,
    /// Columns of every row.
    pub columns: usize,
    /// `lanes + 1` absolute row numbers: lane `i` owns rows `offsets[i]..offsets[i + 1]`.
    pub offsets: Vec<usize>,
}

impl<B> Operand<B> {
    /// Rows of all lanes together.
    pub fn total_rows(&self) -> usize {
        self.offsets[self.offsets.len() - 1] - self.offsets[0]
    }
}

/// One batched kernel call: the same operation for every lane.
#[derive(Debug)]
pub struct Call<'a, B> {
    /// What to compute.
    pub op: &'a Op,
    /// The values that parameters of `op` refer to.
    pub parameters: &'a Parameters,
    /// Operands, each with a range of rows a lane.
    pub inputs: &'a [Operand<B>],
    /// Noise stream of each lane (its node's number in the graph).
    pub streams: &'a [u32],
    /// Ids, targets or forced decisions of all lanes end to end.
    pub indices: &'a [u32],
    /// `lanes + 1` positions in `indices`.
    pub index_offsets: &'a [usize],
    /// Seed of dropout and Gumbel noise.
    pub seed: u32,
    /// Keep what the backward call needs.
    pub keep: bool,
    /// The rows of the first operand as those of a table, where it is known that they are. Its buffer is then empty for
    /// operations that the device reads by word ([`Device::reads_words`]).
    pub words: Option<Words<'a>>,
}

/// Rows of a table by their ids.
#[derive(Clone, Copy, Debug)]
pub struct Words<'a> {
    /// The table.
    pub table: ParamId,
    /// Of every row, its number in the table.
    pub ids: &'a [u32],
}

impl<B> Call<'_, B> {
    /// How many nodes run together.
    pub fn lanes(&self) -> usize {
        self.streams.len()
    }
}

/// What a forward call leaves behind.
#[derive(Debug)]
pub struct Forward<B> {
    /// The operation's outputs, rows of the lanes end to end from row 0.
    pub outputs: Vec<B>,
    /// Whatever the backward call needs beside them.
    pub saved: Vec<B>,
}

/// Gradients of parameters, one slot a parameter; `None` is zero.
pub type ParamGradients<B> = Vec<Option<B>>;

/// A place where kernels run.
#[allow(async_fn_in_trait, reason = "the engine drives devices on one thread; wasm futures are never Send")]
pub trait Device {
    /// A matrix in the device's memory; cloning shares it.
    type Buffer: Clone;

    /// A short name: `cpu`.
    fn name(&self) -> &'static str;

    /// Copies values to the device.
    fn upload(&self, values: Vec<f32>) -> Result<Self::Buffer, EngineError>;

    /// A matrix of zeros with `size` values.
    fn zeros(&self, size: usize) -> Result<Self::Buffer, EngineError>;

    /// Lays row ranges of buffers with the same number of columns end to end.
    fn gather(
        &self,
        columns: usize,
        parts: &[(&Self::Buffer, Range<usize>)],
    ) -> Result<Self::Buffer, EngineError>;

    /// Adds rows of `source` to `target`, beginning at row `at`.
    fn add(
        &self,
        target: &mut Self::Buffer,
        at: usize,
        source: &Self::Buffer,
        rows: Range<usize>,
        columns: usize,
    ) -> Result<(), EngineError>;

    /// Whether an operation over rows of a table takes them by their ids ([`Call::words`]) and needs no rows.
    fn reads_words(&self, _op: &Op, _parameters: &Parameters) -> bool {
        false
    }

    /// Runs a call.
    fn forward(&self, call: &Call<'_, Self::Buffer>) -> Result<Forward<Self::Buffer>, EngineError>;

    /// Given the gradients of a call's outputs (`None` is zero), adds those of its parameters to `gradients` and
    /// returns those of its inputs, rows of the lanes end to end from row 0. `wanted` says which inputs need one.
    fn backward(
        &self,
        call: &Call<'_, Self::Buffer>,
        forward: &Forward<Self::Buffer>,
        upstream: &[Option<Self::Buffer>],
        wanted: &[bool],
        gradients: &mut ParamGradients<Self::Buffer>,
    ) -> Result<Vec<Option<Self::Buffer>>, EngineError>;

    /// Takes a matrix that its graph does not need any more; whoever else holds it may go on using it.
    fn reclaim(&self, _buffer: Self::Buffer) {}

    /// Copies ranges of elements back to the host, all in one exchange.
    async fn read(&self, parts: &[(Self::Buffer, Range<usize>)]) -> Result<Vec<Vec<f32>>, EngineError>;
}
