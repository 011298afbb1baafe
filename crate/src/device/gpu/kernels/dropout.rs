//! Inverted dropout.

use super::{Backward, absent};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Forward};

/// Outputs and what to keep.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    rate: f32,
    per_sequence: bool,
) -> Result<Forward<GpuBuffer>, EngineError> {
    let _ = gpu;
    let _ = rate;
    let _ = per_sequence;
    Err(absent(call.op))
}

/// Gradients of the operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    rate: f32,
    per_sequence: bool,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    let _ = rate;
    let _ = per_sequence;
    Err(absent(back.call.op))
}
