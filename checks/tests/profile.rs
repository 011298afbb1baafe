//! Kernel times: which launches are timed, and that they take time at all. How much is nobody's business here.

mod common;

use std::ops::Range;

use pollster::block_on;
use saccade_checks::Random;
use saccade_rnn::device::gpu::KernelTime;
use saccade_rnn::device::{Buffer, Call, Device, Op, Operand, Parameters, Real, Sru, Unary};

use common::{device, gpu};

fn good<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

/// Runs one operation on one lane and leaves its first output.
fn run(device: &Device, op: &Op, parameters: &Parameters, rows: usize, columns: usize) -> Buffer {
    let buffer = good(device.upload(Random::new(3).values(rows * columns, 1.0)));
    let call = Call {
        op,
        parameters,
        inputs: &[Operand { source: buffer.into(), columns, offsets: vec![0, rows] }],
        streams: &[0],
        indices: &[],
        index_offsets: &[0, 0],
        seed: 0,
        keep: false,
        weights_alone: false,
    };
    good(device.forward(&call)).outputs.remove(0)
}

fn tanh(device: &Device) -> Buffer {
    run(device, &Op::Unary(Unary::Tanh), &Parameters::new(), 7, 3)
}

fn read(device: &Device, buffer: Buffer) {
    let first: Range<usize> = 0..1;
    good(block_on(device.read(&[(buffer, first)])));
}

/// Kernels and launches by name; the time must not be nothing.
fn launches(device: &Device) -> Vec<(&'static str, u64)> {
    let mut times = good(gpu(device).take_profile());
    assert!(times.is_sorted_by_key(|time| std::cmp::Reverse(time.nanoseconds)), "{times:?}");
    assert!(times.iter().map(|time| time.nanoseconds).sum::<u64>() > 0, "{times:?}");
    times.sort_by_key(|time| time.kernel);
    times.iter().map(|&KernelTime { kernel, launches, .. }| (kernel, launches)).collect()
}

#[test]
fn every_launch_of_a_read_is_timed() {
    let device = device();
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
        inspect: false,
    });
    gpu(&device).profile(true);
    let before = gpu(&device).statistics().dispatches;
    tanh(&device);
    tanh(&device);
    // 1024 steps a launch.
    let rows = run(&device, &sru, &parameters, 3000, 8);
    let dispatches = gpu(&device).statistics().dispatches - before;
    assert_eq!(good(gpu(&device).take_profile()), [], "times come with a read");
    read(&device, rows);
    let found = launches(&device);
    assert_eq!(found, [("elementwise_tanh", 2), ("sru", 3)]);
    assert_eq!(found.iter().map(|(_, launches)| launches).sum::<u64>(), dispatches);
    assert_eq!(good(gpu(&device).take_profile()), [], "taken");
}

#[test]
fn more_launches_than_queries_are_all_timed() {
    let device = device();
    gpu(&device).profile(true);
    let submissions = gpu(&device).statistics().submissions;
    for _ in 1..4500 {
        tanh(&device);
    }
    read(&device, tanh(&device));
    assert_eq!(launches(&device), [("elementwise_tanh", 4500)]);
    assert!(gpu(&device).statistics().submissions - submissions >= 3, "a full set is submitted");
}

#[test]
fn nothing_is_timed_unless_asked_for() {
    let device = device();
    read(&device, tanh(&device));
    assert_eq!(good(gpu(&device).take_profile()), []);
    gpu(&device).profile(true);
    let timed = tanh(&device);
    gpu(&device).profile(false);
    tanh(&device);
    read(&device, timed);
    assert_eq!(launches(&device), [("elementwise_tanh", 1)]);
}
