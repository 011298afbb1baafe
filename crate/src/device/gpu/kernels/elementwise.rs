//! Functions of one or two values, element by element.

use std::ops::Range;

use saccade_shaders::Kernel;
use saccade_shaders::elementwise::Arguments;

use super::{Backward, first, size};
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Binary, EngineError, GRAPH, Op, Operand, Real, Unary};

/// A function of one operand.
pub(super) fn unary(gpu: &Gpu, x: &Operand<GpuBuffer>, function: Unary) -> Result<GpuBuffer, EngineError> {
    let values = (&x.source, first(x));
    match function {
        Unary::Scale(Real(s)) => scale(gpu, values, s, size(x)),
        _ if !GRAPH => Err(Op::Unary(function).left_out()),
        Unary::Tanh => each(gpu, &saccade_shaders::ELEMENTWISE_TANH, values, 1.0, size(x)),
        Unary::Sigmoid => each(gpu, &saccade_shaders::ELEMENTWISE_SIGMOID, values, 1.0, size(x)),
        Unary::Relu => each(gpu, &saccade_shaders::ELEMENTWISE_RELU, values, 1.0, size(x)),
        Unary::Exp => each(gpu, &saccade_shaders::ELEMENTWISE_EXP, values, 1.0, size(x)),
        Unary::Log => each(gpu, &saccade_shaders::ELEMENTWISE_LOG, values, 1.0, size(x)),
    }
}

/// `factor x` of `size` values.
fn scale(gpu: &Gpu, x: (&GpuBuffer, u32), factor: f32, size: usize) -> Result<GpuBuffer, EngineError> {
    each(gpu, &saccade_shaders::ELEMENTWISE_SCALE, x, factor, size)
}

/// Applies a kernel to `size` values of a buffer, from value `x_first` on.
fn each(
    gpu: &Gpu,
    kernel: &'static Kernel,
    (x, x_first): (&GpuBuffer, u32),
    factor: f32,
    size: usize,
) -> Result<GpuBuffer, EngineError> {
    let out = gpu.allocate(size)?;
    let arguments = Arguments { size: size as u32, x_first, factor, ..Default::default() };
    let bindings = [Arg::uniform(&arguments), Arg::Read(x), Arg::Write(&out)];
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
        _ if !GRAPH => return Err(Op::Binary(function).left_out()),
        Binary::Subtract => &saccade_shaders::ELEMENTWISE_SUBTRACT,
        Binary::Multiply => &saccade_shaders::ELEMENTWISE_MULTIPLY,
    };
    pairwise(gpu, kernel, (&x.source, first(x)), (&y.source, first(y)), size(x))
}

/// Applies a kernel to `size` pairs of values of two buffers, each from a first value on.
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

/// Copies `size` values from one buffer to another, each from a first value on.
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

/// The gradient of the operand.
pub(super) fn unary_backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    function: Unary,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let x = &back.call.inputs[0];
    let (y, dy, size) = ((&back.forward.outputs[0], 0), (back.upstream(), 0), size(x));
    let dx = match function {
        Unary::Tanh => pairwise(gpu, &saccade_shaders::ELEMENTWISE_TANH_BACKWARD, dy, y, size),
        Unary::Sigmoid => pairwise(gpu, &saccade_shaders::ELEMENTWISE_SIGMOID_BACKWARD, dy, y, size),
        Unary::Relu => pairwise(gpu, &saccade_shaders::ELEMENTWISE_RELU_BACKWARD, dy, y, size),
        Unary::Scale(Real(s)) => scale(gpu, dy, s, size),
        Unary::Exp => pairwise(gpu, &saccade_shaders::ELEMENTWISE_MULTIPLY, dy, y, size),
        Unary::Log => pairwise(gpu, &saccade_shaders::ELEMENTWISE_DIVIDE, dy, (&x.source, first(x)), size),
    };
    Ok(vec![Some(dx?)])
}

/// Gradients of the operands.
pub(super) fn binary_backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    function: Binary,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let (x, y, dy) = (&back.call.inputs[0], &back.call.inputs[1], back.upstream());
    let times = |x: &Operand<GpuBuffer>| {
        let values = (&x.source, first(x));
        pairwise(gpu, &saccade_shaders::ELEMENTWISE_MULTIPLY, (dy, 0), values, size(x))
    };
    let [dx, dy] = match function {
        Binary::Add => [dy.clone(), dy.clone()],
        Binary::Subtract => [dy.clone(), scale(gpu, (dy, 0), -1.0, size(x))?],
        Binary::Multiply => [times(y)?, times(x)?],
    };
    Ok(vec![Some(dx), Some(dy)])
}
