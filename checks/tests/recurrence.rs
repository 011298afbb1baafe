//! What a recurrence costs in launches, and gradients that arrive from some of its outputs only.

mod common;

use pollster::block_on;
use saccade_checks::Random;
use saccade_rnn::device::{Call, CellKind, Device, EngineError, Op, Operand, Parameters};

use common::{device, gpu};

/// Steps of a launch.
const STEPS: usize = 128;

const HIDDEN: usize = 3;
const CELLS: [CellKind; 4] = [CellKind::ElmanTanh, CellKind::ElmanRelu, CellKind::Lstm, CellKind::Gru];

/// Calls `then` with a recurrence over sequences of these lengths, from zeros, without a bias.
fn with_call<T>(
    device: &Device,
    cell: CellKind,
    lengths: &[usize],
    then: impl FnOnce(&Call<'_>) -> Result<T, EngineError>,
) -> T {
    let (mut random, mut parameters) = (Random::new(1), Parameters::new());
    let columns = cell.gates() * HIDDEN;
    let weight_hh = random.parameter(&mut parameters, &[columns, HIDDEN], 0.5);
    let mut offsets = vec![0];
    offsets.extend(lengths.iter().scan(0, |rows, length| {
        *rows += length;
        Some(*rows)
    }));
    let values = random.values(offsets[lengths.len()] * columns, 1.0);
    let buffer = device.upload(values).unwrap_or_else(|error| panic!("{error}"));
    let call = Call {
        op: &Op::Recurrence {
            cell,
            weight_hh,
            bias_hh: None,
            reverse: false,
            initial: false,
            inspect: false,
        },
        parameters: &parameters,
        inputs: &[Operand { source: buffer.into(), columns, offsets }],
        streams: &vec![0; lengths.len()],
        indices: &[],
        index_offsets: &vec![0; lengths.len() + 1],
        seed: 0,
        keep: true,
        weights_alone: false,
    };
    then(&call).unwrap_or_else(|error| panic!("{error}"))
}

/// Launches of one forward call.
fn dispatches(device: &Device, cell: CellKind, lengths: &[usize]) -> u64 {
    with_call(device, cell, lengths, |call| {
        let before = gpu(device).statistics().dispatches;
        device.forward(call)?;
        Ok(gpu(device).statistics().dispatches - before)
    })
}

/// The gradients of the hoisted product and of the weight, where only the outputs given have gradients.
fn gradients(device: &Device, cell: CellKind, given: [bool; 3]) -> [Vec<f32>; 2] {
    let lengths = [4, 0, 2];
    let memory = if cell.has_memory() { HIDDEN } else { 0 };
    with_call(device, cell, &lengths, |call| {
        let mut random = Random::new(2);
        let mut upstream = Vec::new();
        for (size, given) in [6 * HIDDEN, 3 * HIDDEN, 3 * memory].into_iter().zip(given) {
            let values = random.values(size, 1.0);
            upstream.push(if given { Some(device.upload(values)?) } else { None });
        }
        let mut slots = vec![None; call.parameters.len()];
        let forward = device.forward(call)?;
        let mut d_inputs = device.backward(call, &forward, &upstream, &[true], &mut slots)?;
        let parts = [(d_inputs.swap_remove(0), 6), (slots.swap_remove(0), HIDDEN)];
        let parts = parts.map(|(buffer, rows)| {
            (buffer.unwrap_or_else(|| panic!("a gradient is absent")), 0..rows * call.inputs[0].columns)
        });
        let read = block_on(device.read(&parts))?;
        Ok(read.try_into().unwrap_or_else(|_| panic!("two values were read")))
    })
}

#[test]
fn launches_grow_with_chunks_of_steps_only() {
    let device = device();
    for cell in CELLS {
        for steps in [0, 1, 2, STEPS - 1, STEPS, STEPS + 1, 3 * STEPS, 1000] {
            let launches = dispatches(&device, cell, &[steps]);
            assert_eq!(launches, steps.div_ceil(STEPS) as u64, "{cell:?} over {steps} steps");
        }
        let together = dispatches(&device, cell, &[1, 200, 0, 128, 7]);
        assert_eq!(together, 2, "{cell:?}: sequences of one call share its launches");
    }
}

#[test]
fn absent_gradients_count_as_zero() {
    let device = device();
    for cell in CELLS {
        for given in [[true, false, false], [false, true, false], [false, false, true], [false, false, false]]
        {
            let (on_gpu, on_cpu) = (gradients(&device, cell, given), gradients(&Device::cpu(), cell, given));
            for (a, b) in on_gpu.iter().flatten().zip(on_cpu.iter().flatten()) {
                assert!((a - b).abs() < 1e-5, "{cell:?}, {given:?}: {a}, on the CPU {b}");
            }
            let any = on_gpu.iter().flatten().any(|&d| d != 0.0);
            assert_eq!(any, given[0] || given[1] || (given[2] && cell.has_memory()), "{cell:?}, {given:?}");
        }
    }
}
