//! Skim-RNN with hard decisions.

use super::{Backward, absent};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Forward, Skim};

/// Outputs and what to keep.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    op: &Skim,
    threshold: f32,
) -> Result<Forward<GpuBuffer>, EngineError> {
    let _ = gpu;
    let _ = op;
    let _ = threshold;
    Err(absent(call.op))
}

/// Gradients of the operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    op: &Skim,
    threshold: f32,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    let _ = op;
    let _ = threshold;
    Err(absent(back.call.op))
}
