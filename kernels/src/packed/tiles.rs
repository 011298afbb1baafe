//! Tiles of a product: some rows by some columns, whose sums stay in registers.

use std::ops::Range;

use super::weights::{PANEL, Stored};
use super::{Product, Start};
use crate::registers::Register;
#[cfg(target_arch = "x86_64")]
use crate::registers::Work;

/// Inputs in a stretch of a product of many rows: a panel of it fits a first-level cache of 48 KiB.
pub(super) const STRETCH: usize = 512;

/// Rows that pass over all panels before the next: with a stretch of inputs they stay in the second-level cache.
pub(super) const ROWS: usize = 192;

/// Inputs in a turn of the innermost loop over a single row.
const TURN: usize = 2;

/// Panels of bfloat16 weights that a single row takes at once: more are no faster in WebAssembly, and code.
const BF16_PANELS: usize = if cfg!(target_arch = "wasm32") { 2 } else { 8 };

/// Rows of a tile that is a register wide.
const NARROW: usize = 8;

/// Calls `$tile` with a constant for a number from 1 to 8; constants above `$most` are not compiled.
macro_rules! with_constant {
    ($number:expr, $most:expr, $N:ident => $call:expr) => {
        with_constant!(@ $number, $most, $N => $call, 1 2 3 4 5 6 7 8)
    };
    (@ $number:expr, $most:expr, $N:ident => $call:expr, $($value:literal)*) => {
        match $number {
            $($value if $value <= $most => {
                const $N: usize = $value;
                $call
            })*
            _ => unreachable!("at most {} at once", $most),
        }
    };
}

impl<const TURNED: bool> Product<'_, TURNED> {
    /// Runs it with tiles of up to `R` rows by `P` panels, of whose `ALL` registers a tile takes `C`, or of one row by
    /// up to `S` panels.
    ///
    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    pub(super) unsafe fn run<
        T: Stored,
        V: Register,
        const ALL: usize,
        const C: usize,
        const R: usize,
        const P: usize,
        const S: usize,
    >(
        &mut self,
        w: *const T,
    ) {
        const { assert!(ALL * V::WIDTH == PANEL && ALL.is_multiple_of(C), "registers fill a panel") };
        let inputs = self.w.inputs;
        if self.x.count == 1 {
            let most = const { if T::MANY || S < BF16_PANELS { S } else { BF16_PANELS } };
            for panels in self.groups(most) {
                with_constant!(panels.len(), most, N => {
                    // SAFETY: the caller's promise.
                    unsafe { self.tile::<T, V, 1, N, ALL>(w, 0, Columns { panel: panels.start, register: 0 }, 0..inputs) }
                });
            }
            return;
        }
        if !T::MANY {
            unreachable!("weights of 16 bits are widened for several rows");
        }
        for first in (0..self.x.count).step_by(ROWS) {
            let rows = first..self.x.count.min(first + ROWS);
            for input in (0..inputs).step_by(STRETCH) {
                let stretch = input..inputs.min(input + STRETCH);
                for panels in self.groups(P) {
                    // SAFETY: the caller's promise.
                    unsafe { self.rows_by_panels::<T, V, ALL, C, R, P>(w, &rows, panels, &stretch) };
                }
            }
        }
    }

    /// All panels in groups of at most `size`, alike to one panel: one that is left over has too few sums to wait for.
    fn groups(&self, size: usize) -> impl Iterator<Item = Range<usize>> + use<TURNED> {
        alike(0..self.w.panels(), size, self.backwards)
    }

    /// Some rows by a group of panels, `P` or fewer.
    ///
    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    unsafe fn rows_by_panels<
        T: Stored,
        V: Register,
        const ALL: usize,
        const C: usize,
        const R: usize,
        const P: usize,
    >(
        &mut self,
        w: *const T,
        rows: &Range<usize>,
        panels: Range<usize>,
        stretch: &Range<usize>,
    ) {
        let panel = panels.start;
        let columns = self.w.outputs - panel * PANEL;
        let mut rows = rows.clone();
        // A single register of columns leaves registers for more rows.
        while ALL >= 4 && columns <= V::WIDTH && rows.len() >= NARROW {
            // SAFETY: the caller's promise.
            unsafe {
                self.tile_apart::<T, V, NARROW, 1, 1>(
                    w,
                    rows.start,
                    Columns { panel, register: 0 },
                    stretch.clone(),
                )
            };
            rows.start += NARROW;
        }
        for rows in alike(rows, R, false) {
            for register in (0..ALL).step_by(C).filter(|register| register * V::WIDTH < columns) {
                with_constant!(rows.len(), R, N => with_constant!(panels.len(), P, M => {
                    // SAFETY: the caller's promise.
                    unsafe { self.tile_apart::<T, V, N, M, C>(w, rows.start, Columns { panel, register }, stretch.clone()) }
                }));
            }
        }
    }

    /// [`Self::tile`], in a function of its own on x86-64: with all tiles in one function, LLVM reloads strides from the stack
    /// in their innermost loops. V8 passes a function's arguments through memory, so in WebAssembly they stay in one.
    ///
    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    unsafe fn tile_apart<T: Stored, V: Register, const R: usize, const P: usize, const C: usize>(
        &mut self,
        weights: *const T,
        row: usize,
        columns: Columns,
        stretch: Range<usize>,
    ) {
        // SAFETY: the caller's promise.
        #[cfg(target_arch = "x86_64")]
        unsafe {
            V::apart(Tile::<T, TURNED, R, P, C> { product: self, weights, row, columns, stretch })
        }
        // SAFETY: the same.
        #[cfg(not(target_arch = "x86_64"))]
        unsafe {
            self.tile::<T, V, R, P, C>(weights, row, columns, stretch)
        }
    }

    /// `R` rows from `row` by `C` registers of each of `P` panels, over a stretch of the inputs.
    ///
    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "rows, panels and registers number several arrays each")]
    unsafe fn tile<T: Stored, V: Register, const R: usize, const P: usize, const C: usize>(
        &mut self,
        weights: *const T,
        row: usize,
        Columns { panel, register }: Columns,
        stretch: Range<usize>,
    ) {
        debug_assert!(
            row + R <= self.x.count && panel + P <= self.w.panels() && stretch.end <= self.w.inputs
        );
        let (inputs, outputs, out_stride) = (self.w.inputs, self.w.outputs, self.out_stride);
        let first = panel * PANEL + register * V::WIDTH;
        // SAFETY: the caller's promise; [`product`] has looked whether all rows and the bias are there, and only the last
        // panel has fewer columns than registers.
        unsafe {
            // Loops, since the compiler calls a closure.
            let (mut x, mut w) = ([self.x.values.as_ptr(); R], [weights; P]);
            // From row to row, and from one input of a row to the next.
            let (down, along) = if TURNED { (1, self.x.stride) } else { (self.x.stride, 1) };
            for r in 0..R {
                x[r] = x[r].add((row + r) * down + stretch.start * along);
            }
            for p in 0..P {
                w[p] = w[p].add(((panel + p) * inputs + stretch.start) * PANEL + register * V::WIDTH);
            }
            let whole = first + (P - 1) * PANEL + C * V::WIDTH <= outputs;
            // From the first column of a register to the last of all.
            let left = |p: usize, c: usize| outputs.saturating_sub(first + p * PANEL + c * V::WIDTH);
            let mut sums = [[[V::splat(0.0); C]; P]; R];
            let start = if stretch.start > 0 { Start::Out } else { self.start };
            let from = match start {
                Start::Zero => None,
                Start::Bias(bias) => Some((bias.as_ptr(), 0)),
                Start::Out => Some((self.out.as_ptr().add(row * out_stride), out_stride)),
            };
            if let Some((from, stride)) = from {
                for r in 0..R {
                    for p in 0..P {
                        for c in 0..C {
                            let at = r * stride + first + p * PANEL + c * V::WIDTH;
                            sums[r][p][c] = if whole {
                                V::load(from.add(at))
                            } else {
                                V::load_at_most(from.wrapping_add(at), left(p, c))
                            };
                        }
                    }
                }
            }
            // More than one input a turn would have LLVM mix their sums, more of them than there are registers.
            let turn = if R == 1 { TURN } else { 1 };
            for _ in 0..stretch.len() / turn {
                for k in 0..turn {
                    add_products(&mut sums, &x, k * along, &w, k);
                }
                x.iter_mut().for_each(|x| *x = after::<TURNED>(*x, turn * along));
                w.iter_mut().for_each(|w| *w = w.add(turn * PANEL));
            }
            for _ in 0..stretch.len() % turn {
                add_products(&mut sums, &x, 0, &w, 0);
                x.iter_mut().for_each(|x| *x = after::<TURNED>(*x, along));
                w.iter_mut().for_each(|w| *w = w.add(PANEL));
            }
            for r in 0..R {
                let out = self.out.as_mut_ptr().add((row + r) * out_stride + first);
                for p in 0..P {
                    for c in 0..C {
                        let at = p * PANEL + c * V::WIDTH;
                        if whole {
                            sums[r][p][c].store(out.add(at));
                        } else {
                            sums[r][p][c].store_at_most(out.wrapping_add(at), left(p, c));
                        }
                    }
                }
            }
        }
    }
}

/// [`Product::tile`] as work to be done apart.
#[cfg(target_arch = "x86_64")]
struct Tile<'a, 'p, T, const TURNED: bool, const R: usize, const P: usize, const C: usize> {
    product: &'a mut Product<'p, TURNED>,
    weights: *const T,
    row: usize,
    columns: Columns,
    stretch: Range<usize>,
}

#[cfg(target_arch = "x86_64")]
impl<T: Stored, const TURNED: bool, const R: usize, const P: usize, const C: usize> Work
    for Tile<'_, '_, T, TURNED, R, P, C>
{
    #[inline(always)]
    unsafe fn run<V: Register>(self) {
        // SAFETY: the caller's promise.
        unsafe { self.product.tile::<T, V, R, P, C>(self.weights, self.row, self.columns, self.stretch) }
    }
}

/// Where the columns of a tile begin.
#[derive(Clone, Copy)]
struct Columns {
    panel: usize,
    /// In the panel.
    register: usize,
}

/// So many values behind a pointer. Behind the last input of columns that are rows lies nothing that a pointer may name.
///
/// # Safety
/// Of rows, the values are there.
#[inline(always)]
unsafe fn after<const TURNED: bool>(x: *const f32, values: usize) -> *const f32 {
    // SAFETY: the caller's promise.
    if TURNED { x.wrapping_add(values) } else { unsafe { x.add(values) } }
}

/// Adds what the input `k` behind `w` contributes to every sum; it lies `at` values behind `x`.
///
/// # Safety
/// The processor has the instructions of `V`; every row has that input, every panel `C` registers of its weights.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "rows, panels and registers number several arrays each")]
unsafe fn add_products<T: Stored, V: Register, const R: usize, const P: usize, const C: usize>(
    sums: &mut [[[V; C]; P]; R],
    x: &[*const f32; R],
    at: usize,
    w: &[*const T; P],
    k: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut weights = [[V::splat(0.0); C]; P];
        for p in 0..P {
            for c in 0..C {
                weights[p][c] = T::register(w[p].add(k * PANEL), c);
            }
        }
        for r in 0..R {
            let factor = V::splat(*x[r].add(at));
            for p in 0..P {
                for c in 0..C {
                    sums[r][p][c] = factor.mul_add(weights[p][c], sums[r][p][c]);
                }
            }
        }
    }
}

/// A range in groups of at most `size`, alike to one, from the last where `backwards`.
fn alike(all: Range<usize>, size: usize, backwards: bool) -> impl Iterator<Item = Range<usize>> {
    let count = all.len().div_ceil(size);
    (0..count).map(move |group| {
        let group = if backwards { count - 1 - group } else { group };
        all.start + all.len() * group / count..all.start + all.len() * (group + 1) / count
    })
}
