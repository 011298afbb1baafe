//! Kernel times: which launches are timed, and that they take time at all. How much is nobody's business here.

use std::ops::Range;

use pollster::block_on;
use saccade_checks::Random;
use saccade_rnn::device::gpu::{Gpu, GpuBuffer, GpuOptions, KernelTime};
use saccade_rnn::device::{Call, Device, Op, Operand, Parameters, Real, Sru, Unary};

fn gpu() -> Gpu {
    let name = std::env::var("SACCADE_ADAPTER").ok();
    good(block_on(Gpu::request(&GpuOptions { name, ..Default::default() })))
}

fn good<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Runs one operation on one lane and leaves its first output.
fn run(gpu: &Gpu, op: &Op, parameters: &Parameters, rows: usize, columns: usize) -> GpuBuffer {
    let buffer = good(gpu.upload(Random::new(3).values(rows * columns, 1.0)));
    let call = Call {
        op,
        parameters,
        inputs: &[Operand { buffer, columns, offsets: vec![0, rows] }],
        streams: &[0],
        indices: &[],
        index_offsets: &[0, 0],
        seed: 0,
        keep: false,
        words: None,
    };
    good(gpu.forward(&call)).outputs.remove(0)
}

fn tanh(gpu: &Gpu) -> GpuBuffer {
    run(gpu, &Op::Unary(Unary::Tanh), &Parameters::new(), 7, 3)
}

fn read(gpu: &Gpu, buffer: GpuBuffer) {
    let first: Range<usize> = 0..1;
    good(block_on(gpu.read(&[(buffer, first)])));
}

/// Kernels and launches by name; the time must not be nothing.
fn launches(gpu: &Gpu) -> Vec<(&'static str, u64)> {
    let mut times = good(gpu.take_profile());
    assert!(times.is_sorted_by_key(|time| std::cmp::Reverse(time.nanoseconds)), "{times:?}");
    assert!(times.iter().map(|time| time.nanoseconds).sum::<u64>() > 0, "{times:?}");
    times.sort_by_key(|time| time.kernel);
    times.iter().map(|&KernelTime { kernel, launches, .. }| (kernel, launches)).collect()
}

#[test]
fn every_launch_of_a_read_is_timed() {
    let gpu = gpu();
    let mut parameters = Parameters::new();
    let bias = Random::new(4).parameter(&mut parameters, &[4], 1.0);
    let sru = Op::Sru(Sru {
        weight_c: None,
        bias,
        scale: None,
        skip: false,
        initial: false,
        use_tanh: false,
        bidirectional: true,
        dropout: Real(0.0),
    });
    gpu.profile(true);
    let before = gpu.statistics().dispatches;
    tanh(&gpu);
    tanh(&gpu);
    // 1024 steps a launch.
    let rows = run(&gpu, &sru, &parameters, 3000, 8);
    let dispatches = gpu.statistics().dispatches - before;
    assert_eq!(good(gpu.take_profile()), [], "times come with a read");
    read(&gpu, rows);
    let found = launches(&gpu);
    assert_eq!(found, [("elementwise_tanh", 2), ("sru", 3)]);
    assert_eq!(found.iter().map(|(_, launches)| launches).sum::<u64>(), dispatches);
    assert_eq!(good(gpu.take_profile()), [], "taken");
}

#[test]
fn more_launches_than_queries_are_all_timed() {
    let gpu = gpu();
    gpu.profile(true);
    let submissions = gpu.statistics().submissions;
    for _ in 1..4500 {
        tanh(&gpu);
    }
    read(&gpu, tanh(&gpu));
    assert_eq!(launches(&gpu), [("elementwise_tanh", 4500)]);
    assert!(gpu.statistics().submissions - submissions >= 3, "a full set is submitted");
}

#[test]
fn nothing_is_timed_unless_asked_for() {
    let gpu = gpu();
    read(&gpu, tanh(&gpu));
    assert_eq!(good(gpu.take_profile()), []);
    gpu.profile(true);
    let timed = tanh(&gpu);
    gpu.profile(false);
    tanh(&gpu);
    read(&gpu, timed);
    assert_eq!(launches(&gpu), [("elementwise_tanh", 1)]);
}
