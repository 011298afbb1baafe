//! Time on the GPU by kernel, from timestamp queries.
//!
//! While profiling, a launch has a compute pass of its own, which writes the time before and after it to a set of
//! queries. A submission resolves the set into a buffer that the next read maps; a full set is submitted.

use std::cmp::Reverse;

use futures_channel::oneshot;
use rustc_hash::FxHashMap;

use super::Gpu;
use super::adapter::Context;
use crate::cpu::order::argsort;

/// The launches that a query set can time. Each takes two queries, and a set holds at most 4096.
const CAPACITY: usize = 2048;
/// Bytes of a timestamp.
const TIMESTAMP: u64 = 8;

/// The time of a kernel's launches on the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KernelTime {
    /// The kernel and its variant.
    pub kernel: &'static str,
    /// The number of launches.
    pub launches: u64,
    /// Their total time. Browsers round timestamps, usually to 100 µs.
    pub nanoseconds: u64,
}

/// The adapter has no timestamp queries, so that kernels cannot be timed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{adapter} has no timestamp queries")]
pub struct NoTimestamps {
    /// The adapter's name and backend.
    pub adapter: String,
}

/// Queries written and times collected.
#[derive(Default)]
pub(super) struct Profile {
    on: bool,
    /// Created when first used.
    queries: Option<Queries>,
    /// The kernels of the launches that the set times, in order.
    timed: Vec<&'static str>,
    /// The timestamps of submissions since the last read.
    sent: Vec<Times>,
    collected: FxHashMap<&'static str, KernelTime>,
}

struct Queries {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
}

/// The queries of one launch.
pub(super) struct Span {
    set: wgpu::QuerySet,
    first: u32,
}

impl Span {
    pub(super) fn writes(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: Some(self.first),
            end_of_pass_write_index: Some(self.first + 1),
        }
    }
}

/// Timestamps of a submission on their way to the host.
pub(super) struct Times {
    kernels: Vec<&'static str>,
    staging: wgpu::Buffer,
    mapped: Option<oneshot::Receiver<Result<(), wgpu::BufferAsyncError>>>,
}

impl Profile {
    /// Reserves the queries of the next launch, if profiling is on.
    pub(super) fn span(&mut self, context: &Context, kernel: &'static str) -> Option<Span> {
        if !self.on {
            return None;
        }
        let queries = self.queries.get_or_insert_with(|| Queries::new(context));
        let first = 2 * self.timed.len() as u32;
        self.timed.push(kernel);
        Some(Span { set: queries.set.clone(), first })
    }

    /// Whether the set has no query left.
    pub(super) fn is_full(&self) -> bool {
        self.timed.len() >= CAPACITY
    }

    /// Encodes the copy of the set's timestamps to a buffer that the host maps.
    pub(super) fn resolve(&mut self, context: &Context, encoder: &mut wgpu::CommandEncoder) -> Option<Times> {
        let Queries { set, resolved } = self.queries.as_ref().filter(|_| !self.timed.is_empty())?;
        let kernels = std::mem::take(&mut self.timed);
        let size = 2 * kernels.len() as u64 * TIMESTAMP;
        let staging = buffer(context, size, wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ);
        encoder.resolve_query_set(set, 0..2 * kernels.len() as u32, resolved, 0);
        encoder.copy_buffer_to_buffer(resolved, 0, &staging, 0, size);
        Some(Times { kernels, staging, mapped: None })
    }

    /// Starts to map timestamps whose commands were submitted.
    pub(super) fn request(&mut self, mut times: Times) {
        let (sender, mapped) = oneshot::channel();
        times.staging.slice(..).map_async(wgpu::MapMode::Read, move |result| {
            // The receiver is gone if the read was dropped half way.
            let _ = sender.send(result);
        });
        times.mapped = Some(mapped);
        self.sent.push(times);
    }

    /// Takes the timestamps that the next read waits for.
    pub(super) fn take_sent(&mut self) -> Vec<Times> {
        std::mem::take(&mut self.sent)
    }

    fn collect(&mut self, kernel: &'static str, nanoseconds: u64) {
        let time = self.collected.entry(kernel).or_insert(KernelTime { kernel, launches: 0, nanoseconds: 0 });
        time.launches += 1;
        time.nanoseconds += nanoseconds;
    }
}

impl Queries {
    fn new(context: &Context) -> Self {
        let count = 2 * CAPACITY as u32;
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        Self {
            set: context.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("launches"),
                ty: wgpu::QueryType::Timestamp,
                count,
            }),
            resolved: buffer(context, u64::from(count) * TIMESTAMP, usage),
        }
    }
}

fn buffer(context: &Context, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    let label = Some("timestamps");
    context.device.create_buffer(&wgpu::BufferDescriptor { label, size, usage, mapped_at_creation: false })
}

impl Times {
    /// Waits for the timestamps and adds them up. If the device fails to deliver them it is lost, which the read itself
    /// reports.
    pub(super) async fn collect(self, gpu: &Gpu) {
        let Some(mapped) = self.mapped else { return };
        if !matches!(mapped.await, Ok(Ok(()))) {
            return;
        }
        let Ok(view) = self.staging.slice(..).get_mapped_range() else { return };
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&view[..]);
        let period = f64::from(gpu.context.queue.get_timestamp_period());
        let profile = &mut gpu.recorder.borrow_mut().profile;
        for (kernel, span) in self.kernels.iter().zip(ticks.chunks_exact(2)) {
            // Rounded timestamps may be equal, and with some drivers they decrease between passes.
            let elapsed = span[1].saturating_sub(span[0]) as f64 * period;
            profile.collect(kernel, elapsed as u64);
        }
    }
}

impl Gpu {
    /// Turns the timing of later launches on or off; it is off at first. A timed launch has a compute pass of its own,
    /// which costs time between kernels but not within them.
    ///
    /// Without timestamp queries this has no effect, and [`Self::take_profile`] returns an error.
    pub fn profile(&self, on: bool) {
        self.recorder.borrow_mut().profile.on = on && self.adapter().timestamps;
    }

    /// Returns and resets the times of all timed launches that a finished read has waited for, the longest first.
    ///
    /// # Errors
    /// If the adapter has no timestamp queries.
    pub fn take_profile(&self) -> Result<Vec<KernelTime>, NoTimestamps> {
        if !self.adapter().timestamps {
            return Err(NoTimestamps { adapter: self.adapter().to_string() });
        }
        let collected = std::mem::take(&mut self.recorder.borrow_mut().profile.collected);
        let times: Vec<KernelTime> = collected.into_values().collect();
        let key = |i: usize| (Reverse(times[i].nanoseconds), times[i].kernel);
        let order = argsort(times.len(), &|a, b| key(a).cmp(&key(b)));
        Ok(order.into_iter().map(|i| times[i]).collect())
    }
}
