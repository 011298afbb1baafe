//! The adapter and the device: asked for without ever throwing, with their failures collected.

use std::sync::{Arc, Mutex, PoisonError};

use super::driver::{self, Device, Limits};
use crate::device::{EngineError, Failure};

/// What to ask for.
#[derive(Clone, Debug, Default)]
pub struct GpuOptions {
    /// Take an adapter only if its name contains this, whatever the case (natively; a browser names none).
    pub name: Option<String>,
    /// Ask for a device whose buffers hold no more bytes than this, to see how a small one fares.
    pub max_buffer_bytes: Option<u64>,
}

/// Which adapter was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterSummary {
    /// The adapter's name; browsers often leave it empty.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `webgpu`.
    pub backend: String,
    /// Whether it is a processor that plays a GPU.
    pub software: bool,
    /// Whether kernels can be timed on the device.
    pub timestamps: bool,
}

impl std::fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = if self.name.is_empty() { "unnamed adapter" } else { &self.name };
        write!(f, "{name} ({})", self.backend)
    }
}

/// There is no GPU to use, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuUnavailable {
    /// No adapter: no driver, or a browser without WebGPU.
    #[error("no WebGPU adapter: {0}")]
    NoAdapter(String),
    /// The adapter gives no device.
    #[error("the adapter {adapter} gives no device: {reason}")]
    NoDevice {
        /// Its name.
        adapter: String,
        /// What it says.
        reason: String,
    },
}

/// Failures that arrive whenever the driver notices.
#[derive(Clone, Default)]
pub(super) struct Failures(Arc<Mutex<Option<EngineError>>>);

impl Failures {
    /// Keeps the first failure.
    pub(super) fn report(&self, kind: Failure, reason: String) {
        let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(EngineError::Device { kind, reason });
    }

    pub(super) fn first(&self) -> Option<EngineError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn check(&self) -> Result<(), EngineError> {
        self.first().map_or(Ok(()), Err)
    }
}

/// A device that commands can be sent to.
pub(super) struct Context {
    pub(super) device: Device,
    pub(super) limits: Limits,
    pub(super) summary: AdapterSummary,
    pub(super) failures: Failures,
}

pub(super) async fn request(options: &GpuOptions) -> Result<Context, GpuUnavailable> {
    let failures = Failures::default();
    let (device, limits, summary) = driver::request(options, &failures).await?;
    Ok(Context { device, limits, summary, failures })
}
