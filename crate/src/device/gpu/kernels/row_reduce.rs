//! The grid of kernels that reduce rows (`shaders/shared/row_reduce.wgsl`).

use saccade_shaders::shared::grid;

use crate::device::gpu::launch::Grid;

/// Invocations of a workgroup.
const GROUP: usize = grid::GROUP as usize;

/// The number of invocations that share a row of `columns` values: a power of two.
pub(super) fn width(columns: usize) -> usize {
    columns.next_power_of_two().min(GROUP)
}

/// The workgroups for `rows` rows.
pub(super) fn grid(rows: usize, columns: usize) -> Grid {
    Grid::Groups(rows.div_ceil(GROUP / width(columns)))
}
