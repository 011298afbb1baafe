//! What the machine can do: a plain multiply-add loop, the columns of the result in registers, over weights that lie
//! in a cache level.

/// Accumulators of the loop.
const VECTORS: usize = 10;

/// Weights on a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

/// A matrix of `depth` rows, multiplied from the left by a vector again and again.
pub struct Plain {
    weights: Vec<Line>,
    x: Vec<f32>,
}

impl Plain {
    /// So many bytes of weights, approximately.
    pub fn new(bytes: usize) -> Self {
        // Ten vectors of any width and 16 rows are whole lines.
        let depth = (bytes / 4 / (VECTORS * plain::WIDTH)).next_multiple_of(16);
        Self { weights: vec![Line([0.5; 16]); depth * VECTORS * plain::WIDTH / 16], x: vec![0.25; depth] }
    }

    /// Multiplications and additions of one pass.
    pub fn flops(&self) -> u64 {
        2 * (self.weights.len() * 16) as u64
    }

    /// So many passes; a value that depends on all of them.
    pub fn run(&self, times: usize) -> f32 {
        // SAFETY: `weights` holds a row of `VECTORS * WIDTH` values for every value of `x`.
        (0..times)
            .map(|_| unsafe { plain::pass(std::hint::black_box(&self.weights).as_ptr().cast(), &self.x) })
            .sum()
    }
}

/// Defines the pass for one instruction set.
macro_rules! pass {
    ($width:literal, $zero:expr, $splat:ident, $load:expr, $multiply_add:expr, $sum:expr, [$($feature:meta)?]) => {
        /// Values of a vector.
        pub(super) const WIDTH: usize = $width;

        /// One pass.
        ///
        /// # Safety
        /// `weights` holds `VECTORS * WIDTH` values for every value of `x`.
        $(#[$feature])?
        pub(super) unsafe fn pass(weights: *const f32, x: &[f32]) -> f32 {
            let mut sums = [$zero; super::VECTORS];
            let mut row = weights;
            for x in x {
                let x = $splat(*x);
                // Written out, so that a compiler that saves bytes keeps the sums in registers, too.
                pass!(@ $load, $multiply_add, row, x, sums, 0 1 2 3 4 5 6 7 8 9);
                // SAFETY: the caller's promise; behind the last row the pointer is not read.
                row = unsafe { row.add(super::VECTORS * WIDTH) };
            }
            sums.map(|sum| $sum(sum)).iter().sum()
        }
    };
    (@ $load:expr, $multiply_add:expr, $row:ident, $x:ident, $sums:ident, $($i:literal)*) => {
        // SAFETY: the caller's promise.
        $($sums[$i] = $multiply_add($x, unsafe { $load($row.add($i * WIDTH).cast()) }, $sums[$i]);)*
    };
}

#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
mod plain {
    use std::arch::wasm32::{f32x4_extract_lane, f32x4_relaxed_madd, f32x4_splat, v128_load};
    pass!(4, f32x4_splat(0.0), f32x4_splat, v128_load, f32x4_relaxed_madd, f32x4_extract_lane::<0>, []);
}

#[cfg(all(target_arch = "wasm32", not(target_feature = "relaxed-simd")))]
mod plain {
    use std::arch::wasm32::{f32x4_add, f32x4_extract_lane, f32x4_mul, f32x4_splat, v128_load};
    pass!(
        4,
        f32x4_splat(0.0),
        f32x4_splat,
        v128_load,
        |x, w, sum| f32x4_add(f32x4_mul(x, w), sum),
        f32x4_extract_lane::<0>,
        []
    );
}

#[cfg(not(target_arch = "wasm32"))]
mod plain {
    //! On x86-64 for AVX-512, which the binary asks for before it measures ([`super::is_supported`]).
    #[cfg(target_arch = "x86_64")]
    use std::arch::x86_64::{_mm512_cvtss_f32, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps};
    #[cfg(target_arch = "x86_64")]
    pass!(
        16,
        _mm512_set1_ps(0.0),
        _mm512_set1_ps,
        _mm512_loadu_ps,
        _mm512_fmadd_ps,
        |v| _mm512_cvtss_f32(v),
        [target_feature(enable = "avx512f")]
    );
    #[cfg(not(target_arch = "x86_64"))]
    pass!(1, 0.0, f32::from, |p: *const f32| *p, |x: f32, w, sum| x.mul_add(w, sum), |v| v, []);
}

/// Whether the loop can run here.
pub fn is_supported() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    true
}
