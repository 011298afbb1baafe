//! Lanes of unequal length on a GPU: a workgroup each, the time loop inside, longest first, cut into chunks of time.

use crate::cpu;

/// Most steps of a launch: far from any driver's watchdog, and a place to report progress.
const STEPS: usize = 128;

/// Turns that an invocation's loops take in a launch, all together. Mesa's software GPUs leave every loop after 65,535
/// turns of an invocation, without a word (`LP_MAX_TGSI_LOOP_ITERATIONS`), and a launch of a wide state would last.
const TURNS: usize = 60_000;

/// What a workgroup does in one launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Which lane.
    pub(super) lane: usize,
    /// Its first step in this chunk.
    pub(super) step: usize,
    /// Row of that step, counted over all lanes.
    pub(super) row: usize,
    /// How many steps.
    pub(super) steps: usize,
}

/// Steps of a launch if each takes so many turns of an invocation's loops.
pub(super) fn steps_of_a_launch(turns: usize) -> usize {
    (TURNS / turns.max(1)).clamp(1, STEPS)
}

/// The chunks of lanes with the given row numbers (`lanes + 1` of them), first to last: each holds the lanes that still
/// run. A step takes so many turns of an invocation's loops.
pub(super) fn chunks(offsets: &[usize], turns: usize) -> Vec<Vec<Place>> {
    let most = steps_of_a_launch(turns);
    let length = |lane: usize| offsets[lane + 1] - offsets[lane];
    let order = cpu::order_by(offsets.len() - 1, &|a, b| length(b).cmp(&length(a)));
    let longest = order.first().map_or(0, |&lane| length(lane));
    let place = |lane: usize, step: usize| Place {
        lane,
        step,
        row: offsets[lane] - offsets[0] + step,
        steps: (length(lane) - step).min(most),
    };
    (0..longest)
        .step_by(most)
        .map(|step| {
            order.iter().take_while(|&&lane| length(lane) > step).map(|&lane| place(lane, step)).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_chunks_hold_the_lanes_that_still_run() {
        let found = chunks(&[2, 5, 5, 205], 1);
        let place = |lane, step, row, steps| Place { lane, step, row, steps };
        assert_eq!(found, [vec![place(2, 0, 3, 128), place(0, 0, 0, 3)], vec![place(2, 128, 131, 72)]]);
        assert!(chunks(&[4, 4], 1).is_empty());
    }

    #[test]
    fn steps_of_many_turns_make_shorter_chunks() {
        let steps = |turns| chunks(&[0, 5], turns).iter().map(|places| places[0].steps).collect::<Vec<_>>();
        assert_eq!(steps(TURNS / 3), [3, 2]);
        assert_eq!(steps(2 * TURNS), [1; 5]);
    }
}
