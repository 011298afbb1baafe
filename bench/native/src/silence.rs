//! What a layer's steps cost after the sound has stopped: its states decay, and a processor is slow to calculate with
//! numbers below the normal ones.

use saccade_rnn::device::{EngineError, Pool};
use saccade_rnn::graph::{Expr, Graph, Strategy};
use saccade_rnn::nn::{BuildError, SkimControl};

use crate::{Contestant, Layer, Network, Shape, is_skimmed, ready};

/// Steps of one run.
pub const STEPS: usize = 500;

/// Runs with sound, then runs in silence.
pub const RUNS: [usize; 2] = [4, 20];

/// The networks, in the order in which they are printed.
pub const NETWORKS: [Network; 6] = [
    Network::Elman,
    Network::ElmanRelu,
    Network::Lstm,
    Network::Gru,
    Network::Sru,
    Network::SkimOfRows(SKIMMED),
];

/// Steps that the Skim layer skims, of a hundred.
const SKIMMED: u32 = 84;

/// Bias of the gate that keeps the state: it keeps nine tenths.
const KEPT: f32 = 2.2;

const SHAPE: Shape = Shape { name: "silence", batch: 1, steps: STEPS, input: 100, hidden: 100, layers: 1 };

/// A layer without biases that goes on from the state that it is in.
pub struct Listener {
    contestant: Contestant,
    state: Vec<Vec<f32>>,
}

impl Listener {
    /// Draws the weights such that a state decays to zero, by a tenth or less a step: slowly enough for the least
    /// denormal numbers to be rounded to themselves, which would stay for ever.
    ///
    /// # Errors
    /// None for the networks above.
    pub fn new(network: Network) -> Result<Self, BuildError> {
        let mut contestant = Contestant::new(network, SHAPE)?;
        let hidden = SHAPE.hidden;
        for (_, parameter) in contestant.parameters.iter_mut() {
            let (name, values) = (parameter.name.as_str(), &mut parameter.values);
            if name.contains("bias") {
                values.fill(0.0);
            }
            if name.contains("weight_hh") {
                values.iter_mut().for_each(|value| *value *= 0.2);
            }
            match network {
                Network::Elman | Network::ElmanRelu if name.contains("weight_hh") => {
                    values.iter_mut().step_by(hidden + 1).for_each(|value| *value = 0.9);
                }
                Network::Sru if name.ends_with("bias") => values[..hidden].fill(KEPT),
                // The gate that keeps the state stands second of three in a GRU (z), of four in an LSTM (f).
                Network::Gru if name.contains("bias_ih") => values[hidden..2 * hidden].fill(KEPT),
                Network::Lstm | Network::SkimOfRows(_) if name.contains("bias_ih") => {
                    let width = values.len() / 4;
                    values[width..2 * width].fill(KEPT);
                }
                _ => {}
            }
        }
        Ok(Self { contestant, state: Vec::new() })
    }

    /// [`STEPS`] further steps, with sound or in silence; how many values of rows and state are denormal.
    ///
    /// # Errors
    /// None for the networks above; otherwise the engine's.
    pub fn run(&mut self, sound: bool) -> Result<usize, EngineError> {
        let Contestant { parameters, device, x, .. } = &self.contestant;
        let graph = Graph::inference(parameters, device, Strategy::Levels);
        let x = if sound { x.clone() } else { vec![0.0; x.len()] };
        let x = graph.input(STEPS, SHAPE.input, x);
        let before: Vec<_> = self.state.iter().map(|row| graph.input(1, row.len(), row.clone())).collect();
        let force: Vec<u32> = (0..STEPS).map(|t| 1 + u32::from(is_skimmed(t, SKIMMED))).collect();
        let decide = SkimControl::Decide { threshold: 0.5, force: &force };
        let (rows, mut wanted) = self.record(x, &before, decide);
        wanted.push(rows);
        let mut values = ready(graph.values(&wanted))?;
        let denormal = values.iter().flatten().filter(|x| x.is_subnormal()).count();
        values.truncate(wanted.len() - 1);
        self.state = values;
        Ok(denormal)
    }

    /// Forward and backward over [`STEPS`] steps with sound, from a loss of every row or of the last alone, whose
    /// gradient decays.
    ///
    /// # Errors
    /// None for the networks above; otherwise the engine's.
    pub fn learn(&self, of_last: bool) -> Result<(), EngineError> {
        let Contestant { parameters, device, x, .. } = &self.contestant;
        let graph = Graph::training(parameters, device, Strategy::Levels, 1);
        let mix = SkimControl::Mix { temperature: 0.5, noise: None };
        let (rows, _) = self.record(graph.input(STEPS, SHAPE.input, x.clone()), &[], mix);
        let pool = if of_last { Pool::Last } else { Pool::Sum };
        ready(rows.pool(pool).columns(0..1).backward()).map(drop)
    }

    /// Records the layer; its rows and its last state.
    fn record<'g>(
        &self,
        x: Expr<'g>,
        before: &[Expr<'g>],
        control: SkimControl<'_, 'g>,
    ) -> (Expr<'g>, Vec<Expr<'g>>) {
        let initial = (!before.is_empty()).then_some(before);
        match &self.contestant.layer {
            Layer::Recurrent(layer) => {
                let out = layer.forward(x, layer.states(&mut before.iter().copied()).as_ref());
                (out.rows, out.states.into_rows())
            }
            Layer::Sru(layer) => {
                let out = layer.forward(x, initial);
                (out.rows, out.c)
            }
            Layer::Skim(layer, _) => {
                let out = layer.forward(x, initial, control);
                (out.rows, out.state().collect())
            }
        }
    }
}
