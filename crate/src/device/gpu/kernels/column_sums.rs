//! Sums of columns: gradients of biases.

use saccade_shaders::column_sums::{Arguments, WIDTH};

use super::affine::View;
use crate::device::EngineError;
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};

/// Rows that one workgroup sums. More rows are cut into chunks, whose sums a second launch adds up.
const CHUNK: usize = 512;

/// `sums[j] += sum_i x[i, j]`, `x` being `rows x columns` with neighbouring columns. Deterministic.
pub(super) fn add_columns(
    gpu: &Gpu,
    [rows, columns]: [usize; 2],
    x: View<'_>,
    (sums, sums_first): (&GpuBuffer, u32),
) -> Result<(), EngineError> {
    if rows == 0 {
        return Ok(());
    }
    let chunks = rows.div_ceil(CHUNK);
    let launch = |out: &GpuBuffer, sums_first, accumulate| {
        let arguments = Arguments {
            rows: rows as u32,
            columns: columns as u32,
            chunk: CHUNK as u32,
            x_first: x.first,
            x_row: x.row,
            sums_first,
            accumulate,
        };
        gpu.launch(
            &saccade_shaders::COLUMN_SUMS,
            &[Arg::uniform(&arguments), Arg::Read(x.buffer), Arg::Write(out)],
            Grid::Groups(chunks * columns.div_ceil(WIDTH as usize)),
            rows * columns,
        )
    };
    if chunks == 1 {
        return launch(sums, sums_first, 1);
    }
    let parts = gpu.allocate(chunks * columns)?;
    launch(&parts, 0, 0)?;
    add_columns(gpu, [chunks, columns], View::new(&parts, 0, columns), (sums, sums_first))
}
