//! Orders of numbered things.
//!
//! No WGSL twin: lanes are put in order on the host.

use std::cmp::Ordering;

/// Puts numbers in the order of `compare`; equals keep theirs.
///
/// The comparison is a reference, so that one sort is compiled for everything that is put in order: each copy of the
/// standard library's takes 3 kB of the browser's binary.
pub fn sort_by(numbers: &mut [usize], compare: &dyn Fn(usize, usize) -> Ordering) {
    numbers.sort_by(|&a, &b| compare(a, b));
}

/// The numbers below `count` in the order of `compare`; equals stay in the order of their numbers.
pub fn argsort(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    sort_by(&mut order, compare);
    order
}

/// The numbers that occur, each once, from the least on; in memory for as many as the greatest says.
pub fn distinct(numbers: &[u32]) -> Vec<u32> {
    let end = numbers.iter().max().map_or(0, |&most| most as usize + 1);
    let mut occurs = vec![false; end];
    numbers.iter().for_each(|&number| occurs[number as usize] = true);
    (0..end as u32).filter(|&number| occurs[number as usize]).collect()
}

/// The lanes between row numbers (`lanes + 1` of them), by decreasing length.
pub fn longest_first(offsets: &[usize]) -> Vec<usize> {
    let rows = |lane: usize| offsets[lane + 1] - offsets[lane];
    argsort(offsets.len() - 1, &|a, b| rows(b).cmp(&rows(a)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_keep_their_order() {
        let letters = ["b", "a", "b", "a", ""];
        assert_eq!(argsort(letters.len(), &|a, b| letters[a].cmp(letters[b])), [4, 1, 3, 0, 2]);
        assert!(argsort(0, &|_, _| Ordering::Equal).is_empty());
    }

    #[test]
    fn numbers_occur_once() {
        assert_eq!(distinct(&[7, 0, 7, 3, 0]), [0, 3, 7]);
        assert!(distinct(&[]).is_empty());
    }

    #[test]
    fn long_lanes_come_first() {
        assert_eq!(longest_first(&[3, 4, 4, 9, 14, 15]), [2, 3, 0, 4, 1]);
        assert!(longest_first(&[7]).is_empty());
    }
}
