//! One value from each row.

use saccade_shaders::reduce_backward;

use super::{Backward, first, row_reduce, size};
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Reduce};

/// A value for each row; for the maximum the columns too.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    kind: Reduce,
) -> Result<Vec<GpuBuffer>, EngineError> {
    let x = &call.inputs[0];
    let kernel = match kind {
        Reduce::Sum => &saccade_shaders::REDUCE_SUM,
        Reduce::Mean => &saccade_shaders::REDUCE_MEAN,
        Reduce::LogSumExp => &saccade_shaders::REDUCE_LOG_SUM_EXP,
        Reduce::Max => &saccade_shaders::REDUCE_MAX,
    };
    let rows = x.total_rows();
    let arguments = row_reduce::arguments(x);
    let mut outputs = vec![gpu.allocate(rows)?];
    if kind == Reduce::Max {
        outputs.push(gpu.allocate(rows)?);
    }
    let mut bindings = vec![Arg::uniform(&arguments), Arg::Read(&x.source)];
    bindings.extend(outputs.iter().map(Arg::Write));
    gpu.launch(kernel, &bindings, row_reduce::grid(rows, x.columns), 2 * size(x))?;
    Ok(outputs)
}

/// The gradient of the rows.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    kind: Reduce,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let Some(Some(dy)) = back.upstream.first() else {
        // The column of a maximum has no gradient.
        return Ok(vec![None]);
    };
    let (x, outputs) = (&back.call.inputs[0], &back.forward.outputs);
    let dx = gpu.allocate(size(x))?;
    let arguments = reduce_backward::Arguments {
        rows: x.total_rows() as u32,
        columns: x.columns as u32,
        x_first: first(x),
    };
    let mut bindings = vec![Arg::uniform(&arguments), Arg::Read(dy), Arg::Write(&dx)];
    let kernel = match kind {
        Reduce::Sum => &saccade_shaders::REDUCE_BACKWARD_SUM,
        Reduce::Mean => &saccade_shaders::REDUCE_BACKWARD_MEAN,
        Reduce::LogSumExp => {
            bindings.extend([Arg::Read(&x.source), Arg::Read(&outputs[0])]);
            &saccade_shaders::REDUCE_BACKWARD_LOG_SUM_EXP
        }
        Reduce::Max => {
            bindings.push(Arg::Read(&outputs[1]));
            &saccade_shaders::REDUCE_BACKWARD_MAX
        }
    };
    gpu.launch(kernel, &bindings, Grid::Invocations(size(x)), size(x))?;
    Ok(vec![Some(dx)])
}
