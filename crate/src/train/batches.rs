//! Which texts are learned from together, and in which order.

use super::config::Spans;
use super::corpus::Item;
use crate::cpu::noise;

/// A stream of random numbers, a pure function of seed, epoch and purpose.
struct Draws {
    seed: u32,
    stream: u32,
    count: u32,
}

impl Draws {
    fn new(seed: u32, epoch: usize, purpose: u32) -> Self {
        Self { seed, stream: noise::bits(epoch as u32, purpose, 0), count: 0 }
    }

    /// Uniform in `0..bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.count = self.count.wrapping_add(1);
        ((u64::from(noise::bits(self.seed, self.stream, self.count)) * bound as u64) >> 32) as usize
    }

    fn shuffle<T>(&mut self, values: &mut [T]) {
        for i in (1..values.len()).rev() {
            values.swap(i, self.below(i + 1));
        }
    }
}

/// What an epoch learns from: the last `last_tokens` tokens of every text (0 for all), or pieces of texts.
pub(super) fn epoch_items(
    train: &[Item],
    last_tokens: usize,
    spans: Option<Spans>,
    seed: u32,
    epoch: usize,
) -> Vec<Item> {
    let Some(spans) = spans else {
        let keep = if last_tokens == 0 { usize::MAX } else { last_tokens };
        let end = |item: &Item| Item {
            ids: item.ids[item.ids.len().saturating_sub(keep)..].to_vec(),
            label: item.label,
        };
        return train.iter().map(end).collect();
    };
    let mut draws = Draws::new(seed, epoch, 1);
    let mut pieces = Vec::new();
    for item in train {
        // The first piece is cut at a random place, so that pieces begin elsewhere in every epoch.
        let mut start = 0;
        let mut length = 4 + draws.below(spans.max - 3);
        while start < item.ids.len() {
            let end = (start + length).min(item.ids.len());
            if end - start >= 4 || start == 0 {
                pieces.push(Item { ids: item.ids[start..end].to_vec(), label: item.label });
            }
            start = end;
            let short = draws.below(1000) < (spans.short * 1000.0) as usize;
            length = if short {
                4 + draws.below(spans.min - 3)
            } else {
                spans.min + draws.below(spans.max - spans.min + 1)
            };
        }
    }
    pieces
}

/// Batches of `size` items of similar length in random order: shuffled, sorted by length within chunks of 50
/// batches, cut, and the batches shuffled.
pub(super) fn batches(items: &[Item], size: usize, seed: u32, epoch: usize) -> Vec<Vec<usize>> {
    let mut draws = Draws::new(seed, epoch, 2);
    let mut order: Vec<usize> = (0..items.len()).collect();
    draws.shuffle(&mut order);
    for chunk in order.chunks_mut(size * 50) {
        chunk.sort_by_key(|&i| items[i].ids.len());
    }
    let mut batches: Vec<Vec<usize>> = order.chunks(size).map(<[usize]>::to_vec).collect();
    draws.shuffle(&mut batches);
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items() -> Vec<Item> {
        (0..501).map(|i| Item { ids: (0..i as u32 % 90).collect(), label: 0 }).collect()
    }

    #[test]
    fn every_item_occurs_once_an_epoch() {
        let items = items();
        let (first, second) = (batches(&items, 8, 1, 0), batches(&items, 8, 1, 1));
        assert_ne!(first, second);
        assert_eq!(first, batches(&items, 8, 1, 0));
        let mut all = first.concat();
        all.sort_unstable();
        assert_eq!(all, (0..501).collect::<Vec<_>>());
    }

    #[test]
    fn pieces_cover_texts_and_keep_to_their_lengths() {
        let items = items();
        let spans = Spans { min: 20, max: 60, short: 0.2 };
        let pieces = epoch_items(&items, 0, Some(spans), 3, 0);
        assert!(pieces.iter().all(|p| p.ids.len() <= 60));
        let (total, kept) = (|v: &[Item]| v.iter().map(|i| i.ids.len()).sum::<usize>(), pieces.len());
        assert!(total(&pieces) > total(&items) * 9 / 10 && kept > 500);
        assert_ne!(pieces, epoch_items(&items, 0, Some(spans), 3, 1));
    }
}
