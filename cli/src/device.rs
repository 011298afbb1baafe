//! `--device`: where a command computes.

use std::num::NonZeroUsize;
use std::rc::Rc;

use clap::ValueEnum;
use saccade_rnn::device::gpu::{Gpu, GpuOptions};
use saccade_rnn::device::{Cpu, CpuOptions, Device};
use saccade_rnn::runner::{Devices, Preference};

use crate::failure::Failure;

/// Where to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DeviceName {
    /// The processor.
    Cpu,
    /// The GPU (Vulkan, Metal or DX12); the processor where there is none.
    Gpu,
    /// Whichever answers sooner, which is measured first.
    Auto,
}

impl From<DeviceName> for Preference {
    fn from(name: DeviceName) -> Self {
        match name {
            DeviceName::Cpu => Preference::Cpu,
            DeviceName::Gpu => Preference::WebGpu,
            DeviceName::Auto => Preference::Auto,
        }
    }
}

/// The adapter to use, if not the system's first: part of its name, from the environment.
pub(crate) const ADAPTER: &str = "SACCADE_ADAPTER";

fn options() -> GpuOptions {
    GpuOptions { name: std::env::var(ADAPTER).ok(), ..GpuOptions::default() }
}

/// The devices of this machine.
pub(crate) fn devices() -> Rc<Devices> {
    Rc::new(Devices::new(options()))
}

/// Where a command computes that takes one device and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Hardware {
    /// The processor.
    Cpu,
    /// The GPU (Vulkan, Metal or DX12); an error where there is none.
    Gpu,
}

impl Hardware {
    /// The device; a processor with threads that texts are dealt to.
    pub(crate) fn device(self, threads: NonZeroUsize) -> Result<Device, Failure> {
        match self {
            Self::Cpu => Ok(cpu(threads)),
            Self::Gpu if threads > NonZeroUsize::MIN => {
                Err(Failure::Option { option: "--threads", reason: "is for the processor" })
            }
            Self::Gpu => Ok(pollster::block_on(Gpu::request(&options()))?.into()),
        }
    }
}

/// The most threads of a command: more than processors have cores, and less than a system refuses to begin.
const MOST_THREADS: usize = 1024;

/// How many threads, as an argument.
pub(crate) fn threads(given: &str) -> Result<NonZeroUsize, String> {
    let count = given.parse().ok().filter(|count: &NonZeroUsize| count.get() <= MOST_THREADS);
    count.ok_or_else(|| format!("expected a whole number from 1 to {MOST_THREADS}"))
}

/// The processor, with threads that texts are dealt to.
pub(crate) fn cpu(threads: NonZeroUsize) -> Device {
    Cpu::new(CpuOptions::default()).with_threads(threads).into()
}
