//! Weights in the order in which a product reads them, and that product.
//!
//! A matrix `w [inputs, outputs]` is cut into panels of sixteen outputs; a panel holds, for every input in turn, its
//! sixteen weights. A tile is some rows by some columns, whose sums a product keeps in registers while it goes through the
//! inputs, so that every value of `x` is loaded once for the columns and every weight once for the rows.
//!
//! Every sum runs over the inputs in order, from what `out` held or zero. The result of a row therefore does not
//! depend on the rows beside it: a text reads the same alone, in a batch and in pieces, to the last bit.
//!
//! No WGSL twin: a GPU product reads a weight as it is stored.

mod weights;

use std::ops::Range;

use crate::registers::{Common, Register};
pub use weights::Packed;
use weights::{Blocks, PANEL, Stored};

/// Inputs in a stretch of a product of many rows: a panel of it fits a first-level cache of 48 KiB.
const STRETCH: usize = 512;

/// Rows that pass over all panels before the next: with a stretch of inputs they stay in the second-level cache.
const ROWS: usize = 192;

/// Inputs in a turn of the innermost loop over a single row.
const TURN: usize = 2;

/// Panels of weights of 16 bits that a single row takes at once: more are no faster in WebAssembly, and code.
const HALVED: usize = if cfg!(target_arch = "wasm32") { 2 } else { 8 };

/// Panels of weights of 16 bits that are widened together.
const WIDENED: usize = 4;

/// Rows of a tile that is a register wide.
const NARROW: usize = 8;

/// Rows of a matrix that are `stride` values apart.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The values; the last row may end early.
    pub values: &'a [f32],
    /// From the first value of a row to that of the next.
    pub stride: usize,
    /// How many rows.
    pub count: usize,
}

impl<'a> Rows<'a> {
    /// A row-major matrix that fills `values`.
    pub fn new(values: &'a [f32], count: usize, columns: usize) -> Self {
        Self { values, stride: columns, count }
    }

    /// A single row.
    pub fn one(values: &'a [f32]) -> Self {
        Self::new(values, 1, values.len())
    }
}

/// What the sums of a product begin with.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// Zero.
    Zero,
    /// The same row of `outputs` values for all rows.
    Bias(&'a [f32]),
    /// What the result holds.
    Out,
}

impl<'a> Start<'a> {
    /// A bias, or zero without one.
    pub fn bias(bias: Option<&'a [f32]>) -> Self {
        bias.map_or(Start::Zero, Start::Bias)
    }
}

/// `out[i, j] = start + sum_k x[i, k] w[k, j]`, rows of `out` end to end.
///
/// # Panics
/// If a slice is too short.
pub fn multiply(out: &mut [f32], start: Start<'_>, x: Rows<'_>, w: &Packed) {
    multiply_strided(out, w.outputs, start, x, w);
}

/// Multiplies like [`multiply`], but goes through the panels from the last to the first. A weight that is larger than a
/// cache and is read forwards and backwards in turn finds there what was read last.
pub(crate) fn multiply_backwards(out: &mut [f32], start: Start<'_>, x: Rows<'_>, w: &Packed) {
    product(Product { out_stride: w.outputs, out, start, x, w, backwards: true });
}

/// Multiplies like [`multiply`]; the rows of `out` are `out_stride` values apart.
pub(crate) fn multiply_strided(
    out: &mut [f32],
    out_stride: usize,
    start: Start<'_>,
    x: Rows<'_>,
    w: &Packed,
) {
    product(Product { out, out_stride, start, x, w, backwards: false });
}

fn product(mut product: Product<'_>) {
    let Product { out_stride, start, x, w, .. } = product;
    if x.count == 0 || w.outputs == 0 {
        return;
    }
    let out = &mut product.out[..(x.count - 1) * out_stride + w.outputs];
    if w.inputs == 0 {
        return begin(out, out_stride, w.outputs, start);
    }
    assert!(x.values.len() >= (x.count - 1) * x.stride + w.inputs, "the rows of a product are there");
    if let Start::Bias(bias) = start {
        assert!(bias.len() >= w.outputs, "a bias has a value for each column");
    }
    match &w.blocks {
        Blocks::Whole(blocks) => dispatch(&mut product, blocks.as_ptr().cast::<f32>()),
        Blocks::Half(halves) if x.count == 1 => dispatch(&mut product, halves.as_ptr().cast::<u16>()),
        Blocks::Half(halves) => {
            // So many rows that widening some panels at a time does not count.
            for first in (0..w.panels()).step_by(WIDENED) {
                let (out, column) = (&mut product.out[first * PANEL..], first * PANEL);
                let start = match start {
                    Start::Bias(bias) => Start::Bias(&bias[column..]),
                    start => start,
                };
                let w = w.widened(halves, first..w.panels().min(first + WIDENED));
                multiply_strided(out, out_stride, start, x, &w);
            }
        }
    }
}

/// The product of rows of zeros: rows of `outputs` values, `stride` apart.
pub(crate) fn begin(out: &mut [f32], stride: usize, outputs: usize, start: Start<'_>) {
    for row in out.chunks_mut(stride.max(1)) {
        match start {
            Start::Zero => row[..outputs].fill(0.0),
            Start::Bias(bias) => row[..outputs].copy_from_slice(bias),
            Start::Out => {}
        }
    }
}

/// A product and the order in which it runs.
struct Product<'a> {
    out: &'a mut [f32],
    out_stride: usize,
    start: Start<'a>,
    x: Rows<'a>,
    w: &'a Packed,
    /// From the last panel to the first.
    backwards: bool,
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn avx512<T: Stored>(product: &mut Product<'_>, w: *const T) {
    // SAFETY: this function is compiled for the register's instructions.
    unsafe { product.run::<T, std::arch::x86_64::__m512, 1, 1, 6, 4, 8>(w) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<T: Stored>(product: &mut Product<'_>, w: *const T) {
    // SAFETY: this function is compiled for the register's instructions.
    unsafe { product.run::<T, std::arch::x86_64::__m256, 2, 2, 6, 1, 5>(w) }
}

fn common<T: Stored>(product: &mut Product<'_>, w: *const T) {
    // SAFETY: every processor has these.
    unsafe {
        // As many sums as there are registers for: 32, 16, or the compiler's own choice.
        #[cfg(target_arch = "aarch64")]
        product.run::<T, Common, 4, 4, 5, 1, 5>(w);
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        product.run::<T, Common, 4, 2, 6, 1, 3>(w);
        #[cfg(target_arch = "x86_64")]
        product.run::<T, Common, 4, 2, 5, 1, 3>(w);
        #[cfg(not(any(
            target_arch = "x86_64",
            target_arch = "aarch64",
            all(target_arch = "wasm32", target_feature = "simd128")
        )))]
        product.run::<T, Common, 16, 16, 2, 1, 2>(w);
    }
}

/// `w` are the weights of the product's matrix.
fn dispatch<T: Stored>(product: &mut Product<'_>, w: *const T) {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512f") {
        // SAFETY: the feature was detected on this processor just above.
        return unsafe { avx512(product, w) };
    }
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        // SAFETY: the features were detected on this processor just above.
        return unsafe { avx2(product, w) };
    }
    common(product, w);
}

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

impl Product<'_> {
    /// Runs it with tiles of up to `R` rows by `P` panels, of whose `ALL` registers a tile takes `C`, or of one row by
    /// up to `S` panels.
    ///
    /// # Safety
    /// The processor has the instructions of `V`.
    #[inline(always)]
    unsafe fn run<
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
            let most = const { if T::MANY || S < HALVED { S } else { HALVED } };
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
    fn groups(&self, size: usize) -> impl Iterator<Item = Range<usize>> + use<> {
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
                self.tile::<T, V, NARROW, 1, 1>(
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
                    unsafe { self.tile::<T, V, N, M, C>(w, rows.start, Columns { panel, register }, stretch.clone()) }
                }));
            }
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
            for r in 0..R {
                x[r] = x[r].add((row + r) * self.x.stride + stretch.start);
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
                    add_products(&mut sums, &x, &w, k);
                }
                x.iter_mut().for_each(|x| *x = x.add(turn));
                w.iter_mut().for_each(|w| *w = w.add(turn * PANEL));
            }
            for _ in 0..stretch.len() % turn {
                add_products(&mut sums, &x, &w, 0);
                x.iter_mut().for_each(|x| *x = x.add(1));
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

/// Where the columns of a tile begin.
#[derive(Clone, Copy)]
struct Columns {
    panel: usize,
    /// In the panel.
    register: usize,
}

/// Adds what the input `k` behind `x` and `w` contributes to every sum.
///
/// # Safety
/// The processor has the instructions of `V`; every row has that input, every panel `C` registers of its weights.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "rows, panels and registers number several arrays each")]
unsafe fn add_products<T: Stored, V: Register, const R: usize, const P: usize, const C: usize>(
    sums: &mut [[[V; C]; P]; R],
    x: &[*const f32; R],
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
            let factor = V::splat(*x[r].add(k));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matmul::View;
    use proptest::prelude::*;

    fn values(count: usize, step: f32) -> Vec<f32> {
        (0..count).map(|i| (i as f32 * step).sin()).collect()
    }

    /// The product by its definition, in double precision.
    fn definition(start: &[f32], x: Rows<'_>, w: &[f32], inputs: usize, outputs: usize) -> Vec<f64> {
        let at = |i: usize, j: usize| {
            let products =
                (0..inputs).map(|k| f64::from(x.values[i * x.stride + k]) * f64::from(w[k * outputs + j]));
            f64::from(start[i * outputs + j]) + products.sum::<f64>()
        };
        (0..x.count).flat_map(|i| (0..outputs).map(move |j| (i, j))).map(|(i, j)| at(i, j)).collect()
    }

    /// Every kernel that this processor has for weights of 16 bits.
    fn halved_kernels() -> Vec<fn(&mut Product<'_>, *const u16)> {
        #[allow(unused_mut, reason = "some processors have one kind of register")]
        let mut kernels: Vec<fn(&mut Product<'_>, *const u16)> = vec![dispatch, common];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the features were detected on this processor just above.
            kernels.push(|product, w| unsafe { avx2(product, w) });
        }
        kernels
    }

    /// The kernels that this processor can run.
    fn kernels() -> Vec<fn(&mut Product<'_>, *const f32)> {
        #[allow(unused_mut, reason = "some processors have one kind of register")]
        let mut kernels: Vec<fn(&mut Product<'_>, *const f32)> = vec![dispatch, common];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the features were detected on this processor just above.
            kernels.push(|product, w| unsafe { avx2(product, w) });
        }
        kernels
    }

    proptest! {
        #[test]
        fn agrees_with_the_definition(rows in 0usize..20, outputs in 0usize..140, inputs in 0usize..40,
                                      gap in 0usize..3, transposed: bool, how in 0..3) {
            let x = values(rows * (inputs + gap), 0.7);
            let x = Rows { values: &x, stride: inputs + gap, count: rows };
            let w = values(inputs * outputs, 1.3);
            let turned = crate::transpose::transpose(&w, outputs);
            let view = if transposed { View::new(&turned, outputs, inputs).t() } else { View::new(&w, inputs, outputs) };
            let start = values(rows * outputs, 0.3);
            let mut out = start.clone();
            let bias = values(outputs, 0.9);
            let (from, start) = match how {
                0 => (Start::Zero, vec![0.0; start.len()]),
                1 => (Start::Bias(&bias), bias.repeat(rows)),
                _ => (Start::Out, start),
            };
            let w_packed = Packed::new(view);
            let want = definition(&start, x, &w, inputs, outputs);
            let check = |out: &[f32]| {
                for (found, want) in out.iter().zip(&want) {
                    prop_assert!((f64::from(*found) - want).abs() < 1e-5 * (inputs + 1) as f64, "{found} not {want}");
                }
                Ok(())
            };
            if rows * inputs * outputs > 0 {
                for kernel in kernels() {
                    let mut out = out.clone();
                    let out_stride = outputs;
                    let mut product = Product { out: &mut out, out_stride, start: from, x, w: &w_packed, backwards: false };
                    let Blocks::Whole(blocks) = &w_packed.blocks else { unreachable!("it is as it was made") };
                    kernel(&mut product, blocks.as_ptr().cast());
                    check(&out)?;
                }
            }
            multiply(&mut out, from, x, &w_packed);
            check(&out)?;
        }

        #[test]
        fn weights_of_16_bits_are_those_nearest(rows in 0usize..20, outputs in 0usize..140, inputs in 0usize..40,
                                                how in 0usize..3) {
            let (x, w) = (values(rows * inputs, 0.7), values(inputs * outputs, 1.3));
            let rounded: Vec<f32> = w.iter().map(|&w| half::bf16::from_f32(w).to_f32()).collect();
            prop_assert!(w.iter().zip(&rounded).all(|(w, r)| (w - r).abs() <= w.abs() / 256.0));
            let [halved, rounded] = [(&w, true), (&rounded, false)].map(|(w, halve)| {
                let w = Packed::new(View::new(w, inputs, outputs));
                let w = if halve { w.halved() } else { w };
                let bias = values(outputs, 0.9);
                let start = [Start::Zero, Start::Bias(&bias), Start::Out][how];
                let mut out = values(rows * outputs, 0.3);
                multiply(&mut out, start, Rows::new(&x, rows, inputs), &w);
                out
            });
            prop_assert_eq!(&halved, &rounded);
        }

        #[test]
        fn weights_of_16_bits_by_every_kernel(outputs in 1usize..140, inputs in 1usize..40) {
            let (x, w) = (values(inputs, 0.7), values(inputs * outputs, 1.3));
            let w = Packed::new(View::new(&w, inputs, outputs)).halved();
            let Blocks::Half(halves) = &w.blocks else { unreachable!("it was halved") };
            let mut expected = vec![0.0; outputs];
            let whole = w.widened(halves, 0..w.panels());
            multiply(&mut expected, Start::Zero, Rows::one(&x), &whole);
            for kernel in halved_kernels() {
                let (mut out, start, x) = (vec![0.0; outputs], Start::Zero, Rows::one(&x));
                let out_stride = outputs;
                let mut product = Product { out: &mut out, out_stride, start, x, w: &w, backwards: false };
                kernel(&mut product, halves.as_ptr().cast());
                // Some processors round once, others twice.
                prop_assert!(out.iter().zip(&expected).all(|(out, expected)| (out - expected).abs() < 1e-5));
            }
        }

        #[test]
        fn a_row_does_not_depend_on_the_rows_beside_it(rows in 1usize..12, outputs in 1usize..60,
                                                       inputs in 1usize..700) {
            let (x, w) = (values(rows * inputs, 0.7), values(inputs * outputs, 1.3));
            let w = Packed::new(View::new(&w, inputs, outputs));
            let mut together = vec![0.0; rows * outputs];
            multiply(&mut together, Start::Zero, Rows::new(&x, rows, inputs), &w);
            for (row, x) in x.chunks_exact(inputs).enumerate() {
                let mut alone = vec![0.0; outputs];
                multiply(&mut alone, Start::Zero, Rows::one(x), &w);
                prop_assert_eq!(&alone[..], &together[row * outputs..(row + 1) * outputs]);
                let mut backwards = vec![0.0; outputs];
                multiply_backwards(&mut backwards, Start::Zero, Rows::one(x), &w);
                prop_assert_eq!(alone, backwards);
            }
        }
    }

    #[test]
    fn many_rows_and_inputs_are_cut_into_stretches() {
        let (rows, inputs, outputs) = (ROWS + 7, 2 * STRETCH + 3, 37);
        let (x, w) = (values(rows * inputs, 0.7), values(inputs * outputs, 1.3));
        let x = Rows::new(&x, rows, inputs);
        let mut out = vec![f32::NAN; rows * outputs];
        multiply(&mut out, Start::Zero, x, &Packed::new(View::new(&w, inputs, outputs)));
        let zeros = vec![0.0; rows * outputs];
        for (found, want) in out.iter().zip(definition(&zeros, x, &w, inputs, outputs)) {
            assert!((f64::from(*found) - want).abs() < 1e-3, "{found} not {want}");
        }
    }
}
