//! Inverted dropout.

use saccade_shaders::dropout::Arguments;

use super::{Backward, first, row_offsets, size};
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError};

/// Rows times their mask.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    rate: f32,
    per_sequence: bool,
) -> Result<GpuBuffer, EngineError> {
    let x = &call.inputs[0];
    apply(gpu, call, (&x.source, first(x)), rate, per_sequence)
}

/// The gradient of the rows: the same mask.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    rate: f32,
    per_sequence: bool,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    Ok(vec![Some(apply(gpu, back.call, (back.upstream(), 0), rate, per_sequence)?)])
}

/// Multiplies rows, which lie as the operand's do, by its mask.
fn apply(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    (values, x_first): (&GpuBuffer, u32),
    rate: f32,
    per_sequence: bool,
) -> Result<GpuBuffer, EngineError> {
    let x = &call.inputs[0];
    let size = size(x);
    let arguments = Arguments {
        rows: x.total_rows() as u32,
        columns: x.columns as u32,
        x_first,
        lanes: call.lanes() as u32,
        seed: call.seed,
        rate,
        scale: 1.0 / (1.0 - rate),
        per_sequence: u32::from(per_sequence),
    };
    let out = gpu.allocate(size)?;
    gpu.launch(
        &saccade_shaders::DROPOUT,
        &[
            Arg::uniform(&arguments),
            Arg::Words(&row_offsets(x)),
            Arg::Words(call.streams),
            Arg::Read(values),
            Arg::Write(&out),
        ],
        Grid::Invocations(size),
        8 * size,
    )?;
    Ok(out)
}
