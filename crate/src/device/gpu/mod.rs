//! The GPU, through wgpu: Vulkan, Metal and DX12 natively, WebGPU in a browser.
//!
//! A method of the device encodes commands and returns at once; commands are submitted when a value is read
//! back, or earlier when they amount to some 50 ms of work. What can fail later (validation, memory, a lost device) is
//! reported by the next read.

mod adapter;
mod arena;
mod buffer;
mod kernels;
mod launch;
#[cfg(feature = "train")]
mod optimize;
mod pipelines;
mod profile;
mod recorder;
mod resident;
mod statistics;

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use super::{Buffer, Call, EngineError, Forward, Operand, ParamGradients, Parameters, TableRows, Value};
pub use adapter::{AdapterSummary, GpuOptions, GpuUnavailable};
pub use buffer::GpuBuffer;
pub use profile::{KernelTime, NoTimestamps};
pub use statistics::Statistics;

use adapter::Context;
use buffer::Pool;
use pipelines::Pipelines;
use recorder::Recorder;
use resident::Resident;

/// A GPU with its pipelines, its pool of buffers and the weights that live on it.
pub struct Gpu {
    context: Rc<Context>,
    pool: Rc<Pool>,
    pipelines: Pipelines,
    recorder: RefCell<Recorder>,
    resident: RefCell<Resident>,
}

impl Gpu {
    /// Asks for an adapter and a device.
    ///
    /// # Errors
    /// If there is none, in words that say why; nothing panics.
    pub async fn request(options: &GpuOptions) -> Result<Self, GpuUnavailable> {
        let context = Rc::new(adapter::request(options).await?);
        Ok(Self {
            pool: Rc::new(Pool::new(context.clone())),
            pipelines: Pipelines::default(),
            recorder: RefCell::new(Recorder::new()),
            resident: RefCell::new(Resident::default()),
            context,
        })
    }

    /// Which adapter this is.
    pub fn adapter(&self) -> &AdapterSummary {
        &self.context.summary
    }

    /// What was done so far, and what memory is held.
    pub fn statistics(&self) -> Statistics {
        let mut statistics = self.recorder.borrow().statistics;
        self.pool.count(&mut statistics);
        statistics
    }

    /// Why the device cannot be used any more, if so.
    pub fn failure(&self) -> Option<EngineError> {
        self.context.failures.first()
    }

    /// Destroys the device, as a driver that resets does; every later call fails with [`super::Failure::Lost`].
    pub fn destroy(&self) {
        self.context.device.destroy();
    }
}

impl Gpu {
    pub(super) fn upload(&self, values: Vec<f32>) -> Result<GpuBuffer, EngineError> {
        let buffer = self.pool.for_upload(values.len())?;
        self.recorder.borrow_mut().write(&self.context, &buffer, bytemuck::cast_slice(&values));
        Ok(buffer)
    }

    pub(super) fn zeros(&self, size: usize) -> Result<GpuBuffer, EngineError> {
        let buffer = self.pool.allocate(size)?;
        self.recorder.borrow_mut().clear(&self.context, &buffer);
        Ok(buffer)
    }

    pub(super) fn table_rows(
        &self,
        parameters: &Parameters,
        rows: &TableRows,
    ) -> Result<Buffer, EngineError> {
        let (columns, table) = (parameters.get(rows.table).columns(), self.weight(parameters, rows.table)?);
        kernels::embedding::select(self, &rows.ids, columns, &table, 0).map(Buffer::Gpu)
    }

    pub(super) fn gather(
        &self,
        columns: usize,
        parts: &[(Buffer, Range<usize>)],
    ) -> Result<Buffer, EngineError> {
        let own = |(buffer, rows): &(Buffer, Range<usize>)| Ok((buffer.on_gpu()?.clone(), rows.clone()));
        let parts: Vec<_> = parts.iter().map(own).collect::<Result<_, EngineError>>()?;
        let parts: Vec<_> = parts.iter().map(|(buffer, rows)| (buffer, rows.clone())).collect();
        kernels::rows::gather(self, columns, &parts).map(Buffer::Gpu)
    }

    pub(super) fn add(
        &self,
        target: &mut Buffer,
        at: usize,
        source: &Buffer,
        rows: Range<usize>,
        columns: usize,
    ) -> Result<(), EngineError> {
        kernels::elementwise::add_rows(self, target.on_gpu_mut()?, at, source.on_gpu()?, rows, columns)
    }

    pub(super) fn forward(&self, call: &Call<'_>) -> Result<Forward, EngineError> {
        let inputs = self.operands(call)?;
        let Forward { outputs, saved } = kernels::forward(self, &with_inputs(call, &inputs))?;
        let all = |buffers: Vec<GpuBuffer>| buffers.into_iter().map(Buffer::Gpu).collect();
        Ok(Forward { outputs: all(outputs), saved: all(saved) })
    }

    pub(super) fn backward(
        &self,
        call: &Call<'_>,
        forward: &Forward,
        upstream: &[Option<Buffer>],
        wanted: &[bool],
        gradients: &mut ParamGradients,
    ) -> Result<Vec<Option<Buffer>>, EngineError> {
        let inputs = self.operands(call)?;
        let all = |buffers: &[Buffer]| buffers.iter().map(|b| b.on_gpu().cloned()).collect::<Result<_, _>>();
        let forward = Forward { outputs: all(&forward.outputs)?, saved: all(&forward.saved)? };
        let own = |buffer: &Option<Buffer>| buffer.as_ref().map(|b| b.on_gpu().cloned()).transpose();
        let upstream: Vec<_> = upstream.iter().map(own).collect::<Result<_, EngineError>>()?;
        // Moved, not shared: a gradient that nobody else holds is added to in place.
        let mut own_gradients: ParamGradients<GpuBuffer> = Vec::with_capacity(gradients.len());
        for slot in gradients.drain(..) {
            own_gradients.push(match slot {
                Some(Buffer::Gpu(buffer)) => Some(buffer),
                // No gradient is elsewhere, as `Device::backward` has seen.
                _ => None,
            });
        }
        let call = with_inputs(call, &inputs);
        let downstream = kernels::backward(self, &call, &forward, &upstream, wanted, &mut own_gradients);
        gradients.extend(own_gradients.into_iter().map(|slot| slot.map(Buffer::Gpu)));
        Ok(downstream?.into_iter().map(|gradient| gradient.map(Buffer::Gpu)).collect())
    }

    /// The operands of a call as buffers of this device; rows of a table are gathered.
    fn operands(&self, call: &Call<'_>) -> Result<Vec<Operand<GpuBuffer>>, EngineError> {
        let operand = |input: &Operand| {
            let source = match &input.source {
                Value::Buffer(buffer) => buffer.on_gpu()?.clone(),
                Value::Table(rows) => {
                    rows.gathered(|| self.table_rows(call.parameters, rows))?.on_gpu()?.clone()
                }
            };
            Ok(Operand { source, columns: input.columns, offsets: input.offsets.clone() })
        };
        call.inputs.iter().map(operand).collect()
    }

    pub(super) async fn read(
        &self,
        parts: &[(GpuBuffer, Range<usize>)],
    ) -> Result<Vec<Vec<f32>>, EngineError> {
        let mut values = Vec::with_capacity(parts.len());
        // As many at a time as a buffer holds.
        while values.len() < parts.len() {
            let rest = &parts[values.len()..];
            let mut bytes = 0;
            let fit = rest.iter().take_while(|(_, range)| {
                bytes += range.len() as u64 * 4;
                bytes <= self.context.most_bytes()
            });
            let now = &rest[..fit.count().max(1)];
            values.extend(self.read_at_once(now).await?);
        }
        Ok(values)
    }

    async fn read_at_once(&self, parts: &[(GpuBuffer, Range<usize>)]) -> Result<Vec<Vec<f32>>, EngineError> {
        let size: usize = parts.iter().map(|(_, range)| range.len()).sum();
        if size == 0 {
            return Ok(vec![Vec::new(); parts.len()]);
        }
        let staging = self.pool.staging(size)?;
        let submitted = self.recorder.borrow_mut().submit_read(&self.context, &staging, parts);
        self.pool.submitted();
        let bytes = submitted.finish(self, &staging, size).await?;
        self.pool.recycle_staging(staging);
        let mut values = bytemuck::pod_collect_to_vec::<u8, f32>(&bytes).into_iter();
        Ok(parts.iter().map(|(_, range)| values.by_ref().take(range.len()).collect()).collect())
    }
}

/// A call with operands of this device.
fn with_inputs<'a>(call: &Call<'a>, inputs: &'a [Operand<GpuBuffer>]) -> Call<'a, GpuBuffer> {
    let Call { op, parameters, streams, indices, index_offsets, seed, keep, weights_alone, .. } = *call;
    Call { op, parameters, inputs, streams, indices, index_offsets, seed, keep, weights_alone }
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu").field("adapter", &self.context.summary).finish_non_exhaustive()
    }
}
