//! A browser's WebGPU.

use std::rc::Rc;

use js_sys::{Array, ArrayBuffer, JsString, Object, Promise, Uint8Array};
use saccade_shaders::{Binding, Kernel};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{
    AdapterSummary, Bound, Caught, Failures, Filter, GpuOptions, GpuUnavailable, Limits, OUT_OF_MEMORY,
    Pending, Purpose,
};
use crate::device::Failure;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = navigator)]
    static NAVIGATOR: Option<Navigator>;

    type Navigator;
    #[wasm_bindgen(method, getter)]
    fn gpu(this: &Navigator) -> Option<RawGpu>;

    type RawGpu;
    #[wasm_bindgen(method, js_name = requestAdapter)]
    fn request_adapter(this: &RawGpu, options: &Descriptor) -> Promise;

    type RawAdapter;
    #[wasm_bindgen(method, getter)]
    fn info(this: &RawAdapter) -> RawInfo;
    #[wasm_bindgen(method, getter)]
    fn limits(this: &RawAdapter) -> RawLimits;
    #[wasm_bindgen(method, getter)]
    fn features(this: &RawAdapter) -> js_sys::Set;
    #[wasm_bindgen(method, js_name = requestDevice)]
    fn request_device(this: &RawAdapter, descriptor: &Descriptor) -> Promise;

    type RawInfo;
    #[wasm_bindgen(method, getter)]
    fn description(this: &RawInfo) -> String;
    #[wasm_bindgen(method, getter, js_name = isFallbackAdapter)]
    fn is_fallback_adapter(this: &RawInfo) -> Option<bool>;

    type RawLimits;
    #[wasm_bindgen(method, getter, js_name = maxBufferSize)]
    fn max_buffer_size(this: &RawLimits) -> f64;
    #[wasm_bindgen(method, getter, js_name = maxStorageBufferBindingSize)]
    fn max_storage_buffer_binding_size(this: &RawLimits) -> f64;

    #[derive(Clone)]
    type RawDevice;
    #[wasm_bindgen(method, getter)]
    fn queue(this: &RawDevice) -> RawQueue;
    #[wasm_bindgen(method, getter)]
    fn lost(this: &RawDevice) -> Promise;
    #[wasm_bindgen(method, setter)]
    fn set_onuncapturederror(this: &RawDevice, told: &JsValue);
    #[wasm_bindgen(method, js_name = createBuffer)]
    fn create_buffer(this: &RawDevice, descriptor: &Descriptor) -> RawBuffer;
    #[wasm_bindgen(method, js_name = createBindGroupLayout)]
    fn create_bind_group_layout(this: &RawDevice, descriptor: &Descriptor) -> JsValue;
    #[wasm_bindgen(method, js_name = createShaderModule)]
    fn create_shader_module(this: &RawDevice, descriptor: &Descriptor) -> JsValue;
    #[wasm_bindgen(method, js_name = createPipelineLayout)]
    fn create_pipeline_layout(this: &RawDevice, descriptor: &Descriptor) -> JsValue;
    #[wasm_bindgen(method, js_name = createComputePipeline)]
    fn create_compute_pipeline(this: &RawDevice, descriptor: &Descriptor) -> JsValue;
    #[wasm_bindgen(method, js_name = createBindGroup)]
    fn create_bind_group(this: &RawDevice, descriptor: &Descriptor) -> JsValue;
    #[wasm_bindgen(method, js_name = createQuerySet)]
    fn create_query_set(this: &RawDevice, descriptor: &Descriptor) -> JsValue;
    #[wasm_bindgen(method, js_name = createCommandEncoder)]
    fn create_command_encoder(this: &RawDevice) -> RawEncoder;
    #[wasm_bindgen(method, js_name = pushErrorScope)]
    fn push_error_scope(this: &RawDevice, filter: &str);
    #[wasm_bindgen(method, js_name = popErrorScope)]
    fn pop_error_scope(this: &RawDevice) -> Promise;
    #[wasm_bindgen(method)]
    fn destroy(this: &RawDevice);

    type RawQueue;
    #[wasm_bindgen(method, js_name = writeBuffer)]
    fn write_buffer(this: &RawQueue, buffer: &RawBuffer, offset: f64, bytes: &[u8]);
    #[wasm_bindgen(method)]
    fn submit(this: &RawQueue, commands: &Array);

    #[derive(Clone)]
    type RawBuffer;
    #[wasm_bindgen(method, getter)]
    fn size(this: &RawBuffer) -> f64;
    #[wasm_bindgen(method, js_name = mapAsync)]
    fn map_async(this: &RawBuffer, mode: u32, offset: f64, size: f64) -> Promise;
    #[wasm_bindgen(method, catch, js_name = getMappedRange)]
    fn get_mapped_range(this: &RawBuffer, offset: f64, size: f64) -> Result<ArrayBuffer, JsValue>;
    #[wasm_bindgen(method)]
    fn unmap(this: &RawBuffer);

    type RawEncoder;
    #[wasm_bindgen(method, js_name = clearBuffer)]
    fn clear_buffer(this: &RawEncoder, buffer: &RawBuffer);
    #[wasm_bindgen(method, js_name = copyBufferToBuffer)]
    fn copy_buffer_to_buffer(
        this: &RawEncoder,
        from: &RawBuffer,
        from_at: f64,
        to: &RawBuffer,
        to_at: f64,
        size: f64,
    );
    #[wasm_bindgen(method, js_name = resolveQuerySet)]
    fn resolve_query_set(
        this: &RawEncoder,
        queries: &JsValue,
        first: u32,
        count: u32,
        to: &RawBuffer,
        at: f64,
    );
    #[wasm_bindgen(method, js_name = beginComputePass)]
    fn begin_compute_pass(this: &RawEncoder, descriptor: &Descriptor) -> RawPass;
    #[wasm_bindgen(method)]
    fn finish(this: &RawEncoder) -> JsValue;

    type RawPass;
    #[wasm_bindgen(method, js_name = setPipeline)]
    fn set_pipeline(this: &RawPass, pipeline: &JsValue);
    #[wasm_bindgen(method, js_name = setBindGroup)]
    fn set_bind_group(this: &RawPass, index: u32, group: &JsValue);
    #[wasm_bindgen(method, js_name = dispatchWorkgroups)]
    fn dispatch_workgroups(this: &RawPass, x: u32, y: u32);
    #[wasm_bindgen(method)]
    fn end(this: &RawPass);

    #[wasm_bindgen(js_name = GPUOutOfMemoryError)]
    type RawOutOfMemory;

    /// An error, what tells of one, and what tells that a device is lost.
    type RawReport;
    #[wasm_bindgen(method, getter)]
    fn error(this: &RawReport) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn message(this: &RawReport) -> String;
    #[wasm_bindgen(method, getter)]
    fn reason(this: &RawReport) -> String;

    /// Every dictionary that WebGPU takes: the members of all, under their own names.
    #[wasm_bindgen(extends = Object)]
    type Descriptor;
    #[wasm_bindgen(method, setter)]
    fn set_label(this: &Descriptor, value: &str);
    #[wasm_bindgen(method, setter = powerPreference)]
    fn set_power_preference(this: &Descriptor, value: &str);
    #[wasm_bindgen(method, setter = requiredFeatures)]
    fn set_required_features(this: &Descriptor, value: &Array);
    #[wasm_bindgen(method, setter = requiredLimits)]
    fn set_required_limits(this: &Descriptor, value: &Descriptor);
    #[wasm_bindgen(method, setter = maxBufferSize)]
    fn set_max_buffer_size(this: &Descriptor, value: f64);
    #[wasm_bindgen(method, setter = maxStorageBufferBindingSize)]
    fn set_max_storage_buffer_binding_size(this: &Descriptor, value: f64);
    #[wasm_bindgen(method, setter)]
    fn set_size(this: &Descriptor, value: f64);
    #[wasm_bindgen(method, setter)]
    fn set_usage(this: &Descriptor, value: u32);
    #[wasm_bindgen(method, setter)]
    fn set_binding(this: &Descriptor, value: u32);
    #[wasm_bindgen(method, setter)]
    fn set_visibility(this: &Descriptor, value: u32);
    #[wasm_bindgen(method, setter = type)]
    fn set_type(this: &Descriptor, value: &str);
    #[wasm_bindgen(method, setter)]
    fn set_buffer(this: &Descriptor, value: &JsValue);
    #[wasm_bindgen(method, setter)]
    fn set_offset(this: &Descriptor, value: f64);
    #[wasm_bindgen(method, setter)]
    fn set_resource(this: &Descriptor, value: &Descriptor);
    #[wasm_bindgen(method, setter)]
    fn set_entries(this: &Descriptor, value: &Array);
    #[wasm_bindgen(method, setter)]
    fn set_layout(this: &Descriptor, value: &JsValue);
    #[wasm_bindgen(method, setter = bindGroupLayouts)]
    fn set_bind_group_layouts(this: &Descriptor, value: &Array);
    #[wasm_bindgen(method, setter)]
    fn set_code(this: &Descriptor, value: &str);
    #[wasm_bindgen(method, setter)]
    fn set_module(this: &Descriptor, value: &JsValue);
    #[wasm_bindgen(method, setter)]
    fn set_compute(this: &Descriptor, value: &Descriptor);
    #[wasm_bindgen(method, setter)]
    fn set_count(this: &Descriptor, value: u32);
    #[wasm_bindgen(method, setter = timestampWrites)]
    fn set_timestamp_writes(this: &Descriptor, value: &Descriptor);
    #[wasm_bindgen(method, setter = querySet)]
    fn set_query_set(this: &Descriptor, value: &JsValue);
    #[wasm_bindgen(method, setter = beginningOfPassWriteIndex)]
    fn set_beginning_of_pass_write_index(this: &Descriptor, value: u32);
    #[wasm_bindgen(method, setter = endOfPassWriteIndex)]
    fn set_end_of_pass_write_index(this: &Descriptor, value: u32);
}

impl Descriptor {
    /// An empty one, filled by `members`.
    fn with(members: impl FnOnce(&Self)) -> Self {
        let made = Object::new().unchecked_into();
        members(&made);
        made
    }
}

const TIMESTAMPS: &str = "timestamp-query";

/// A device and its queue.
pub(in crate::device::gpu) struct Device {
    raw: RawDevice,
    queue: RawQueue,
}

/// A buffer; cloning shares it.
#[derive(Clone)]
pub(in crate::device::gpu) struct Buffer(RawBuffer);

/// A compiled kernel; cloning shares it.
#[derive(Clone)]
pub(in crate::device::gpu) struct Pipeline(Rc<[JsValue; 2]>);

/// What a launch reads and writes.
pub(in crate::device::gpu) struct Group(JsValue);

/// Queries of times; cloning shares them.
#[derive(Clone)]
pub(in crate::device::gpu) struct Queries(JsValue);

/// An error scope, closed at the latest when it is dropped: the innermost first.
pub(in crate::device::gpu) struct Scope {
    device: RawDevice,
    open: bool,
}

/// Asks for an adapter and a device.
pub(in crate::device::gpu) async fn request(
    options: &GpuOptions,
    failures: &Failures,
) -> Result<(Device, Limits, AdapterSummary), GpuUnavailable> {
    let none = || GpuUnavailable::NoAdapter("the browser offers none".into());
    let gpu = NAVIGATOR.with(|navigator| navigator.as_ref()?.gpu()).ok_or_else(none)?;
    let wanted = Descriptor::with(|wanted| wanted.set_power_preference("high-performance"));
    let adapter = JsFuture::from(gpu.request_adapter(&wanted)).await.map_err(|_| none())?;
    if adapter.is_null() {
        return Err(none());
    }
    let adapter: RawAdapter = adapter.unchecked_into();
    let info = adapter.info();
    let summary = AdapterSummary {
        name: info.description(),
        backend: "webgpu".into(),
        software: info.is_fallback_adapter() == Some(true),
        timestamps: adapter.features().has(&TIMESTAMPS.into()),
    };
    let found = adapter.limits();
    let (buffer, binding) = (found.max_buffer_size(), found.max_storage_buffer_binding_size());
    let limits = Limits::new(options, buffer as u64, binding as u64);
    let descriptor = Descriptor::with(|device| {
        device.set_label("saccade");
        if summary.timestamps {
            device.set_required_features(&Array::of1(&TIMESTAMPS.into()));
        }
        device.set_required_limits(&Descriptor::with(|required| {
            required.set_max_buffer_size(limits.buffer as f64);
            required.set_max_storage_buffer_binding_size(limits.binding as f64);
        }));
    });
    let raw = JsFuture::from(adapter.request_device(&descriptor))
        .await
        .map_err(|error| GpuUnavailable::NoDevice { adapter: summary.to_string(), reason: text(&error) })?;
    let raw: RawDevice = raw.unchecked_into();
    let uncaptured = failures.clone();
    let told = Closure::<dyn Fn(RawReport)>::new(move |event: RawReport| {
        let (kind, reason) = describe(&event.error());
        uncaptured.report(kind, reason);
    });
    raw.set_onuncapturederror(&told.into_js_value());
    let (lost, failures) = (raw.lost(), failures.clone());
    spawn_local(async move {
        if let Ok(why) = JsFuture::from(lost).await {
            let why: RawReport = why.unchecked_into();
            let message = why.message();
            failures.report(Failure::Lost, if message.is_empty() { why.reason() } else { message });
        }
    });
    Ok((Device { queue: raw.queue(), raw }, limits, summary))
}

/// The kind of an error, and what it says.
fn describe(error: &JsValue) -> (Failure, String) {
    if error.has_type::<RawOutOfMemory>() {
        return (Failure::OutOfMemory, OUT_OF_MEMORY.into());
    }
    (Failure::Invalid, error.unchecked_ref::<RawReport>().message())
}

fn text(thrown: &JsValue) -> String {
    JsString::from(thrown.unchecked_ref::<Object>().to_string()).into()
}

impl Device {
    pub(in crate::device::gpu) fn buffer(&self, bytes: u64, purpose: Purpose) -> Buffer {
        Buffer(self.raw.create_buffer(&Descriptor::with(|buffer| {
            buffer.set_size(bytes as f64);
            buffer.set_usage(purpose.usage());
        })))
    }

    pub(in crate::device::gpu) fn pipeline(&self, kernel: &'static Kernel) -> Pipeline {
        const COMPUTE: u32 = 4;
        let bindings = Array::new();
        for (kind, number) in kernel.bindings.iter().zip(0..) {
            bindings.push(&Descriptor::with(|entry| {
                entry.set_binding(number);
                entry.set_visibility(COMPUTE);
                entry.set_buffer(&Descriptor::with(|buffer| {
                    buffer.set_type(match kind {
                        Binding::Uniform(_) => "uniform",
                        Binding::Read => "read-only-storage",
                        Binding::Write => "storage",
                    });
                }));
            }));
        }
        let named = |members: &dyn Fn(&Descriptor)| {
            Descriptor::with(|made| {
                made.set_label(kernel.name);
                members(made);
            })
        };
        let layout = self.raw.create_bind_group_layout(&named(&|made| made.set_entries(&bindings)));
        let layouts = named(&|made| made.set_bind_group_layouts(&Array::of1(&layout)));
        let layouts = self.raw.create_pipeline_layout(&layouts);
        let module = self.raw.create_shader_module(&named(&|made| made.set_code(&kernel.source())));
        let stage = Descriptor::with(|stage| stage.set_module(&module));
        let raw = self.raw.create_compute_pipeline(&named(&|made| {
            made.set_layout(&layouts);
            made.set_compute(&stage);
        }));
        Pipeline(Rc::new([raw, layout]))
    }

    /// What a kernel's bindings are, in their order.
    pub(in crate::device::gpu) fn group(&self, pipeline: &Pipeline, parts: &[Bound<'_>]) -> Group {
        let entries = Array::new();
        for (part, number) in parts.iter().zip(0..) {
            entries.push(&Descriptor::with(|entry| {
                entry.set_binding(number);
                entry.set_resource(&Descriptor::with(|resource| {
                    resource.set_buffer(&part.buffer.0);
                    resource.set_offset(part.offset as f64);
                    resource.set_size(part.bytes as f64);
                }));
            }));
        }
        Group(self.raw.create_bind_group(&Descriptor::with(|group| {
            group.set_layout(&pipeline.0[1]);
            group.set_entries(&entries);
        })))
    }

    /// Queries of so many times.
    pub(in crate::device::gpu) fn queries(&self, count: u32) -> Queries {
        Queries(self.raw.create_query_set(&Descriptor::with(|queries| {
            queries.set_type("timestamp");
            queries.set_count(count);
        })))
    }

    /// Nanoseconds of a tick.
    pub(in crate::device::gpu) fn tick(&self) -> f64 {
        1.0
    }

    pub(in crate::device::gpu) fn encoder(&self) -> Encoder {
        Encoder { raw: self.raw.create_command_encoder(), pass: None }
    }

    /// Writes to the beginning of a buffer, ahead of all that was not submitted.
    pub(in crate::device::gpu) fn write(&self, buffer: &Buffer, bytes: &[u8]) {
        self.queue.write_buffer(&buffer.0, 0.0, bytes);
    }

    pub(in crate::device::gpu) fn submit(&self, mut encoder: Encoder) {
        encoder.end_pass();
        self.queue.submit(&Array::of1(&encoder.raw.finish()));
    }

    pub(in crate::device::gpu) fn scope(&self, filter: Filter) -> Scope {
        self.raw.push_error_scope(match filter {
            Filter::Internal => "internal",
            Filter::Validation => "validation",
            Filter::OutOfMemory => "out-of-memory",
        });
        Scope { device: self.raw.clone(), open: true }
    }

    /// Waits for what was submitted, where nobody else does: a browser does.
    pub(in crate::device::gpu) fn wait(&self, _failures: &Failures) {}

    pub(in crate::device::gpu) fn destroy(&self) {
        self.raw.destroy();
    }
}

impl Scope {
    pub(in crate::device::gpu) fn pop(mut self) -> Pending<Caught> {
        self.open = false;
        let caught = JsFuture::from(self.device.pop_error_scope());
        // A device that is lost rejects, and tells why elsewhere.
        Box::pin(async { caught.await.ok().filter(|error| !error.is_null()).map(|error| describe(&error)) })
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        if self.open {
            // Nobody asks for what it caught.
            drop(self.device.pop_error_scope());
        }
    }
}

impl Buffer {
    pub(in crate::device::gpu) fn bytes(&self) -> u64 {
        self.0.size() as u64
    }

    /// Asks for the first bytes; whether they are there to be read.
    pub(in crate::device::gpu) fn map(&self, bytes: u64) -> Pending<bool> {
        const READ: u32 = 1;
        let mapped = JsFuture::from(self.0.map_async(READ, 0.0, bytes as f64));
        Box::pin(async { mapped.await.is_ok() })
    }

    /// The first bytes, which are there, and hands them back.
    pub(in crate::device::gpu) fn take(&self, bytes: u64) -> Result<Vec<u8>, String> {
        let taken = self.0.get_mapped_range(0.0, bytes as f64);
        let taken = taken.map(|range| Uint8Array::new(&range).to_vec()).map_err(|error| text(&error));
        self.0.unmap();
        taken
    }
}

/// Commands in their order.
pub(in crate::device::gpu) struct Encoder {
    raw: RawEncoder,
    /// Launches that follow each other share one.
    pass: Option<RawPass>,
}

impl Encoder {
    fn end_pass(&mut self) {
        if let Some(pass) = self.pass.take() {
            pass.end();
        }
    }

    /// All zeros.
    pub(in crate::device::gpu) fn clear(&mut self, buffer: &Buffer) {
        self.end_pass();
        self.raw.clear_buffer(&buffer.0);
    }

    /// Copies bytes from a place in a buffer to a place in another.
    pub(in crate::device::gpu) fn copy(&mut self, from: (&Buffer, u64), to: (&Buffer, u64), bytes: u64) {
        self.end_pass();
        self.raw.copy_buffer_to_buffer(&from.0.0, from.1 as f64, &to.0.0, to.1 as f64, bytes as f64);
    }

    /// Writes the first times to a buffer.
    pub(in crate::device::gpu) fn resolve(&mut self, queries: &Queries, count: u32, to: &Buffer) {
        self.end_pass();
        self.raw.resolve_query_set(&queries.0, 0, count, &to.0, 0.0);
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
            self.end_pass();
        }
        let pass = self.pass.get_or_insert_with(|| {
            self.raw.begin_compute_pass(&Descriptor::with(|pass| {
                if let Some((queries, first)) = timed {
                    pass.set_timestamp_writes(&Descriptor::with(|writes| {
                        writes.set_query_set(&queries.0);
                        writes.set_beginning_of_pass_write_index(first);
                        writes.set_end_of_pass_write_index(first + 1);
                    }));
                }
            }))
        });
        pass.set_pipeline(&pipeline.0[0]);
        pass.set_bind_group(0, &group.0);
        pass.dispatch_workgroups(groups[0], groups[1]);
        if timed.is_some() {
            self.end_pass();
        }
    }
}
