//! Which texts are learned from together, and in which order.

use crate::cpu::noise;

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
    for chunk in order.chunks_mut(size * 50) {
        chunk.sort_by_key(|&i| length(&items[i]));
    }
    let mut batches: Vec<Vec<usize>> = order.chunks(size).map(<[usize]>::to_vec).collect();
    draws.shuffle(&mut batches);
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    batches.into_iter().map(|batch| batch.into_iter().filter_map(|i| items[i].take()).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
