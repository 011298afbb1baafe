//! A pool of buffers for results.
//!
//! An allocator gives large pieces back to the system as soon as they are free. Every page of the next piece is then a
//! page fault and a page to clear: a third of the time of a large batch. In WebAssembly, whose memory is never given back,
//! the allocator clears the pages itself.
//!
//! No WGSL twin: buffers of the GPU have a pool of their own (`device/gpu/buffer.rs`).

use std::sync::{Mutex, PoisonError};

/// Values of the smallest buffer that a pool keeps: allocators have smaller ones at hand.
const LEAST: usize = 1 << 14;

/// Values that a pool keeps at most: 32 MiB in WebAssembly, whose memory is never given back, and 256 MiB elsewhere, since the
/// scores of a batch over all words of a large vocabulary take 70 MB.
const MOST: usize = if cfg!(target_arch = "wasm32") { 1 << 23 } else { 1 << 26 };

/// Buffers that nobody uses, kept for the next result of about their size.
#[derive(Debug, Default)]
pub struct BufferPool {
    free: Mutex<Free>,
}

#[derive(Debug, Default)]
struct Free {
    buffers: Vec<Vec<f32>>,
    /// The capacities of all buffers, in values.
    capacity: usize,
}

impl BufferPool {
    /// `count` values, whatever they are: for a kernel that writes every one of them.
    #[inline(never)]
    pub fn take(&self, count: usize) -> Vec<f32> {
        if count < LEAST / 2 {
            return vec![0.0; count];
        }
        let fits = |buffer: &Vec<f32>| buffer.capacity() >= count && buffer.capacity() / 2 <= count;
        let found = {
            let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
            let fitting = free.buffers.iter().enumerate().filter(|(_, buffer)| fits(buffer));
            let at = fitting.min_by_key(|(_, buffer)| buffer.capacity()).map(|(at, _)| at);
            at.map(|at| {
                let buffer = free.buffers.swap_remove(at);
                free.capacity -= buffer.capacity();
                buffer
            })
        };
        // Of a rounded size, so that the next minibatch, which has some rows more, finds room in it.
        let mut values = found.unwrap_or_else(|| vec![0.0; rounded(count)]);
        values.resize(count, 0.0);
        values
    }

    /// `count` zeros.
    pub fn zeros(&self, count: usize) -> Vec<f32> {
        if count < LEAST / 2 {
            return vec![0.0; count];
        }
        let mut values = self.take(count);
        values.fill(0.0);
        values
    }

    /// A copy of `values`.
    pub fn copy(&self, values: &[f32]) -> Vec<f32> {
        if values.len() < LEAST / 2 {
            return values.to_vec();
        }
        let mut copy = self.take(values.len());
        copy.copy_from_slice(values);
        copy
    }

    /// Keeps a buffer that is not needed any more, if there is room for it.
    #[inline(never)]
    pub fn give_back(&self, values: Vec<f32>) {
        if values.capacity() < LEAST {
            return;
        }
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.capacity + values.capacity() <= MOST {
            free.capacity += values.capacity();
            free.buffers.push(values);
        }
    }
}

/// The next larger of eight sizes between neighbouring powers of two.
fn rounded(count: usize) -> usize {
    count.next_multiple_of((count.next_power_of_two() / 16).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_that_fits_is_used_again_and_others_are_not() {
        let pool = BufferPool::default();
        let first = pool.take(LEAST + 5);
        let at = first.as_ptr();
        pool.give_back(first);
        let (small, large) = (pool.take(LEAST / 2), pool.take(4 * LEAST));
        assert_ne!(small.as_ptr(), at, "too small to be kept");
        assert_ne!(large.as_ptr(), at, "too large for it");
        let (again, other) = (pool.take(LEAST), pool.take(LEAST));
        assert_eq!((again.as_ptr(), again.len()), (at, LEAST));
        assert_ne!(other.as_ptr(), at, "somebody has it");
    }

    #[test]
    fn the_smallest_that_fits_is_taken_and_a_new_one_has_room_for_some_more() {
        let pool = BufferPool::default();
        let (large, small) = (pool.take(2 * LEAST), pool.take(LEAST + 1));
        let at = small.as_ptr();
        pool.give_back(large);
        pool.give_back(small);
        let again = pool.take(LEAST + LEAST / 10);
        assert_eq!((again.as_ptr(), again.len()), (at, LEAST + LEAST / 10));
    }

    #[test]
    fn zeros_are_zeros_whoever_had_the_buffer_before() {
        let pool = BufferPool::default();
        pool.give_back(vec![7.0; LEAST]);
        assert!(pool.zeros(LEAST).iter().all(|&value| value == 0.0));
        pool.give_back(vec![7.0; LEAST]);
        assert_eq!(pool.copy(&vec![3.0; LEAST]), vec![3.0; LEAST]);
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let pool = BufferPool::default();
        for _ in 0..3 {
            pool.give_back(Vec::with_capacity(MOST / 2));
        }
        pool.give_back(Vec::with_capacity(2 * MOST));
        let free = pool.free.lock().unwrap();
        assert_eq!((free.capacity, free.buffers.iter().map(Vec::capacity).sum()), (MOST, MOST));
    }
}
