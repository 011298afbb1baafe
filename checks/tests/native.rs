//! Every case on this machine's GPU: in tests, Mesa's processor that plays one (lavapipe).

use std::io::Write as _;

use pollster::block_on;
use saccade_checks::{Case, agree, cases, optimizers_agree};
use saccade_rnn::device::gpu::{Gpu, GpuOptions};

/// The adapter that the environment names in `SACCADE_ADAPTER`, otherwise the system's first.
fn gpu(software: Option<bool>) -> Gpu {
    let name = std::env::var("SACCADE_ADAPTER").ok();
    block_on(Gpu::request(&GpuOptions { name, software, ..Default::default() }))
        .unwrap_or_else(|error| panic!("{error}"))
}

fn run(gpu: &Gpu, cases: &[Case]) {
    let wrong: Vec<String> =
        cases.iter().filter_map(|case| block_on(agree(gpu, case)).err()).map(|d| d.to_string()).collect();
    // Not by `println!`, which the test runner keeps to itself.
    let _ = writeln!(std::io::stderr(), "{} cases run on {}", cases.len(), gpu.adapter());
    assert!(wrong.is_empty(), "{} of {} disagree:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn kernels_agree_with_their_twins() {
    run(&gpu(None), &cases::all());
}

#[test]
fn kernels_of_both_kinds_of_adapter_agree_with_their_twins() {
    for software in [false, true] {
        run(&gpu(Some(software)), &cases::by_adapter());
    }
}

#[test]
fn optimizers_agree_step_by_step() {
    let runs = block_on(optimizers_agree(&gpu(None))).unwrap_or_else(|disagreement| panic!("{disagreement}"));
    assert!(runs > 0);
}
