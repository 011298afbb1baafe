//! One row from all.

use super::{Backward, absent};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Forward, Pool};

/// Outputs and what to keep.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    kind: Pool,
) -> Result<Forward<GpuBuffer>, EngineError> {
    let _ = gpu;
    let _ = kind;
    Err(absent(call.op))
}

/// Gradients of the operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    kind: Pool,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    let _ = kind;
    Err(absent(back.call.op))
}
