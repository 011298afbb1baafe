//! What kernels that reduce rows have in common (`shaders/shared/each_row.wgsl`).

use saccade_shaders::shared::grid;
use saccade_shaders::shared::rows_of_x::Arguments;

use super::first;
use crate::device::Operand;
use crate::device::gpu::GpuBuffer;
use crate::device::gpu::launch::Grid;

/// Invocations of a workgroup.
const GROUP: usize = grid::GROUP as usize;

/// The number of invocations that share a row of `columns` values: a power of two.
pub(super) fn width(columns: usize) -> usize {
    columns.next_power_of_two().min(GROUP)
}

/// Arguments of the kernels that read nothing but the rows of `x`, and weights.
pub(super) fn arguments(x: &Operand<GpuBuffer>) -> Arguments {
    Arguments {
        rows: x.total_rows() as u32,
        columns: x.columns as u32,
        x_first: first(x),
        width: width(x.columns) as u32,
    }
}

/// The workgroups for `rows` rows.
pub(super) fn grid(rows: usize, columns: usize) -> Grid {
    Grid::Groups(rows.div_ceil(GROUP / width(columns)))
}
