//! Layer normalisation of each row.

use super::affine::View;
use super::column_sums::add_columns;
use super::row_reduce::{self, arguments};
use super::{Backward, size};
use crate::device::gpu::launch::Arg;
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, ParamId};

/// Normalised rows.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    weight: ParamId,
    bias: ParamId,
) -> Result<GpuBuffer, EngineError> {
    let x = &call.inputs[0];
    let out = gpu.allocate(size(x))?;
    gpu.launch(
        &saccade_shaders::LAYER_NORM_FORWARD,
        &[
            Arg::uniform(&arguments(x)),
            Arg::Read(&x.source),
            Arg::Read(&gpu.weight(call.parameters, weight)?),
            Arg::Read(&gpu.weight(call.parameters, bias)?),
            Arg::Write(&out),
        ],
        row_reduce::grid(x.total_rows(), x.columns),
        3 * size(x),
    )?;
    Ok(out)
}

/// The gradient of the rows; those of weight and bias are added to.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    weight: ParamId,
    bias: ParamId,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let (call, dy) = (back.call, back.upstream());
    let x = &call.inputs[0];
    let shape = [x.total_rows(), x.columns];
    let (dx, of_rows) = (gpu.allocate(size(x))?, gpu.allocate(size(x))?);
    gpu.launch(
        &saccade_shaders::LAYER_NORM_BACKWARD,
        &[
            Arg::uniform(&arguments(x)),
            Arg::Read(&x.source),
            Arg::Read(&gpu.weight(call.parameters, weight)?),
            Arg::Read(dy),
            Arg::Write(&dx),
            Arg::Write(&of_rows),
        ],
        row_reduce::grid(x.total_rows(), x.columns),
        5 * size(x),
    )?;
    for (parameter, rows) in [(weight, &of_rows), (bias, dy)] {
        let sums = back.parameter(gpu, parameter)?;
        add_columns(gpu, shape, View::new(rows, 0, x.columns), (&sums, 0))?;
    }
    Ok(vec![Some(dx)])
}
