//! The root of a sum of squares.

use saccade_shaders::norm::{CHUNK, root, squares};

use super::ranges::{Matrices, together};
use crate::device::EngineError;
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};

/// See [`crate::device::Device::norm`].
pub(in crate::device::gpu) fn norm(gpu: &Gpu, parts: &[Matrices<'_>]) -> Result<GpuBuffer, EngineError> {
    let launches = together(parts, CHUNK as usize);
    let count = launches.iter().map(|launch| launch.groups).sum();
    let sums = gpu.allocate(count)?;
    let mut first = 0;
    for launch in launches {
        let arguments = squares::Arguments { ranges: launch.ranges.len() as u32, first };
        let bindings = [
            Arg::uniform(&arguments),
            Arg::Read(launch.buffers[0]),
            Arg::words(&launch.ranges),
            Arg::Words(&launch.rows),
            Arg::Write(&sums),
        ];
        gpu.launch(&saccade_shaders::NORM_SQUARES, &bindings, Grid::Groups(launch.groups), launch.size)?;
        first += launch.groups as u32;
    }
    let out = gpu.allocate(1)?;
    let arguments = root::Arguments { size: first };
    let bindings = [Arg::uniform(&arguments), Arg::Read(&sums), Arg::Write(&out)];
    gpu.launch(&saccade_shaders::NORM_ROOT, &bindings, Grid::Groups(1), count)?;
    Ok(out)
}
