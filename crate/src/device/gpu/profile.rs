//! Time on the GPU by kernel, from timestamp queries.
//!
//! While profiling, a launch has a compute pass of its own, which writes the time before and after it to a set of
//! queries. A submission resolves the set into a buffer that the next read maps; a full set is submitted.

use std::cmp::Reverse;

use futures_channel::oneshot;

use super::Gpu;
use super::adapter::Context;
use crate::few::Few;

/// Launches that the set has queries for: two each, and no set holds more than 4096.
const CAPACITY: usize = 2048;
/// Bytes of a timestamp.
const TIMESTAMP: u64 = 8;

/// What a kernel's launches took on the GPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KernelTime {
    /// The kernel and its variant.
    pub kernel: &'static str,
    /// How often it ran.
    pub launches: u64,
    /// What that took together. Browsers round the times that it is made of, to 100 us as a rule.
    pub nanoseconds: u64,
}

/// The adapter has no timestamp queries, so that kernels cannot be timed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{adapter} has no timestamp queries")]
pub struct NoTimestamps {
    /// Which adapter.
    pub adapter: String,
}

/// Queries written and times collected.
#[derive(Default)]
pub(super) struct Profile {
    on: bool,
    /// Made when first needed.
    queries: Option<Queries>,
    /// The kernels whose times the set will hold.
    timed: Vec<&'static str>,
    /// Of submissions since the last read.
    sent: Vec<Times>,
    collected: Few<&'static str, KernelTime>,
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
    /// The queries of a launch about to be encoded, if it is to be timed.
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

    /// Encodes the way of the set's times to the host.
    pub(super) fn resolve(&mut self, context: &Context, encoder: &mut wgpu::CommandEncoder) -> Option<Times> {
        let Queries { set, resolved } = self.queries.as_ref().filter(|_| !self.timed.is_empty())?;
        let kernels = std::mem::take(&mut self.timed);
        let size = 2 * kernels.len() as u64 * TIMESTAMP;
        let staging = buffer(context, size, wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ);
        encoder.resolve_query_set(set, 0..2 * kernels.len() as u32, resolved, 0);
        encoder.copy_buffer_to_buffer(resolved, 0, &staging, 0, size);
        Some(Times { kernels, staging, mapped: None })
    }

    /// Asks for times whose commands were submitted.
    pub(super) fn request(&mut self, mut times: Times) {
        let (sender, mapped) = oneshot::channel();
        times.staging.slice(..).map_async(wgpu::MapMode::Read, move |result| {
            // The receiver is gone if the read was dropped half way.
            let _ = sender.send(result);
        });
        times.mapped = Some(mapped);
        self.sent.push(times);
    }

    /// The times that the next read waits for.
    pub(super) fn take_sent(&mut self) -> Vec<Times> {
        std::mem::take(&mut self.sent)
    }

    fn collect(&mut self, kernel: &'static str, nanoseconds: u64) {
        let time =
            self.collected.get_or_insert_with(kernel, || KernelTime { kernel, launches: 0, nanoseconds: 0 });
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
    /// Waits for the timestamps and adds them up. A device that fails to deliver them is lost, as the read itself
    /// finds out.
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
            // Rounded times may stand still; those of some drivers even step back between passes.
            let elapsed = span[1].saturating_sub(span[0]) as f64 * period;
            profile.collect(kernel, elapsed as u64);
        }
    }
}

impl Gpu {
    /// Whether launches from here on are timed. They are not unless this says so, and then run as if there were no
    /// profile; while they are, each ends its own pass, which costs time between kernels but not within them.
    ///
    /// Without timestamp queries nothing is timed, as [`Self::take_profile`] says.
    pub fn profile(&self, on: bool) {
        self.recorder.borrow_mut().profile.on = on && self.adapter().timestamps;
    }

    /// Times of the launches that were timed and that a finished read has waited for, the longest first; they begin
    /// anew.
    ///
    /// # Errors
    /// If the adapter has no timestamp queries.
    pub fn take_profile(&self) -> Result<Vec<KernelTime>, NoTimestamps> {
        if !self.adapter().timestamps {
            return Err(NoTimestamps { adapter: self.adapter().to_string() });
        }
        let collected = std::mem::take(&mut self.recorder.borrow_mut().profile.collected);
        let mut times: Vec<KernelTime> = collected.into_entries().map(|(_, time)| time).collect();
        times.sort_by_key(|time| (Reverse(time.nanoseconds), time.kernel));
        Ok(times)
    }
}
