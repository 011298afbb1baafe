//! Moves rows between buffers, and adds them up by number.

use std::ops::Range;

use saccade_shaders::rows::Arguments;

use super::affine::View;
use super::embedding::{add_by_id, select, select_into};
use super::{Backward, first, row_offsets, size};
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::op::GRAPH;
use crate::device::{Call, EngineError, Op, Operand};

/// Concatenates row ranges of buffers, with one launch for each run of ranges in one buffer.
pub(in crate::device::gpu) fn gather(
    gpu: &Gpu,
    columns: usize,
    parts: &[(&GpuBuffer, Range<usize>)],
) -> Result<GpuBuffer, EngineError> {
    let rows: usize = parts.iter().map(|(_, range)| range.len()).sum();
    let out = gpu.allocate(rows * columns)?;
    let mut at = 0;
    for run in parts.chunk_by(|a, b| a.0.is(b.0)) {
        let mut numbers = Vec::new();
        run.iter().for_each(|(_, range)| numbers.extend(range.start as u32..range.end as u32));
        let first = (at * columns) as u32;
        select_into(gpu, &numbers, columns, (run[0].0, 0), (&out, first))?;
        at += numbers.len();
    }
    Ok(out)
}

/// Copies `rows x columns` values from one matrix to another.
fn copy(gpu: &Gpu, [rows, columns]: [usize; 2], from: View<'_>, to: View<'_>) -> Result<(), EngineError> {
    let arguments = Arguments {
        rows: rows as u32,
        columns: columns as u32,
        x_first: from.first,
        x_row: from.row,
        out_first: to.first,
        out_row: to.row,
    };
    let bindings = [Arg::uniform(&arguments), Arg::Read(from.buffer), Arg::Write(to.buffer)];
    let size = rows * columns;
    gpu.launch(&saccade_shaders::ROWS, &bindings, Grid::Invocations(size), size)
}

/// An operand as a matrix.
fn view(x: &Operand<GpuBuffer>) -> View<'_> {
    View::new(&x.source, first(x), x.columns)
}

/// For every operand of `Op::ConcatColumns` its first column in the result, and the columns of all.
fn first_columns(inputs: &[Operand<GpuBuffer>]) -> (Vec<usize>, usize) {
    let mut end = 0;
    let first = |x: &Operand<GpuBuffer>| {
        end += x.columns;
        end - x.columns
    };
    (inputs.iter().map(first).collect(), end)
}

/// The rows that `Op::Rows` takes, counted over all lanes of its operand.
fn chosen(call: &Call<'_, GpuBuffer>) -> Vec<u32> {
    let starts = row_offsets(&call.inputs[0]);
    let mut rows = Vec::with_capacity(call.indices.len());
    for (range, start) in call.index_offsets.windows(2).zip(starts) {
        rows.extend(call.indices[range[0]..range[1]].iter().map(|i| start + i));
    }
    rows
}

/// Concatenation, a range of columns, chosen rows, or sums of rows.
pub(super) fn forward(gpu: &Gpu, call: &Call<'_, GpuBuffer>) -> Result<GpuBuffer, EngineError> {
    let x = &call.inputs[0];
    match *call.op {
        Op::ConcatColumns => {
            let (firsts, width) = first_columns(call.inputs);
            let out = gpu.allocate(x.total_rows() * width)?;
            for (x, at) in call.inputs.iter().zip(firsts) {
                let to = View::new(&out, at as u32, width);
                copy(gpu, [x.total_rows(), x.columns], view(x), to)?;
            }
            Ok(out)
        }
        Op::Columns { start, count } => {
            let rows = x.total_rows();
            let out = gpu.allocate(rows * count)?;
            copy(gpu, [rows, count], view(x).skip_columns(start), View::new(&out, 0, count))?;
            Ok(out)
        }
        Op::ScatterAdd if GRAPH => {
            let (rows, numbers) = call.scattered();
            let sums = gpu.zeros(rows * x.columns)?;
            add_by_id(gpu, &numbers, x.columns, (&x.source, x.offsets[0]), &sums)?;
            Ok(sums)
        }
        _ => select(gpu, &chosen(call), x.columns, &x.source, first(x)),
    }
}

/// Gradients of the operands.
pub(super) fn backward(gpu: &Gpu, back: &mut Backward<'_>) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let (call, dy) = (back.call, back.upstream());
    let x = &call.inputs[0];
    match *call.op {
        Op::ConcatColumns => {
            let (firsts, width) = first_columns(call.inputs);
            let part = |(x, at): (&Operand<GpuBuffer>, usize)| {
                let dx = gpu.allocate(size(x))?;
                let (from, to) = (View::new(dy, at as u32, width), View::new(&dx, 0, x.columns));
                copy(gpu, [x.total_rows(), x.columns], from, to)?;
                Ok(Some(dx))
            };
            call.inputs.iter().zip(firsts).map(part).collect()
        }
        Op::Columns { start, count } => {
            let dx = gpu.zeros(size(x))?;
            let to = View::new(&dx, 0, x.columns).skip_columns(start);
            copy(gpu, [x.total_rows(), count], View::new(dy, 0, count), to)?;
            Ok(vec![Some(dx)])
        }
        Op::ScatterAdd => Ok(vec![Some(select(gpu, &call.scattered().1, x.columns, dy, 0)?)]),
        _ => {
            let dx = gpu.zeros(size(x))?;
            add_by_id(gpu, &chosen(call), x.columns, (dy, 0), &dx)?;
            Ok(vec![Some(dx)])
        }
    }
}
