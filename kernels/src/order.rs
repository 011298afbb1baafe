//! Sorting, once: each use of the standard library's sort is a copy of it in the binary.

use std::cmp::Ordering;

/// The numbers `0..count` in the order that `compare` gives them; equal ones by number.
pub fn order_by(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_unstable_by(|&a, &b| compare(a, b).then(a.cmp(&b)));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ones_stay_in_order() {
        let values = [3, 1, 2, 1, 3, 0];
        assert_eq!(order_by(6, &|a, b| values[a].cmp(&values[b])), [5, 1, 3, 2, 0, 4]);
        let lengths: Vec<usize> = (0..100).map(|i| i * 37 % 11).collect();
        let order = order_by(100, &|a, b| lengths[b].cmp(&lengths[a]));
        assert!(order.windows(2).all(|o| (lengths[o[1]], o[0]) < (lengths[o[0]], o[1])));
    }
}
