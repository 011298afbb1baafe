//! Lanes of unequal length on a GPU: a workgroup each, the time loop inside, longest first, cut into chunks of time.

/// Most steps of a launch: far from any driver's watchdog, and a place to report progress.
const STEPS: usize = 128;

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

/// The chunks of lanes with the given row numbers (`lanes + 1` of them), first to last: each holds the lanes that still
/// run.
pub(super) fn chunks(offsets: &[usize]) -> Vec<Vec<Place>> {
    let length = |lane: usize| offsets[lane + 1] - offsets[lane];
    let mut order: Vec<usize> = (0..offsets.len() - 1).collect();
    order.sort_by_key(|&lane| std::cmp::Reverse(length(lane)));
    let longest = order.first().map_or(0, |&lane| length(lane));
    let place = |lane: usize, step: usize| Place {
        lane,
        step,
        row: offsets[lane] - offsets[0] + step,
        steps: (length(lane) - step).min(STEPS),
    };
    (0..longest)
        .step_by(STEPS)
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
        let found = chunks(&[2, 5, 5, 205]);
        let place = |lane, step, row, steps| Place { lane, step, row, steps };
        assert_eq!(found, [vec![place(2, 0, 3, 128), place(0, 0, 0, 3)], vec![place(2, 128, 131, 72)]]);
        assert!(chunks(&[4, 4]).is_empty());
    }
}
