//! Functions of one or two values, element by element.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};
use saccade_shaders::Kernel;

use super::{first, size};
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Binary, EngineError, Operand, Real, Unary};

/// `shaders/elementwise.wgsl`.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
struct Arguments {
    size: u32,
    x_first: u32,
    y_first: u32,
    out_first: u32,
    factor: f32,
}

/// A function of one operand.
pub(super) fn unary(gpu: &Gpu, x: &Operand<GpuBuffer>, function: Unary) -> Result<GpuBuffer, EngineError> {
    let (kernel, factor) = match function {
        Unary::Tanh => (&saccade_shaders::ELEMENTWISE_TANH, 1.0),
        Unary::Sigmoid => (&saccade_shaders::ELEMENTWISE_SIGMOID, 1.0),
        Unary::Relu => (&saccade_shaders::ELEMENTWISE_RELU, 1.0),
        Unary::Scale(Real(s)) => (&saccade_shaders::ELEMENTWISE_SCALE, s),
    };
    let size = size(x);
    let out = gpu.allocate(size)?;
    let arguments = Arguments { size: size as u32, x_first: first(x), factor, ..Default::default() };
    let bindings = [Arg::uniform(&arguments), Arg::Read(&x.buffer), Arg::Write(&out)];
    gpu.launch(kernel, &bindings, Grid::Invocations(size), size)?;
    Ok(out)
}

/// A function of two operands of one shape.
pub(super) fn binary(
    gpu: &Gpu,
    x: &Operand<GpuBuffer>,
    y: &Operand<GpuBuffer>,
    function: Binary,
) -> Result<GpuBuffer, EngineError> {
    let kernel = match function {
        Binary::Add => &saccade_shaders::ELEMENTWISE_ADD,
        Binary::Subtract => &saccade_shaders::ELEMENTWISE_SUBTRACT,
        Binary::Multiply => &saccade_shaders::ELEMENTWISE_MULTIPLY,
    };
    pairwise(gpu, kernel, (&x.buffer, first(x)), (&y.buffer, first(y)), size(x))
}

/// `size` values from two buffers, each from a first value on.
pub(super) fn pairwise(
    gpu: &Gpu,
    kernel: &'static Kernel,
    (x, x_first): (&GpuBuffer, u32),
    (y, y_first): (&GpuBuffer, u32),
    size: usize,
) -> Result<GpuBuffer, EngineError> {
    let out = gpu.allocate(size)?;
    let arguments = Arguments { size: size as u32, x_first, y_first, ..Default::default() };
    let bindings = [Arg::uniform(&arguments), Arg::Read(x), Arg::Read(y), Arg::Write(&out)];
    gpu.launch(kernel, &bindings, Grid::Invocations(size), size)?;
    Ok(out)
}

/// Copies `size` values from a place in a buffer to one in another.
pub(super) fn copy_into(
    gpu: &Gpu,
    (source, x_first): (&GpuBuffer, u32),
    (out, out_first): (&GpuBuffer, u32),
    size: usize,
) -> Result<(), EngineError> {
    let arguments = Arguments { size: size as u32, x_first, out_first, factor: 1.0, ..Default::default() };
    let bindings = [Arg::uniform(&arguments), Arg::Read(source), Arg::Write(out)];
    gpu.launch(&saccade_shaders::ELEMENTWISE_SCALE, &bindings, Grid::Invocations(size), size)
}

/// See [`crate::device::Device::add`].
pub(in crate::device::gpu) fn add_rows(
    gpu: &Gpu,
    target: &mut GpuBuffer,
    at: usize,
    source: &GpuBuffer,
    rows: Range<usize>,
    columns: usize,
) -> Result<(), EngineError> {
    gpu.make_unique(target)?;
    let size = rows.len() * columns;
    let arguments = Arguments {
        size: size as u32,
        x_first: (rows.start * columns) as u32,
        out_first: (at * columns) as u32,
        ..Default::default()
    };
    let bindings = [Arg::uniform(&arguments), Arg::Read(source), Arg::Write(target)];
    gpu.launch(&saccade_shaders::ELEMENTWISE_ACCUMULATE, &bindings, Grid::Invocations(size), size)
}

/// Gradients of the operands.
pub(super) fn unary_backward(
    gpu: &Gpu,
    back: &mut super::Backward<'_>,
    _: Unary,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    Err(super::absent(back.call.op))
}

/// Gradients of the operands.
pub(super) fn binary_backward(
    gpu: &Gpu,
    back: &mut super::Backward<'_>,
    _: Binary,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    Err(super::absent(back.call.op))
}
