//! A pool of buffers: a released buffer serves the next request for its size.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use super::adapter::Context;
use super::statistics::Statistics;
use crate::device::{EngineError, Failure};

/// A matrix on the GPU; cloning shares it.
#[derive(Clone, Debug)]
pub struct GpuBuffer(Rc<Slab>);

struct Slab {
    raw: wgpu::Buffer,
    pool: Rc<Pool>,
}

impl std::fmt::Debug for Slab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.raw.size())
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        self.pool.release(self.raw.clone());
    }
}

impl GpuBuffer {
    pub(super) fn raw(&self) -> &wgpu::Buffer {
        &self.0.raw
    }

    /// Whether both are the same buffer.
    pub(super) fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// Whether this is the only reference to the buffer, so that a kernel may write to it.
    pub(super) fn is_unique(&self) -> bool {
        Rc::strong_count(&self.0) == 1
    }
}

/// Free buffers by their size in bytes.
pub(super) struct Pool {
    context: Rc<Context>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    /// Released before the last submission: no encoded command uses them.
    idle: Shelves,
    /// Released, but commands that are not submitted use them. A kernel may write to them, because it runs after those
    /// commands; an upload may not, because it runs before them.
    encoded: Shelves,
    staging: Shelves,
    /// Bytes of all buffers that exist, and of those that are free.
    total: u64,
    free: u64,
}

/// Buffers by their size in bytes.
type Shelves = FxHashMap<u64, Vec<wgpu::Buffer>>;

/// The pool keeps at most this many free bytes and returns the rest to the driver.
const MOST_FREE: u64 = 256 << 20;

impl Pool {
    pub(super) fn new(context: Rc<Context>) -> Self {
        Self { context, state: RefCell::default() }
    }

    /// A buffer of `size` undefined values for kernels to write to.
    pub(super) fn allocate(self: &Rc<Self>, size: usize) -> Result<GpuBuffer, EngineError> {
        let bytes = self.bytes(size)?;
        let mut state = self.state.borrow_mut();
        let found = take(&mut state.encoded, bytes).or_else(|| take(&mut state.idle, bytes));
        Ok(self.buffer(&mut state, found, bytes))
    }

    /// A buffer of undefined values, as large as another.
    pub(super) fn like(self: &Rc<Self>, buffer: &GpuBuffer) -> GpuBuffer {
        let bytes = buffer.raw().size();
        let mut state = self.state.borrow_mut();
        let found = take(&mut state.encoded, bytes).or_else(|| take(&mut state.idle, bytes));
        self.buffer(&mut state, found, bytes)
    }

    /// A buffer of `size` values that no encoded command uses, so that an upload may write to it.
    pub(super) fn for_upload(self: &Rc<Self>, size: usize) -> Result<GpuBuffer, EngineError> {
        let bytes = self.bytes(size)?;
        let mut state = self.state.borrow_mut();
        let found = take(&mut state.idle, bytes);
        Ok(self.buffer(&mut state, found, bytes))
    }

    fn buffer(self: &Rc<Self>, state: &mut State, found: Option<wgpu::Buffer>, bytes: u64) -> GpuBuffer {
        let raw = if let Some(raw) = found {
            state.free -= bytes;
            raw
        } else {
            state.total += bytes;
            let usage =
                wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::COPY_SRC;
            self.create(bytes, usage)
        };
        GpuBuffer(Rc::new(Slab { raw, pool: self.clone() }))
    }

    /// A buffer that the host can read.
    pub(super) fn staging(&self, size: usize) -> Result<wgpu::Buffer, EngineError> {
        let bytes = self.bytes(size)?;
        let mut state = self.state.borrow_mut();
        if let Some(raw) = take(&mut state.staging, bytes) {
            return Ok(raw);
        }
        state.total += bytes;
        Ok(self.create(bytes, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST))
    }

    pub(super) fn recycle_staging(&self, raw: wgpu::Buffer) {
        self.state.borrow_mut().staging.entry(raw.size()).or_default().push(raw);
    }

    /// Notes that all encoded commands were submitted, so that uploads may reuse their released buffers.
    pub(super) fn submitted(&self) {
        let mut state = self.state.borrow_mut();
        let encoded = std::mem::take(&mut state.encoded);
        for (bytes, buffers) in encoded {
            state.idle.entry(bytes).or_default().extend(buffers);
        }
    }

    pub(super) fn count(&self, statistics: &mut Statistics) {
        let state = self.state.borrow();
        statistics.bytes_allocated = state.total;
        statistics.bytes_free = state.free;
    }

    fn release(&self, raw: wgpu::Buffer) {
        let mut state = self.state.borrow_mut();
        let bytes = raw.size();
        if state.free + bytes > MOST_FREE {
            state.total -= bytes;
            return;
        }
        state.free += bytes;
        state.encoded.entry(bytes).or_default().push(raw);
    }

    fn create(&self, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        let descriptor = wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        self.context.device.create_buffer(&descriptor)
    }

    /// The bytes to allocate for `size` values: a power of two, or above 64 KiB one of three steps between two powers.
    fn bytes(&self, size: usize) -> Result<u64, EngineError> {
        let limits = &self.context.limits;
        let most = limits.max_buffer_size.min(limits.max_storage_buffer_binding_size);
        let bytes = size as u64 * 4;
        if bytes > most {
            let reason = format!("a value takes {bytes} bytes, this GPU's buffers hold {most}");
            return Err(EngineError::Device { kind: Failure::TooLarge, reason });
        }
        let power = bytes.max(256).next_power_of_two();
        let step = if power <= 65536 { power } else { power / 8 };
        Ok(bytes.max(256).next_multiple_of(step).min(most.max(bytes)))
    }
}

fn take(shelves: &mut Shelves, bytes: u64) -> Option<wgpu::Buffer> {
    shelves.get_mut(&bytes)?.pop()
}
