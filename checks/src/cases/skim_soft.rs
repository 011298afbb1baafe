//! Skim-RNN as a mixture of both branches: noise drawn and given, forward and backward.

use saccade_rnn::device::{CellKind, Real, SkimMode};

use super::lane_shapes;
use super::skim::{Sizes, case};
use crate::{Case, Random};

pub(super) fn cases() -> Vec<Case> {
    let mut random = Random::new(10);
    let mut cases = Vec::new();
    let few = vec![0, 9, 1, 0, 6];
    for cell in [CellKind::Lstm, CellKind::Gru] {
        for given_noise in [false, true] {
            let mut add = |hidden, small, reads_all, scale, lengths: &[usize]| {
                let mode = SkimMode::Soft { temperature: Real(0.7), given_noise };
                let initial = small % 2 == 0;
                let sizes = Sizes { cell, hidden, small, reads_all, input: 3, initial, mode, scale };
                let more: &[usize] = if given_noise { &[2] } else { &[] };
                let case = case(&mut random, sizes, lengths, more);
                cases.push(Case { backward: true, ..case });
            };
            add(1, 0, false, 1.0, &few);
            add(10, 1, true, 1.0, &few);
            add(100, 8, false, 1.0, &few);
            add(130, 10, true, 1.0, &[5]);
            // Wider than a workgroup, the small cell too.
            add(300, 270, false, 1.0, &[3, 1]);
            add(10, 8, false, 1e4, &few);
            // Several chunks of time.
            add(5, 2, true, 1.0, &[300, 2, 129]);
            if given_noise {
                // Of fewer steps, since each takes long.
                add(130, 8, false, 0.3, &[130]);
            }
            for lengths in lane_shapes() {
                add(4, 1, false, 1.0, &lengths);
            }
        }
    }
    cases
}
