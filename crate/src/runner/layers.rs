//! A layer by itself, on the CPU or on the GPU.

use std::rc::Rc;

use web_time::Instant;

use super::devices::Choice;
use super::{Devices, Preference, Reason};
use crate::device::gpu::Gpu;
use crate::device::{Device, EngineError};
use crate::model::{Computed, LayerError, SequenceLayer, Sequences};

/// A layer with the devices that it may run on.
#[derive(Debug)]
pub struct LayerRunner {
    layer: SequenceLayer,
    cpu: Device,
    devices: Rc<Devices>,
}

/// A layer's run.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerRun {
    /// What it computed.
    pub computed: Computed,
    /// Wall time in milliseconds, from the rows given to the rows computed.
    pub total_ms: f64,
    /// What the GPU did, if it ran there; the work of other calls meanwhile is counted too.
    pub gpu: Option<GpuWork>,
    /// Why it ran where it did.
    pub device_reason: Reason,
}

/// What the GPU was asked to do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GpuWork {
    /// Kernel launches.
    pub dispatches: u64,
    /// Command buffers sent.
    pub submissions: u64,
    /// Bytes that crossed between host and GPU, in both directions.
    pub bytes_moved: u64,
    /// Milliseconds in kernels; none without timestamp queries, and where the run was not profiled.
    pub kernel_ms: Option<f64>,
}

impl LayerRunner {
    /// A layer that may run on `cpu`, which keeps what it derives from the weights, or on the GPU of `devices`.
    pub fn new(layer: SequenceLayer, cpu: Device, devices: Rc<Devices>) -> Self {
        Self { layer, cpu, devices }
    }

    /// The layer.
    pub fn layer(&self) -> &SequenceLayer {
        &self.layer
    }

    /// Runs all sequences as one batch where `preference` says; `profile` times the kernels, which takes longer.
    /// Without a GPU, or when it fails half way, the CPU computes everything.
    ///
    /// # Errors
    /// See [`LayerError`]; with [`Preference::WebGpuOnly`] also a GPU that fails or is not there.
    pub async fn forward(
        &self,
        x: Vec<f32>,
        given: &Sequences,
        preference: Preference,
        profile: bool,
    ) -> Result<LayerRun, LayerError> {
        let Choice { gpu, mut reason } = self.devices.choose(preference, Reason::LayerOnCpu).await?;
        if let Some(gpu) = gpu {
            match self.on_gpu(&gpu, x.clone(), given, profile).await {
                Err(LayerError::Engine(error @ EngineError::Device { .. })) => {
                    reason = self.devices.fall_back(&gpu, error, preference)?;
                }
                outcome => return outcome,
            }
        }
        let begun = Instant::now();
        let computed = self.layer.forward(&self.cpu, x, given).await?;
        let total_ms = begun.elapsed().as_secs_f64() * 1e3;
        Ok(LayerRun { computed, total_ms, gpu: None, device_reason: reason })
    }

    async fn on_gpu(
        &self,
        gpu: &Rc<Gpu>,
        x: Vec<f32>,
        given: &Sequences,
        profile: bool,
    ) -> Result<LayerRun, LayerError> {
        let before = gpu.statistics();
        gpu.profile(profile);
        let begun = Instant::now();
        let computed = self.layer.forward(&Device::Gpu(gpu.clone()), x, given).await;
        let total_ms = begun.elapsed().as_secs_f64() * 1e3;
        gpu.profile(false);
        let (computed, after) = (computed?, gpu.statistics());
        let kernels = if profile { gpu.take_profile().ok() } else { None };
        let work = GpuWork {
            dispatches: after.dispatches - before.dispatches,
            submissions: after.submissions - before.submissions,
            bytes_moved: after.bytes_moved - before.bytes_moved,
            kernel_ms: kernels.map(|kernels| kernels.iter().map(|k| k.nanoseconds as f64 / 1e6).sum()),
        };
        let device_reason = Reason::GpuAsked { adapter: gpu.adapter().to_string() };
        Ok(LayerRun { computed, total_ms, gpu: Some(work), device_reason })
    }
}
