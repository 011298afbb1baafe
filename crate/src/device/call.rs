//! What a device is given and gives back: buffers, operands, calls.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;

#[cfg(feature = "gpu")]
use super::gpu::GpuBuffer;
use super::infer::scattered;
use super::{EngineError, Op, ParamId, Parameters};

/// A matrix in the memory of one device; cloning shares it.
#[derive(Clone, Debug)]
pub enum Buffer {
    /// In the host's memory.
    Cpu(Arc<Vec<f32>>),
    /// In a GPU's memory.
    #[cfg(feature = "gpu")]
    Gpu(GpuBuffer),
}

impl Buffer {
    /// What distinguishes it from all other buffers while it lives.
    pub(crate) fn identity(&self) -> *const () {
        match self {
            Self::Cpu(values) => Arc::as_ptr(values).cast(),
            #[cfg(feature = "gpu")]
            Self::Gpu(buffer) => buffer.identity(),
        }
    }

    pub(super) fn on_cpu(&self) -> Result<&Arc<Vec<f32>>, EngineError> {
        match self {
            Self::Cpu(values) => Ok(values),
            #[cfg(feature = "gpu")]
            Self::Gpu(_) => Err(foreign()),
        }
    }

    pub(crate) fn on_cpu_mut(&mut self) -> Result<&mut Arc<Vec<f32>>, EngineError> {
        match self {
            Self::Cpu(values) => Ok(values),
            #[cfg(feature = "gpu")]
            Self::Gpu(_) => Err(foreign()),
        }
    }

    #[cfg(feature = "gpu")]
    pub(super) fn on_gpu(&self) -> Result<&GpuBuffer, EngineError> {
        match self {
            Self::Gpu(buffer) => Ok(buffer),
            Self::Cpu(_) => Err(foreign()),
        }
    }

    #[cfg(feature = "gpu")]
    pub(super) fn on_gpu_mut(&mut self) -> Result<&mut GpuBuffer, EngineError> {
        match self {
            Self::Gpu(buffer) => Ok(buffer),
            Self::Cpu(_) => Err(foreign()),
        }
    }
}

#[cfg(feature = "gpu")]
fn foreign() -> EngineError {
    EngineError::Unsupported { op: "operand", reason: "its value lies on another device" }
}

/// A value that a call reads: a buffer, or rows of a table that are named by their ids.
///
/// A device gathers the rows into a buffer when it needs them; a kernel that reads by id uses the ids as they are.
#[derive(Clone, Debug)]
pub enum Value {
    /// Rows in a buffer.
    Buffer(Buffer),
    /// Rows of an embedding table.
    Table(Rc<TableRows>),
}

impl From<Buffer> for Value {
    fn from(buffer: Buffer) -> Self {
        Self::Buffer(buffer)
    }
}

/// Rows of a table by id. The gathered rows are kept once a device has made them.
#[derive(Debug)]
pub struct TableRows {
    /// The table, a parameter `[rows, columns]`.
    pub table: ParamId,
    /// The number of every row in the table.
    pub ids: Vec<u32>,
    gathered: OnceCell<Buffer>,
}

impl TableRows {
    /// Rows that nobody has gathered.
    pub fn new(table: ParamId, ids: Vec<u32>) -> Self {
        Self { table, ids, gathered: OnceCell::new() }
    }

    /// Whether the rows were gathered into a buffer.
    pub fn is_gathered(&self) -> bool {
        self.gathered.get().is_some()
    }

    /// The rows as a buffer, which `gather` makes if there is none.
    pub(super) fn gathered(
        &self,
        gather: impl FnOnce() -> Result<Buffer, EngineError>,
    ) -> Result<&Buffer, EngineError> {
        match self.gathered.get() {
            Some(buffer) => Ok(buffer),
            None => {
                let buffer = gather()?;
                Ok(self.gathered.get_or_init(|| buffer))
            }
        }
    }

    /// The gathered rows, if there are any.
    pub(super) fn buffer(&self) -> Option<&Buffer> {
        self.gathered.get()
    }

    /// Takes the gathered rows out.
    pub(crate) fn into_buffer(self) -> Option<Buffer> {
        self.gathered.into_inner()
    }
}

/// Rows of several nodes laid end to end in one value.
#[derive(Clone, Debug)]
pub struct Operand<V = Value> {
    /// What holds the rows, perhaps among others: a [`Value`], or on a GPU its buffer.
    pub source: V,
    /// Columns of every row.
    pub columns: usize,
    /// `lanes + 1` absolute row numbers: lane `i` owns rows `offsets[i]..offsets[i + 1]`.
    pub offsets: Vec<usize>,
}

impl<V> Operand<V> {
    /// Rows of all lanes together.
    pub fn total_rows(&self) -> usize {
        self.offsets[self.offsets.len() - 1] - self.offsets[0]
    }
}

/// One batched kernel call: the same operation for every lane.
#[derive(Debug)]
pub struct Call<'a, V = Value> {
    /// What to compute.
    pub op: &'a Op,
    /// The values that parameters of `op` refer to.
    pub parameters: &'a Parameters,
    /// Operands, each with a range of rows a lane.
    pub inputs: &'a [Operand<V>],
    /// Noise stream of each lane.
    pub streams: &'a [u32],
    /// Ids, targets or forced decisions of all lanes end to end.
    pub indices: &'a [u32],
    /// `lanes + 1` positions in `indices`.
    pub index_offsets: &'a [usize],
    /// Seed of dropout and Gumbel noise.
    pub seed: u32,
    /// Keep what the backward call needs.
    pub keep: bool,
    /// Of a backward call: gradients of values serve those of weights alone. What belongs to a row of a table may then stand at
    /// another row of the same word.
    pub weights_alone: bool,
}

impl<V> Call<'_, V> {
    /// How many nodes run together.
    pub fn lanes(&self) -> usize {
        self.streams.len()
    }

    /// Of [`Op::ScatterAdd`]: how many rows the results of all lanes have, and the row of them that each row is added to.
    pub(super) fn scattered(&self) -> (usize, Vec<u32>) {
        let (mut rows, mut numbers) = (0, Vec::with_capacity(self.indices.len()));
        for range in self.index_offsets.windows(2) {
            let (of_lane, to) = scattered(&self.indices[range[0]..range[1]]);
            numbers.extend(to.iter().map(|number| rows as u32 + number));
            rows += of_lane;
        }
        (rows, numbers)
    }
}

/// What a forward call leaves behind.
#[derive(Debug)]
pub struct Forward<B = Buffer> {
    /// The operation's outputs, rows of the lanes end to end from row 0.
    pub outputs: Vec<B>,
    /// Whatever the backward call needs beside them.
    pub saved: Vec<B>,
}

/// Gradients of parameters, one slot a parameter; `None` is zero.
pub type ParamGradients<B = Buffer> = Vec<Option<B>>;
