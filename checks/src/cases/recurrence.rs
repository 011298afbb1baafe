//! Elman, LSTM and GRU: every cell over every way a kernel may share its work out, and over several launches.

use saccade_rnn::device::{CellKind, Op, Parameters};

use super::lane_shapes;
use crate::{Case, Lane, Random};

const CELLS: [CellKind; 4] = [CellKind::ElmanTanh, CellKind::ElmanRelu, CellKind::Lstm, CellKind::Gru];

/// A recurrence to be made into a case.
struct Recurrence {
    cell: CellKind,
    hidden: usize,
    lengths: Vec<usize>,
    reverse: bool,
    initial: bool,
    bias: bool,
    /// Largest input.
    scale: f32,
}

impl Recurrence {
    fn new(cell: CellKind, hidden: usize, lengths: &[usize]) -> Self {
        let lengths = lengths.to_vec();
        Self { cell, hidden, lengths, reverse: false, initial: true, bias: true, scale: 1.0 }
    }

    fn case(&self, random: &mut Random) -> Case {
        let (n, gates) = (self.hidden, self.cell.gates());
        let mut parameters = Parameters::new();
        // Small enough for a ReLU to stay bounded over time.
        let scale = 1.0 / (n as f32).sqrt();
        let weight_hh = random.parameter(&mut parameters, &[gates * n, n], scale);
        let bias_hh = self.bias.then(|| random.parameter(&mut parameters, &[gates * n], scale));
        let lane = |&rows: &usize| {
            let mut inputs = vec![random.matrix(rows, gates * n, self.scale)];
            if self.initial {
                inputs.push(random.matrix(1, n, 1.0));
                if self.cell.has_memory() {
                    inputs.push(random.matrix(1, n, 1.0));
                }
            }
            Lane { inputs, indices: Vec::new() }
        };
        let Self { cell, lengths, reverse, initial, bias, .. } = self;
        let longest = lengths.iter().max().copied().unwrap_or(0);
        Case {
            name: format!(
                "{cell:?} of {n}, {} lanes of up to {longest} rows, reverse {reverse}, initial {initial}, bias {bias}",
                lengths.len()
            ),
            op: Op::Recurrence {
                cell: *cell,
                weight_hh,
                bias_hh,
                reverse: *reverse,
                initial: *initial,
                inspect: false,
            },
            lanes: lengths.iter().map(lane).collect(),
            parameters,
            backward: true,
            // Sums of `hidden` products in another order, and exponentials by another polynomial.
            bound: 1e-5,
        }
    }
}

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(11);
    let mut cases = Vec::new();
    let mut add = |recurrence: Recurrence| cases.push(recurrence.case(&mut random));
    for cell in CELLS {
        for lengths in lane_shapes() {
            add(Recurrence::new(cell, 5, &lengths));
        }
        for (hidden, reverse, initial, bias) in [
            (1, true, true, true),
            (5, true, false, false),
            (64, false, false, true),
            (100, true, true, false),
            (300, false, true, true),
        ] {
            let lengths = [3, 0, 1, 6, 2];
            add(Recurrence { reverse, initial, bias, ..Recurrence::new(cell, hidden, &lengths) });
        }
        // Enough sequences for tiles of them, in workgroup memory and beyond.
        let many: Vec<usize> = (0..70).map(|i| i * 7 % 5).collect();
        add(Recurrence { reverse: true, ..Recurrence::new(cell, 33, &many) });
        // Three launches, the last ones for fewer sequences.
        add(Recurrence::new(cell, 7, &[300, 5, 129, 128, 0]));
        add(Recurrence { reverse: true, initial: false, ..Recurrence::new(cell, 7, &[300, 5, 129, 128, 0]) });
        add(Recurrence { scale: 1e4, ..Recurrence::new(cell, 20, &[9, 4]) });
    }
    // Several launches of tiles.
    let long: Vec<usize> = (125..195).collect();
    add(Recurrence::new(CellKind::Lstm, 5, &long));
    // States too large for tiles in workgroup memory, one sequence going on by itself in later launches.
    let most_end = |longest| -> Vec<usize> { (0..64).map(|i| if i == 36 { longest } else { 1 }).collect() };
    add(Recurrence { reverse: true, ..Recurrence::new(CellKind::ElmanRelu, 1030, &most_end(3)) });
    add(Recurrence::new(CellKind::ElmanTanh, 520, &most_end(50)));
    add(Recurrence::new(CellKind::Lstm, 514, &most_end(3)));
    add(Recurrence { reverse: true, ..Recurrence::new(CellKind::Gru, 600, &most_end(3)) });
    // The gates of a single sequence too large for workgroup memory.
    add(Recurrence::new(CellKind::Lstm, 1025, &[2]));
    // A step with more iterations of a narrow workgroup's loops than a software GPU runs.
    add(Recurrence::new(CellKind::ElmanTanh, 2048, &[2]));
    cases
}
