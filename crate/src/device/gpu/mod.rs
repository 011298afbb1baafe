//! The GPU, through wgpu: Vulkan, Metal and DX12 natively, WebGPU in a browser.
//!
//! A call to a [`Device`] method encodes commands and returns at once; commands are submitted when a value is read
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

use super::{Call, Device, EngineError, Forward, ParamGradients};
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

impl Device for Gpu {
    type Buffer = GpuBuffer;

    fn name(&self) -> &'static str {
        "webgpu"
    }

    fn upload(&self, values: Vec<f32>) -> Result<GpuBuffer, EngineError> {
        let buffer = self.pool.for_upload(values.len())?;
        self.recorder.borrow_mut().write(&self.context, &buffer, bytemuck::cast_slice(&values));
        Ok(buffer)
    }

    fn zeros(&self, size: usize) -> Result<GpuBuffer, EngineError> {
        let buffer = self.pool.allocate(size)?;
        self.recorder.borrow_mut().clear(&self.context, &buffer);
        Ok(buffer)
    }

    fn gather(&self, columns: usize, parts: &[(&GpuBuffer, Range<usize>)]) -> Result<GpuBuffer, EngineError> {
        kernels::rows::gather(self, columns, parts)
    }

    fn add(
        &self,
        target: &mut GpuBuffer,
        at: usize,
        source: &GpuBuffer,
        rows: Range<usize>,
        columns: usize,
    ) -> Result<(), EngineError> {
        kernels::elementwise::add_rows(self, target, at, source, rows, columns)
    }

    fn forward(&self, call: &Call<'_, GpuBuffer>) -> Result<Forward<GpuBuffer>, EngineError> {
        kernels::forward(self, call)
    }

    fn backward(
        &self,
        call: &Call<'_, GpuBuffer>,
        forward: &Forward<GpuBuffer>,
        upstream: &[Option<GpuBuffer>],
        wanted: &[bool],
        gradients: &mut ParamGradients<GpuBuffer>,
    ) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
        kernels::backward(self, call, forward, upstream, wanted, gradients)
    }

    async fn read(&self, parts: &[(GpuBuffer, Range<usize>)]) -> Result<Vec<Vec<f32>>, EngineError> {
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

impl std::fmt::Debug for Gpu {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gpu").field("adapter", &self.context.summary).finish_non_exhaustive()
    }
}
