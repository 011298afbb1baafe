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

mod tiles;
mod weights;

use crate::registers::Common;
pub use weights::Packed;
use weights::{Blocks, PANEL, Stored};

/// Panels of bfloat16 weights that are widened together.
const WIDENED: usize = 4;

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
    product(Product::<false> { out_stride: w.outputs, out, start, x, w, backwards: true });
}

/// Multiplies like [`multiply`]; the rows of `out` are `out_stride` values apart.
pub(crate) fn multiply_strided(
    out: &mut [f32],
    out_stride: usize,
    start: Start<'_>,
    x: Rows<'_>,
    w: &Packed,
) {
    product(Product::<false> { out, out_stride, start, x, w, backwards: false });
}

/// Multiplies like [`multiply_strided`] with columns in the place of rows: those of a matrix whose rows are `x.stride` values
/// apart, `x.count` of them. A gradient of a weight is such a product, which then lays its first operand out nowhere.
pub(crate) fn multiply_columns(
    out: &mut [f32],
    out_stride: usize,
    start: Start<'_>,
    x: Rows<'_>,
    w: &Packed,
) {
    product(Product::<true> { out, out_stride, start, x, w, backwards: false });
}

fn product<const TURNED: bool>(mut product: Product<'_, TURNED>) {
    let Product { out_stride, start, x, w, .. } = product;
    if x.count == 0 || w.outputs == 0 {
        return;
    }
    // What is more than can be counted is more than there is.
    let end =
        |rows: usize, stride: usize, last: usize| (rows - 1).saturating_mul(stride).saturating_add(last);
    let out = &mut product.out[..end(x.count, out_stride, w.outputs)];
    if w.inputs == 0 {
        return begin(out, out_stride, w.outputs, start);
    }
    let last = if TURNED { end(w.inputs, x.stride, x.count) } else { end(x.count, x.stride, w.inputs) };
    assert!(x.values.len() >= last, "the rows of a product are there");
    if let Start::Bias(bias) = start {
        assert!(bias.len() >= w.outputs, "a bias has a value for each column");
    }
    match &w.blocks {
        Blocks::F32(blocks) => dispatch(&mut product, blocks.as_ptr().cast::<f32>()),
        Blocks::Bf16(blocks) if x.count == 1 && !TURNED => {
            dispatch(&mut product, blocks.as_ptr().cast::<u16>())
        }
        Blocks::Bf16(blocks) => {
            if TURNED {
                unreachable!("who multiplies columns lays weights out with 32 bits");
            }
            // So many rows that widening some panels at a time does not count.
            for first in (0..w.panels()).step_by(WIDENED) {
                let (out, column) = (&mut product.out[first * PANEL..], first * PANEL);
                let start = match start {
                    Start::Bias(bias) => Start::Bias(&bias[column..]),
                    start => start,
                };
                let w = w.widened(blocks, first..w.panels().min(first + WIDENED));
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

/// A product and the order in which it runs. `TURNED`, the rows of `x` are columns of the matrix that lies in memory.
struct Product<'a, const TURNED: bool> {
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
fn avx512<T: Stored, const TURNED: bool>(product: &mut Product<'_, TURNED>, w: *const T) {
    // SAFETY: this function is compiled for the register's instructions.
    unsafe { product.run::<T, std::arch::x86_64::__m512, 1, 1, 6, 4, 8>(w) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<T: Stored, const TURNED: bool>(product: &mut Product<'_, TURNED>, w: *const T) {
    // SAFETY: this function is compiled for the register's instructions.
    unsafe { product.run::<T, std::arch::x86_64::__m256, 2, 2, 6, 1, 5>(w) }
}

fn common<T: Stored, const TURNED: bool>(product: &mut Product<'_, TURNED>, w: *const T) {
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
fn dispatch<T: Stored, const TURNED: bool>(product: &mut Product<'_, TURNED>, w: *const T) {
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

#[cfg(test)]
mod tests;
