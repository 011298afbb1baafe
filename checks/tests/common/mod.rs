//! The GPU of the tests.

use pollster::block_on;
use saccade_rnn::device::Device;
use saccade_rnn::device::gpu::{Gpu, GpuOptions};

/// The adapter that the environment names in `SACCADE_ADAPTER`, otherwise the system's first.
pub(crate) fn device() -> Device {
    let name = std::env::var("SACCADE_ADAPTER").ok();
    match block_on(Gpu::request(&GpuOptions { name, ..Default::default() })) {
        Ok(gpu) => gpu.into(),
        Err(error) => panic!("{error}"),
    }
}

/// What a device is, to look at its counters.
#[allow(dead_code, reason = "not every test looks")]
pub(crate) fn gpu(device: &Device) -> &Gpu {
    device.gpu().unwrap_or_else(|| panic!("{} is no GPU", device.name()))
}
