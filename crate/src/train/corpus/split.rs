//! Deterministic splits of a set of examples, by index.
//!
//! Example `i` gets the key `mix(seed, i)`, a 64-bit integer hash (the finaliser of SplitMix64: Steele, Lea & Flood
//! 2014, "Fast splittable pseudorandom number generators"), and the order of the keys is the random order. Only integer
//! arithmetic modulo 2^64 takes part, so a seed gives the same split on every platform.

use crate::cpu::order::argsort;

/// The indices of two parts of a set, each in increasing order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// What to train on.
    pub train: Vec<usize>,
    /// What is held out: the development set, or the fold to test on.
    pub held_out: Vec<usize>,
}

/// Holds out `count` of `len` examples (all, if there are no more).
pub fn hold_out(len: usize, count: usize, seed: u64) -> Split {
    let order = shuffled(len, seed);
    partition(len, |place| place < count, &order)
}

/// Moves `count` of `texts` out of them, in order: those that [`hold_out`] names with seed 0.
pub(super) fn take_held_out<T>(texts: &mut Vec<T>, count: usize) -> Vec<T> {
    let held = hold_out(texts.len(), count, 0).held_out;
    let mut at = 0..;
    texts.extract_if(.., |_| at.next().is_some_and(|at| held.binary_search(&at).is_ok())).collect()
}

/// Cuts `len` examples into `k` folds, above 0, whose sizes differ by at most one; holds out fold `number` and trains on the
/// others. Without examples enough some folds are empty.
pub fn fold(len: usize, k: usize, number: usize, seed: u64) -> Split {
    partition(len, |place| place % k == number, &shuffled(len, seed))
}

/// Indices in the order of their keys; equal keys in the order of the indices.
fn shuffled(len: usize, seed: u64) -> Vec<usize> {
    let key = |index: usize| mix(seed, index as u64);
    argsort(len, &|a, b| key(a).cmp(&key(b)))
}

fn partition(len: usize, held: impl Fn(usize) -> bool, order: &[usize]) -> Split {
    let mut is_held = vec![false; len];
    for (place, &index) in order.iter().enumerate() {
        is_held[index] = held(place);
    }
    let (held_out, train) = (0..len).partition(|&index| is_held[index]);
    Split { train, held_out }
}

fn mix(seed: u64, index: u64) -> u64 {
    let step = |x: u64| {
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    };
    // The seed is mixed first, so that neighbouring seeds do not give shifted copies of one order.
    step(step(seed).wrapping_add(index.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_fixes_the_split() {
        // Pinned: a change of the method would silently change every development set.
        assert_eq!(hold_out(10, 3, 1).held_out, [4, 7, 8]);
        assert_ne!(hold_out(1000, 100, 1), hold_out(1000, 100, 2));
    }

    #[test]
    fn held_out_and_train_are_the_whole() {
        for (len, count) in [(0, 3), (10, 0), (10, 4), (10, 99)] {
            let Split { train, held_out } = hold_out(len, count, 7);
            assert_eq!(held_out.len(), count.min(len));
            let mut all = [train, held_out].concat();
            all.sort_unstable();
            assert_eq!(all, (0..len).collect::<Vec<_>>());
        }
    }

    #[test]
    fn every_example_is_held_out_once() {
        let splits: Vec<Split> = (0..10).map(|number| fold(103, 10, number, 5)).collect();
        let mut all: Vec<_> = splits.iter().flat_map(|split| split.held_out.iter().copied()).collect();
        all.sort_unstable();
        assert_eq!(all, (0..103).collect::<Vec<_>>());
        assert!(splits.iter().all(|split| (10..=11).contains(&split.held_out.len())
            && split.train.len() + split.held_out.len() == 103));
    }

    #[test]
    fn the_order_is_close_to_uniform() {
        // Of 10,000 examples, the 5,000 held out lie in the first half about as often as not; 5 standard deviations.
        for seed in 0..20 {
            let first = hold_out(10_000, 5_000, seed).held_out.iter().filter(|&&index| index < 5_000).count();
            assert!(first.abs_diff(2_500) < 125, "seed {seed}: {first}");
        }
    }
}
