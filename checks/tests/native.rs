//! Every case on this machine's GPU: in tests, Mesa's software GPU (lavapipe).

use std::io::Write as _;

use pollster::block_on;
use saccade_checks::{Case, agree, cases, optimizers_agree};
use saccade_rnn::device::Device;
use saccade_rnn::device::gpu::{Gpu, GpuOptions};

/// The adapter that the environment names in `SACCADE_ADAPTER`, otherwise the system's first.
fn device(software: Option<bool>) -> Device {
    with(GpuOptions { software, ..Default::default() })
}

fn with(options: GpuOptions) -> Device {
    let name = std::env::var("SACCADE_ADAPTER").ok();
    match block_on(Gpu::request(&GpuOptions { name, ..options })) {
        Ok(gpu) => gpu.into(),
        Err(error) => panic!("{error}"),
    }
}

fn run(device: &Device, cases: &[Case]) {
    let wrong: Vec<String> =
        cases.iter().filter_map(|case| block_on(agree(device, case)).err()).map(|d| d.to_string()).collect();
    let adapter = device.gpu().map_or_else(String::new, |gpu| gpu.adapter().to_string());
    // Not by `println!`, which the test runner keeps to itself.
    let _ = writeln!(std::io::stderr(), "{} cases run on {}", cases.len(), adapter);
    assert!(wrong.is_empty(), "{} of {} disagree:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn kernels_agree_with_their_twins() {
    run(&device(None), &cases::all());
}

#[test]
fn kernels_of_both_kinds_of_adapter_agree_with_their_twins() {
    for software in [false, true] {
        run(&device(Some(software)), &cases::by_adapter());
    }
}

#[test]
fn optimizers_agree_step_by_step() {
    // In buffers that hold all weights, and in some that hold the largest, 130 x 70 values, and no other.
    for max_buffer_bytes in [None, Some(4 * (130 * 70 + 100))] {
        let device = with(GpuOptions { max_buffer_bytes, ..Default::default() });
        let runs =
            block_on(optimizers_agree(&device)).unwrap_or_else(|disagreement| panic!("{disagreement}"));
        assert!(runs > 0);
    }
}
