//! Skim-RNN as a mixture of both branches, for training.

use super::{Backward, absent};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Forward, Skim};

/// Outputs and what to keep.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    op: &Skim,
    temperature: f32,
    given_noise: bool,
) -> Result<Forward<GpuBuffer>, EngineError> {
    let _ = gpu;
    let _ = op;
    let _ = temperature;
    let _ = given_noise;
    Err(absent(call.op))
}

/// Gradients of the operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    op: &Skim,
    temperature: f32,
    given_noise: bool,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    let _ = op;
    let _ = temperature;
    let _ = given_noise;
    Err(absent(back.call.op))
}
