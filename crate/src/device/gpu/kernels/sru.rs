//! The simple recurrent unit over time: a launch runs up to [`MOST_STEPS`] steps of all sequences that have them, an
//! invocation for each sequence and channel.

use saccade_shaders::shared::sru::{Arguments, BIDIRECTIONAL, KEEP, Lane, SKIP, TANH, UPSTREAM, WEIGHT_C};

use super::affine::View;
use super::column_sums::add_columns;
use super::elementwise::add_rows;
use super::{Backward, first};
use crate::cpu::order::longest_first;
use crate::device::gpu::launch::{Arg, Grid, flag};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, EngineError, Forward, Operand, Sru};

/// Steps of a launch, at most.
const MOST_STEPS: usize = 1024;
/// The most steps of a launch times the channels of all sequences, so that no launch takes long.
const MOST_CELLS: usize = 1 << 21;
/// The cost of a step of a channel, in multiply-adds.
const CELL_WORK: usize = 20;

/// A launch: its steps, and the lanes that have any of them.
struct Chunk<'a> {
    first: usize,
    end: usize,
    alive: &'a [Lane],
}

/// The arguments, operands and sequences of a call.
struct Plan<'a> {
    arguments: Arguments,
    channels: usize,
    u: &'a Operand<GpuBuffer>,
    /// The highway's input, if there are 3 products.
    skip: Option<&'a Operand<GpuBuffer>>,
    c0: Option<&'a Operand<GpuBuffer>>,
    /// `[v_f, v_r]`.
    weight_c: Option<GpuBuffer>,
    /// By decreasing length, so that those alive at a step are the first ones.
    lanes: Vec<Lane>,
}

impl<'a> Plan<'a> {
    fn new(gpu: &Gpu, call: &'a Call<'_, GpuBuffer>, op: &Sru) -> Result<Self, EngineError> {
        let p = call.parameters;
        let channels = p.values(op.bias).len() / 2;
        let u = &call.inputs[0];
        let products = u.columns / channels;
        let skip = (op.skip && products == 3).then(|| &call.inputs[1]);
        let rows = |lane: usize| u.offsets[lane + 1] - u.offsets[lane];
        let lane = |lane: usize| Lane {
            number: lane as u32,
            first: (u.offsets[lane] - u.offsets[0]) as u32,
            length: rows(lane) as u32,
            stream: call.streams[lane],
        };
        let lanes: Vec<_> = longest_first(&u.offsets).into_iter().map(lane).collect();
        let flags = flag(op.use_tanh, TANH)
            | flag(op.bidirectional, BIDIRECTIONAL)
            | flag(op.weight_c.is_some(), WEIGHT_C)
            | flag(skip.is_some(), SKIP);
        let arguments = Arguments {
            channels: channels as u32,
            products: products as u32,
            lanes: lanes.len() as u32,
            u_first: first(u),
            skip_first: skip.map_or(0, first),
            flags,
            seed: call.seed,
            rate: op.dropout.0,
            scale: op.scale.map_or(1.0, |scale| p.values(scale)[0]),
            ..Default::default()
        };
        let c0 = op.initial.then(|| &call.inputs[1 + usize::from(op.skip)]);
        let weight_c = op.weight_c.map(|v| gpu.weight(p, v)).transpose()?;
        Ok(Self { arguments, channels, u, skip, c0, weight_c, lanes })
    }

    /// The launches, first to last.
    fn chunks(&self) -> impl DoubleEndedIterator<Item = Chunk<'_>> {
        let steps = self.lanes.first().map_or(0, |lane| lane.length as usize);
        let most = (MOST_CELLS / (self.lanes.len() * self.channels).max(1)).clamp(16, MOST_STEPS);
        (0..steps.div_ceil(most)).map(move |chunk| {
            let (first, end) = (chunk * most, (chunk + 1) * most);
            let alive = self.lanes.partition_point(|lane| lane.length as usize > first);
            Chunk { first, end, alive: &self.lanes[..alive] }
        })
    }

    fn arguments(&self, chunk: &Chunk<'_>, flags: u32) -> Arguments {
        Arguments {
            alive: chunk.alive.len() as u32,
            first_step: chunk.first as u32,
            end_step: chunk.end as u32,
            flags: self.arguments.flags | flags,
            ..self.arguments
        }
    }

    /// The bindings that both directions share.
    fn bindings<'b>(&'b self, chunk: &Chunk<'b>, arguments: &'b Arguments) -> Vec<Arg<'b>> {
        vec![
            Arg::uniform(arguments),
            Arg::words(chunk.alive),
            Arg::Read(&self.u.source),
            self.weight_c.as_ref().map_or(Arg::Nothing, Arg::Read),
        ]
    }

    fn grid(&self, chunk: &Chunk<'_>) -> Grid {
        Grid::Invocations(chunk.alive.len() * self.channels)
    }

    /// Multiply-adds of a launch.
    fn work(&self, chunk: &Chunk<'_>) -> usize {
        let rows: usize =
            chunk.alive.iter().map(|lane| chunk.end.min(lane.length as usize) - chunk.first).sum();
        rows * self.channels * CELL_WORK
    }
}

/// Rows, last c; keeps 4 values a row and channel (`shaders/sru.wgsl` says which).
pub(super) fn forward(
    gpu: &Gpu,
    call: &Call<'_, GpuBuffer>,
    op: &Sru,
) -> Result<Forward<GpuBuffer>, EngineError> {
    let plan = Plan::new(gpu, call, op)?;
    let (lanes, n) = (plan.lanes.len(), plan.channels);
    let cells = plan.u.total_rows() * n;
    let bias = gpu.weight(call.parameters, op.bias)?;
    let c = match plan.c0 {
        Some(c0) => super::rows::gather(gpu, n, &[(&c0.source, c0.offsets[0]..c0.offsets[lanes])])?,
        None => gpu.zeros(lanes * n)?,
    };
    let rows = gpu.allocate(cells)?;
    let saved = gpu.allocate(if call.keep { 4 * cells } else { 0 })?;
    for chunk in plan.chunks() {
        let arguments = plan.arguments(&chunk, flag(call.keep, KEEP));
        let mut bindings = plan.bindings(&chunk, &arguments);
        bindings.extend([
            plan.skip.map_or(Arg::Nothing, |skip| Arg::Read(&skip.source)),
            Arg::Read(&bias),
            Arg::Write(&c),
            Arg::Write(&rows),
            Arg::Write(&saved),
        ]);
        gpu.launch(&saccade_shaders::SRU, &bindings, plan.grid(&chunk), plan.work(&chunk))?;
    }
    Ok(Forward { outputs: vec![rows, c], saved: vec![saved] })
}

/// Gradients of the product, the highway's input and the initial memory.
pub(super) fn backward(
    gpu: &Gpu,
    back: &mut Backward<'_>,
    op: &Sru,
) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let plan = Plan::new(gpu, back.call, op)?;
    let (lanes, n) = (plan.lanes.len(), plan.channels);
    let cells = plan.u.total_rows() * n;
    let [up_rows, up_c] = [0, 1].map(|output| back.upstream[output].as_ref());
    let mut carry = gpu.zeros(lanes * n * if op.weight_c.is_some() { 5 } else { 3 })?;
    if let Some(up_c) = up_c {
        add_rows(gpu, &mut carry, 0, up_c, 0..lanes, n)?;
    }
    let d_u = gpu.allocate(plan.u.total_rows() * plan.u.columns)?;
    let d_skip = gpu.allocate(if plan.skip.is_some() { cells } else { 0 })?;
    for chunk in plan.chunks().rev() {
        let arguments = plan.arguments(&chunk, flag(up_rows.is_some(), UPSTREAM));
        let mut bindings = plan.bindings(&chunk, &arguments);
        bindings.extend([
            Arg::Read(&back.forward.saved[0]),
            up_rows.map_or(Arg::Nothing, Arg::Read),
            Arg::Write(&carry),
            Arg::Write(&d_u),
            Arg::Write(&d_skip),
        ]);
        gpu.launch(&saccade_shaders::SRU_BACKWARD, &bindings, plan.grid(&chunk), 2 * plan.work(&chunk))?;
    }
    let sums = |block: usize| View::new(&carry, (block * lanes * n) as u32, 2 * n);
    add_columns(gpu, [lanes, 2 * n], sums(1), (&back.parameter(gpu, op.bias)?, 0))?;
    if let Some(weight_c) = op.weight_c {
        add_columns(gpu, [lanes, 2 * n], sums(3), (&back.parameter(gpu, weight_c)?, 0))?;
    }
    let mut gradients = vec![Some(d_u)];
    if op.skip {
        gradients.push(plan.skip.map(|_| d_skip));
    }
    if op.initial {
        gradients.push(Some(carry));
    }
    Ok(gradients)
}
