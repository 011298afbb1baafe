//! Elman, LSTM and GRU over time. A launch runs some steps of all sequences that have them, with the time loop in the
//! kernel. It runs fewer steps of a wide state.

use saccade_shaders::recurrence::{self, BIAS, KEEP, narrow, single};
use saccade_shaders::recurrence_backward::{self, ROWS};
use saccade_shaders::shared::gates::{gru, lstm, relu, tanh};
use saccade_shaders::shared::lanes::{Lane, MEMORY, REVERSE, tile};
use saccade_shaders::{self as shaders, Kernel};

use super::affine::{self, Target, View};
use super::column_sums::add_columns;
use super::sequences::{TURNS, steps_of_a_launch};
use super::{Backward, absent, first};
use crate::cpu::order::longest_first;
use crate::device::gpu::launch::{Arg, Grid, flag};
use crate::device::gpu::resident::Layout;
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, CellKind, EngineError, Forward, Op};

/// The variants of a kernel by [`Tiling`]. Forward kernels have variants of the first two for software GPUs, from
/// [`NARROW`] on.
type Variants<const N: usize = 3> = [&'static Kernel; N];

/// The kernels and sizes of a kind of cell.
struct Cell {
    forward: Variants<5>,
    /// Whether the recurrent product has another gradient than the hoisted one.
    splits: bool,
    /// Blocks of `hidden` values kept a row; the last is the state before it.
    saved: u32,
}

static ELMAN_TANH: Cell = Cell {
    forward: [
        &shaders::RECURRENCE_TANH_SINGLE,
        &shaders::RECURRENCE_TANH_TILE,
        &shaders::RECURRENCE_TANH_GLOBAL,
        &shaders::RECURRENCE_TANH_NARROW,
        &shaders::RECURRENCE_TANH_NARROW_TILE,
    ],
    splits: false,
    saved: tanh::SAVED,
};
static ELMAN_RELU: Cell = Cell {
    forward: [
        &shaders::RECURRENCE_RELU_SINGLE,
        &shaders::RECURRENCE_RELU_TILE,
        &shaders::RECURRENCE_RELU_GLOBAL,
        &shaders::RECURRENCE_RELU_NARROW,
        &shaders::RECURRENCE_RELU_NARROW_TILE,
    ],
    splits: false,
    saved: relu::SAVED,
};
static LSTM: Cell = Cell {
    forward: [
        &shaders::RECURRENCE_LSTM_SINGLE,
        &shaders::RECURRENCE_LSTM_TILE,
        &shaders::RECURRENCE_LSTM_GLOBAL,
        &shaders::RECURRENCE_LSTM_NARROW,
        &shaders::RECURRENCE_LSTM_NARROW_TILE,
    ],
    splits: false,
    saved: lstm::SAVED,
};
static GRU: Cell = Cell {
    forward: [
        &shaders::RECURRENCE_GRU_SINGLE,
        &shaders::RECURRENCE_GRU_TILE,
        &shaders::RECURRENCE_GRU_GLOBAL,
        &shaders::RECURRENCE_GRU_NARROW,
        &shaders::RECURRENCE_GRU_NARROW_TILE,
    ],
    splits: true,
    saved: gru::SAVED,
};

impl Cell {
    fn of(kind: CellKind) -> &'static Self {
        match kind {
            CellKind::ElmanTanh => &ELMAN_TANH,
            CellKind::ElmanRelu => &ELMAN_RELU,
            CellKind::Lstm => &LSTM,
            CellKind::Gru => &GRU,
        }
    }
}

/// The backward kernels. They are not in [`Cell`], so that a binary without training does not contain them.
fn backward_variants(kind: CellKind) -> Variants {
    match kind {
        CellKind::ElmanTanh => [
            &shaders::RECURRENCE_BACKWARD_TANH_SINGLE,
            &shaders::RECURRENCE_BACKWARD_TANH_TILE,
            &shaders::RECURRENCE_BACKWARD_TANH_GLOBAL,
        ],
        CellKind::ElmanRelu => [
            &shaders::RECURRENCE_BACKWARD_RELU_SINGLE,
            &shaders::RECURRENCE_BACKWARD_RELU_TILE,
            &shaders::RECURRENCE_BACKWARD_RELU_GLOBAL,
        ],
        CellKind::Lstm => [
            &shaders::RECURRENCE_BACKWARD_LSTM_SINGLE,
            &shaders::RECURRENCE_BACKWARD_LSTM_TILE,
            &shaders::RECURRENCE_BACKWARD_LSTM_GLOBAL,
        ],
        CellKind::Gru => [
            &shaders::RECURRENCE_BACKWARD_GRU_SINGLE,
            &shaders::RECURRENCE_BACKWARD_GRU_TILE,
            &shaders::RECURRENCE_BACKWARD_GRU_GLOBAL,
        ],
    }
}

/// How many sequences a workgroup runs, and where it keeps the values that its invocations share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tiling {
    /// One sequence a workgroup.
    Single,
    /// Four sequences a workgroup.
    Tile,
    /// Four sequences a workgroup; the shared values are in buffers and not in workgroup memory.
    Global,
}

impl Tiling {
    /// From this many sequences on, workgroups of one sequence each would only compete for reads of the weights.
    const MANY: usize = 64;

    /// The tiling for `lanes` sequences of `shared` values each.
    fn new(gpu: &Gpu, lanes: usize, shared: usize) -> Self {
        // A software GPU runs at most one workgroup a core at a time.
        let many = if gpu.adapter().software { 4 } else { Self::MANY };
        match () {
            () if lanes < many && shared <= MEMORY as usize => Tiling::Single,
            () if tile::LANES as usize * shared <= MEMORY as usize => Tiling::Tile,
            () => Tiling::Global,
        }
    }

    /// The workgroup memory for `shared` values of each sequence. Layers of similar sizes have the same, and so one
    /// pipeline.
    fn memory(self, shared: usize) -> Option<u32> {
        (self != Tiling::Global).then(|| (shared as u32).next_power_of_two())
    }

    fn groups(self, lanes: usize) -> Grid {
        Grid::Groups(if self == Tiling::Single { lanes } else { lanes.div_ceil(tile::LANES as usize) })
    }
}

/// The index of the first variant for software GPUs in [`Cell::forward`].
const NARROW: usize = 3;

/// A launch: steps `first..end` of the first `alive` lanes.
struct Chunk {
    first: usize,
    end: usize,
    alive: usize,
    /// Rows in these steps.
    rows: usize,
}

/// The sizes, initial states and sequences of a call.
struct Recurrence<'a> {
    cell: &'static Cell,
    gates: usize,
    hidden: usize,
    memory: usize,
    /// Invocations of a workgroup of the forward kernel.
    invocations: u32,
    reverse: bool,
    /// The initial states, if given: a buffer and the row of the first lane.
    h0: Option<(&'a GpuBuffer, usize)>,
    c0: Option<(&'a GpuBuffer, usize)>,
    /// By decreasing length, so that those alive at a step are the first ones.
    lanes: Vec<Lane>,
}

/// Loop iterations of an invocation in a step: for each of its units a product, and some 40 others, forward or backward.
fn turns(hidden: usize, invocations: u32) -> usize {
    hidden.div_ceil(invocations as usize) * (hidden + 40)
}

/// Whether the forward kernel is one for software GPUs. A state may be so wide that a step of theirs is longer than a launch.
fn is_narrow(gpu: &Gpu, hidden: usize) -> bool {
    gpu.adapter().software && turns(hidden, narrow::SIZE) <= TURNS
}

impl<'a> Recurrence<'a> {
    fn new(gpu: &Gpu, call: &'a Call<'_, GpuBuffer>) -> Result<Self, EngineError> {
        let Op::Recurrence { cell, weight_hh, reverse, initial, .. } = *call.op else {
            return Err(absent(call.op));
        };
        let hidden = call.parameters.get(weight_hh).columns();
        let offsets = &call.inputs[0].offsets;
        let rows = |lane: usize| offsets[lane + 1] - offsets[lane];
        let lane = |lane: usize| Lane {
            number: lane as u32,
            start: (offsets[lane] - offsets[0]) as u32,
            length: rows(lane) as u32,
        };
        let lanes: Vec<_> = longest_first(offsets).into_iter().map(lane).collect();
        let state = |operand: usize| (&call.inputs[operand].source, call.inputs[operand].offsets[0]);
        Ok(Self {
            cell: Cell::of(cell),
            gates: cell.gates(),
            hidden,
            memory: cell.memory(hidden),
            invocations: if is_narrow(gpu, hidden) { narrow::SIZE } else { single::SIZE },
            reverse,
            h0: initial.then(|| state(1)),
            c0: (initial && cell.has_memory()).then(|| state(2)),
            lanes,
        })
    }

    /// The launches, first to last.
    fn chunks(&self) -> impl DoubleEndedIterator<Item = Chunk> + '_ {
        let most = steps_of_a_launch(turns(self.hidden, self.invocations));
        let steps = self.lanes.first().map_or(0, |lane| lane.length as usize);
        (0..steps.div_ceil(most)).map(move |chunk| {
            let (first, end) = (chunk * most, (chunk + 1) * most);
            let alive = self.lanes.partition_point(|lane| lane.length as usize > first);
            let rows = self.lanes[..alive].iter().map(|lane| end.min(lane.length as usize) - first).sum();
            Chunk { first, end, alive, rows }
        })
    }

    /// Multiply-adds of a launch.
    fn work(&self, chunk: &Chunk) -> usize {
        chunk.rows * self.gates * self.hidden * self.hidden
    }

    /// States, or gradients of states, that kernels may write to: a copy of the rows of a buffer from the given row on,
    /// one row a lane, or zeros.
    fn state(
        &self,
        gpu: &Gpu,
        rows: Option<(&GpuBuffer, usize)>,
        columns: usize,
    ) -> Result<GpuBuffer, EngineError> {
        let lanes = self.lanes.len();
        match rows {
            Some((buffer, first)) => super::rows::gather(gpu, columns, &[(buffer, first..first + lanes)]),
            None => gpu.zeros(lanes * columns),
        }
    }
}

/// Rows, last h, last c; keeps the gates of every row and the states before it.
pub(super) fn forward(gpu: &Gpu, call: &Call<'_, GpuBuffer>) -> Result<Forward<GpuBuffer>, EngineError> {
    let Op::Recurrence { weight_hh, bias_hh, .. } = *call.op else { return Err(absent(call.op)) };
    let plan = Recurrence::new(gpu, call)?;
    let (x, n) = (&call.inputs[0], plan.hidden);
    let total = x.total_rows();
    let weight = gpu.weight_in(call.parameters, weight_hh, Layout::Transposed)?;
    let bias = bias_hh.map(|bias| gpu.weight(call.parameters, bias)).transpose()?;
    let (h, c) = (plan.state(gpu, plan.h0, n)?, plan.state(gpu, plan.c0, plan.memory)?);
    let rows = gpu.allocate(total * n)?;
    let saved = gpu.allocate(if call.keep { total * plan.cell.saved as usize * n } else { 0 })?;
    for chunk in plan.chunks() {
        let tiling = Tiling::new(gpu, chunk.alive, 2 * n);
        let arguments = recurrence::Arguments {
            hidden: n as u32,
            alive: chunk.alive as u32,
            first_step: chunk.first as u32,
            end_step: chunk.end as u32,
            x_first: first(x),
            flags: flag(plan.reverse, REVERSE) | flag(bias.is_some(), BIAS) | flag(call.keep, KEEP),
        };
        let mut bindings = vec![
            Arg::uniform(&arguments),
            Arg::words(&plan.lanes[..chunk.alive]),
            Arg::Read(&x.source),
            Arg::Read(&weight),
            bias.as_ref().map_or(Arg::Nothing, Arg::Read),
            Arg::Write(&h),
            Arg::Write(&rows),
            Arg::Write(&saved),
        ];
        if plan.memory > 0 {
            bindings.push(Arg::Write(&c));
        }
        let narrow = is_narrow(gpu, n) && tiling != Tiling::Global;
        let kernel = plan.cell.forward[tiling as usize + if narrow { NARROW } else { 0 }];
        let memory = tiling.memory(2 * n);
        gpu.launch_with(kernel, memory, &bindings, tiling.groups(chunk.alive), plan.work(&chunk))?;
    }
    Ok(Forward { outputs: vec![rows, h, c], saved: vec![saved] })
}

/// Gradients of the hoisted product and of the initial states.
pub(super) fn backward(gpu: &Gpu, back: &mut Backward<'_>) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let call = back.call;
    let Op::Recurrence { cell, weight_hh, bias_hh, .. } = *call.op else { return Err(absent(call.op)) };
    let plan = Recurrence::new(gpu, call)?;
    let variants = backward_variants(cell);
    let (n, gates) = (plan.hidden, plan.gates * plan.hidden);
    let total = call.inputs[0].total_rows();
    let weight = gpu.weight(call.parameters, weight_hh)?;
    let (saved, d_rows) = (&back.forward.saved[0], back.upstream[0].as_ref());
    let upstream = |output: usize| back.upstream[output].as_ref().map(|d| (d, 0));
    let d_h = plan.state(gpu, upstream(1), n)?;
    let d_c = plan.state(gpu, upstream(2), plan.memory)?;
    let d_x = gpu.allocate(total * gates)?;
    let d_w = plan.cell.splits.then(|| gpu.allocate(total * gates)).transpose()?;
    for chunk in plan.chunks().rev() {
        let tiling = Tiling::new(gpu, chunk.alive, gates);
        let arguments = recurrence_backward::Arguments {
            hidden: n as u32,
            alive: chunk.alive as u32,
            first_step: chunk.first as u32,
            end_step: chunk.end as u32,
            flags: flag(plan.reverse, REVERSE) | flag(d_rows.is_some(), ROWS),
        };
        let mut bindings = vec![
            Arg::uniform(&arguments),
            Arg::words(&plan.lanes[..chunk.alive]),
            Arg::Read(&weight),
            Arg::Read(saved),
            d_rows.map_or(Arg::Nothing, Arg::Read),
            Arg::Write(&d_h),
            Arg::Write(&d_x),
        ];
        bindings.extend(d_w.as_ref().map(Arg::Write));
        if plan.memory > 0 {
            bindings.push(Arg::Write(&d_c));
        }
        let kernel = variants[tiling as usize];
        let memory = tiling.memory(gates);
        gpu.launch_with(kernel, memory, &bindings, tiling.groups(chunk.alive), plan.work(&chunk))?;
    }
    let d_w = View::new(d_w.as_ref().unwrap_or(&d_x), 0, gates);
    let blocks = plan.cell.saved as usize;
    let h_before =
        View { buffer: saved, first: ((blocks - 1) * n) as u32, row: (blocks * n) as u32, column: 1 };
    let sum = back.parameter(gpu, weight_hh)?;
    let target = Target { buffer: &sum, first: 0, row: n as u32, accumulate: true, bias: None };
    affine::matmul(gpu, [gates, total, n], d_w.t(), h_before, &target)?;
    if let Some(bias) = bias_hh {
        add_columns(gpu, [total, gates], d_w, (&back.parameter(gpu, bias)?, 0))?;
    }
    Ok(vec![Some(d_x), Some(d_h), Some(d_c)])
}
