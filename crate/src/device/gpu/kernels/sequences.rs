//! Cuts lanes of unequal length into launches of some steps: one workgroup a lane, with the time loop in the kernel,
//! the longest lane first.

use crate::cpu::order::longest_first;

/// The most steps of a launch, so that no driver's watchdog ends it.
const STEPS: usize = 128;

/// The most iterations of all loops of an invocation in a launch. Mesa's software GPUs silently leave a loop after
/// 65,535 iterations of an invocation (`LP_MAX_TGSI_LOOP_ITERATIONS`), and a launch of a wide state would take long.
pub(super) const TURNS: usize = 60_000;

/// The steps of a lane that a workgroup runs in one launch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    /// The number of the lane.
    pub(super) lane: usize,
    /// Its first step in this chunk.
    pub(super) step: usize,
    /// The row of that step, counted over all lanes.
    pub(super) row: usize,
    /// The number of steps.
    pub(super) steps: usize,
}

/// The steps of a launch if each takes `turns` iterations of an invocation's loops.
pub(super) fn steps_of_a_launch(turns: usize) -> usize {
    (TURNS / turns.max(1)).clamp(1, STEPS)
}

/// The launches over lanes with the given row numbers (`lanes + 1` of them), first to last. Each holds the lanes that
/// have not ended. A step takes `turns` iterations of an invocation's loops.
pub(super) fn chunks(offsets: &[usize], turns: usize) -> Vec<Vec<Stretch>> {
    let most = steps_of_a_launch(turns);
    let length = |lane: usize| offsets[lane + 1] - offsets[lane];
    let order = longest_first(offsets);
    let longest = order.first().map_or(0, |&lane| length(lane));
    let stretch = |lane: usize, step: usize| Stretch {
        lane,
        step,
        row: offsets[lane] - offsets[0] + step,
        steps: (length(lane) - step).min(most),
    };
    (0..longest)
        .step_by(most)
        .map(|step| {
            order.iter().take_while(|&&lane| length(lane) > step).map(|&lane| stretch(lane, step)).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_chunks_hold_the_lanes_that_still_run() {
        let found = chunks(&[2, 5, 5, 205], 1);
        let stretch = |lane, step, row, steps| Stretch { lane, step, row, steps };
        assert_eq!(found, [vec![stretch(2, 0, 3, 128), stretch(0, 0, 0, 3)], vec![stretch(2, 128, 131, 72)]]);
        assert!(chunks(&[4, 4], 1).is_empty());
    }

    #[test]
    fn steps_of_many_turns_make_shorter_chunks() {
        let steps =
            |turns| chunks(&[0, 5], turns).iter().map(|stretches| stretches[0].steps).collect::<Vec<_>>();
        assert_eq!(steps(TURNS / 3), [3, 2]);
        assert_eq!(steps(2 * TURNS), [1; 5]);
    }
}
