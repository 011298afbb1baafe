//! Layer normalisation of each row.

use super::{Backward, absent};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Forward, ParamId};

/// Outputs and what to keep.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    weight: ParamId,
    bias: ParamId,
) -> Result<Forward<GpuBuffer>, EngineError> {
    let _ = gpu;
    let _ = weight;
    let _ = bias;
    Err(absent(call.op))
}

/// Gradients of the operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    weight: ParamId,
    bias: ParamId,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    let _ = weight;
    let _ = bias;
    Err(absent(back.call.op))
}
