//! What a recurrence costs in launches: the loop over time is inside the kernel.

use pollster::block_on;
use saccade_checks::Random;
use saccade_rnn::device::gpu::{Gpu, GpuOptions};
use saccade_rnn::device::{Call, CellKind, Device, Op, Operand, Parameters};

/// Steps of a launch.
const STEPS: usize = 128;

/// Launches of one call over sequences of these lengths.
fn dispatches(gpu: &Gpu, cell: CellKind, lengths: &[usize]) -> u64 {
    let hidden = 3;
    let (mut random, mut parameters) = (Random::new(1), Parameters::new());
    let weight_hh = random.parameter(&mut parameters, &[cell.gates() * hidden, hidden], 0.5);
    let columns = cell.gates() * hidden;
    let offsets = std::iter::once(0).chain(lengths.iter().scan(0, |rows, length| {
        *rows += length;
        Some(*rows)
    }));
    let offsets: Vec<usize> = offsets.collect();
    let values = random.values(offsets[lengths.len()] * columns, 1.0);
    let buffer = gpu.upload(values).unwrap_or_else(|error| panic!("{error}"));
    let before = gpu.statistics().dispatches;
    let call = Call {
        op: &Op::Recurrence { cell, weight_hh, bias_hh: None, reverse: false, initial: false },
        parameters: &parameters,
        inputs: &[Operand { buffer, columns, offsets }],
        streams: &vec![0; lengths.len()],
        indices: &[],
        index_offsets: &vec![0; lengths.len() + 1],
        seed: 0,
        keep: false,
    };
    gpu.forward(&call).unwrap_or_else(|error| panic!("{error}"));
    gpu.statistics().dispatches - before
}

#[test]
fn launches_grow_with_chunks_of_steps_only() {
    let name = std::env::var("SACCADE_ADAPTER").ok();
    let gpu = block_on(Gpu::request(&GpuOptions { name, ..Default::default() }))
        .unwrap_or_else(|error| panic!("{error}"));
    for cell in [CellKind::ElmanTanh, CellKind::ElmanRelu, CellKind::Lstm, CellKind::Gru] {
        for steps in [0, 1, 2, STEPS - 1, STEPS, STEPS + 1, 3 * STEPS, 1000] {
            let launches = dispatches(&gpu, cell, &[steps]);
            assert_eq!(launches, steps.div_ceil(STEPS) as u64, "{cell:?} over {steps} steps");
        }
        let together = dispatches(&gpu, cell, &[1, 200, 0, 128, 7]);
        assert_eq!(together, 2, "{cell:?}: sequences of one call share its launches");
    }
}
