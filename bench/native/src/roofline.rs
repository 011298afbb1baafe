//! What the machine can do: a plain multiply-add loop, the columns of the result in registers, over weights that lie
//! in a cache level.

/// Accumulators of the loop.
const VECTORS: usize = 10;

/// A matrix of `depth` rows, multiplied from the left by a vector again and again.
pub struct Plain {
    weights: Vec<f32>,
    x: Vec<f32>,
}

impl Plain {
    /// So many bytes of weights, approximately.
    pub fn new(bytes: usize) -> Self {
        let depth = bytes / 4 / (VECTORS * plain::WIDTH);
        Self { weights: vec![0.5; depth * VECTORS * plain::WIDTH], x: vec![0.25; depth] }
    }

    /// Multiplications and additions of one pass.
    pub fn flops(&self) -> u64 {
        2 * self.weights.len() as u64
    }

    /// So many passes; a value that depends on all of them.
    pub fn run(&self, times: usize) -> f32 {
        // SAFETY: `weights` holds a row of `VECTORS * WIDTH` values for every value of `x`.
        (0..times).map(|_| unsafe { plain::pass(std::hint::black_box(&self.weights), &self.x) }).sum()
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
        pub(super) unsafe fn pass(weights: &[f32], x: &[f32]) -> f32 {
            let mut sums = [$zero; super::VECTORS];
            for (k, x) in x.iter().enumerate() {
                let x = $splat(*x);
                for (i, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: the caller's promise.
                    let weight = unsafe { $load(weights.as_ptr().add((k * super::VECTORS + i) * WIDTH).cast()) };
                    *sum = $multiply_add(x, weight, *sum);
                }
            }
            sums.map($sum).iter().sum()
        }
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
