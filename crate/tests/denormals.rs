//! No layer leaves a denormal number in its state, or in a gradient that passes from step to step: after sound comes
//! silence, and every state and gradient decays.

#![allow(clippy::unwrap_used, reason = "a test fails by a panic")]

#[path = "common/gpu.rs"]
mod gpu;

use pollster::block_on;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use saccade_rnn::cpu::noise::uniform;
use saccade_rnn::device::{CellKind, Device, Parameters, Pool};
use saccade_rnn::graph::{Expr, Graph, Strategy as Order};
use saccade_rnn::nn::{
    Builder, Recurrent, RecurrentConfig, Skim, SkimConfig, SkimControl, SmallReads, Sru, SruConfig,
};

const INPUT: usize = 5;
/// Steps with sound.
const SOUND: usize = 20;
/// Steps of silence: many more than the slowest state here takes to decay.
const SILENCE: usize = 3000;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Cell(CellKind),
    Sru {
        v1: bool,
        use_tanh: bool,
    },
    /// Reads and skims in turn, or mixes both for training.
    Skim {
        cell: CellKind,
        soft: bool,
    },
}

const KINDS: [Kind; 11] = [
    Kind::Cell(CellKind::ElmanTanh),
    Kind::Cell(CellKind::ElmanRelu),
    Kind::Cell(CellKind::Lstm),
    Kind::Cell(CellKind::Gru),
    Kind::Sru { v1: false, use_tanh: false },
    Kind::Sru { v1: false, use_tanh: true },
    Kind::Sru { v1: true, use_tanh: false },
    Kind::Skim { cell: CellKind::Lstm, soft: false },
    Kind::Skim { cell: CellKind::Gru, soft: false },
    Kind::Skim { cell: CellKind::Lstm, soft: true },
    Kind::Skim { cell: CellKind::Gru, soft: true },
];

enum Layer {
    Recurrent(Recurrent),
    Sru(Sru),
    Skim(Skim, bool),
}

struct Network {
    layer: Layer,
    parameters: Parameters,
}

impl Network {
    /// A layer whose state decays in silence, by what its gates keep of it: `kept` is what they are biased by. There
    /// are no other biases, which would keep the state from decaying to zero.
    fn new(kind: Kind, hidden: usize, seed: u32, kept: f32) -> Self {
        let mut builder = Builder::fresh(seed);
        let layer = match kind {
            Kind::Cell(cell) => {
                let config = RecurrentConfig::new(INPUT, hidden);
                Layer::Recurrent(Recurrent::new(&mut builder, cell, config).unwrap())
            }
            Kind::Sru { v1, use_tanh } => {
                let config = SruConfig { v1, use_tanh, ..SruConfig::new(INPUT, hidden, 1) };
                Layer::Sru(Sru::new(&mut builder, config).unwrap())
            }
            Kind::Skim { cell, soft } => {
                let config = SkimConfig {
                    cell,
                    input_size: INPUT,
                    hidden_size: hidden,
                    small_size: hidden / 2,
                    small_reads: SmallReads::Slice,
                    forget_bias: 0.0,
                };
                Layer::Skim(Skim::new(&mut builder, config).unwrap(), soft)
            }
        };
        let mut parameters = builder.finish().unwrap();
        for (_, parameter) in parameters.iter_mut() {
            let (values, name) = (&mut parameter.values, parameter.name.as_str());
            if name.contains("bias") {
                values.fill(0.0);
            }
            if name.contains("weight_hh") {
                // Weak, except that an Elman unit keeps itself: all that others add is at most half of what it loses.
                let elman = matches!(kind, Kind::Cell(CellKind::ElmanTanh | CellKind::ElmanRelu));
                let keep = 1.0 / (1.0 + (-kept).exp());
                let most = values.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
                let weak = if elman { 0.5 * (1.0 - keep) / (most * hidden as f32) } else { 0.1 };
                values.iter_mut().for_each(|value| *value *= weak);
                if elman {
                    values.iter_mut().step_by(hidden + 1).for_each(|value| *value = keep);
                }
            }
            // What keeps the state stands second in an LSTM (f) and a GRU (z), first in an SRU (f).
            let gates = match (kind, name.contains("bias_ih")) {
                (Kind::Sru { .. }, _) if name == "rnn_lst.0.bias" => 0..hidden,
                (Kind::Cell(cell) | Kind::Skim { cell, .. }, true) if cell.gates() > 1 => {
                    let width = values.len() / cell.gates();
                    width..2 * width
                }
                _ => 0..0,
            };
            values[gates].fill(kept);
        }
        Self { layer, parameters }
    }

    /// Records the layer; its rows and its last states.
    fn record<'g>(&self, x: Expr<'g>, before: &[Expr<'g>]) -> (Expr<'g>, Vec<Expr<'g>>) {
        let initial = (!before.is_empty()).then_some(before);
        match &self.layer {
            Layer::Recurrent(layer) => {
                let out = layer.forward(x, layer.states(&mut before.iter().copied()).as_ref());
                (out.rows, out.states.into_rows())
            }
            Layer::Sru(layer) => {
                let out = layer.forward(x, initial);
                (out.rows, out.c)
            }
            Layer::Skim(layer, soft) => {
                let force: Vec<u32> = (0..x.shape().rows as u32).map(|t| 1 + t % 2).collect();
                let control = if *soft {
                    SkimControl::Mix { temperature: 0.1, noise: None }
                } else {
                    SkimControl::Decide { threshold: 0.5, force: &force }
                };
                let out = layer.forward(x, initial, control);
                (out.rows, out.state().collect())
            }
        }
    }

    /// Rows and last states over an input, from zeros or from states.
    fn run(&self, device: &Device, x: Vec<f32>, before: &[Vec<f32>]) -> (Vec<f32>, Vec<Vec<f32>>) {
        let graph = Graph::inference(&self.parameters, device, Order::Agenda);
        let x = graph.input(x.len() / INPUT, INPUT, x);
        let before: Vec<_> = before.iter().map(|row| graph.input(1, row.len(), row.clone())).collect();
        let (rows, mut wanted) = self.record(x, &before);
        wanted.insert(0, rows);
        let mut values = block_on(graph.values(&wanted)).unwrap();
        (values.remove(0), values)
    }

    /// Gradient of the input, of the first column of the last row.
    fn gradient(&self, device: &Device, x: Vec<f32>) -> Vec<f32> {
        let graph = Graph::training(&self.parameters, device, Order::Agenda, 1);
        let x = graph.variable(x.len() / INPUT, INPUT, x);
        let loss = self.record(x, &[]).0.pool(Pool::Last).columns(0..1);
        block_on(loss.backward()).unwrap();
        block_on(x.gradient()).unwrap()
    }
}

fn sound(rows: usize) -> Vec<f32> {
    (0..(rows * INPUT) as u32).map(|i| 2.0 * uniform(3, 0, i) - 1.0).collect()
}

fn denormals(values: &[f32]) -> usize {
    values.iter().filter(|x| x.is_subnormal()).count()
}

/// Sound, then silence; what is wrong with rows and states.
fn listen(network: &Network, device: &Device, silence: usize) -> Result<(), String> {
    let mut x = sound(SOUND);
    x.resize((SOUND + silence) * INPUT, 0.0);
    let (rows, states) = network.run(device, x, &[]);
    match denormals(&rows) + denormals(&states.concat()) {
        0 => {}
        some => return Err(format!("{some} values are denormal")),
    }
    if rows[..SOUND].iter().all(|x| x.abs() < 1e-3) {
        return Err("the sound was not heard".into());
    }
    match states.concat().iter().find(|&&x| x != 0.0) {
        Some(left) => Err(format!("{left} is left after {silence} silent steps")),
        None => Ok(()),
    }
}

/// Sound, and a loss of the last row; what is wrong with the gradient of every row.
fn learn(network: &Network, device: &Device, steps: usize) -> Result<(), String> {
    let gradient = network.gradient(device, sound(steps));
    match denormals(&gradient) {
        0 => {}
        some => return Err(format!("{some} gradients are denormal")),
    }
    let (first, last) = gradient.split_at(gradient.len() - INPUT);
    // A ReLU may be closed at the last row.
    let relu = matches!(&network.layer, Layer::Recurrent(layer) if layer.cell() == CellKind::ElmanRelu);
    if !relu && last.iter().all(|&d| d == 0.0) {
        return Err("no gradient reaches the last row".into());
    }
    match first[..INPUT].iter().find(|&&d| d != 0.0) {
        Some(left) => Err(format!("{left} has come back over {steps} steps")),
        None => Ok(()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40, failure_persistence: None, rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default()
    })]

    #[test]
    fn states_and_gradients_decay_to_zero(
        kind in prop::sample::select(&KINDS[..]), hidden in 2usize..40, seed: u32, kept in 1.0f32..3.0,
    ) {
        let (network, cpu) = (Network::new(kind, hidden, seed, kept), Device::cpu());
        prop_assert_eq!(listen(&network, &cpu, SILENCE), Ok(()));
        // Hard decisions have no gradient.
        if !matches!(kind, Kind::Skim { soft: false, .. }) {
            prop_assert_eq!(learn(&network, &cpu, SILENCE), Ok(()));
        }
    }
}

#[test]
fn states_and_gradients_decay_to_zero_on_the_gpu() {
    let device = gpu::gpu();
    for kind in KINDS {
        let network = Network::new(kind, 6, 1, 1.0);
        assert_eq!(listen(&network, &device, 800), Ok(()), "{kind:?}");
        if !matches!(kind, Kind::Skim { soft: false, .. }) {
            assert_eq!(learn(&network, &device, 800), Ok(()), "{kind:?}");
        }
    }
}

/// States are flushed every few steps, and what decays fast is denormal for some between, whichever steps these are.
#[test]
fn a_decaying_state_is_denormal_for_five_steps_at_most() {
    const HIDDEN: usize = 6;
    let mut met = 0;
    for orders in (2..100).map(|fourths| fourths as f32 / 4.0) {
        // The forget gate lets 2^-orders through.
        let kept = -(orders.exp2() - 1.0).ln();
        let network = Network::new(Kind::Sru { v1: true, use_tanh: false }, HIDDEN, 1, kept);
        for sounding in SOUND..SOUND + 16 {
            let mut x = sound(sounding);
            x.resize((sounding + 300) * INPUT, 0.0);
            let (rows, _) = network.run(&Device::cpu(), x, &[]);
            for unit in 0..HIDDEN {
                let steps = rows[unit..].iter().step_by(HIDDEN).filter(|h| h.is_subnormal()).count();
                assert!(steps <= 5, "{steps} steps at {orders} orders a step");
                met += steps;
            }
            assert!(rows[rows.len() - HIDDEN..].iter().all(|&h| h == 0.0), "{orders} orders a step");
        }
    }
    assert!(met > 0, "no state has passed the denormal numbers");
}

#[test]
fn silence_keeps_what_is_not_a_number() {
    let mut x = sound(SOUND);
    x.resize((SOUND + 2) * INPUT, 0.0);
    x[SOUND * INPUT - 1] = f32::NAN;
    for kind in KINDS.into_iter().filter(|kind| *kind != Kind::Cell(CellKind::ElmanRelu)) {
        let (_, states) = Network::new(kind, 6, 1, 2.0).run(&Device::cpu(), x.clone(), &[]);
        assert!(states.concat().iter().any(|x| x.is_nan()), "{kind:?}");
    }
}

/// What is counted here costs a hundred times its time on the processors that it is slow on, wherever it is measured.
#[cfg(target_arch = "x86_64")]
mod flags {
    use super::*;
    use std::arch::asm;

    /// An operand was a denormal number; a result was too small to be a normal one.
    const DENORMAL_OR_UNDERFLOW: u32 = 1 << 1 | 1 << 4;
    const ALL: u32 = 0x3f;

    /// Runs something; whether the processor met a denormal number in it.
    fn meets_denormals(run: impl FnOnce()) -> bool {
        let mut register = 0u32;
        // SAFETY: only the exceptions that the processor has noted are cleared; how it computes stays.
        unsafe {
            asm!("stmxcsr [{}]", in(reg) &mut register);
            register &= !ALL;
            asm!("ldmxcsr [{}]", in(reg) &register);
        }
        run();
        // SAFETY: the register is stored to a place of its size.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut register) };
        register & DENORMAL_OR_UNDERFLOW != 0
    }

    #[test]
    fn the_processor_notes_what_is_denormal() {
        use std::hint::black_box;
        for (x, by, denormal) in [(1e-40f32, 0.9, true), (1e-30, 1e-9, true), (1e-30, 0.9, false)] {
            let product = || {
                black_box(black_box(x) * by);
            };
            assert_eq!(meets_denormals(product), denormal, "{x} times {by}");
        }
    }

    #[test]
    fn what_is_computed_in_silence_is_never_denormal() {
        for kind in KINDS {
            let (network, cpu) = (Network::new(kind, 33, 1, 2.0), Device::cpu());
            let (_, mut states) = network.run(&cpu, sound(SOUND), &[]);
            let mut met = 0;
            for _ in 0..SILENCE {
                let before = states.clone();
                let once = || states = network.run(&cpu, vec![0.0; INPUT], &before).1;
                met += usize::from(meets_denormals(once));
            }
            // A state just above the bound times a weight of 1e-8 or less.
            assert!(met <= SILENCE / 100, "{kind:?}: {met} of {SILENCE} steps");
        }
    }

    #[test]
    fn what_a_closed_gate_lets_through_is_never_denormal() {
        for kind in KINDS {
            let (network, cpu) = (Network::new(kind, 33, 1, -200.0), Device::cpu());
            let met = meets_denormals(|| drop(network.run(&cpu, sound(SOUND), &[])));
            assert!(!met, "{kind:?}");
        }
    }

    #[test]
    fn what_a_gradient_is_computed_from_is_never_denormal() {
        // A mixture's weights may be as small as can be, so that a product with both is flushed when it is denormal.
        for kind in KINDS.into_iter().filter(|kind| !matches!(kind, Kind::Skim { .. })) {
            let (network, cpu) = (Network::new(kind, 33, 1, 2.0), Device::cpu());
            let met = meets_denormals(|| drop(network.gradient(&cpu, sound(2000))));
            assert!(!met, "{kind:?}");
        }
    }
}
