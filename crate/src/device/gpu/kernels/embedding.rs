//! Rows of a table by id.

use bytemuck::{Pod, Zeroable};

use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, ParamId};

/// `shaders/embedding.wgsl`.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
struct Arguments {
    rows: u32,
    columns: u32,
    table_first: u32,
    out_first: u32,
}

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
pub(super) fn select(
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

/// As [`select`], into the buffer given, from its value given.
pub(super) fn select_into(
    gpu: &Gpu,
    numbers: &[u32],
    columns: usize,
    (table, table_first): (&GpuBuffer, u32),
    (out, out_first): (&GpuBuffer, u32),
) -> Result<(), EngineError> {
    let size = numbers.len() * columns;
    let arguments = Arguments { rows: numbers.len() as u32, columns: columns as u32, table_first, out_first };
    gpu.launch(
        &saccade_shaders::EMBEDDING,
        &[Arg::uniform(&arguments), Arg::Words(numbers), Arg::Read(table), Arg::Write(out)],
        Grid::Invocations(size),
        size,
    )
}

/// Gradients of the operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut super::Backward<'_>,
    _: ParamId,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    Err(super::absent(back.call.op))
}
