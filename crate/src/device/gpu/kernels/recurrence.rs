//! Elman, LSTM and GRU over time.

use super::{Backward, absent};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Forward};

/// Outputs and what to keep.
pub(super) fn forward(gpu: &Gpu, call: &Call<'_, GpuBuffer>) -> Result<Forward<GpuBuffer>, EngineError> {
    let _ = gpu;
    Err(absent(call.op))
}

/// Gradients of the operands.
pub(super) fn backward(gpu: &Gpu, back: &mut Backward<'_>) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    Err(absent(back.call.op))
}
