//! Elman, LSTM and GRU over time: a launch runs up to [`STEPS`] steps of all sequences that have them, the loop over
//! time inside.

use bytemuck::{Pod, Zeroable};
use saccade_shaders::{self as shaders, Kernel};

use super::{Backward, absent, first};
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::resident::Layout;
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{Call, CellKind, Device, EngineError, Forward, Op, Operand};

/// Steps of a launch: few launches for a long sequence, none that takes long.
const STEPS: usize = 128;

/// `shaders/recurrence.wgsl`.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C)]
struct ForwardArguments {
    hidden: u32,
    alive: u32,
    first_step: u32,
    end_step: u32,
    x_first: u32,
    flags: u32,
}

const REVERSE: u32 = 1;
const BIAS: u32 = 2;
const KEEP: u32 = 4;

/// The variants of a kernel, by [`Tiling`].
type Variants = [&'static Kernel; 3];

/// What a kernel must know of a cell.
struct Cell {
    forward: Variants,
    /// Blocks of `hidden` values kept a row; the last is the state before it.
    saved: usize,
}

static ELMAN_TANH: Cell = Cell {
    forward: [
        &shaders::RECURRENCE_TANH_SINGLE,
        &shaders::RECURRENCE_TANH_TILE,
        &shaders::RECURRENCE_TANH_GLOBAL,
    ],
    saved: 2,
};
static ELMAN_RELU: Cell = Cell {
    forward: [
        &shaders::RECURRENCE_RELU_SINGLE,
        &shaders::RECURRENCE_RELU_TILE,
        &shaders::RECURRENCE_RELU_GLOBAL,
    ],
    saved: 2,
};
static LSTM: Cell = Cell {
    forward: [
        &shaders::RECURRENCE_LSTM_SINGLE,
        &shaders::RECURRENCE_LSTM_TILE,
        &shaders::RECURRENCE_LSTM_GLOBAL,
    ],
    saved: 6,
};
static GRU: Cell = Cell {
    forward: [
        &shaders::RECURRENCE_GRU_SINGLE,
        &shaders::RECURRENCE_GRU_TILE,
        &shaders::RECURRENCE_GRU_GLOBAL,
    ],
    saved: 5,
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

/// How sequences are given to workgroups, and where these keep what their invocations share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tiling {
    /// One a workgroup.
    Single,
    /// Four a workgroup.
    Tile,
    /// Four a workgroup, in buffers rather than in workgroup memory.
    Global,
}

impl Tiling {
    /// Values that workgroup memory holds.
    const MEMORY: usize = 4096;
    /// From this many sequences on, a workgroup for each would only compete for the weights.
    const MANY: usize = 64;

    /// For so many sequences, each of which shares so many values.
    fn new(lanes: usize, shared: usize) -> Self {
        match () {
            () if lanes < Self::MANY && shared <= Self::MEMORY => Tiling::Single,
            () if 4 * shared <= Self::MEMORY => Tiling::Tile,
            () => Tiling::Global,
        }
    }

    fn groups(self, lanes: usize) -> Grid {
        Grid::Groups(if self == Tiling::Single { lanes } else { lanes.div_ceil(4) })
    }
}

/// A launch: steps `first..end` of the first `alive` lanes.
struct Chunk {
    first: usize,
    end: usize,
    alive: usize,
    /// Rows in these steps.
    rows: usize,
}

/// A call taken apart.
struct Recurrence<'a> {
    cell: &'static Cell,
    gates: usize,
    hidden: usize,
    memory: usize,
    reverse: bool,
    h0: Option<&'a Operand<GpuBuffer>>,
    c0: Option<&'a Operand<GpuBuffer>>,
    /// (number, first row, rows) by decreasing rows, so that those alive at a step are the first ones.
    lanes: Vec<[u32; 3]>,
}

impl<'a> Recurrence<'a> {
    fn new(call: &'a Call<'_, GpuBuffer>) -> Result<Self, EngineError> {
        let Op::Recurrence { cell, weight_hh, reverse, initial, .. } = *call.op else {
            return Err(absent(call.op));
        };
        let hidden = call.parameters.get(weight_hh).columns();
        let offsets = &call.inputs[0].offsets;
        let lane = |(lane, rows): (usize, &[usize])| {
            [lane as u32, (rows[0] - offsets[0]) as u32, (rows[1] - rows[0]) as u32]
        };
        let mut lanes: Vec<_> = offsets.windows(2).enumerate().map(lane).collect();
        lanes.sort_by_key(|&[.., rows]| std::cmp::Reverse(rows));
        Ok(Self {
            cell: Cell::of(cell),
            gates: cell.gates(),
            hidden,
            memory: cell.memory(hidden),
            reverse,
            h0: initial.then(|| &call.inputs[1]),
            c0: (initial && cell.has_memory()).then(|| &call.inputs[2]),
            lanes,
        })
    }

    /// The launches, first to last.
    fn chunks(&self) -> impl DoubleEndedIterator<Item = Chunk> + '_ {
        let steps = self.lanes.first().map_or(0, |lane| lane[2] as usize);
        (0..steps.div_ceil(STEPS)).map(move |chunk| {
            let (first, end) = (chunk * STEPS, (chunk + 1) * STEPS);
            let alive = self.lanes.partition_point(|lane| lane[2] as usize > first);
            let rows = self.lanes[..alive].iter().map(|lane| end.min(lane[2] as usize) - first).sum();
            Chunk { first, end, alive, rows }
        })
    }

    /// The lanes of a launch, for the kernel.
    fn words(&self, chunk: &Chunk) -> &[u32] {
        bytemuck::cast_slice(&self.lanes[..chunk.alive])
    }

    /// Multiply-adds of a launch.
    fn work(&self, chunk: &Chunk) -> usize {
        chunk.rows * self.gates * self.hidden * self.hidden
    }

    /// A state to begin with, a row a lane, that kernels may write to.
    fn state(
        &self,
        gpu: &Gpu,
        initial: Option<&Operand<GpuBuffer>>,
        columns: usize,
    ) -> Result<GpuBuffer, EngineError> {
        let lanes = self.lanes.len();
        match initial {
            Some(x) => gpu.gather(columns, &[(&x.buffer, x.offsets[0]..x.offsets[0] + lanes)]),
            None => gpu.zeros(lanes * columns),
        }
    }
}

/// Rows, last h, last c; keeps the gates of every row and the states before it.
pub(super) fn forward(gpu: &Gpu, call: &Call<'_, GpuBuffer>) -> Result<Forward<GpuBuffer>, EngineError> {
    let Op::Recurrence { weight_hh, bias_hh, .. } = *call.op else { return Err(absent(call.op)) };
    let plan = Recurrence::new(call)?;
    let (x, n) = (&call.inputs[0], plan.hidden);
    let total = x.total_rows();
    let weight = gpu.weight_in(call.parameters, weight_hh, Layout::Transposed)?;
    let bias = bias_hh.map(|bias| gpu.weight(call.parameters, bias)).transpose()?;
    let (h, c) = (plan.state(gpu, plan.h0, n)?, plan.state(gpu, plan.c0, plan.memory)?);
    let rows = gpu.allocate(total * n)?;
    let saved = gpu.allocate(if call.keep { total * plan.cell.saved * n } else { 0 })?;
    let flag = |set, flag| if set { flag } else { 0 };
    for chunk in plan.chunks() {
        let tiling = Tiling::new(chunk.alive, 2 * n);
        let arguments = ForwardArguments {
            hidden: n as u32,
            alive: chunk.alive as u32,
            first_step: chunk.first as u32,
            end_step: chunk.end as u32,
            x_first: first(x),
            flags: flag(plan.reverse, REVERSE) | flag(bias.is_some(), BIAS) | flag(call.keep, KEEP),
        };
        let mut bindings = vec![
            Arg::uniform(&arguments),
            Arg::Words(plan.words(&chunk)),
            Arg::Read(&x.buffer),
            Arg::Read(&weight),
            bias.as_ref().map_or(Arg::Nothing, Arg::Read),
            Arg::Write(&h),
            Arg::Write(&rows),
            Arg::Write(&saved),
        ];
        if plan.memory > 0 {
            bindings.push(Arg::Write(&c));
        }
        let kernel = plan.cell.forward[tiling as usize];
        gpu.launch(kernel, &bindings, tiling.groups(chunk.alive), plan.work(&chunk))?;
    }
    Ok(Forward { outputs: vec![rows, h, c], saved: vec![saved] })
}

/// Gradients of the operands.
pub(super) fn backward(gpu: &Gpu, back: &mut Backward<'_>) -> Result<Vec<Option<GpuBuffer>>, EngineError> {
    let _ = gpu;
    Err(absent(back.call.op))
}
