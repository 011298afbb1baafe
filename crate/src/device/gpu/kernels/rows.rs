//! Rows moved between buffers.

use std::ops::Range;

use super::embedding::select_into;
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Forward};

/// Row ranges of buffers end to end: one launch for each stretch of parts that lie in one buffer.
pub(in crate::device::gpu) fn gather(
    gpu: &Gpu,
    columns: usize,
    parts: &[(&GpuBuffer, Range<usize>)],
) -> Result<GpuBuffer, EngineError> {
    let rows: usize = parts.iter().map(|(_, range)| range.len()).sum();
    let out = gpu.allocate(rows * columns)?;
    let mut at = 0;
    for stretch in parts.chunk_by(|a, b| a.0.is(b.0)) {
        let numbers: Vec<u32> =
            stretch.iter().flat_map(|(_, range)| range.start as u32..range.end as u32).collect();
        let first = (at * columns) as u32;
        select_into(gpu, &numbers, columns, (stretch[0].0, 0), (&out, first))?;
        at += numbers.len();
    }
    Ok(out)
}

/// Gradients of the operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut super::Backward<'_>,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    Err(super::absent(back.call.op))
}

/// Outputs.
pub(super) fn forward(gpu: &Gpu, call: &Call<'_, GpuBuffer>) -> Result<Forward<GpuBuffer>, EngineError> {
    let _ = gpu;
    Err(super::absent(call.op))
}
