//! The root of a sum of squares.

use saccade_shaders::norm::{Arguments, CHUNK};

use super::adam::listed;
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{EngineError, Part};

/// See [`crate::device::Optimize::norm`].
pub(in crate::device::gpu) fn norm(
    gpu: &Gpu,
    parts: &[Part<'_, GpuBuffer>],
) -> Result<GpuBuffer, EngineError> {
    let size = |part: &Part<'_, GpuBuffer>| part.rows.count() * part.columns;
    let sums = gpu.allocate(parts.iter().map(|part| size(part).div_ceil(CHUNK as usize)).sum())?;
    let mut first = 0;
    for part in parts {
        let (is_listed, rows) = listed(part.rows);
        let (size, columns) = (size(part), part.columns as u32);
        let arguments = Arguments { size: size as u32, columns, listed: is_listed, first };
        let groups = size.div_ceil(CHUNK as usize);
        gpu.launch(
            &saccade_shaders::NORM_SQUARES,
            &[Arg::uniform(&arguments), Arg::Read(part.buffer), rows, Arg::Write(&sums)],
            Grid::Groups(groups),
            size,
        )?;
        first += groups as u32;
    }
    let out = gpu.allocate(1)?;
    let arguments = Arguments { size: first, columns: 1, listed: 0, first: 0 };
    gpu.launch(
        &saccade_shaders::NORM_ROOT,
        &[Arg::uniform(&arguments), Arg::Read(&sums), Arg::Write(&out)],
        Grid::Groups(1),
        first as usize,
    )?;
    Ok(out)
}
