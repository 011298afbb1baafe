//! One row from the rows of a lane.

use saccade_shaders::shared::pool::Arguments;

use super::{Backward, first, row_offsets, size};
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Operand, Pool};

fn arguments(x: &Operand<GpuBuffer>, lanes: usize) -> Arguments {
    Arguments { lanes: lanes as u32, columns: x.columns as u32, x_first: first(x) }
}

/// A row a lane.
pub(super) fn forward(gpu: &Gpu, call: &Call<'_, GpuBuffer>, kind: Pool) -> Result<GpuBuffer, EngineError> {
    let (x, lanes) = (&call.inputs[0], call.lanes());
    let kernel = match kind {
        Pool::Last => &saccade_shaders::POOL_LAST,
        Pool::Sum => &saccade_shaders::POOL_SUM,
        Pool::Mean => &saccade_shaders::POOL_MEAN,
        Pool::Max => &saccade_shaders::POOL_MAX,
    };
    let out = gpu.allocate(lanes * x.columns)?;
    let (arguments, offsets) = (arguments(x, lanes), row_offsets(x));
    let bindings = [Arg::uniform(&arguments), Arg::Words(&offsets), Arg::Read(&x.source), Arg::Write(&out)];
    gpu.launch(kernel, &bindings, Grid::Invocations(lanes * x.columns), size(x))?;
    Ok(out)
}

/// The gradient of the rows.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    kind: Pool,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let (x, lanes) = (&back.call.inputs[0], back.call.lanes());
    let dx = gpu.allocate(size(x))?;
    let (arguments, offsets) = (arguments(x, lanes), row_offsets(x));
    let mut bindings =
        vec![Arg::uniform(&arguments), Arg::Words(&offsets), Arg::Read(back.upstream()), Arg::Write(&dx)];
    let kernel = match kind {
        Pool::Last => &saccade_shaders::POOL_BACKWARD_LAST,
        Pool::Sum => &saccade_shaders::POOL_BACKWARD_SUM,
        Pool::Mean => &saccade_shaders::POOL_BACKWARD_MEAN,
        Pool::Max => {
            bindings.extend([Arg::Read(&x.source), Arg::Read(&back.forward.outputs[0])]);
            &saccade_shaders::POOL_BACKWARD_MAX
        }
    };
    gpu.launch(kernel, &bindings, Grid::Invocations(lanes * x.columns), size(x))?;
    Ok(vec![Some(dx)])
}
