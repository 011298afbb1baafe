//! The devices that run a graph: the CPU, and the GPU through wgpu.
//!
//! A device keeps row-major `f32` matrices in [`Buffer`]s of its own, runs one batched [`Call`] at a time, forward and
//! backward, and reads values back as a future: on a GPU the caller waits for a copy, on the CPU the value is ready at
//! once. [`Parameters`] are plain data; whatever a device derives from them it keeps itself (`cache.rs`).

/// Evaluates `$body` with `$device` bound to the device of the variant.
macro_rules! on {
    ($self:expr, $device:ident => $body:expr) => {
        match $self {
            Device::Cpu($device) => $body,
            #[cfg(feature = "gpu")]
            Device::Gpu($device) => $body,
        }
    };
}

mod cache;
mod call;
#[cfg(any(feature = "graph", not(feature = "web")))]
mod cell;
#[cfg(not(any(feature = "graph", not(feature = "web"))))]
#[path = "cell/without_graph.rs"]
mod cell;
mod cpu;
mod error;
#[cfg(feature = "gpu")]
pub mod gpu;
mod infer;
mod op;
#[cfg(feature = "train")]
mod optimize;
mod parameters;
mod step;

use std::ops::Range;
#[cfg(feature = "gpu")]
use std::rc::Rc;
use std::sync::Arc;

pub use crate::cpu::cell::CellKind;
pub use crate::cpu::pool::Pool;
pub use crate::cpu::reduce::Reduce;
pub use crate::cpu::semiring::Semiring;
pub use call::{Buffer, Call, Forward, Operand, ParamGradients, TableRows, Value};
pub use cell::Function;
#[cfg(any(feature = "graph", not(feature = "web")))]
pub(crate) use cell::{Body, Kind, Node};
pub use cpu::{Cpu, CpuOptions, Precision};
pub(crate) use error::number;
pub use error::{EngineError, Failure};
pub(crate) use infer::check_size;
pub use op::{Binary, Op, Real, SemiringProduct, Shape, Skim, SkimMode, Sru, Unary, WeightView};
pub(crate) use op::{GRAPH, PROGRAMS};
#[cfg(feature = "train")]
pub use optimize::{AdamStep, Averaged, Change, Part, Rows};
pub use parameters::{ParamId, Parameter, Parameters};
pub use step::Step;

#[cfg(feature = "gpu")]
use gpu::Gpu;

/// Where kernels run. Cloning gives another handle to the same device with the same caches.
///
/// ```
/// use saccade_rnn::device::{Cpu, CpuOptions, Device, Precision};
///
/// let device = Device::cpu();
/// assert_eq!(device.name(), "cpu");
/// // A CPU that keeps its copies of weights with 16 bits.
/// let narrow = Device::from(Cpu::new(CpuOptions { precision: Precision::Bf16, ..CpuOptions::default() }));
/// assert_eq!(narrow.clone().name(), "cpu");
/// ```
#[derive(Clone, Debug)]
pub enum Device {
    /// The CPU.
    Cpu(Arc<Cpu>),
    /// A GPU.
    #[cfg(feature = "gpu")]
    Gpu(Rc<Gpu>),
}

impl From<Cpu> for Device {
    fn from(cpu: Cpu) -> Self {
        Self::Cpu(Arc::new(cpu))
    }
}

#[cfg(feature = "gpu")]
impl From<Gpu> for Device {
    fn from(gpu: Gpu) -> Self {
        Self::Gpu(Rc::new(gpu))
    }
}

impl Device {
    /// A CPU with default options and empty caches. A clone shares the caches, another call does not.
    pub fn cpu() -> Self {
        Cpu::default().into()
    }

    /// The GPU, if it is one.
    #[cfg(feature = "gpu")]
    pub fn gpu(&self) -> Option<&Rc<Gpu>> {
        match self {
            Self::Cpu(_) => None,
            Self::Gpu(gpu) => Some(gpu),
        }
    }

    /// A short name: `cpu` or `webgpu`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cpu(_) => "cpu",
            #[cfg(feature = "gpu")]
            Self::Gpu(_) => "webgpu",
        }
    }

    /// How many threads may have a part of the texts each, and how the CPU of each is made.
    #[cfg(feature = "train")]
    #[inline]
    pub(crate) fn threads(&self) -> (usize, CpuOptions) {
        match self {
            Self::Cpu(cpu) => cpu.threads(),
            #[cfg(feature = "gpu")]
            Self::Gpu(_) => (1, CpuOptions::default()),
        }
    }

    /// Copies values to the device.
    ///
    /// # Errors
    /// If the device fails or has no room, as for all methods.
    pub fn upload(&self, values: Vec<f32>) -> Result<Buffer, EngineError> {
        match self {
            Self::Cpu(_) => Ok(Buffer::Cpu(Arc::new(values))),
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => gpu.upload(values).map(Buffer::Gpu),
        }
    }

    /// A matrix of `size` zeros.
    ///
    /// # Errors
    /// See [`Self::upload`].
    pub fn zeros(&self, size: usize) -> Result<Buffer, EngineError> {
        match self {
            Self::Cpu(cpu) => Ok(Buffer::Cpu(Arc::new(cpu.zeros(size)))),
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => gpu.zeros(size).map(Buffer::Gpu),
        }
    }

    /// The buffer of a value. Rows of a table are gathered when this is first asked of them.
    ///
    /// # Errors
    /// See [`Self::upload`].
    pub fn buffer(&self, parameters: &Parameters, value: &Value) -> Result<Buffer, EngineError> {
        match value {
            Value::Buffer(buffer) => Ok(buffer.clone()),
            Value::Table(rows) => {
                rows.gathered(|| on!(self, device => device.table_rows(parameters, rows))).cloned()
            }
        }
    }

    /// Lays row ranges of buffers with the same number of columns end to end.
    ///
    /// # Errors
    /// See [`Self::upload`]; also for a buffer of another device.
    pub fn gather(&self, columns: usize, parts: &[(Buffer, Range<usize>)]) -> Result<Buffer, EngineError> {
        on!(self, device => device.gather(columns, parts))
    }

    /// Adds rows of `source` to `target`, beginning at row `at`.
    ///
    /// # Errors
    /// See [`Self::gather`].
    pub fn add(
        &self,
        target: &mut Buffer,
        at: usize,
        source: &Buffer,
        rows: Range<usize>,
        columns: usize,
    ) -> Result<(), EngineError> {
        on!(self, device => device.add(target, at, source, rows, columns))
    }

    /// Runs a call.
    ///
    /// # Errors
    /// See [`Self::gather`].
    pub fn forward(&self, call: &Call<'_>) -> Result<Forward, EngineError> {
        match call.op {
            Op::Step(step) if PROGRAMS => step.forward(self, call),
            _ => on!(self, device => device.forward(call)),
        }
    }

    /// Given the gradients of a call's outputs (`None` is zero), adds those of its parameters to `gradients` and
    /// returns those of its operands, rows of the lanes end to end from row 0. `wanted` says which operands need one.
    ///
    /// # Errors
    /// See [`Self::gather`]; also if `gradients` lie on another device.
    pub fn backward(
        &self,
        call: &Call<'_>,
        forward: &Forward,
        upstream: &[Option<Buffer>],
        wanted: &[bool],
        gradients: &mut ParamGradients,
    ) -> Result<Vec<Option<Buffer>>, EngineError> {
        gradients.iter().flatten().try_for_each(|gradient| self.check_own(gradient))?;
        match call.op {
            Op::Step(step) if PROGRAMS => step.backward(self, call, forward, upstream, wanted, gradients),
            _ => on!(self, device => device.backward(call, forward, upstream, wanted, gradients)),
        }
    }

    fn check_own(&self, buffer: &Buffer) -> Result<(), EngineError> {
        match self {
            Self::Cpu(_) => buffer.on_cpu().map(drop),
            #[cfg(feature = "gpu")]
            Self::Gpu(_) => buffer.on_gpu().map(drop),
        }
    }

    /// Takes a buffer that its graph does not need any more. The memory serves later results unless somebody else still
    /// holds the buffer.
    pub fn reclaim(&self, buffer: Buffer) {
        match (self, buffer) {
            (Self::Cpu(cpu), Buffer::Cpu(values)) => cpu.reclaim(values),
            // A GPU buffer returns to its pool when it is dropped.
            #[cfg(feature = "gpu")]
            _ => {}
        }
    }

    /// Copies ranges of elements back to the host, all in one exchange.
    ///
    /// # Errors
    /// See [`Self::gather`].
    pub async fn read(&self, parts: &[(Buffer, Range<usize>)]) -> Result<Vec<Vec<f32>>, EngineError> {
        match self {
            Self::Cpu(_) => {
                parts.iter().map(|(buffer, range)| Ok(buffer.on_cpu()?[range.clone()].to_vec())).collect()
            }
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => {
                let own =
                    |(buffer, range): &(Buffer, Range<usize>)| Ok((buffer.on_gpu()?.clone(), range.clone()));
                gpu.read(&parts.iter().map(own).collect::<Result<Vec<_>, EngineError>>()?).await
            }
        }
    }
}
