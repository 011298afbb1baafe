//! The GPU of the tests.

use saccade_rnn::device::Device;
use saccade_rnn::device::gpu::{Gpu, GpuOptions};

/// The adapter that the environment names in `SACCADE_ADAPTER`, otherwise the system's first.
pub(crate) fn gpu() -> Device {
    let name = std::env::var("SACCADE_ADAPTER").ok();
    let gpu = pollster::block_on(Gpu::request(&GpuOptions { name, ..GpuOptions::default() }));
    gpu.unwrap_or_else(|error| panic!("{error}")).into()
}
