//! Memory that is used again. Natively an allocator gives large pieces back to the system as soon as they are free, and
//! every page of the next one is then a fault and a page to clear: a third of the time of a large batch. WebAssembly's
//! memory is never given back, so there is nothing to do for it.

#[cfg(not(target_arch = "wasm32"))]
pub use native::{give_back, room};

/// So many values, whatever they are: for results of which every value is written.
#[cfg(target_arch = "wasm32")]
pub fn room(count: usize) -> Vec<f32> {
    vec![0.0; count]
}

/// Takes memory that is not needed any more.
#[cfg(target_arch = "wasm32")]
pub fn give_back(_: Vec<f32>) {}

#[cfg(not(target_arch = "wasm32"))]
mod native {
    use std::cell::RefCell;

    /// Values of the smallest piece that is kept: allocators have smaller ones at hand.
    const LEAST: usize = 1 << 14;

    /// Values that a thread keeps at most: 32 MiB.
    const MOST: usize = 1 << 23;

    thread_local! {
        static SPARE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
    }

    /// So many values, whatever they are: for results of which every value is written.
    pub fn room(count: usize) -> Vec<f32> {
        if count < LEAST {
            return vec![0.0; count];
        }
        let fitting = SPARE.with_borrow_mut(|spare| {
            let fits = |values: &Vec<f32>| values.capacity() >= count && values.capacity() / 2 <= count;
            let at = (0..spare.len()).filter(|&i| fits(&spare[i])).min_by_key(|&i| spare[i].capacity())?;
            Some(spare.swap_remove(at))
        });
        let Some(mut values) = fitting else { return vec![0.0; count] };
        values.resize(count, 0.0);
        values
    }

    /// Takes memory that is not needed any more.
    pub fn give_back(values: Vec<f32>) {
        if values.capacity() < LEAST {
            return;
        }
        SPARE.with_borrow_mut(|spare| {
            let kept: usize = spare.iter().map(Vec::capacity).sum();
            if kept + values.capacity() <= MOST {
                spare.push(values);
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
            let kept = SPARE.with_borrow(|spare| spare.iter().map(Vec::capacity).sum::<usize>());
            assert_eq!(kept, MOST);
        }
    }
}
