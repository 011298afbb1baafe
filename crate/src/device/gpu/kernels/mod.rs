//! Turns operations into launches. A file holds a family of kernels and is named like its CPU twin.

#[cfg(feature = "train")]
pub(super) mod adam;
pub(super) mod affine;
#[cfg(any(feature = "graph", not(feature = "web")))]
mod cell;
mod column_sums;
mod dropout;
pub(super) mod elementwise;
pub(super) mod embedding;
#[cfg(any(feature = "graph", not(feature = "web")))]
mod fused;
mod layer_norm;
#[cfg(feature = "train")]
pub(super) mod norm;
mod pool;
mod ragged_matmul;
#[cfg(feature = "train")]
pub(super) mod ranges;
mod recurrence;
mod reduce;
mod row_reduce;
pub(super) mod rows;
mod semiring;
mod sequences;
mod skim;
mod skim_soft;
mod softmax;
mod sru;
pub(super) mod transpose;

use super::{Gpu, GpuBuffer};
use crate::device::op::{GRAPH, PROGRAMS, graph_only, program_only};
use crate::device::{
    Binary, Call, EngineError, Forward, Op, Operand, ParamGradients, ParamId, Real, SkimMode, Unary,
};

/// The first value of an operand's lanes within its buffer.
fn first(operand: &Operand<GpuBuffer>) -> u32 {
    (operand.offsets[0] * operand.columns) as u32
}

/// How many values all lanes of an operand have.
fn size(operand: &Operand<GpuBuffer>) -> usize {
    operand.total_rows() * operand.columns
}

/// The row numbers of an operand's lanes, counted from its first row, for a kernel.
fn row_offsets(operand: &Operand<GpuBuffer>) -> Vec<u32> {
    operand.offsets.iter().map(|row| (row - operand.offsets[0]) as u32).collect()
}

/// Outputs of an operation that keeps nothing for its backward call.
fn outputs(outputs: Vec<GpuBuffer>) -> Forward<GpuBuffer> {
    Forward { outputs, saved: Vec::new() }
}

/// Whether this build can train. The browser's binary does not contain the kernels of training.
const TRAINING: bool = cfg!(feature = "train");

fn without_training(op: &Op) -> EngineError {
    let reason = "this build has no training code (cargo feature `train`)";
    EngineError::Unsupported { op: op.name(), reason }
}

/// See [`Device::forward`].
pub(super) fn forward(gpu: &Gpu, call: &Call<'_, GpuBuffer>) -> Result<Forward<GpuBuffer>, EngineError> {
    if call.op.is_inspected() {
        let reason = "gates and memories are put out by the CPU only";
        return Err(EngineError::Unsupported { op: call.op.name(), reason });
    }
    match *call.op {
        graph_only!() if !GRAPH => Err(call.op.left_out()),
        program_only!() if !PROGRAMS => Err(call.op.left_out()),
        Op::Input | Op::Held => unreachable!("the graph supplies the values of leaves"),
        Op::ConcatRows => unreachable!("the graph lays rows end to end"),
        Op::Step(_) => unreachable!("a step's parts run by themselves"),
        #[cfg(any(feature = "graph", not(feature = "web")))]
        Op::Cell(ref function) => cell::forward(gpu, call, function),
        #[cfg(not(any(feature = "graph", not(feature = "web"))))]
        Op::Cell(ref none) => match *none {},
        Op::Embedding { table } => Ok(outputs(vec![embedding::forward(gpu, call, table)?])),
        Op::Affine { ref weight, bias } => Ok(outputs(vec![affine::forward(gpu, call, weight, bias)?])),
        Op::MatMul => Ok(outputs(vec![ragged_matmul::forward(gpu, call)?])),
        Op::Semiring(product) => Ok(outputs(semiring::forward(gpu, call, product)?)),
        Op::Unary(function) => Ok(outputs(vec![elementwise::unary(gpu, &call.inputs[0], function)?])),
        Op::Binary(function) => {
            Ok(outputs(vec![elementwise::binary(gpu, &call.inputs[0], &call.inputs[1], function)?]))
        }
        Op::ConcatColumns | Op::Columns { .. } | Op::Rows | Op::ScatterAdd => {
            Ok(outputs(vec![rows::forward(gpu, call)?]))
        }
        Op::Pool(kind) => Ok(outputs(vec![pool::forward(gpu, call, kind)?])),
        Op::Reduce(kind) => Ok(outputs(reduce::forward(gpu, call, kind)?)),
        Op::Softmax | Op::LogSoftmax => softmax::forward(gpu, call),
        Op::CrossEntropy if TRAINING => softmax::cross_entropy(gpu, call),
        Op::LayerNorm { weight, bias } => Ok(outputs(vec![layer_norm::forward(gpu, call, weight, bias)?])),
        Op::Dropout { rate: Real(rate), per_sequence } if TRAINING => {
            Ok(outputs(vec![dropout::forward(gpu, call, rate, per_sequence)?]))
        }
        Op::Recurrence { .. } => recurrence::forward(gpu, call),
        Op::Sru(ref op) => sru::forward(gpu, call, op),
        Op::Skim(ref op) => match op.mode {
            SkimMode::Hard { threshold } => skim::forward(gpu, call, op, threshold.0),
            SkimMode::Soft { temperature, given_noise } if TRAINING => {
                skim_soft::forward(gpu, call, op, temperature.0, given_noise)
            }
            SkimMode::Soft { .. } => Err(without_training(call.op)),
        },
        Op::CrossEntropy | Op::Dropout { .. } => Err(without_training(call.op)),
    }
}

/// A backward call: see [`Device::backward`].
struct Backward<'a> {
    call: &'a Call<'a, GpuBuffer>,
    forward: &'a Forward<GpuBuffer>,
    /// Gradients of the outputs; `None` is zero.
    upstream: &'a [Option<GpuBuffer>],
    /// Which operands need a gradient.
    wanted: &'a [bool],
    gradients: &'a mut ParamGradients<GpuBuffer>,
}

impl<'a> Backward<'a> {
    /// The gradient of the only output. (Operations with one output are only called when it has a gradient.)
    fn upstream(&self) -> &'a GpuBuffer {
        let Some(Some(gradient)) = self.upstream.first() else {
            unreachable!("a call without a gradient of its only output");
        };
        gradient
    }

    /// The gradient of a parameter, for a kernel to add to.
    fn parameter(&mut self, gpu: &Gpu, id: ParamId) -> Result<GpuBuffer, EngineError> {
        let slot = &mut self.gradients[id.index()];
        match slot {
            Some(buffer) => gpu.make_unique(buffer)?,
            None => *slot = Some(gpu.zeros(self.call.parameters.values(id).len())?),
        }
        slot.clone().ok_or_else(|| absent(self.call.op))
    }
}

/// See [`Device::backward`].
pub(super) fn backward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    forward: &Forward<GpuBuffer>,
    upstream: &[Option<GpuBuffer>],
    wanted: &[bool],
    gradients: &mut ParamGradients<GpuBuffer>,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let back = &mut Backward { call, forward, upstream, wanted, gradients };
    match *call.op {
        program_only!() if !PROGRAMS => Err(call.op.left_out()),
        Op::Input | Op::Held => Ok(Vec::new()),
        Op::ConcatRows => unreachable!("the graph lays rows end to end"),
        Op::Step(_) => unreachable!("a step's parts run by themselves"),
        #[cfg(any(feature = "graph", not(feature = "web")))]
        Op::Cell(ref function) => cell::backward(gpu, back, function),
        #[cfg(not(any(feature = "graph", not(feature = "web"))))]
        Op::Cell(ref none) => match *none {},
        Op::Embedding { table } => embedding::backward(gpu, back, table),
        Op::Affine { ref weight, bias } => affine::backward(gpu, back, weight, bias),
        Op::MatMul => ragged_matmul::backward(gpu, back),
        Op::Semiring(product) => semiring::backward(gpu, back, product),
        Op::Unary(function) => elementwise::unary_backward(gpu, back, function),
        Op::Binary(function) => elementwise::binary_backward(gpu, back, function),
        Op::ConcatColumns | Op::Columns { .. } | Op::Rows | Op::ScatterAdd => rows::backward(gpu, back),
        Op::Pool(kind) => pool::backward(gpu, back, kind),
        Op::Reduce(kind) => reduce::backward(gpu, back, kind),
        Op::Softmax | Op::LogSoftmax | Op::CrossEntropy => softmax::backward(gpu, back),
        Op::LayerNorm { weight, bias } => layer_norm::backward(gpu, back, weight, bias),
        Op::Dropout { rate: Real(rate), per_sequence } => dropout::backward(gpu, back, rate, per_sequence),
        Op::Recurrence { .. } => recurrence::backward(gpu, back),
        Op::Sru(ref op) => sru::backward(gpu, back, op),
        Op::Skim(ref op) => match op.mode {
            SkimMode::Hard { threshold } => skim::backward(gpu, back, op, threshold.0),
            SkimMode::Soft { temperature, given_noise } => {
                skim_soft::backward(gpu, back, op, temperature.0, given_noise)
            }
        },
    }
}

fn absent(op: &Op) -> EngineError {
    EngineError::Unsupported { op: op.name(), reason: "it has no GPU kernel" }
}
