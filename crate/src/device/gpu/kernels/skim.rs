//! Skim-RNN with hard decisions.

use saccade_shaders::skim::{Arguments, n64, n128, n256};
use saccade_shaders::{self as shaders, Kernel};

use super::elementwise::copy_into;
use super::sequences::{Stretch, chunks};
use super::{Backward, first};
use crate::cpu;
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::resident::{Layout, Part};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, CellKind, EngineError, Forward, Operand, ParamId, Parameters, Skim, SkimMode};

// A forced decision is the same number on both devices.
const _: () = assert!(shaders::skim::FORCE_SKIM == cpu::skim::FORCE_SKIM);

/// The most invocations that share the products of a unit.
const MOST_PARTS: usize = 16;

/// Loop iterations of a step that do not depend on any size.
pub(super) const OTHER_TURNS: usize = 64;

/// A Skim call's operands by their names.
pub(super) struct Operands<'a> {
    /// The input, or the big cell's product.
    pub(super) x: &'a Operand<GpuBuffer>,
    pub(super) small_x: Option<&'a Operand<GpuBuffer>>,
    pub(super) decision_x: &'a Operand<GpuBuffer>,
    pub(super) noise: Option<&'a Operand<GpuBuffer>>,
    h0: Option<&'a Operand<GpuBuffer>>,
    c0: Option<&'a Operand<GpuBuffer>>,
}

impl<'a> Operands<'a> {
    pub(super) fn new(call: &'a Call<'_, GpuBuffer>, op: &Skim) -> Self {
        let given = matches!(op.mode, SkimMode::Soft { given_noise: true, .. });
        let small = usize::from(op.small > 0);
        let mut rest = call.inputs[2 + small..].iter();
        Self {
            x: &call.inputs[0],
            small_x: (op.small > 0).then(|| &call.inputs[1]),
            decision_x: &call.inputs[1 + small],
            noise: if given { rest.next() } else { None },
            h0: rest.next(),
            c0: rest.next(),
        }
    }

    /// A buffer of `size` values that begins with h of every lane, then c of every lane.
    pub(super) fn initial_state(&self, gpu: &Gpu, op: &Skim, size: usize) -> Result<GpuBuffer, EngineError> {
        let state = gpu.zeros(size)?;
        let mut at = 0;
        for operand in [self.h0, self.c0].into_iter().flatten() {
            let size = operand.total_rows() * op.hidden;
            copy_into(gpu, (&operand.source, first(operand)), (&state, at), size)?;
            at += size as u32;
        }
        Ok(state)
    }
}

/// The first value of an operand within its buffer; 0 if there is none.
pub(super) fn first_or_none(operand: Option<&Operand<GpuBuffer>>) -> u32 {
    operand.map_or(0, first)
}

/// Weights end to end in one buffer.
pub(super) struct Packed<'a> {
    parameters: &'a Parameters,
    parts: Vec<Part>,
    size: u32,
}

impl<'a> Packed<'a> {
    pub(super) fn new(parameters: &'a Parameters) -> Self {
        Self { parameters, parts: Vec::new(), size: 0 }
    }

    /// Appends a weight; returns the index of its first value.
    pub(super) fn add(&mut self, id: ParamId, layout: Layout) -> u32 {
        let at = self.size;
        self.parts.push((id, layout));
        self.size += self.parameters.values(id).len() as u32;
        at
    }

    /// Appends a weight if there is one; returns the index of its first value, or 0.
    pub(super) fn add_some(&mut self, id: Option<ParamId>, layout: Layout) -> u32 {
        id.map_or(0, |id| self.add(id, layout))
    }

    pub(super) fn buffer(&self, gpu: &Gpu) -> Result<GpuBuffer, EngineError> {
        gpu.weights_in_one(self.parameters, &self.parts)
    }
}

/// The least difference of logits whose probability, rounded to f32, exceeds a threshold.
fn least_difference(threshold: f32) -> f32 {
    let t = f64::from(threshold);
    let difference = if t == 0.0 {
        // The least probability that rounds to more than 0.
        -150.0 * std::f64::consts::LN_2
    } else {
        (t.clamp(0.0, 1.0) / (1.0 - t.clamp(0.0, 1.0))).ln()
    };
    // WGSL may assume that no value is infinite.
    difference.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
}

/// The words that a launch's workgroups read: four a stretch, then forced decisions.
fn plan(call: &Call<'_, GpuBuffer>, stretches: &[Stretch]) -> Vec<u32> {
    let mut words = vec![0; 4 * stretches.len()];
    for (i, stretch) in stretches.iter().enumerate() {
        let forced = &call.indices[call.index_offsets[stretch.lane]..call.index_offsets[stretch.lane + 1]];
        let begin = if forced.is_empty() { 0 } else { words.len() as u32 };
        let about = [stretch.lane as u32, stretch.row as u32, stretch.steps as u32, begin];
        words[4 * i..4 * i + 4].copy_from_slice(&about);
        words.extend(forced.iter().skip(stretch.step).take(stretch.steps));
    }
    words
}

/// The variant for a state of `hidden` units: the smallest workgroup with an invocation for each, if there is one.
fn kernel(cell: CellKind, hidden: u32) -> &'static Kernel {
    let [lstm, gru] = match hidden {
        _ if hidden <= n64::SIZE => [&shaders::SKIM_LSTM_N64, &shaders::SKIM_GRU_N64],
        _ if hidden <= n128::SIZE => [&shaders::SKIM_LSTM_N128, &shaders::SKIM_GRU_N128],
        _ if hidden <= n256::SIZE => [&shaders::SKIM_LSTM_N256, &shaders::SKIM_GRU_N256],
        _ => [&shaders::SKIM_LSTM_WIDE, &shaders::SKIM_GRU_WIDE],
    };
    if cell == CellKind::Lstm { lstm } else { gru }
}

/// Rows, last h, last c, logits, decisions.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    op: &Skim,
    threshold: f32,
) -> Result<Forward<GpuBuffer>, EngineError> {
    let operands = Operands::new(call, op);
    let (lanes, rows) = (call.lanes(), operands.x.total_rows());
    let (n, memory, input) = (op.hidden, op.cell.memory(op.hidden), operands.x.columns);
    let kernel = kernel(op.cell, n as u32);
    let size = kernel.workgroup_size[0] as usize;
    let mut packed = Packed::new(call.parameters);
    let state = operands.initial_state(gpu, op, lanes * (n + memory))?;
    let (out, decided) = (gpu.allocate(rows * n)?, gpu.allocate(rows * 3)?);
    let parts = |units: usize, products: usize| {
        (size / units.clamp(1, size)).min(products / 8).clamp(1, MOST_PARTS) as u32
    };
    let arguments = Arguments {
        stretches: 0,
        hidden: n as u32,
        small: op.small as u32,
        small_reads: op.small_reads as u32,
        input: input as u32,
        big_parts: parts(n, n + input),
        small_parts: parts(op.small, op.small_reads),
        x_first: first(operands.x),
        small_x_first: first_or_none(operands.small_x),
        decision_x_first: first(operands.decision_x),
        c_first: (lanes * n) as u32,
        decisions_first: (rows * 2) as u32,
        decision_weight: packed.add(op.decision_weight, Layout::AsStored),
        small_weight: packed.add_some(op.small_hh.map(|(weight, _)| weight), Layout::Transposed),
        small_bias: packed.add_some(op.small_hh.map(|(_, bias)| bias), Layout::AsStored),
        big_weight_ih: packed.add(op.big_weight_ih, Layout::Transposed),
        big_bias_ih: packed.add(op.big_bias_ih, Layout::AsStored),
        big_weight_hh: packed.add(op.big_weight_hh, Layout::Transposed),
        big_bias_hh: packed.add(op.big_bias_hh, Layout::AsStored),
        least: least_difference(threshold),
    };
    let weights = packed.buffer(gpu)?;
    // A step that reads takes the most iterations. In every step invocation 0 also sums the small part of the decision.
    let products = (n + input).div_ceil(arguments.big_parts as usize);
    let turns = n.div_ceil(size) * (products + MOST_PARTS) + op.small + OTHER_TURNS;
    for stretches in chunks(&operands.x.offsets, turns) {
        let arguments = Arguments { stretches: stretches.len() as u32, ..arguments };
        let steps: usize = stretches.iter().map(|stretch| stretch.steps).sum();
        gpu.launch(
            kernel,
            &[
                Arg::uniform(&arguments),
                Arg::Words(&plan(call, &stretches)),
                Arg::Read(&operands.x.source),
                operands.small_x.map_or(Arg::Nothing, |x| Arg::Read(&x.source)),
                Arg::Read(&operands.decision_x.source),
                Arg::Read(&weights),
                Arg::Write(&out),
                Arg::Write(&state),
                Arg::Write(&decided),
            ],
            Grid::Groups(stretches.len()),
            // An upper bound: the work if every step reads.
            steps * op.cell.gates() * n * (n + input),
        )?;
    }
    let c = copy(gpu, (&state, lanes * n), lanes * memory)?;
    let decisions = copy(gpu, (&decided, rows * 2), rows)?;
    Ok(super::outputs(vec![out, state, c, decided, decisions]))
}

/// A copy of `size` values of a buffer, from value `at` on.
pub(super) fn copy(
    gpu: &Gpu,
    (buffer, at): (&GpuBuffer, usize),
    size: usize,
) -> Result<GpuBuffer, EngineError> {
    let out = gpu.allocate(size)?;
    copy_into(gpu, (buffer, at as u32), (&out, 0), size)?;
    Ok(out)
}

/// A decision has no gradient.
pub(super) fn backward(
    _: &Gpu,
    _: &mut Backward<'_>,
    _: &Skim,
    _: f32,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let reason = "a hard decision has no gradient; train with the soft mixture";
    Err(EngineError::Unsupported { op: "skim", reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_become_differences_of_logits() {
        assert_eq!(least_difference(0.5), 0.0);
        assert!((least_difference(0.9) - 9f32.ln()).abs() < 1e-6);
        assert_eq!(least_difference(1.0), f32::MAX);
        assert_eq!(least_difference(-1.0), f32::MIN);
        // The smallest positive f32 is 2^-149, and half of it rounds up.
        assert!((-104.0..-103.9).contains(&least_difference(0.0)));
    }
}
