//! One step of Adam, and the average of the weights over time.

use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{AdamStep, EngineError, Rows};

/// The argument `listed` of a kernel, and the numbers of the listed rows.
pub(super) fn listed(rows: Rows<'_>) -> (u32, Arg<'_>) {
    match rows {
        Rows::All(_) => (0, Arg::Nothing),
        Rows::Listed(numbers) => (1, Arg::Words(numbers)),
    }
}

/// The buffers that a step of Adam changes.
pub(in crate::device::gpu) struct State<'a> {
    pub(in crate::device::gpu) gradient: &'a GpuBuffer,
    pub(in crate::device::gpu) weights: &'a GpuBuffer,
    /// The first and second moments.
    pub(in crate::device::gpu) moments: [&'a GpuBuffer; 2],
}

/// See [`crate::device::Optimize::adam`].
pub(in crate::device::gpu) fn step(
    gpu: &Gpu,
    state: &State<'_>,
    (rows, columns): (Rows<'_>, usize),
    norm: &GpuBuffer,
    step: &AdamStep,
) -> Result<(), EngineError> {
    let &AdamStep { beta1, beta2, epsilon, rate, correction, decay, clip } = step;
    let (size, columns, (listed, numbers)) = (rows.count() * columns, columns as u32, listed(rows));
    let arguments = saccade_shaders::adam::step::Arguments {
        size: size as u32,
        columns,
        listed,
        beta1,
        beta2,
        epsilon,
        rate,
        correction,
        decay,
        clip,
    };
    let [first, second] = state.moments;
    gpu.launch(
        &saccade_shaders::ADAM_STEP,
        &[
            Arg::uniform(&arguments),
            Arg::Read(norm),
            numbers,
            Arg::Write(state.gradient),
            Arg::Write(state.weights),
            Arg::Write(first),
            Arg::Write(second),
        ],
        Grid::Invocations(size),
        10 * size,
    )
}

/// See [`crate::device::Optimize::average`].
pub(in crate::device::gpu) fn average(
    gpu: &Gpu,
    weights: &GpuBuffer,
    average: &GpuBuffer,
    (rows, columns): (Rows<'_>, usize),
    keep: &[f32],
    norm: Option<&GpuBuffer>,
) -> Result<(), EngineError> {
    let (size, columns, (listed, numbers)) = (rows.count() * columns, columns as u32, listed(rows));
    let (by_row, first) = (u32::from(keep.len() > 1), keep.first().copied().unwrap_or(1.0));
    let arguments =
        saccade_shaders::adam::average::Arguments { size: size as u32, columns, listed, by_row, keep: first };
    gpu.launch(
        &saccade_shaders::ADAM_AVERAGE,
        &[
            Arg::uniform(&arguments),
            // Without a norm the kernel reads zeros, which are finite.
            norm.map_or(Arg::Nothing, Arg::Read),
            numbers,
            Arg::words(keep),
            Arg::Read(weights),
            Arg::Write(average),
        ],
        Grid::Invocations(size),
        3 * size,
    )
}
