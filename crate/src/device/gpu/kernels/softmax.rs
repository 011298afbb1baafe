//! Softmax, its logarithm and the cross entropy.

use saccade_shaders::softmax_backward;

use super::row_reduce::{self, arguments};
use super::{Backward, size};
use crate::device::gpu::launch::Arg;
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Forward, Op};

/// The row's softmax or its logarithm.
pub(super) fn forward(gpu: &Gpu, call: &Call<'_, GpuBuffer>) -> Result<Forward<GpuBuffer>, EngineError> {
    let x = &call.inputs[0];
    let y = gpu.allocate(size(x))?;
    let kernel = if *call.op == Op::Softmax {
        &saccade_shaders::SOFTMAX_SOFTMAX
    } else {
        &saccade_shaders::SOFTMAX_LOG_SOFTMAX
    };
    let arguments = arguments(x);
    let bindings = [Arg::uniform(&arguments), Arg::Read(&x.source), Arg::Write(&y)];
    gpu.launch(kernel, &bindings, row_reduce::grid(x.total_rows(), x.columns), 3 * size(x))?;
    Ok(super::outputs(vec![y]))
}

/// The row's loss, keeping the log-softmax.
pub(super) fn cross_entropy(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
) -> Result<Forward<GpuBuffer>, EngineError> {
    let x = &call.inputs[0];
    let (y, losses) = (gpu.allocate(size(x))?, gpu.allocate(x.total_rows())?);
    let arguments = arguments(x);
    let bindings = [
        Arg::uniform(&arguments),
        Arg::Read(&x.source),
        Arg::Write(&y),
        Arg::Words(call.indices),
        Arg::Write(&losses),
    ];
    let grid = row_reduce::grid(x.total_rows(), x.columns);
    gpu.launch(&saccade_shaders::SOFTMAX_CROSS_ENTROPY, &bindings, grid, 3 * size(x))?;
    Ok(Forward { outputs: vec![losses], saved: vec![y] })
}

/// The gradient of the operand.
pub(super) fn backward(gpu: &Gpu, back: &mut Backward<'_>) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let x = &back.call.inputs[0];
    let (rows, columns, size) = (x.total_rows(), x.columns, size(x));
    let width = row_reduce::width(columns) as u32;
    let arguments = softmax_backward::Arguments { rows: rows as u32, columns: columns as u32, width };
    let y = back.forward.saved.first().unwrap_or(&back.forward.outputs[0]);
    let dx = gpu.allocate(size)?;
    let mut bindings =
        vec![Arg::uniform(&arguments), Arg::Read(y), Arg::Read(back.upstream()), Arg::Write(&dx)];
    let kernel = match back.call.op {
        Op::Softmax => &saccade_shaders::SOFTMAX_BACKWARD_SOFTMAX,
        Op::LogSoftmax => &saccade_shaders::SOFTMAX_BACKWARD_LOG_SOFTMAX,
        _ => {
            bindings.push(Arg::Words(back.call.indices));
            &saccade_shaders::SOFTMAX_BACKWARD_CROSS_ENTROPY
        }
    };
    gpu.launch(kernel, &bindings, row_reduce::grid(rows, columns), 2 * size)?;
    Ok(vec![Some(dx)])
}
