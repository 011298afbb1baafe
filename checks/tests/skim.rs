//! What Skim costs in launches, and gradients that arrive from some of its outputs only.

mod common;

use pollster::block_on;
use saccade_checks::Random;
use saccade_rnn::device::{CellKind, Device, Parameters, Pool};
use saccade_rnn::graph::{Graph, Strategy};
use saccade_rnn::nn::{Builder, Skim, SkimConfig, SkimControl, SkimOutput, SmallReads};

use common::{device, gpu};

const INPUT: usize = 3;
const HIDDEN: usize = 5;

fn good<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{error}"))
}

fn layer(cell: CellKind) -> (Skim, Parameters) {
    let mut builder = Builder::fresh(4);
    let small_reads = SmallReads::Slice;
    let config = SkimConfig {
        cell,
        input_size: INPUT,
        hidden_size: HIDDEN,
        small_size: 2,
        small_reads,
        forget_bias: 0.0,
    };
    let skim = good(Skim::new(&mut builder, config));
    (skim, good(builder.finish()))
}

/// Launches of one reading of `tokens` tokens, products included.
fn dispatches(device: &Device, tokens: usize) -> u64 {
    let (skim, parameters) = layer(CellKind::Lstm);
    let graph = Graph::inference(&parameters, device, Strategy::Levels);
    let x = graph.input(tokens, INPUT, Random::new(1).values(tokens * INPUT, 1.0));
    let output = skim.forward(x, None, SkimControl::Decide { threshold: 0.5, force: &[] });
    let before = gpu(device).statistics().dispatches;
    good(block_on(output.h.value()));
    gpu(device).statistics().dispatches - before
}

#[test]
fn launches_do_not_grow_with_time_inside_a_chunk() {
    let device = device();
    assert_eq!(dispatches(&device, 128), dispatches(&device, 9));
    assert_eq!(dispatches(&device, 129), dispatches(&device, 9) + 1);
    assert_eq!(dispatches(&device, 1000), dispatches(&device, 9) + 7);
}

/// Gradient of the input by one scalar made of one output.
fn gradient(device: &Device, cell: CellKind, output: usize) -> Vec<f32> {
    let (skim, parameters) = layer(cell);
    let graph = Graph::training(&parameters, device, Strategy::Levels, 3);
    let x = graph.variable(4, INPUT, Random::new(1).values(4 * INPUT, 1.0));
    let out = skim.forward(x, None, SkimControl::Mix { temperature: 0.8, noise: None });
    let SkimOutput { rows, h, c, logits, decisions } = out;
    let chosen = [rows, h, c, logits, decisions][output];
    let (count, columns) = (chosen.shape().rows, chosen.shape().columns);
    // Weighted, so that the sum's gradient is another for every value.
    let weights = graph.input(count, columns, Random::new(2).values(count * columns, 1.0));
    let loss = (chosen * weights).pool(Pool::Mean);
    let total = (0..columns).map(|j| loss.columns(j..j + 1)).reduce(|a, b| a + b);
    let total = total.unwrap_or_else(|| panic!("output {output} has no column"));
    good(block_on(total.backward()));
    good(block_on(x.gradient()))
}

#[test]
fn gradients_may_arrive_from_any_output_alone() {
    let device = device();
    for cell in [CellKind::Lstm, CellKind::Gru] {
        for output in (0..5).filter(|&output| output != 2 || cell.has_memory()) {
            let (on_gpu, on_cpu) = (gradient(&device, cell, output), gradient(&Device::cpu(), cell, output));
            assert!(on_cpu.iter().any(|d| d.abs() > 1e-4), "{cell:?}, output {output}: no gradient");
            for (a, b) in on_gpu.iter().zip(&on_cpu) {
                assert!((a - b).abs() < 1e-5, "{cell:?}, output {output}: {on_gpu:?} and {on_cpu:?}");
            }
        }
    }
}
