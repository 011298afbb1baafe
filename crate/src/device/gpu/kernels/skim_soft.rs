//! Skim-RNN as a mixture of both branches, for training.

use saccade_shaders::skim_soft::{self, GIVEN, KEEP, SIZE};
use saccade_shaders::{shared::skim_stretch, skim_soft_backward};

use super::affine::{Target, View, matmul};
use super::column_sums::add_columns;
use super::elementwise::copy_into;
use super::sequences::{Stretch, chunks};
use super::skim::{OTHER_TURNS, Operands, Packed, copy, first_or_none};
use super::{Backward, first};
use crate::device::gpu::launch::{Arg, Grid, flag};
use crate::device::gpu::resident::Layout;
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, CellKind, EngineError, Forward, ParamId, Skim};

/// Sizes that both directions use.
struct Sizes {
    lanes: usize,
    rows: usize,
    hidden: usize,
    memory: usize,
    small: usize,
    gates: usize,
    /// Columns of the decision's weight before those of the state.
    input: usize,
    /// Values kept a row: four a unit of the big cell and of the small, h and c before it, the weight of skimming.
    saved: usize,
}

impl Sizes {
    fn new(call: &Call<'_, GpuBuffer>, op: &Skim) -> Self {
        let (n, memory) = (op.hidden, op.cell.memory(op.hidden));
        Self {
            lanes: call.lanes(),
            rows: call.inputs[0].total_rows(),
            hidden: n,
            memory,
            small: op.small,
            gates: op.cell.gates(),
            input: call.parameters.values(op.decision_weight).len() / 2 - n,
            saved: 5 * n + memory + 4 * op.small + 1,
        }
    }

    /// The units that an invocation computes.
    fn units_an_invocation(&self) -> usize {
        self.hidden.div_ceil(SIZE as usize)
    }

    /// Multiply-adds of a launch.
    fn work(&self, stretches: &[Stretch]) -> usize {
        let steps: usize = stretches.iter().map(|stretch| stretch.steps).sum();
        steps * self.gates * self.hidden * (self.hidden + self.small)
    }
}

/// The stretches of a launch, as the kernel reads them.
fn plan(call: &Call<'_, GpuBuffer>, stretches: &[Stretch]) -> Vec<skim_stretch::Stretch> {
    let stretch = |stretch: &Stretch| skim_stretch::Stretch {
        lane: stretch.lane as u32,
        row: stretch.row as u32,
        steps: stretch.steps as u32,
        step: stretch.step as u32,
        stream: call.streams[stretch.lane],
    };
    stretches.iter().map(stretch).collect()
}

/// Rows, last h, last c, logits, decisions; keeps gates, states before every row and weights of skimming.
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    op: &Skim,
    temperature: f32,
    given_noise: bool,
) -> Result<Forward<GpuBuffer>, EngineError> {
    let operands = Operands::new(call, op);
    let sizes = Sizes::new(call, op);
    let (lanes, rows, n) = (sizes.lanes, sizes.rows, sizes.hidden);
    let mut packed = Packed::new(call.parameters);
    let c_first = lanes * n;
    let logits_first = c_first + lanes * sizes.memory;
    let decisions_first = logits_first + 2 * rows;
    let noise_first = decisions_first + rows;
    let arguments = skim_soft::Arguments {
        stretches: 0,
        hidden: n as u32,
        small: op.small as u32,
        small_reads: op.small_reads as u32,
        input: sizes.input as u32,
        big_x_first: first(operands.x),
        small_x_first: first_or_none(operands.small_x),
        decision_x_first: first(operands.decision_x),
        c_first: c_first as u32,
        logits_first: logits_first as u32,
        decisions_first: decisions_first as u32,
        noise_first: noise_first as u32,
        decision_weight: packed.add(op.decision_weight, Layout::AsStored),
        small_weight: packed.add_some(op.small_hh.map(|(weight, _)| weight), Layout::Transposed),
        small_bias: packed.add_some(op.small_hh.map(|(_, bias)| bias), Layout::AsStored),
        big_weight: packed.add(op.big_weight_hh, Layout::Transposed),
        big_bias: packed.add(op.big_bias_hh, Layout::AsStored),
        seed: call.seed,
        flags: flag(given_noise, GIVEN) | flag(call.keep, KEEP),
        temperature,
    };
    let weights = packed.buffer(gpu)?;
    let noise_size = operands.noise.map_or(0, |_| 2 * rows);
    let ends = operands.initial_state(gpu, op, noise_first + noise_size)?;
    if let Some(noise) = operands.noise {
        copy_into(gpu, (&noise.source, first(noise)), (&ends, noise_first as u32), noise_size)?;
    }
    let out = gpu.allocate(rows * n)?;
    let saved = gpu.allocate(if call.keep { rows * sizes.saved } else { 0 })?;
    let kernel = match op.cell {
        CellKind::Lstm => &saccade_shaders::SKIM_SOFT_LSTM,
        _ => &saccade_shaders::SKIM_SOFT_GRU,
    };
    let turns = sizes.units_an_invocation() * (n + op.small_reads + 8) + OTHER_TURNS;
    for stretches in chunks(&operands.x.offsets, turns) {
        let arguments = skim_soft::Arguments { stretches: stretches.len() as u32, ..arguments };
        gpu.launch(
            kernel,
            &[
                Arg::uniform(&arguments),
                Arg::words(&plan(call, &stretches)),
                Arg::Read(&operands.x.source),
                operands.small_x.map_or(Arg::Nothing, |x| Arg::Read(&x.source)),
                Arg::Read(&operands.decision_x.source),
                Arg::Read(&weights),
                Arg::Write(&out),
                Arg::Write(&ends),
                Arg::Write(&saved),
            ],
            Grid::Groups(stretches.len()),
            sizes.work(&stretches),
        )?;
    }
    let c = copy(gpu, (&ends, c_first), lanes * sizes.memory)?;
    let logits = copy(gpu, (&ends, logits_first), 2 * rows)?;
    let decisions = copy(gpu, (&ends, decisions_first), rows)?;
    Ok(Forward { outputs: vec![out, ends, c, logits, decisions], saved: vec![saved] })
}

/// Gradients of the operands.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    op: &Skim,
    temperature: f32,
    given_noise: bool,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let call = back.call;
    let sizes = Sizes::new(call, op);
    let (lanes, rows, n) = (sizes.lanes, sizes.rows, sizes.hidden);
    let (big_size, small_size) = (rows * sizes.gates * n, rows * sizes.gates * sizes.small);
    // In a GRU the reset gate makes the gradients of the input's part and of the state's part of a sum differ.
    let apart = usize::from(op.cell == CellKind::Gru);
    let mut packed = Packed::new(call.parameters);
    let arguments = skim_soft_backward::Arguments {
        stretches: 0,
        hidden: n as u32,
        small: op.small as u32,
        small_reads: op.small_reads as u32,
        input: sizes.input as u32,
        c_first: (lanes * n) as u32,
        decisions_first: (2 * rows) as u32,
        big_state_first: (apart * big_size) as u32,
        small_state_first: (apart * small_size) as u32,
        decision_weight: packed.add(op.decision_weight, Layout::AsStored),
        small_weight: packed.add_some(op.small_hh.map(|(weight, _)| weight), Layout::AsStored),
        big_weight: packed.add(op.big_weight_hh, Layout::AsStored),
        has_rows: u32::from(back.upstream[0].is_some()),
        temperature,
    };
    let weights = packed.buffer(gpu)?;
    let state = end_to_end(gpu, &back.upstream[1..3], &[lanes * n, lanes * sizes.memory])?;
    let decision = end_to_end(gpu, &back.upstream[3..5], &[2 * rows, rows])?;
    let big = gpu.allocate((1 + apart) * big_size)?;
    let small = gpu.allocate((1 + apart) * small_size)?;
    let saved = &back.forward.saved[0];
    let kernel = match op.cell {
        CellKind::Lstm => &saccade_shaders::SKIM_SOFT_BACKWARD_LSTM,
        _ => &saccade_shaders::SKIM_SOFT_BACKWARD_GRU,
    };
    let turns = sizes.units_an_invocation() * (sizes.gates * (n + op.small) + 16) + OTHER_TURNS;
    for stretches in chunks(&call.inputs[0].offsets, turns).into_iter().rev() {
        let arguments = skim_soft_backward::Arguments { stretches: stretches.len() as u32, ..arguments };
        gpu.launch(
            kernel,
            &[
                Arg::uniform(&arguments),
                Arg::words(&plan(call, &stretches)),
                Arg::Read(saved),
                back.upstream[0].as_ref().map_or(Arg::Nothing, Arg::Read),
                Arg::Read(&weights),
                Arg::Write(&big),
                Arg::Write(&small),
                Arg::Write(&decision),
                Arg::Write(&state),
            ],
            Grid::Groups(stretches.len()),
            sizes.work(&stretches),
        )?;
    }
    let h_before =
        View { buffer: saved, first: (4 * (n + op.small)) as u32, row: sizes.saved as u32, column: 1 };
    let mut add =
        |sums: View<'_>, outputs, reads, (weight, from): (ParamId, usize), bias: Option<ParamId>| {
            let d_weight = back.parameter(gpu, weight)?;
            let target = Target {
                buffer: &d_weight,
                first: from as u32,
                row: call.parameters.get(weight).columns() as u32,
                accumulate: true,
                bias: None,
            };
            matmul(gpu, [outputs, rows, reads], sums.t(), h_before, &target)?;
            if let Some(bias) = bias {
                let d_bias = back.parameter(gpu, bias)?;
                add_columns(gpu, [rows, outputs], sums, (&d_bias, 0))?;
            }
            Ok::<_, EngineError>(())
        };
    let (big_gates, small_gates) = (sizes.gates * n, sizes.gates * op.small);
    let big_sums = View::new(&big, arguments.big_state_first, big_gates);
    add(big_sums, big_gates, n, (op.big_weight_hh, 0), Some(op.big_bias_hh))?;
    if let Some((weight, bias)) = op.small_hh {
        let small_sums = View::new(&small, arguments.small_state_first, small_gates);
        add(small_sums, small_gates, op.small_reads, (weight, 0), Some(bias))?;
    }
    add(View::new(&decision, 0, 2), 2, n, (op.decision_weight, sizes.input), None)?;
    let mut gradients = vec![Some(big)];
    gradients.extend((op.small > 0).then_some(Some(small)));
    gradients.push(Some(decision));
    gradients.extend(given_noise.then_some(None));
    if op.initial {
        let c0 = copy(gpu, (&state, lanes * n), lanes * sizes.memory)?;
        gradients.extend([Some(state), Some(c0)]);
    }
    Ok(gradients)
}

/// Gradients end to end, zeros for those that are absent.
fn end_to_end(gpu: &Gpu, parts: &[Option<GpuBuffer>], sizes: &[usize]) -> Result<GpuBuffer, EngineError> {
    let out = gpu.zeros(sizes.iter().sum())?;
    let mut at = 0;
    for (part, &size) in parts.iter().zip(sizes) {
        if let Some(part) = part {
            copy_into(gpu, (part, 0), (&out, at as u32), size)?;
        }
        at += size;
    }
    Ok(out)
}
