//! Matrices with rows and columns exchanged.

use saccade_shaders::transpose::Arguments;

use crate::device::EngineError;
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};

/// Writes the transpose of `x`, a matrix of `rows x columns`, to `out` from its value `out_first` on.
pub(in crate::device::gpu) fn into(
    gpu: &Gpu,
    x: &GpuBuffer,
    [rows, columns]: [usize; 2],
    out: &GpuBuffer,
    out_first: usize,
) -> Result<(), EngineError> {
    let size = rows * columns;
    let arguments = Arguments { rows: rows as u32, columns: columns as u32, out_first: out_first as u32 };
    gpu.launch(
        &saccade_shaders::TRANSPOSE,
        &[Arg::uniform(&arguments), Arg::Read(x), Arg::Write(out)],
        Grid::Invocations(size),
        size,
    )
}
