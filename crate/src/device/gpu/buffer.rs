//! A pool of buffers: a released buffer serves the next request for its size.

use std::cell::RefCell;
use std::num::NonZeroU64;
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
    /// Where it begins in `raw`, and how much of it is its own, in bytes.
    offset: u64,
    size: u64,
    owner: Owner,
}

/// Who has the memory of a buffer.
enum Owner {
    /// It is the buffer's, and goes back to the pool with it.
    Pool(Rc<Pool>),
    /// It is a part of another buffer's ([`Pool::end_to_end`]).
    #[cfg(feature = "train")]
    Buffer(GpuBuffer),
}

impl std::fmt::Debug for Slab {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.size)
    }
}

impl Drop for Slab {
    fn drop(&mut self) {
        match &self.owner {
            Owner::Pool(pool) => pool.release(self.raw.clone()),
            #[cfg(feature = "train")]
            Owner::Buffer(_) => {}
        }
    }
}

impl GpuBuffer {
    /// The buffer that its bytes lie in, and where.
    pub(super) fn bytes(&self) -> wgpu::BufferBinding<'_> {
        let Slab { raw, offset, size, .. } = &*self.0;
        wgpu::BufferBinding { buffer: raw, offset: *offset, size: NonZeroU64::new(*size) }
    }

    /// How many bytes it has.
    pub(super) fn size(&self) -> u64 {
        self.0.size
    }

    /// The buffer that it is a part of, itself if of none.
    #[cfg(feature = "train")]
    pub(super) fn whole(&self) -> &Self {
        match &self.0.owner {
            Owner::Pool(_) => self,
            Owner::Buffer(whole) => whole,
        }
    }

    /// Its first value, counted in [`Self::whole`].
    #[cfg(feature = "train")]
    pub(super) fn first(&self) -> usize {
        self.0.offset as usize / 4
    }

    /// What distinguishes it from all other buffers while it lives.
    pub(in crate::device) fn identity(&self) -> *const () {
        Rc::as_ptr(&self.0).cast()
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

/// A part of a buffer begins at a multiple of this many bytes, as WebGPU asks of a binding.
#[cfg(feature = "train")]
const ALIGNMENT: usize = 256;

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
    /// That the host can read, and does not.
    staging: Shelves,
    /// Released for good, but commands that are not submitted use them.
    surplus: Vec<wgpu::Buffer>,
    /// Bytes of all buffers that exist, but for those that are being read, and of those that are free for kernels.
    total: u64,
    free: u64,
}

/// Buffers by their size in bytes.
type Shelves = FxHashMap<u64, Vec<wgpu::Buffer>>;

/// The pool keeps at most this many free bytes and returns the rest to the driver.
const MOST_FREE: u64 = 256 << 20;

/// What the host reads is copied to a buffer that the pool keeps if it has at most so many bytes: a larger one, of all weights
/// say, is needed now and then.
const MOST_STAGED: u64 = 16 << 20;

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
        let bytes = buffer.size();
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

    /// Buffers of so many undefined values each, end to end in as few as hold them; uploads may write to them.
    #[cfg(feature = "train")]
    pub(super) fn end_to_end(self: &Rc<Self>, sizes: &[usize]) -> Result<Vec<GpuBuffer>, EngineError> {
        let most = (self.context.most_bytes() / 4) as usize;
        // How many values each buffer has, and of every part its buffer and its first value.
        let (mut ends, mut places): (Vec<usize>, Vec<_>) = Default::default();
        for size in sizes.iter().map(|&size| size.max(1)) {
            let number = ends.len().saturating_sub(1);
            match ends.last_mut().map(|end| (end.next_multiple_of(ALIGNMENT / 4), end)) {
                Some((first, end)) if first + size <= most => {
                    *end = first + size;
                    places.push((number, first, size));
                }
                _ => {
                    places.push((ends.len(), 0, size));
                    ends.push(size);
                }
            }
        }
        let wholes: Vec<_> = ends.into_iter().map(|size| self.for_upload(size)).collect::<Result<_, _>>()?;
        let part = |(number, first, size): (usize, usize, usize)| {
            let whole: &GpuBuffer = &wholes[number];
            let (raw, owner) = (whole.0.raw.clone(), Owner::Buffer(whole.clone()));
            GpuBuffer(Rc::new(Slab { raw, offset: first as u64 * 4, size: size as u64 * 4, owner }))
        };
        Ok(places.into_iter().map(part).collect())
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
        GpuBuffer(Rc::new(Slab { raw, offset: 0, size: bytes, owner: Owner::Pool(self.clone()) }))
    }

    /// A buffer that the host can read.
    pub(super) fn staging(&self, size: usize) -> Result<wgpu::Buffer, EngineError> {
        let bytes = self.bytes(size)?;
        let mut state = self.state.borrow_mut();
        if let Some(raw) = take(&mut state.staging, bytes) {
            state.total -= bytes;
            return Ok(raw);
        }
        Ok(self.create(bytes, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST))
    }

    pub(super) fn recycle_staging(&self, raw: wgpu::Buffer) {
        let mut state = self.state.borrow_mut();
        let bytes = raw.size();
        if bytes <= MOST_STAGED {
            state.total += bytes;
            state.staging.entry(bytes).or_default().push(raw);
        } else {
            raw.destroy();
        }
    }

    /// Notes that all encoded commands were submitted, so that uploads may reuse their released buffers and the driver gets
    /// back what the pool does not keep.
    pub(super) fn submitted(&self) {
        let mut state = self.state.borrow_mut();
        let encoded = std::mem::take(&mut state.encoded);
        for (bytes, buffers) in encoded {
            state.idle.entry(bytes).or_default().extend(buffers);
        }
        state.surplus.drain(..).for_each(|raw| raw.destroy());
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
            // Dropped alone, a browser keeps it until it next collects garbage, which it does by what the page holds.
            if self.context.encoding.get() {
                state.surplus.push(raw);
            } else {
                raw.destroy();
            }
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
        let most = self.context.most_bytes();
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
