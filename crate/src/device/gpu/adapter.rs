//! Requests an adapter and a device, and collects the failures that they report later.

use std::cell::Cell;
use std::sync::{Arc, Mutex, PoisonError};

use crate::device::{EngineError, Failure};

/// Options of [`super::Gpu::request`].
#[derive(Clone, Debug, Default)]
pub struct GpuOptions {
    /// The adapter's name must contain this text; case does not matter. Native only: a browser does not name its
    /// adapters.
    pub name: Option<String>,
    /// A buffer may hold at most this many bytes, which simulates a small device.
    pub max_buffer_bytes: Option<u64>,
    /// Selects the kernels for a software GPU (`true`) or a hardware GPU (`false`). By default the adapter's type
    /// decides.
    pub software: Option<bool>,
}

/// Describes the adapter in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdapterSummary {
    /// The adapter's name; browsers often leave it empty.
    pub name: String,
    /// `vulkan`, `metal`, `dx12` or `webgpu`.
    pub backend: String,
    /// Whether the adapter is a software GPU, which runs shaders on the CPU. Other kernels are faster there.
    pub software: bool,
    /// Whether the device has timestamp queries, which time kernels.
    pub timestamps: bool,
}

impl std::fmt::Display for AdapterSummary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = if self.name.is_empty() { "unnamed adapter" } else { &self.name };
        write!(f, "{name} ({})", self.backend)
    }
}

/// The reason why no GPU is available.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuUnavailable {
    /// No adapter was found: there is no driver, or the browser has no WebGPU.
    #[error("no WebGPU adapter: {0}")]
    NoAdapter(String),
    /// The adapter refuses to create a device.
    #[error("the adapter {adapter} gives no device: {reason}")]
    NoDevice {
        /// The adapter's name.
        adapter: String,
        /// The reason that it gives.
        reason: String,
    },
}

/// The first failure that the driver reported. The driver's callbacks share it.
#[derive(Clone, Default)]
pub(super) struct Failures(Arc<Mutex<Option<EngineError>>>);

impl Failures {
    /// Stores a failure unless one is stored already.
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

/// A device with its queue, its limits and its failures.
pub(super) struct Context {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: wgpu::Limits,
    pub(super) summary: AdapterSummary,
    pub(super) failures: Failures,
    /// Whether commands are encoded that are not submitted.
    pub(super) encoding: Cell<bool>,
}

impl Context {
    /// The most bytes that a buffer may have.
    pub(super) fn most_bytes(&self) -> u64 {
        self.limits.max_buffer_size.min(self.limits.max_storage_buffer_binding_size)
    }
}

pub(super) async fn request(options: &GpuOptions) -> Result<Context, GpuUnavailable> {
    if wgpu::Instance::enabled_backend_features().is_empty() {
        return Err(GpuUnavailable::NoAdapter("this build has no graphics backend for this system".into()));
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = adapter(&instance, options).await?;
    let info = adapter.get_info();
    let summary = AdapterSummary {
        name: info.name.clone(),
        backend: if info.backend == wgpu::Backend::BrowserWebGpu {
            "webgpu".into()
        } else {
            info.backend.to_string()
        },
        software: options.software.unwrap_or(info.device_type == wgpu::DeviceType::Cpu),
        timestamps: adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY),
    };
    // WebGPU's default limits, which every adapter in a browser supports, but the adapter's own limits for buffers.
    let found = adapter.limits();
    let defaults = wgpu::Limits::default();
    #[cfg(not(target_arch = "wasm32"))]
    let defaults = defaults.or_worse_values_from(&found);
    let bound = |limit: u64| options.max_buffer_bytes.map_or(limit, |most| most.min(limit));
    let limits = wgpu::Limits {
        max_buffer_size: bound(found.max_buffer_size),
        max_storage_buffer_binding_size: bound(found.max_storage_buffer_binding_size),
        ..defaults
    };
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("saccade"),
        required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
        required_limits: limits.clone(),
        ..Default::default()
    };
    let refused = |error: wgpu::RequestDeviceError| GpuUnavailable::NoDevice {
        adapter: summary.to_string(),
        reason: error.to_string(),
    };
    let (device, queue) = adapter.request_device(&descriptor).await.map_err(refused)?;
    let failures = Failures::default();
    let uncaptured = failures.clone();
    // wgpu's default handler panics.
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        let (kind, reason) = describe(&error);
        uncaptured.report(kind, reason);
    }));
    let lost = failures.clone();
    device.set_device_lost_callback(move |reason, message| {
        let why = if message.is_empty() { format!("{reason:?}") } else { message };
        lost.report(Failure::Lost, why);
    });
    Ok(Context { device, queue, limits, summary, failures, encoding: Cell::new(false) })
}

#[cfg_attr(target_arch = "wasm32", allow(unused_variables, reason = "a browser does not name its adapters"))]
async fn adapter(instance: &wgpu::Instance, options: &GpuOptions) -> Result<wgpu::Adapter, GpuUnavailable> {
    // Excluded from WebAssembly at compile time: otherwise the binary keeps this code and its tables for
    // `to_lowercase`.
    #[cfg(not(target_arch = "wasm32"))]
    if let Some(wanted) = &options.name {
        let adapters = instance.enumerate_adapters(wgpu::Backends::all()).await;
        let names: Vec<String> = adapters.iter().map(|a| a.get_info().name).collect();
        let matches = |name: &String| name.to_lowercase().contains(&wanted.to_lowercase());
        let found = names.iter().position(matches).and_then(|at| adapters.into_iter().nth(at));
        let missing = || format!("none is named like `{wanted}`; found: {}", names.join(", "));
        return found.ok_or_else(|| GpuUnavailable::NoAdapter(missing()));
    }
    let request = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    // wgpu's message lists the backends that it was compiled without, which says nothing in a browser.
    let none = |error: wgpu::RequestAdapterError| {
        let web = cfg!(target_arch = "wasm32");
        GpuUnavailable::NoAdapter(if web { "the browser offers none".into() } else { error.to_string() })
    };
    instance.request_adapter(&request).await.map_err(none)
}

/// The kind and the message of a wgpu error.
pub(super) fn describe(error: &wgpu::Error) -> (Failure, String) {
    match error {
        wgpu::Error::OutOfMemory { .. } => (Failure::OutOfMemory, "the GPU is out of memory".into()),
        wgpu::Error::Validation { description, .. } => (Failure::Invalid, description.clone()),
        wgpu::Error::Internal { description, .. } => (Failure::Invalid, description.clone()),
    }
}
