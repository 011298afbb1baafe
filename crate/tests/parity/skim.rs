//! Skim over LSTM and GRU against the plain reference: deciding, and the mixture with its gradients.

use saccade_rnn::device::CellKind;
use saccade_rnn::nn::{BuildError, Builder, Skim, SkimConfig, SkimControl, SmallReads};
use serde::Deserialize;

use crate::agreement::{Case, check};
use crate::recording::Recording;

/// A case of `skim.py`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SkimCase {
    #[serde(rename = "kind")]
    _kind: SkimCaseKind,
    cell: Cell,
    input_size: usize,
    hidden_size: usize,
    small_size: usize,
    small_reads: Reads,
    mode: Mode,
    threshold: Option<f32>,
    tau: Option<f32>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Cell {
    Lstm,
    Gru,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reads {
    Slice,
    All,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    Hard,
    Soft,
}

impl SkimCase {
    fn cell(&self) -> CellKind {
        match self.cell {
            Cell::Lstm => CellKind::Lstm,
            Cell::Gru => CellKind::Gru,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum SkimCaseKind {
    Skim,
}

impl Case for SkimCase {
    type Layer = Skim;

    fn build(&self, builder: &mut Builder) -> Result<Skim, BuildError> {
        let config = SkimConfig {
            cell: self.cell(),
            input_size: self.input_size,
            hidden_size: self.hidden_size,
            small_size: self.small_size,
            small_reads: match self.small_reads {
                Reads::Slice => SmallReads::Slice,
                Reads::All => SmallReads::All,
            },
            forget_bias: 0.0,
        };
        Skim::new(builder, config)
    }

    fn record(&self, layer: &Skim, recording: &mut Recording<'_>) {
        let lengths = recording.lengths();
        let (h0, c0) = (recording.states("h0"), recording.states("c0"));
        let (mut force, mut noise) = (&[][..], Vec::new());
        match self.mode {
            Mode::Hard => force = recording.integers("force").unwrap_or(&[]),
            Mode::Soft => noise = recording.constants("gumbel", &lengths),
        }
        let mut outputs = Vec::new();
        for (b, x) in recording.sequences("x", &lengths).into_iter().enumerate() {
            let forced;
            (forced, force) = force.split_at(if force.is_empty() { 0 } else { lengths[b] });
            let control = match (self.mode, self.threshold, self.tau) {
                (Mode::Hard, Some(threshold), None) => SkimControl::Decide { threshold, force: forced },
                (Mode::Soft, None, Some(temperature)) => {
                    SkimControl::Mix { temperature, noise: Some(noise[b]) }
                }
                _ => panic!("a hard case has a threshold, a soft one a temperature"),
            };
            let c0 = c0.as_ref().map(|c0| c0[b][0]);
            let initial: Option<Vec<_>> = h0.as_ref().map(|h0| [h0[b][0]].into_iter().chain(c0).collect());
            outputs.push(layer.forward(x, initial.as_deref(), control));
        }
        recording.emit("y", outputs.iter().map(|out| out.rows).collect());
        recording.emit("h_n", outputs.iter().map(|out| out.h).collect());
        if self.cell().has_memory() {
            recording.emit("c_n", outputs.iter().map(|out| out.c).collect());
        }
        recording.emit("logits", outputs.iter().map(|out| out.logits).collect());
        recording.emit("log_p", outputs.iter().map(|out| out.logits.log_softmax()).collect());
        recording.emit("p_skim", outputs.iter().map(|out| out.logits.softmax().columns(1..2)).collect());
        let skimmed = outputs.iter().map(|out| out.decisions);
        match self.mode {
            Mode::Hard => recording.emit("decision", skimmed.collect()),
            Mode::Soft => {
                let graph = recording.graph;
                let mixture = |(skim, &rows)| {
                    let read = graph.input(rows, 1, vec![1.0; rows]) - skim;
                    graph.concat_columns(&[read, skim])
                };
                recording.emit("mixture", skimmed.zip(&lengths).map(mixture).collect());
            }
        }
    }
}

#[test]
fn skim_agrees_with_the_equations() {
    check::<SkimCase>("skim", "", 34);
}
