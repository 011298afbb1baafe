//! Rows of a table by id, and the sums by id that are its gradient.

use saccade_shaders::{embedding, embedding_backward};

use super::Backward;
use crate::cpu::order::argsort;
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, ParamId};

/// Rows `call.indices` of a table.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    table: ParamId,
) -> Result<GpuBuffer, EngineError> {
    let columns = call.parameters.get(table).columns();
    select(gpu, call.indices, columns, &gpu.weight(call.parameters, table)?, 0)
}

/// Rows of a buffer by number, counted from the row at value `first`.
pub(in crate::device::gpu) fn select(
    gpu: &Gpu,
    numbers: &[u32],
    columns: usize,
    table: &GpuBuffer,
    first: u32,
) -> Result<GpuBuffer, EngineError> {
    let size = numbers.len() * columns;
    let out = gpu.allocate(size)?;
    select_into(gpu, numbers, columns, (table, first), (&out, 0))?;
    Ok(out)
}

/// Copies rows of a buffer by number to `out`, from its value `out_first` on.
pub(super) fn select_into(
    gpu: &Gpu,
    numbers: &[u32],
    columns: usize,
    (table, table_first): (&GpuBuffer, u32),
    (out, out_first): (&GpuBuffer, u32),
) -> Result<(), EngineError> {
    let size = numbers.len() * columns;
    let arguments =
        embedding::Arguments { rows: numbers.len() as u32, columns: columns as u32, table_first, out_first };
    gpu.launch(
        &saccade_shaders::EMBEDDING,
        &[Arg::uniform(&arguments), Arg::Words(numbers), Arg::Read(table), Arg::Write(out)],
        Grid::Invocations(size),
        size,
    )
}

/// `table[ids[i]] += rows[first_row + i]`, rows of one id in their order.
pub(super) fn add_by_id(
    gpu: &Gpu,
    ids: &[u32],
    columns: usize,
    (rows, first_row): (&GpuBuffer, usize),
    table: &GpuBuffer,
) -> Result<(), EngineError> {
    let order = argsort(ids.len(), &|a, b| ids[a].cmp(&ids[b]));
    let (mut distinct, mut starts) = (Vec::new(), vec![0]);
    for same in order.chunk_by(|&a, &b| ids[a] == ids[b]) {
        distinct.push(ids[same[0]]);
        starts.push(starts[starts.len() - 1] + same.len() as u32);
    }
    let order: Vec<u32> = order.into_iter().map(|row| (first_row + row) as u32).collect();
    let arguments = embedding_backward::Arguments { ids: distinct.len() as u32, columns: columns as u32 };
    gpu.launch(
        &saccade_shaders::EMBEDDING_BACKWARD,
        &[
            Arg::uniform(&arguments),
            Arg::Words(&distinct),
            Arg::Words(&starts),
            Arg::Words(&order),
            Arg::Read(rows),
            Arg::Write(table),
        ],
        Grid::Invocations(distinct.len() * columns),
        ids.len() * columns,
    )
}

/// Adds to the gradient of the table; there are no operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    table: ParamId,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let (call, dy) = (back.call, back.upstream());
    let gradient = back.parameter(gpu, table)?;
    add_by_id(gpu, call.indices, call.parameters.get(table).columns(), (dy, 0), &gradient)?;
    Ok(Vec::new())
}
