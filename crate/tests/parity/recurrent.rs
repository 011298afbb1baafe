//! Elman, LSTM and GRU against `torch.nn`.

use saccade_rnn::device::CellKind;
use saccade_rnn::nn::{BuildError, Builder, Recurrent, RecurrentConfig, States};
use serde::Deserialize;

use crate::agreement::{Case, check};
use crate::recording::Recording;

/// A case of `torch_rnn.py`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecurrentCase {
    kind: Kind,
    nonlinearity: Option<Nonlinearity>,
    pub(crate) input_size: usize,
    pub(crate) hidden_size: usize,
    pub(crate) num_layers: usize,
    pub(crate) bidirectional: bool,
    pub(crate) bias: bool,
    #[serde(default)]
    proj_size: usize,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Elman,
    Lstm,
    Gru,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Nonlinearity {
    Tanh,
    Relu,
}

impl RecurrentCase {
    pub(crate) fn cell(&self) -> CellKind {
        match (self.kind, self.nonlinearity) {
            (Kind::Elman, Some(Nonlinearity::Tanh)) => CellKind::ElmanTanh,
            (Kind::Elman, Some(Nonlinearity::Relu)) => CellKind::ElmanRelu,
            (Kind::Lstm, None) => CellKind::Lstm,
            (Kind::Gru, None) => CellKind::Gru,
            _ => panic!("a nonlinearity is an Elman network's, and it has one"),
        }
    }

    /// One of its layers in one direction, over `input_size` columns.
    pub(crate) fn single(&self, input_size: usize) -> RecurrentConfig {
        RecurrentConfig { bias: self.bias, ..RecurrentConfig::new(input_size, self.hidden_size) }
    }
}

impl Case for RecurrentCase {
    type Layer = Recurrent;

    fn build(&self, builder: &mut Builder) -> Result<Recurrent, BuildError> {
        let &Self { input_size, hidden_size, num_layers, bidirectional, bias, proj_size, .. } = self;
        let single = RecurrentConfig::new(input_size, hidden_size);
        let config = RecurrentConfig { num_layers, bidirectional, bias, proj_size, ..single };
        match self.cell() {
            CellKind::Lstm => Recurrent::lstm(builder, config, 0.0),
            CellKind::Gru => Recurrent::gru(builder, config),
            elman => Recurrent::elman(builder, config, elman == CellKind::ElmanRelu),
        }
    }

    fn record(&self, layer: &Recurrent, recording: &mut Recording<'_>) {
        let lengths = recording.lengths();
        let (h0, c0) = (recording.states("h0"), recording.states("c0"));
        let (mut rows, mut h, mut c) = (Vec::new(), Vec::new(), Vec::new());
        for (b, x) in recording.sequences("x", &lengths).into_iter().enumerate() {
            let initial = h0.as_ref().map(|h0| States {
                h: h0[b].clone(),
                c: c0.as_ref().map(|c0| c0[b].clone()).unwrap_or_default(),
            });
            let out = layer.forward(x, initial.as_ref());
            rows.push(out.rows);
            h.push(out.states.h);
            c.push(out.states.c);
        }
        recording.emit("y", rows);
        recording.emit_states("h_n", &h);
        if self.cell().has_memory() {
            recording.emit_states("c_n", &c);
        }
    }
}

#[test]
fn elman_agrees_with_pytorch() {
    check::<RecurrentCase>("elman", "", 19);
}

#[test]
fn lstm_agrees_with_pytorch() {
    check::<RecurrentCase>("lstm", "", 11);
}

#[test]
fn gru_agrees_with_pytorch() {
    check::<RecurrentCase>("gru", "", 11);
}
