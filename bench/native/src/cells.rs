//! An LSTM that a user wrote as a cell beside the library's own step, on the same weights: steps of sequences side by side.

use saccade_rnn::device::{Device, EngineError, ParamId};
use saccade_rnn::graph::{Cell, Expr, Graph, Strategy};
use saccade_rnn::nn::{BuildError, Builder, Recurrent, RecurrentConfig, States};

use crate::ready;

/// Columns of the input and of the state.
const D: usize = 128;
/// Steps of each sequence.
const STEPS: usize = 16;
/// How many sequences take a step together.
pub const BATCHES: [usize; 3] = [1, 16, 64];

/// Both of them on one device.
pub struct Steps {
    parameters: saccade_rnn::device::Parameters,
    device: Device,
    layer: Recurrent,
    cell: Cell<3, 2>,
    /// Rows of all sequences.
    x: Vec<f32>,
}

impl Steps {
    /// Draws the weights.
    ///
    /// # Errors
    /// None; otherwise the layer's.
    pub fn new(device: Device) -> Result<Self, BuildError> {
        let mut builder = Builder::fresh(1);
        let layer = Recurrent::lstm(&mut builder, RecurrentConfig::new(D, D), 1.0)?;
        let parameters = builder.finish()?;
        let id = |name: &str| -> Result<ParamId, EngineError> {
            let reason = "the layer has it".to_string();
            parameters.id(name).ok_or(EngineError::Parameter { name: name.into(), reason })
        };
        let (w, b) = (id("weight_ih_l0")?, id("bias_ih_l0")?);
        let (u, c) = (id("weight_hh_l0")?, id("bias_hh_l0")?);
        let cell = Cell::new("lstm", &parameters, [D, D, D], |_, [x, h, memory]| {
            let gates = x.affine(w, Some(b)) + h.affine(u, Some(c));
            let gate = |i: usize| gates.columns(i * D..(i + 1) * D);
            let memory = gate(1).sigmoid() * memory + gate(0).sigmoid() * gate(2).tanh();
            [gate(3).sigmoid() * memory.tanh(), memory]
        })?;
        let x = (0..STEPS * D * 64).map(|i| (i as f32 * 0.37).sin()).collect();
        Ok(Self { parameters, device, layer, cell, x })
    }

    /// All steps of so many sequences, by the cell or by the layer's own; what the last states add up to. In training, their
    /// gradient too.
    ///
    /// # Errors
    /// None; otherwise the engine's.
    pub fn run(&self, batch: usize, by_cell: bool, training: bool) -> Result<f32, EngineError> {
        let graph = match training {
            true => Graph::training(&self.parameters, &self.device, Strategy::default(), 0),
            false => Graph::inference(&self.parameters, &self.device, Strategy::default()),
        };
        let zero = graph.input(1, D, vec![0.0; D]);
        let mut states = vec![[zero, zero]; batch];
        for step in 0..STEPS {
            for (number, state) in states.iter_mut().enumerate() {
                let at = (number * STEPS + step) * D;
                let x = graph.input(1, D, self.x[at..at + D].to_vec());
                *state = if by_cell { self.cell.call([x, state[0], state[1]]) } else { self.step(x, *state) };
            }
        }
        let last: Vec<Expr<'_>> = states.iter().map(|state| state[0]).collect();
        let sum = graph.mean(&last).sum_columns();
        if training {
            ready(sum.backward())?;
        }
        Ok(ready(sum.value())?[0])
    }

    fn step<'g>(&self, x: Expr<'g>, [h, c]: [Expr<'g>; 2]) -> [Expr<'g>; 2] {
        let states = self.layer.step(x, Some(&States { h: vec![h], c: vec![c] })).states;
        [states.h[0], states.c[0]]
    }
}

/// This machine's GPU, if it has one: the adapter that the environment names in `SACCADE_ADAPTER`, otherwise the first.
pub fn gpu() -> Option<Device> {
    use saccade_rnn::device::gpu::{Gpu, GpuOptions};
    let name = std::env::var("SACCADE_ADAPTER").ok();
    ready(Gpu::request(&GpuOptions { name, ..GpuOptions::default() })).ok().map(Device::from)
}
