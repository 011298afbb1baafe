//! Collects the arguments of kernels on the host and uploads them with each submission, one write a chunk.

use super::adapter::Context;
use crate::device::{EngineError, Failure};

/// A binding must begin at a multiple of this many bytes.
const ALIGNMENT: usize = 256;
/// Bytes of a regular chunk; a larger argument gets a larger one.
const CHUNK: usize = 1 << 18;

/// Bytes of a regular chunk on a device, whose buffers may be smaller.
fn usual(context: &Context) -> usize {
    // In a browser, 4 GiB are no `usize`.
    context.limits.max_buffer_size.min(CHUNK as u64) as usize
}

/// The argument chunks of commands that are encoded but not submitted.
#[derive(Default)]
pub(super) struct Arena {
    full: Vec<Chunk>,
    current: Option<Chunk>,
    spare: Vec<wgpu::Buffer>,
    /// Larger chunks that are sent, until the next ones are: their commands are submitted then.
    spent: Vec<wgpu::Buffer>,
}

struct Chunk {
    buffer: wgpu::Buffer,
    data: Vec<u8>,
}

/// The range of a buffer that will hold an argument.
#[derive(Clone)]
pub(super) struct Slice {
    pub(super) buffer: wgpu::Buffer,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Arena {
    /// Copies an argument into a chunk. An empty argument becomes zeros.
    ///
    /// # Errors
    /// If it is larger than the GPU's buffers may be.
    pub(super) fn add(&mut self, context: &Context, bytes: &[u8]) -> Result<Slice, EngineError> {
        let size = bytes.len().max(16).next_multiple_of(16);
        let most = context.most_bytes();
        if size as u64 > most {
            let reason = format!("an argument takes {size} bytes, this GPU's buffers hold {most}");
            return Err(EngineError::Device { kind: Failure::TooLarge, reason });
        }
        let fits = |chunk: &Chunk| chunk.data.len() + size <= chunk.buffer.size() as usize;
        if !self.current.as_ref().is_some_and(fits) {
            let chunk = self.chunk(context, size);
            self.full.extend(self.current.replace(chunk));
        }
        // Created above if there was none.
        let Some(chunk) = self.current.as_mut() else { unreachable!("there is a current chunk") };
        let offset = chunk.data.len();
        chunk.data.extend_from_slice(bytes);
        chunk.data.resize((offset + size).next_multiple_of(ALIGNMENT), 0);
        Ok(Slice { buffer: chunk.buffer.clone(), offset: offset as u64, size: size as u64 })
    }

    fn chunk(&mut self, context: &Context, size: usize) -> Chunk {
        let usual = usual(context);
        if size <= usual
            && let Some(buffer) = self.spare.pop()
        {
            return Chunk { buffer, data: Vec::new() };
        }
        let buffer = context.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("arguments"),
            size: size.next_multiple_of(ALIGNMENT).max(usual) as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        Chunk { buffer, data: Vec::new() }
    }

    /// Uploads all chunks. This must happen before the commands are submitted.
    pub(super) fn send(&mut self, context: &Context) {
        self.spent.drain(..).for_each(|raw| raw.destroy());
        for chunk in self.full.drain(..).chain(self.current.take()) {
            let used = chunk.data.len().min(chunk.buffer.size() as usize);
            context.queue.write_buffer(&chunk.buffer, 0, &chunk.data[..used]);
            if chunk.buffer.size() as usize == usual(context) {
                self.spare.push(chunk.buffer);
            } else {
                self.spent.push(chunk.buffer);
            }
        }
    }
}
