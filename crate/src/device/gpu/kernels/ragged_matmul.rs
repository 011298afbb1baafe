//! Products of two values, lane by lane. A single lane is a product like that of a weight, with the same kernels.

use saccade_shaders::Kernel;
use saccade_shaders::ragged_matmul::Arguments;

use super::affine::{MOST_INNER, Target, View, matmul};
use super::{Backward, first, row_offsets, size};
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Operand};

/// A matrix that fills a new buffer.
fn fill(buffer: &GpuBuffer, columns: usize) -> Target<'_> {
    Target { buffer, first: 0, row: columns as u32, accumulate: false, bias: None }
}

/// All rows of an operand.
fn all(x: &Operand<GpuBuffer>) -> View<'_> {
    View::new(&x.source, first(x), x.columns)
}

/// The lane of each row of an operand.
fn lanes_of_rows(x: &Operand<GpuBuffer>) -> Vec<u32> {
    let lanes = (0..).zip(x.offsets.windows(2));
    lanes.flat_map(|(lane, range)| (range[0]..range[1]).map(move |_| lane)).collect()
}

/// Launches a kernel whose sums have so many `terms`, as often as it takes.
fn launch(
    gpu: &Gpu,
    kernel: &'static Kernel,
    (lanes, a, b, out): (&[u32], &GpuBuffer, &GpuBuffer, &GpuBuffer),
    terms: usize,
    arguments: Arguments,
) -> Result<(), EngineError> {
    let size = (arguments.rows * arguments.columns) as usize;
    for start in (0..terms.max(1)).step_by(MOST_INNER) {
        let end = terms.min(start + MOST_INNER);
        let arguments = Arguments { start: start as u32, end: end as u32, ..arguments };
        let bindings =
            [Arg::uniform(&arguments), Arg::Words(lanes), Arg::Read(a), Arg::Read(b), Arg::Write(out)];
        gpu.launch(kernel, &bindings, Grid::Invocations(size), size * (end - start).max(1))?;
    }
    Ok(())
}

/// Rows of all lanes, `rows x inner`, each times its lane's matrix, `inner x columns`, whose first is `b`. Row `i` belongs to
/// the lane that it has in `lanes`.
fn times_matrix(
    gpu: &Gpu,
    [rows, inner, columns]: [usize; 3],
    lanes: &Operand<GpuBuffer>,
    a: View<'_>,
    b: View<'_>,
) -> Result<GpuBuffer, EngineError> {
    let out = gpu.allocate(rows * columns)?;
    if lanes.offsets.len() == 2 {
        matmul(gpu, [rows, inner, columns], a, b, &fill(&out, columns))?;
        return Ok(out);
    }
    let arguments = Arguments {
        rows: rows as u32,
        columns: columns as u32,
        inner: inner as u32,
        a_first: a.first,
        b_first: b.first,
        b_lane: (inner * columns) as u32,
        b_row: b.row,
        b_column: b.column,
        ..Default::default()
    };
    let buffers = (&lanes_of_rows(lanes)[..], a.buffer, b.buffer, &out);
    launch(gpu, &saccade_shaders::RAGGED_MATMUL_LEFT, buffers, inner, arguments)?;
    Ok(out)
}

/// In every lane `a b`.
pub(super) fn forward(gpu: &Gpu, call: &Call<'_, GpuBuffer>) -> Result<GpuBuffer, EngineError> {
    let (a, b) = (&call.inputs[0], &call.inputs[1]);
    times_matrix(gpu, [a.total_rows(), a.columns, b.columns], a, all(a), all(b))
}

/// Gradients of the operands: in every lane `dy bᵀ` and `aᵀ dy`.
pub(super) fn backward(gpu: &Gpu, back: &mut Backward<'_>) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let (a, b, dy) = (&back.call.inputs[0], &back.call.inputs[1], back.upstream());
    let left = || {
        let dy = View::new(dy, 0, b.columns);
        times_matrix(gpu, [a.total_rows(), b.columns, a.columns], a, dy, all(b).t())
    };
    let left = back.wanted[0].then(left).transpose()?;
    Ok(vec![left, back.wanted[1].then(|| backward_right(gpu, a, b, dy)).transpose()?])
}

/// In every lane `aᵀ dy`.
fn backward_right(
    gpu: &Gpu,
    a: &Operand<GpuBuffer>,
    b: &Operand<GpuBuffer>,
    dy: &GpuBuffer,
) -> Result<GpuBuffer, EngineError> {
    let (rows, inner, columns) = (a.total_rows(), a.columns, b.columns);
    let db = gpu.allocate(size(b))?;
    if b.offsets.len() == 2 {
        let dy = View::new(dy, 0, columns);
        matmul(gpu, [inner, rows, columns], all(a).t(), dy, &fill(&db, columns))?;
        return Ok(db);
    }
    let arguments = Arguments {
        rows: b.total_rows() as u32,
        columns: columns as u32,
        inner: inner as u32,
        a_first: first(a),
        b_row: columns as u32,
        ..Default::default()
    };
    let longest = a.offsets.windows(2).map(|range| range[1] - range[0]).max().unwrap_or(0);
    let buffers = (&row_offsets(a)[..], &a.source, dy, &db);
    launch(gpu, &saccade_shaders::RAGGED_MATMUL_RIGHT, buffers, longest, arguments)?;
    Ok(db)
}
