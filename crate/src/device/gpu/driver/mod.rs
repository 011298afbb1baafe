//! The few things that the engine asks of a GPU: buffers, pipelines, commands, and what went wrong. Natively they are
//! wgpu's; in a browser its own, called as they are: what wgpu has for drawing and for other systems would be a tenth
//! of the binary.
//!
//! Nothing here waits. Mistakes are found by error scopes, or told to [`Failures`].

#[cfg(not(target_arch = "wasm32"))]
mod native;
#[cfg(target_arch = "wasm32")]
mod web;

use std::pin::Pin;

#[cfg(not(target_arch = "wasm32"))]
pub(super) use native::*;
#[cfg(target_arch = "wasm32")]
pub(super) use web::*;

use super::adapter::{AdapterSummary, Failures, GpuOptions, GpuUnavailable};
use crate::device::Failure;

/// What the driver will say.
pub(super) type Pending<T> = Pin<Box<dyn Future<Output = T>>>;

/// What an error scope caught.
pub(super) type Caught = Option<(Failure, String)>;

/// Bounds of a device.
pub(super) struct Limits {
    /// Bytes of a buffer.
    pub(super) buffer: u64,
    /// Bytes of what a kernel reads or writes as one.
    pub(super) binding: u64,
    /// Workgroups along an axis.
    pub(super) groups: u32,
}

impl Limits {
    /// WebGPU's own, but buffers as large as an adapter has them, unless less is asked for.
    fn new(options: &GpuOptions, buffer: u64, binding: u64) -> Self {
        let bound = |limit: u64| options.max_buffer_bytes.map_or(limit, |most| most.min(limit));
        Self { buffer: bound(buffer), binding: bound(binding), groups: 65535 }
    }
}

/// What a buffer is for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Values that kernels read and write.
    Values,
    /// Arguments of kernels, written by the host.
    Arguments,
    /// Times, written by the device.
    Times,
    /// What the host reads back.
    Staging,
}

impl Purpose {
    /// `GPUBufferUsageFlags`.
    fn usage(self) -> u32 {
        const MAP_READ: u32 = 1;
        const COPY_SRC: u32 = 4;
        const COPY_DST: u32 = 8;
        const UNIFORM: u32 = 64;
        const STORAGE: u32 = 128;
        const QUERY_RESOLVE: u32 = 512;
        match self {
            Self::Values => STORAGE | COPY_DST | COPY_SRC,
            Self::Arguments => UNIFORM | STORAGE | COPY_DST,
            Self::Times => QUERY_RESOLVE | COPY_SRC,
            Self::Staging => MAP_READ | COPY_DST,
        }
    }
}

/// What an error scope catches.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filter {
    Internal,
    Validation,
    OutOfMemory,
}

/// A part of a buffer that a kernel sees.
pub(super) struct Bound<'a> {
    pub(super) buffer: &'a Buffer,
    pub(super) offset: u64,
    pub(super) bytes: u64,
}

/// The words for memory that is full.
const OUT_OF_MEMORY: &str = "the GPU is out of memory";
