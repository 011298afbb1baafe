//! WebAssembly's registers, with and without its relaxed instructions.

use std::arch::wasm32::{
    f32x4_add, f32x4_div, f32x4_mul, f32x4_pmax, f32x4_pmin, f32x4_splat, f32x4_sub, i16x8_shuffle, i32x4_eq,
    i32x4_shl, i32x4_splat, v128, v128_and, v128_andnot, v128_load, v128_load32_lane, v128_load32_zero,
    v128_load64_zero, v128_store, v128_store32_lane, v128_store64_lane,
};

use super::Register;

#[cfg(target_feature = "relaxed-simd")]
use std::arch::wasm32::{f32x4_ne, f32x4_relaxed_madd as multiply_add, v128_or};

/// # Safety
/// `count` values can be read.
#[inline(always)]
unsafe fn load_first(from: *const f32, count: usize) -> v128 {
    // SAFETY: the caller's promise.
    unsafe {
        match count {
            0 => f32x4_splat(0.0),
            1 => v128_load32_zero(from.cast()),
            2 => v128_load64_zero(from.cast()),
            _ => v128_load32_lane::<2>(v128_load64_zero(from.cast()), from.add(2).cast()),
        }
    }
}

/// # Safety
/// `count` values can be written.
#[inline(always)]
unsafe fn store_first(to: *mut f32, count: usize, values: v128) {
    // SAFETY: the caller's promise.
    unsafe {
        if count >= 2 {
            v128_store64_lane::<0>(values, to.cast());
        }
        match count {
            1 => v128_store32_lane::<0>(values, to.cast()),
            3 => v128_store32_lane::<2>(values, to.add(2).cast()),
            _ => {}
        }
    }
}

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
fn multiply_add(a: v128, b: v128, c: v128) -> v128 {
    f32x4_add(f32x4_mul(a, b), c)
}

#[cfg(target_feature = "relaxed-simd")]
#[inline(always)]
fn keep_nan(y: v128, x: v128) -> v128 {
    v128_or(y, f32x4_ne(x, x))
}

#[cfg(not(target_feature = "relaxed-simd"))]
#[inline(always)]
fn keep_nan(y: v128, _: v128) -> v128 {
    y
}

// The pseudo-minimum and -maximum give the first operand if one is NaN, but where relaxed instructions are allowed,
// LLVM takes the relaxed ones for them.
register!(
    v128,
    4,
    f32x4_splat,
    v128_load,
    |from: *const u16, second: bool| {
        // One load for both.
        let (zero, halves) = (i32x4_splat(0), v128_load(from.cast()));
        if second {
            i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(zero, halves)
        } else {
            i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(zero, halves)
        }
    },
    v128_store,
    load_first,
    store_first,
    f32x4_add,
    f32x4_sub,
    f32x4_mul,
    f32x4_div,
    multiply_add,
    f32x4_pmin,
    f32x4_pmax,
    |x, bits| v128_andnot(x, i32x4_eq(v128_and(x, bits), i32x4_splat(0))),
    keep_nan,
    |k| i32x4_shl(k, 23)
);
