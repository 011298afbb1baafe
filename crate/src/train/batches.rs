//! Which texts are learned from together, and in which order.

use crate::cpu::noise;
use crate::cpu::order::sort_by;

/// A stream of random numbers, a pure function of seed, epoch and purpose.
pub(super) struct Draws {
    seed: u32,
    stream: u32,
    count: u32,
}

impl Draws {
    pub(super) fn new(seed: u32, epoch: usize, purpose: u32) -> Self {
        Self { seed, stream: noise::bits(epoch as u32, purpose, 0), count: 0 }
    }

    /// Uniform in `0..bound`.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.count = self.count.wrapping_add(1);
        ((u64::from(noise::bits(self.seed, self.stream, self.count)) * bound as u64) >> 32) as usize
    }

    pub(super) fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i + 1));
        }
    }
}

/// Batches of items of similar length, in random order: shuffled, sorted by length within chunks of 50 batches, cut, and
/// the batches shuffled.
pub(super) fn by_length<T>(
    items: Vec<T>,
    length: impl Fn(&T) -> usize,
    size: usize,
    seed: u32,
    epoch: usize,
) -> Vec<Vec<T>> {
    let mut draws = Draws::new(seed, epoch, 2);
    let mut order: Vec<usize> = (0..items.len()).collect();
    draws.shuffle(&mut order);
    for chunk in order.chunks_mut(size.saturating_mul(50)) {
        sort_by(chunk, &|a, b| length(&items[a]).cmp(&length(&items[b])));
    }
    let mut batches: Vec<Vec<usize>> = order.chunks(size).map(<[usize]>::to_vec).collect();
    draws.shuffle(&mut batches);
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    batches.into_iter().map(|batch| batch.into_iter().filter_map(|i| items[i].take()).collect()).collect()
}

/// Items in a row as at most `most` runs of about the same work each; none of them is empty.
pub(super) fn runs<T: Clone>(items: &[T], most: usize, work: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let most = most.clamp(1, items.len().max(1));
    // An item counts even where it is no work.
    let all: usize = items.iter().map(|item| 1 + work(item)).sum();
    let (mut runs, mut run, mut done) = (Vec::with_capacity(most), Vec::new(), 0);
    for (place, item) in items.iter().enumerate() {
        let (ended, left) = (runs.len() + 1, items.len() - place);
        let with = done + 1 + work(item);
        // Nearest to its share of the work, or where what is left is just an item for every run.
        let is_nearer_without = (done + with) * most > 2 * all * ended;
        if ended < most && !run.is_empty() && (is_nearer_without || left == most - ended) {
            runs.push(std::mem::take(&mut run));
        }
        run.push(item.clone());
        done = with;
    }
    if !run.is_empty() {
        runs.push(run);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_share_the_work_and_keep_the_order() {
        let cut = |items: &[usize], most| runs(items, most, |&item| item);
        assert!(cut(&[], 3).is_empty());
        assert_eq!(cut(&[7], 3), [[7]]);
        assert_eq!(cut(&[9, 1, 1, 1, 9], 2), [vec![9, 1, 1], vec![1, 9]]);
        // Not a whole item beyond its share: a minibatch that is sorted by length would always burden its first run.
        assert_eq!(cut(&[10, 11, 12, 13, 14, 15], 2), [[10, 11, 12], [13, 14, 15]]);
        assert_eq!(cut(&[1, 1, 1, 100], 3), [vec![1, 1], vec![1], vec![100]]);
        assert_eq!(cut(&[100, 1, 1, 1], 3).len(), 3);
        assert_eq!(cut(&[0; 9], 4).concat(), [0; 9]);
        for (count, most) in [(5, 1), (5, 4), (5, 5), (5, 9), (64, 7)] {
            let items: Vec<usize> = (0..count).map(|i| i * 7919 % 31).collect();
            let runs = cut(&items, most);
            assert_eq!((runs.len(), runs.concat()), (most.min(count), items));
            assert!(runs.iter().all(|run| !run.is_empty()));
        }
    }

    #[test]
    fn every_item_occurs_once_an_epoch() {
        let batches = |epoch| by_length((0..501).collect(), |i| i % 90, 8, 1, epoch);
        let (first, second) = (batches(0), batches(1));
        assert_ne!(first, second);
        assert_eq!(first, batches(0));
        let mut all = first.concat();
        all.sort_unstable();
        assert_eq!(all, (0..501).collect::<Vec<_>>());
    }

    #[test]
    fn a_batch_may_be_larger_than_all_items() {
        let batches = by_length((0..9).collect(), |i| *i, 1 << (usize::BITS - 1), 1, 0);
        assert_eq!((batches.len(), batches[0].len()), (1, 9));
    }
}
