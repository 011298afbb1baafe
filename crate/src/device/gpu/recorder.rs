//! Encodes commands, submits them together and reads their results back.

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;

use futures_channel::oneshot;
use web_time::Instant;

use super::adapter::{Context, describe};
use super::arena::{Arena, Slice};
use super::launch::Arg;
use super::pipelines::Pipeline;
use super::profile::{Profile, Span, Times};
use super::statistics::Statistics;
use super::{Gpu, GpuBuffer};
use crate::device::{EngineError, Failure};

/// The longest that a submission should run, in milliseconds: other users of the GPU do not wait longer, and no
/// driver's watchdog ends it.
const MOST_MS: f64 = 50.0;
/// Multiply-adds a millisecond before the first measurement: those of a slow software GPU.
const FIRST_RATE: f64 = 1e6;
/// The fixed cost of a launch, in multiply-adds.
const LAUNCH_WORK: f64 = 1000.0;

/// The commands encoded since the last submission.
pub(super) struct Recorder {
    arena: Arena,
    encoding: Option<Encoding>,
    /// The results of the error scopes of submissions since the last read.
    outcomes: Vec<Outcome>,
    /// Multiply-adds that are encoded, and those submitted since the last read.
    encoded_work: f64,
    submitted_work: f64,
    /// Multiply-adds a millisecond, as measured.
    rate: f64,
    pub(super) profile: Profile,
    pub(super) statistics: Statistics,
}

struct Encoding {
    encoder: wgpu::CommandEncoder,
    pass: Option<wgpu::ComputePass<'static>>,
    /// Innermost first: the order in which they must end, also when they are dropped.
    scopes: Vec<wgpu::ErrorScopeGuard>,
}

type Outcome = Pin<Box<dyn Future<Output = Option<wgpu::Error>>>>;

/// A read that was submitted.
pub(super) struct Submitted {
    outcomes: Vec<Outcome>,
    times: Vec<Times>,
    mapped: oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>,
    begin: Instant,
    work: f64,
}

impl Recorder {
    pub(super) fn new() -> Self {
        Self {
            arena: Arena::default(),
            encoding: None,
            outcomes: Vec::new(),
            encoded_work: 0.0,
            submitted_work: 0.0,
            rate: FIRST_RATE,
            profile: Profile::default(),
            statistics: Statistics::default(),
        }
    }

    fn encoding(&mut self, context: &Context) -> &mut Encoding {
        self.encoding.get_or_insert_with(|| {
            use wgpu::ErrorFilter::{Internal, OutOfMemory, Validation};
            let mut scopes =
                [Internal, Validation, OutOfMemory].map(|filter| context.device.push_error_scope(filter));
            scopes.reverse();
            context.encoding.set(true);
            let encoder = context.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            Encoding { encoder, pass: None, scopes: scopes.into() }
        })
    }

    /// Writes to a buffer that no encoded command uses.
    pub(super) fn write(&mut self, context: &Context, buffer: &GpuBuffer, bytes: &[u8]) {
        if !bytes.is_empty() {
            self.encoding(context);
            let to = buffer.bytes();
            context.queue.write_buffer(to.buffer, to.offset, bytes);
            self.statistics.bytes_moved += bytes.len() as u64;
        }
    }

    pub(super) fn clear(&mut self, context: &Context, buffer: &GpuBuffer) {
        let encoding = self.encoding(context);
        encoding.pass = None;
        let bytes = buffer.bytes();
        encoding.encoder.clear_buffer(bytes.buffer, bytes.offset, bytes.size.map(u64::from));
    }

    /// Copies a buffer to another, which has room for its values.
    pub(super) fn copy(&mut self, context: &Context, from: &GpuBuffer, to: &GpuBuffer) {
        let encoding = self.encoding(context);
        encoding.pass = None;
        let size = from.size().min(to.size());
        let (from, to) = (from.bytes(), to.bytes());
        encoding.encoder.copy_buffer_to_buffer(from.buffer, from.offset, to.buffer, to.offset, size);
    }

    /// Encodes a launch. Returns whether all encoded commands were submitted.
    pub(super) fn dispatch(
        &mut self,
        context: &Context,
        name: &'static str,
        pipeline: &Pipeline,
        arguments: &[Arg<'_>],
        groups: [u32; 2],
        work: usize,
    ) -> Result<bool, EngineError> {
        self.encoding(context);
        let mut slices = Vec::with_capacity(arguments.len());
        for argument in arguments {
            slices.push(self.host_argument(context, argument)?);
        }
        let mut entries = Vec::with_capacity(arguments.len());
        for (binding, (argument, slice)) in arguments.iter().zip(&slices).enumerate() {
            let range = match (argument, slice) {
                (Arg::Read(buffer) | Arg::Write(buffer), _) => buffer.bytes(),
                (_, Some(Slice { buffer, offset, size })) => {
                    wgpu::BufferBinding { buffer, offset: *offset, size: std::num::NonZeroU64::new(*size) }
                }
                (_, None) => unreachable!("what is not on the GPU was put into the arena"),
            };
            let resource = wgpu::BindingResource::Buffer(range);
            entries.push(wgpu::BindGroupEntry { binding: binding as u32, resource });
        }
        let bind_group = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(name),
            layout: &pipeline.layout,
            entries: &entries,
        });
        let span = self.profile.span(context, name);
        let Encoding { encoder, pass, .. } = self.encoding(context);
        if span.is_some() {
            *pass = None;
        }
        let current = pass.get_or_insert_with(|| {
            let timestamp_writes = span.as_ref().map(Span::writes);
            let descriptor = wgpu::ComputePassDescriptor { label: None, timestamp_writes };
            encoder.begin_compute_pass(&descriptor).forget_lifetime()
        });
        current.set_pipeline(&pipeline.raw);
        current.set_bind_group(0, &bind_group, &[]);
        current.dispatch_workgroups(groups[0], groups[1], 1);
        if span.is_some() {
            *pass = None;
        }
        self.statistics.dispatches += 1;
        self.encoded_work += work as f64 + LAUNCH_WORK;
        let full = self.encoded_work > self.rate * MOST_MS || self.profile.is_full();
        if full {
            self.submit(context);
        }
        Ok(full)
    }

    fn host_argument(&mut self, context: &Context, argument: &Arg<'_>) -> Result<Option<Slice>, EngineError> {
        let bytes: &[u8] = match argument {
            Arg::Uniform(bytes) => bytes,
            Arg::Words(words) => bytemuck::cast_slice(words),
            Arg::Nothing => &[],
            Arg::Read(_) | Arg::Write(_) => return Ok(None),
        };
        self.statistics.bytes_moved += bytes.len() as u64;
        self.arena.add(context, bytes).map(Some)
    }

    /// Submits the encoded commands.
    fn submit(&mut self, context: &Context) {
        self.encoding(context);
        let Some(Encoding { mut encoder, pass, scopes }) = self.encoding.take() else { return };
        drop(pass);
        let times = self.profile.resolve(context, &mut encoder);
        self.arena.send(context);
        context.queue.submit([encoder.finish()]);
        context.encoding.set(false);
        if let Some(times) = times {
            self.profile.request(times);
        }
        for scope in scopes {
            self.outcomes.push(Box::pin(scope.pop()));
        }
        self.statistics.submissions += 1;
        self.submitted_work += std::mem::take(&mut self.encoded_work);
    }

    /// Copies ranges of buffers to a staging buffer, submits all commands and starts to map the staging buffer.
    pub(super) fn submit_read(
        &mut self,
        context: &Context,
        staging: &wgpu::Buffer,
        parts: &[(GpuBuffer, Range<usize>)],
    ) -> Submitted {
        let encoding = self.encoding(context);
        encoding.pass = None;
        let mut at = 0;
        for (buffer, range) in parts.iter().filter(|(_, range)| !range.is_empty()) {
            let (bytes, size) = (buffer.bytes(), range.len() as u64 * 4);
            let from = bytes.offset + range.start as u64 * 4;
            encoding.encoder.copy_buffer_to_buffer(bytes.buffer, from, staging, at, size);
            at += size;
        }
        let begin = Instant::now();
        self.submit(context);
        self.statistics.reads += 1;
        self.statistics.bytes_moved += at;
        let (sender, mapped) = oneshot::channel();
        staging.slice(..at).map_async(wgpu::MapMode::Read, move |result| {
            // The receiver is gone if the read was dropped half way.
            let _ = sender.send(result);
        });
        let work = std::mem::take(&mut self.submitted_work);
        let (outcomes, times) = (std::mem::take(&mut self.outcomes), self.profile.take_sent());
        Submitted { outcomes, times, mapped, begin, work }
    }

    /// Updates the measured speed of the GPU after a read.
    pub(super) fn observe(&mut self, work: f64, milliseconds: f64) {
        // A shorter time measures the round trip rather than the work.
        if milliseconds > 5.0 {
            self.rate = 0.5 * self.rate + 0.5 * (work / milliseconds).max(FIRST_RATE / 10.0);
        }
    }
}

impl Submitted {
    /// Waits for the GPU and returns the bytes of the staging buffer.
    pub(super) async fn finish(
        self,
        gpu: &Gpu,
        staging: &wgpu::Buffer,
        size: usize,
    ) -> Result<Vec<u8>, EngineError> {
        let context = &gpu.context;
        #[cfg(not(target_arch = "wasm32"))]
        if let Err(error) = context.device.poll(wgpu::PollType::wait_indefinitely()) {
            context.failures.report(Failure::Lost, error.to_string());
        }
        let mapped = self.mapped.await;
        for outcome in self.outcomes {
            if let Some(error) = outcome.await {
                let (kind, reason) = describe(&error);
                context.failures.report(kind, reason);
            }
        }
        context.failures.check()?;
        if !matches!(mapped, Ok(Ok(()))) {
            let reason = "a value could not be read back".to_string();
            context.failures.report(Failure::Lost, reason.clone());
            return Err(EngineError::Device { kind: Failure::Lost, reason });
        }
        gpu.recorder.borrow_mut().observe(self.work, self.begin.elapsed().as_secs_f64() * 1e3);
        for times in self.times {
            times.collect(gpu).await;
        }
        let view = staging.slice(..size as u64 * 4).get_mapped_range();
        let bytes = view.map(|view| view.to_vec());
        staging.unmap();
        bytes.map_err(|error| EngineError::Device { kind: Failure::Invalid, reason: error.to_string() })
    }
}
