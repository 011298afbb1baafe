//! A layer by itself, on the CPU or on the GPU.

use std::rc::Rc;

use serde::Serialize;
use web_time::Instant;

use super::{Devices, Preference};
use crate::device::gpu::Gpu;
use crate::device::{EngineError, Place};
use crate::model::{Computed, FlopsReading, LayerError, SequenceLayer, Sequences};

/// A layer with the devices that it may run on.
#[derive(Debug)]
pub struct LayerRunner {
    layer: SequenceLayer,
    devices: Rc<Devices>,
}

/// What a run took, beside what it computed.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerRun {
    /// Floating-point operations.
    pub flops: FlopsReading,
    /// Wall time.
    pub timing: LayerTiming,
    /// Why it ran on `timing.device`, in words for people.
    pub device_reason: String,
}

/// What a run took.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerTiming {
    /// Where it ran.
    pub device: &'static str,
    /// Wall time in milliseconds, from the rows given to the rows computed.
    pub total_ms: f64,
    /// Of the GPU; what other calls did meanwhile counts as well.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<GpuWork>,
}

/// What the GPU was asked to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GpuWork {
    /// Kernel launches.
    pub dispatches: u64,
    /// Command buffers sent.
    pub submissions: u64,
    /// Bytes that crossed between host and GPU, in both directions.
    pub bytes_moved: u64,
    /// Milliseconds in kernels; none without timestamp queries, and where the run was not profiled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kernel_ms: Option<f64>,
}

impl LayerRunner {
    /// A layer that may run on any of the devices.
    pub fn new(layer: SequenceLayer, devices: Rc<Devices>) -> Self {
        Self { layer, devices }
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
        given: &Sequences,
        preference: Preference,
        profile: bool,
    ) -> Result<(Computed, LayerRun), LayerError> {
        let reason = match preference {
            Preference::Cpu => "CPU: as asked".into(),
            Preference::Auto => "CPU: the GPU computes a layer only where it is asked for".into(),
            Preference::WebGpu | Preference::WebGpuOnly => match self.devices.gpu().await {
                Ok(gpu) => match self.on_gpu(&gpu, given, profile).await {
                    Err(LayerError::Engine(error @ EngineError::Device { .. })) => {
                        self.devices.failed(&gpu, &error);
                        if preference == Preference::WebGpuOnly {
                            return Err(error.into());
                        }
                        format!("CPU: WebGPU failed on this input ({error}), so it was computed here")
                    }
                    outcome => return outcome,
                },
                Err(reason) if preference == Preference::WebGpuOnly => {
                    return Err(EngineError::unavailable(reason).into());
                }
                Err(reason) => format!("CPU, since {reason}"),
            },
        };
        let begun = Instant::now();
        let computed = self.layer.forward(&Place::Cpu, given).await?;
        let total_ms = begun.elapsed().as_secs_f64() * 1e3;
        let timing = LayerTiming { device: "cpu", total_ms, gpu: None };
        let run = LayerRun { flops: computed.flops.into(), timing, device_reason: reason };
        Ok((computed, run))
    }

    async fn on_gpu(
        &self,
        gpu: &Rc<Gpu>,
        given: &Sequences,
        profile: bool,
    ) -> Result<(Computed, LayerRun), LayerError> {
        let before = gpu.statistics();
        gpu.profile(profile);
        let begun = Instant::now();
        let computed = self.layer.forward(&Place::Gpu(gpu.clone()), given).await;
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
        let timing = LayerTiming { device: "webgpu", total_ms, gpu: Some(work) };
        let device_reason = format!("WebGPU, as asked: {}", gpu.adapter());
        let run = LayerRun { flops: computed.flops.into(), timing, device_reason };
        Ok((computed, run))
    }
}
