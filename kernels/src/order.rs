//! Sorting, once and in few bytes: every use of the standard library's sort is a copy of its several kilobytes.
//!
//! No WGSL twin: the host sorts.

use std::cmp::Ordering;

/// The numbers `0..count` in the order that `compare` gives them; equal ones by number.
pub fn order_by(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    let mut merged = Vec::with_capacity(count);
    let mut width = 1;
    // Runs of `width` are sorted; two and two become one.
    while width < count {
        for pair in order.chunks(2 * width) {
            let (mut left, mut right) = pair.split_at(width.min(pair.len()));
            while let (Some(&a), Some(&b)) = (left.first(), right.first()) {
                let run = if compare(b, a).is_lt() { &mut right } else { &mut left };
                merged.extend(run.split_off_first());
            }
            merged.extend_from_slice(left);
            merged.extend_from_slice(right);
        }
        std::mem::swap(&mut order, &mut merged);
        merged.clear();
        width *= 2;
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_ones_stay_in_order() {
        let values = [3, 1, 2, 1, 3, 0];
        assert_eq!(order_by(6, &|a, b| values[a].cmp(&values[b])), [5, 1, 3, 2, 0, 4]);
        for count in 0..70 {
            let length = |i: usize| i * 37 % 11;
            let mut expected: Vec<usize> = (0..count).collect();
            expected.sort_by_key(|&i| std::cmp::Reverse(length(i)));
            assert_eq!(order_by(count, &|a, b| length(b).cmp(&length(a))), expected);
        }
    }
}
