//! Steps of Adam, and the averages of weights over time.

use saccade_shaders::adam::{Arguments, Step};

use super::ranges::{Matrices, together};
use crate::device::gpu::launch::{Arg, Grid};
use crate::device::gpu::{Gpu, GpuBuffer};
use crate::device::{AdamStep, EngineError};

/// See [`crate::device::Device::adam`]; the matrices are gradients, weights, first and second moments.
pub(in crate::device::gpu) fn step(
    gpu: &Gpu,
    changes: &[Matrices<'_>],
    steps: &[AdamStep],
    norm: &GpuBuffer,
) -> Result<(), EngineError> {
    let step = |&AdamStep { beta1, beta2, epsilon, rate, correction, decay, clip }: &AdamStep| Step {
        beta1,
        beta2,
        epsilon,
        rate,
        correction,
        decay,
        clip,
    };
    let kernel = &saccade_shaders::ADAM_STEP;
    for launch in together(changes, kernel.workgroup_size[0] as usize) {
        let steps: Vec<Step> = launch.members.iter().map(|&number| step(&steps[number])).collect();
        let arguments = Arguments { ranges: launch.ranges.len() as u32 };
        let mut bindings = vec![
            Arg::uniform(&arguments),
            Arg::Read(norm),
            Arg::words(&launch.ranges),
            Arg::Words(&launch.rows),
            Arg::words(&steps),
        ];
        bindings.extend(launch.buffers.iter().map(|buffer| Arg::Write(buffer)));
        gpu.launch(kernel, &bindings, Grid::Groups(launch.groups), 10 * launch.size)?;
    }
    Ok(())
}

/// See [`crate::device::Device::average`]; the matrices are weights and averages.
pub(in crate::device::gpu) fn average(
    gpu: &Gpu,
    averages: &[Matrices<'_>],
    keep: &[&[f32]],
    norm: Option<&GpuBuffer>,
) -> Result<(), EngineError> {
    let kernel = &saccade_shaders::ADAM_AVERAGE;
    for mut launch in together(averages, kernel.workgroup_size[0] as usize) {
        let mut shares: Vec<f32> = Vec::new();
        for (range, &number) in launch.ranges.iter_mut().zip(&launch.members) {
            range.first[2] = shares.len() as u32;
            shares.extend_from_slice(keep[number]);
        }
        let arguments = Arguments { ranges: launch.ranges.len() as u32 };
        let bindings = [
            Arg::uniform(&arguments),
            // Without a norm the kernel reads zeros, which are finite.
            norm.map_or(Arg::Nothing, Arg::Read),
            Arg::words(&launch.ranges),
            Arg::Words(&launch.rows),
            Arg::words(&shares),
            Arg::Read(launch.buffers[0]),
            Arg::Write(launch.buffers[1]),
        ];
        gpu.launch(kernel, &bindings, Grid::Groups(launch.groups), 3 * launch.size)?;
    }
    Ok(())
}
