//! wgpu.

use std::num::NonZeroU64;
use std::sync::Arc;

use futures_channel::oneshot;
use saccade_shaders::{Binding, Kernel};

use super::{
    AdapterSummary, Bound, Caught, Failures, Filter, GpuOptions, GpuUnavailable, Limits, OUT_OF_MEMORY,
    Pending, Purpose,
};
use crate::device::Failure;

/// A device and its queue.
pub(in crate::device::gpu) struct Device {
    device: wgpu::Device,
    queue: wgpu::Queue,
}

/// A buffer; cloning shares it.
#[derive(Clone)]
pub(in crate::device::gpu) struct Buffer(wgpu::Buffer);

/// A compiled kernel; cloning shares it.
#[derive(Clone)]
pub(in crate::device::gpu) struct Pipeline {
    raw: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// What a launch reads and writes.
pub(in crate::device::gpu) struct Group(wgpu::BindGroup);

/// Queries of times; cloning shares them.
#[derive(Clone)]
pub(in crate::device::gpu) struct Queries(wgpu::QuerySet);

/// An error scope, closed at the latest when it is dropped: the innermost first.
pub(in crate::device::gpu) struct Scope(wgpu::ErrorScopeGuard);

/// Asks for an adapter and a device.
pub(in crate::device::gpu) async fn request(
    options: &GpuOptions,
    failures: &Failures,
) -> Result<(Device, Limits, AdapterSummary), GpuUnavailable> {
    if wgpu::Instance::enabled_backend_features().is_empty() {
        return Err(GpuUnavailable::NoAdapter("this build has no graphics backend for this system".into()));
    }
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapter = adapter(&instance, options).await?;
    let info = adapter.get_info();
    let summary = AdapterSummary {
        name: info.name.clone(),
        backend: info.backend.to_string(),
        software: info.device_type == wgpu::DeviceType::Cpu,
        timestamps: adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY),
    };
    let found = adapter.limits();
    let mut limits = Limits::new(options, found.max_buffer_size, found.max_storage_buffer_binding_size);
    let required_limits = wgpu::Limits {
        max_buffer_size: limits.buffer,
        max_storage_buffer_binding_size: limits.binding,
        ..wgpu::Limits::default().or_worse_values_from(&found)
    };
    limits.groups = required_limits.max_compute_workgroups_per_dimension;
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("saccade"),
        required_features: adapter.features() & wgpu::Features::TIMESTAMP_QUERY,
        required_limits,
        ..Default::default()
    };
    let refused = |error: wgpu::RequestDeviceError| GpuUnavailable::NoDevice {
        adapter: summary.to_string(),
        reason: error.to_string(),
    };
    let (device, queue) = adapter.request_device(&descriptor).await.map_err(refused)?;
    let uncaptured = failures.clone();
    // wgpu's own handler panics.
    device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
        let (kind, reason) = describe(error);
        uncaptured.report(kind, reason);
    }));
    let lost = failures.clone();
    device.set_device_lost_callback(move |reason, message| {
        let why = if message.is_empty() { format!("{reason:?}") } else { message };
        lost.report(Failure::Lost, why);
    });
    Ok((Device { device, queue }, limits, summary))
}

async fn adapter(instance: &wgpu::Instance, options: &GpuOptions) -> Result<wgpu::Adapter, GpuUnavailable> {
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
    instance.request_adapter(&request).await.map_err(|error| GpuUnavailable::NoAdapter(error.to_string()))
}

/// The kind of a wgpu error, and what it says.
fn describe(error: wgpu::Error) -> (Failure, String) {
    match error {
        wgpu::Error::OutOfMemory { .. } => (Failure::OutOfMemory, OUT_OF_MEMORY.into()),
        wgpu::Error::Validation { description, .. } | wgpu::Error::Internal { description, .. } => {
            (Failure::Invalid, description)
        }
    }
}

impl Device {
    pub(in crate::device::gpu) fn buffer(&self, bytes: u64, purpose: Purpose) -> Buffer {
        Buffer(self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes,
            usage: wgpu::BufferUsages::from_bits_truncate(purpose.usage()),
            mapped_at_creation: false,
        }))
    }

    pub(in crate::device::gpu) fn pipeline(&self, kernel: &'static Kernel) -> Pipeline {
        let entry = |(binding, kind): (usize, &Binding)| wgpu::BindGroupLayoutEntry {
            binding: binding as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match kind {
                    Binding::Uniform(_) => wgpu::BufferBindingType::Uniform,
                    Binding::Read => wgpu::BufferBindingType::Storage { read_only: true },
                    Binding::Write => wgpu::BufferBindingType::Storage { read_only: false },
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let entries: Vec<_> = kernel.bindings.iter().enumerate().map(entry).collect();
        let device = &self.device;
        let label = Some(kernel.name);
        let layout =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label, entries: &entries });
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label,
            source: wgpu::ShaderSource::Wgsl(kernel.source().into()),
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label,
            bind_group_layouts: &[Some(&layout)],
            ..Default::default()
        });
        let raw = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label,
            layout: Some(&pipeline_layout),
            module: &module,
            entry_point: Some("main"),
            compilation_options: wgpu::PipelineCompilationOptions {
                // Every kernel writes its workgroup memory before it reads it.
                zero_initialize_workgroup_memory: false,
                ..Default::default()
            },
            cache: None,
        });
        Pipeline { raw, layout }
    }

    /// What a kernel's bindings are, in their order.
    pub(in crate::device::gpu) fn group(&self, pipeline: &Pipeline, parts: &[Bound<'_>]) -> Group {
        let entries = parts.iter().zip(0..).map(|(part, binding)| wgpu::BindGroupEntry {
            binding,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                buffer: &part.buffer.0,
                offset: part.offset,
                size: NonZeroU64::new(part.bytes),
            }),
        });
        let entries: Vec<_> = entries.collect();
        let layout = &pipeline.layout;
        let descriptor = wgpu::BindGroupDescriptor { label: None, layout, entries: &entries };
        Group(self.device.create_bind_group(&descriptor))
    }

    /// Queries of so many times.
    pub(in crate::device::gpu) fn queries(&self, count: u32) -> Queries {
        let ty = wgpu::QueryType::Timestamp;
        Queries(self.device.create_query_set(&wgpu::QuerySetDescriptor { label: None, ty, count }))
    }

    /// Nanoseconds of a tick.
    pub(in crate::device::gpu) fn tick(&self) -> f64 {
        self.queue.get_timestamp_period().into()
    }

    pub(in crate::device::gpu) fn encoder(&self) -> Encoder {
        Encoder { raw: self.device.create_command_encoder(&Default::default()), pass: None }
    }

    /// Writes to the beginning of a buffer, ahead of all that was not submitted.
    pub(in crate::device::gpu) fn write(&self, buffer: &Buffer, bytes: &[u8]) {
        self.queue.write_buffer(&buffer.0, 0, bytes);
    }

    pub(in crate::device::gpu) fn submit(&self, encoder: Encoder) {
        let Encoder { raw, pass } = encoder;
        drop(pass);
        self.queue.submit([raw.finish()]);
    }

    pub(in crate::device::gpu) fn scope(&self, filter: Filter) -> Scope {
        Scope(self.device.push_error_scope(match filter {
            Filter::Internal => wgpu::ErrorFilter::Internal,
            Filter::Validation => wgpu::ErrorFilter::Validation,
            Filter::OutOfMemory => wgpu::ErrorFilter::OutOfMemory,
        }))
    }

    /// Waits for what was submitted, where nobody else does.
    pub(in crate::device::gpu) fn wait(&self, failures: &Failures) {
        if let Err(error) = self.device.poll(wgpu::PollType::wait_indefinitely()) {
            failures.report(Failure::Lost, error.to_string());
        }
    }

    pub(in crate::device::gpu) fn destroy(&self) {
        self.device.destroy();
    }
}

impl Scope {
    pub(in crate::device::gpu) fn pop(self) -> Pending<Caught> {
        let caught = self.0.pop();
        Box::pin(async { caught.await.map(describe) })
    }
}

impl Buffer {
    pub(in crate::device::gpu) fn bytes(&self) -> u64 {
        self.0.size()
    }

    /// Asks for the first bytes; whether they are there to be read.
    pub(in crate::device::gpu) fn map(&self, bytes: u64) -> Pending<bool> {
        let (sender, mapped) = oneshot::channel();
        self.0.slice(..bytes).map_async(wgpu::MapMode::Read, move |result| {
            // The receiver is gone if the read was dropped half way.
            let _ = sender.send(result);
        });
        Box::pin(async { matches!(mapped.await, Ok(Ok(()))) })
    }

    /// The first bytes, which are there, and hands them back.
    pub(in crate::device::gpu) fn take(&self, bytes: u64) -> Result<Vec<u8>, String> {
        let view = self.0.slice(..bytes).get_mapped_range();
        let taken = view.map(|view| view.to_vec());
        self.0.unmap();
        taken.map_err(|error| error.to_string())
    }
}

/// Commands in their order.
pub(in crate::device::gpu) struct Encoder {
    raw: wgpu::CommandEncoder,
    /// Launches that follow each other share one.
    pass: Option<wgpu::ComputePass<'static>>,
}

impl Encoder {
    /// All zeros.
    pub(in crate::device::gpu) fn clear(&mut self, buffer: &Buffer) {
        self.pass = None;
        self.raw.clear_buffer(&buffer.0, 0, None);
    }

    /// Copies bytes from a place in a buffer to a place in another.
    pub(in crate::device::gpu) fn copy(&mut self, from: (&Buffer, u64), to: (&Buffer, u64), bytes: u64) {
        self.pass = None;
        self.raw.copy_buffer_to_buffer(&from.0.0, from.1, &to.0.0, to.1, bytes);
    }

    /// Writes the first times to a buffer.
    pub(in crate::device::gpu) fn resolve(&mut self, queries: &Queries, count: u32, to: &Buffer) {
        self.pass = None;
        self.raw.resolve_query_set(&queries.0, 0..count, &to.0, 0);
    }

    /// A launch; with queries, the times before and after it go to the one of that number and the next.
    pub(in crate::device::gpu) fn dispatch(
        &mut self,
        pipeline: &Pipeline,
        group: &Group,
        groups: [u32; 2],
        timed: Option<(&Queries, u32)>,
    ) {
        if timed.is_some() {
            self.pass = None;
        }
        let pass = self.pass.get_or_insert_with(|| {
            let timestamp_writes = timed.map(|(queries, first)| wgpu::ComputePassTimestampWrites {
                query_set: &queries.0,
                beginning_of_pass_write_index: Some(first),
                end_of_pass_write_index: Some(first + 1),
            });
            let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
            self.raw.begin_compute_pass(&descriptor).forget_lifetime()
        });
        pass.set_pipeline(&pipeline.raw);
        pass.set_bind_group(0, &group.0, &[]);
        pass.dispatch_workgroups(groups[0], groups[1], 1);
        if timed.is_some() {
            self.pass = None;
        }
    }
}
