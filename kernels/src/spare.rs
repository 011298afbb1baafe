//! Memory that is used again. An allocator gives large pieces back to the system as soon as they are free, and every page
//! of the next one is then a fault and a page to clear: a third of the time of a large batch. In WebAssembly, whose memory
//! is never given back, it clears them by hand.
//!
//! No WGSL twin: buffers of a GPU have a pool of their own.

use std::cell::RefCell;

/// Values of the smallest piece that is kept: allocators have smaller ones at hand.
const LEAST: usize = 1 << 14;

/// Values that a thread keeps at most: 32 MiB.
const MOST: usize = 1 << 23;

/// Pieces that nobody uses.
struct Spare {
    pieces: Vec<Vec<f32>>,
    /// The values of all.
    count: usize,
}

thread_local! {
    static SPARE: RefCell<Spare> = const { RefCell::new(Spare { pieces: Vec::new(), count: 0 }) };
}

/// So many values, whatever they are: for results of which every value is written.
#[inline(never)]
pub fn room(count: usize) -> Vec<f32> {
    let fits = |piece: &Vec<f32>| piece.capacity() >= count && piece.capacity() / 2 <= count;
    let fitting = SPARE.with_borrow_mut(|spare| {
        let at = spare.pieces.iter().position(fits)?;
        let piece = spare.pieces.swap_remove(at);
        spare.count -= piece.capacity();
        Some(piece)
    });
    let Some(mut values) = fitting else { return vec![0.0; count] };
    values.resize(count, 0.0);
    values
}

/// Takes memory that is not needed any more.
#[inline(never)]
pub fn give_back(values: Vec<f32>) {
    SPARE.with_borrow_mut(|spare| {
        if values.capacity() >= LEAST && spare.count + values.capacity() <= MOST {
            spare.count += values.capacity();
            spare.pieces.push(values);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_fits_is_used_again_and_others_are_not() {
        let first = room(LEAST + 5);
        let at = first.as_ptr();
        give_back(first);
        let (small, large) = (room(LEAST / 2), room(4 * LEAST));
        assert_ne!(small.as_ptr(), at, "too small to be kept");
        assert_ne!(large.as_ptr(), at, "too large for it");
        let (again, other) = (room(LEAST), room(LEAST));
        assert_eq!((again.as_ptr(), again.len()), (at, LEAST));
        assert_ne!(other.as_ptr(), at, "somebody has it");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        for _ in 0..3 {
            give_back(Vec::with_capacity(MOST / 2));
        }
        give_back(Vec::with_capacity(2 * MOST));
        let kept = SPARE.with_borrow(|spare| spare.pieces.iter().map(Vec::capacity).sum::<usize>());
        assert_eq!(kept, MOST);
    }
}
