//! The processor's vector registers, so that a kernel is written once and compiled for each kind.
//!
//! [`with_registers!`] defines a function that picks the widest at run time. Where the loop of a kernel is simple, the
//! compiler's own vectors do as well: see [`crate::vectorize`].
//!
//! No WGSL twin: a shader has no vector registers to choose.

use std::ops::Range;

/// Values in one register, each to be calculated with by itself.
///
/// Who holds one has shown that the processor has the instructions: hence only the constructors are unsafe.
pub(crate) trait Register: Copy {
    /// How many values, at most 16.
    const WIDTH: usize;

    /// The same value everywhere.
    ///
    /// # Safety
    /// The processor has the instructions of this register.
    unsafe fn splat(value: f32) -> Self;

    /// Values from memory.
    ///
    /// # Safety
    /// The processor has the instructions of this register, and `WIDTH` values can be read.
    unsafe fn load(from: *const f32) -> Self;

    /// Values of which memory holds the upper 16 bits each (bfloat16): the first `WIDTH` or the second.
    ///
    /// # Safety
    /// The processor has the instructions of this register. Memory has `WIDTH` values, for the second `WIDTH` or a register
    /// of 4 twice as many.
    unsafe fn load_halves(from: *const u16, second: bool) -> Self;

    /// Values to memory.
    ///
    /// # Safety
    /// `WIDTH` values can be written.
    unsafe fn store(self, to: *mut f32);

    /// The first `count` values from memory, fewer than `WIDTH`, zeros behind them. Not by way of a copy: what was just
    /// written in pieces cannot be read in one before it has reached the cache.
    ///
    /// # Safety
    /// The processor has the instructions of this register, and `count` values can be read.
    unsafe fn load_first(from: *const f32, count: usize) -> Self;

    /// The first `count` values to memory, fewer than `WIDTH`.
    ///
    /// # Safety
    /// `count` values can be written.
    unsafe fn store_first(self, to: *mut f32, count: usize);

    /// `self + other`.
    fn add(self, other: Self) -> Self;
    /// `self - other`.
    fn sub(self, other: Self) -> Self;
    /// `self * other`.
    fn mul(self, other: Self) -> Self;
    /// `self / other`.
    fn div(self, other: Self) -> Self;
    /// `self * by + plus`, rounded once where the processor can.
    fn mul_add(self, by: Self, plus: Self) -> Self;
    /// The lesser of both; see [`Self::keep_nan`].
    fn at_most(self, other: Self) -> Self;
    /// The greater of both; see [`Self::keep_nan`].
    fn at_least(self, other: Self) -> Self;
    /// Zero where no bit of the representation is set of those that `bits` has; these are an integer each.
    fn zero_without(self, bits: Self) -> Self;
    /// `2^k` where the lowest nine bits hold k + 127, -126 <= k <= 127.
    fn power_of_two(self) -> Self;

    /// NaN where `x` is: to be said of what was calculated from an `x` that [`Self::at_most`] or [`Self::at_least`] has
    /// passed. They keep NaN by themselves, except with WebAssembly's relaxed instructions.
    fn keep_nan(self, x: Self) -> Self;

    /// Work; for registers that not every x86-64 processor has, in a function compiled for their instructions.
    ///
    /// # Safety
    /// The processor has the instructions of this register.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn apart(work: impl Work) {
        // SAFETY: the caller's promise.
        unsafe { work.run::<Self>() }
    }

    /// The same value everywhere, in a register like this one.
    #[inline(always)]
    fn like(self, value: &'static f32) -> Self {
        // V8 makes a constant anew at every use, by three instructions that go through a general register; loading it
        // takes less. A volatile read keeps LLVM from seeing that it is one.
        // SAFETY: a reference can be read.
        #[cfg(target_arch = "wasm32")]
        let value = &unsafe { std::ptr::read_volatile(value) };
        // SAFETY: a register of this kind exists.
        unsafe { Self::splat(*value) }
    }

    /// Up to `WIDTH` values from memory, zeros behind them.
    ///
    /// # Safety
    /// The processor has the instructions of this register.
    #[inline(always)]
    unsafe fn load_part(from: &[f32]) -> Self {
        // SAFETY: the caller vouches for the processor; the values are there.
        unsafe { Self::load_at_most(from.as_ptr(), from.len()) }
    }

    /// To memory, as many values as there is room for.
    #[inline(always)]
    fn store_part(self, to: &mut [f32]) {
        // SAFETY: there is room.
        unsafe { self.store_at_most(to.as_mut_ptr(), to.len()) }
    }

    /// Up to `WIDTH` of `count` values from memory, zeros behind them.
    ///
    /// # Safety
    /// The processor has the instructions of this register, and `count` values can be read.
    #[inline(always)]
    unsafe fn load_at_most(from: *const f32, count: usize) -> Self {
        // SAFETY: the caller's promise.
        unsafe { if count >= Self::WIDTH { Self::load(from) } else { Self::load_first(from, count) } }
    }

    /// To memory that has room for `count` values, as many as fit.
    ///
    /// # Safety
    /// `count` values can be written.
    #[inline(always)]
    unsafe fn store_at_most(self, to: *mut f32, count: usize) {
        // SAFETY: the caller's promise.
        unsafe { if count >= Self::WIDTH { self.store(to) } else { self.store_first(to, count) } }
    }
}

/// What can be done with any kind of register.
#[cfg(target_arch = "x86_64")]
pub(crate) trait Work {
    /// Does it.
    ///
    /// # Safety
    /// The processor has the instructions of `V`.
    unsafe fn run<V: Register>(self);
}

/// The stretch `j` of every slice.
///
/// # Safety
/// The processor has the instructions of the register.
#[inline(always)]
pub(crate) unsafe fn load_parts<V: Register, const N: usize>(from: [&[f32]; N], j: &Range<usize>) -> [V; N] {
    // SAFETY: the caller's promise.
    let mut all = [unsafe { V::splat(0.0) }; N];
    for (part, from) in all.iter_mut().zip(from) {
        // SAFETY: the caller's promise.
        *part = unsafe { V::load_part(&from[j.clone()]) };
    }
    all
}

/// Fills the stretch `j` of every slice.
#[inline(always)]
pub(crate) fn store_parts<V: Register, const N: usize>(
    all: [V; N],
    to: &mut [&mut [f32]; N],
    j: &Range<usize>,
) {
    for (part, to) in all.into_iter().zip(to) {
        part.store_part(&mut to[j.clone()]);
    }
}

/// One value: arithmetic without vectors, and what the compiler makes vectors of where no register below is known.
impl Register for f32 {
    const WIDTH: usize = 1;

    #[inline(always)]
    unsafe fn splat(value: f32) -> f32 {
        value
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> f32 {
        // SAFETY: the caller's promise.
        unsafe { *from }
    }

    #[inline(always)]
    unsafe fn load_halves(from: *const u16, second: bool) -> f32 {
        // SAFETY: the caller's promise.
        f32::from_bits(u32::from(unsafe { *from.add(usize::from(second)) }) << 16)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { *to = self }
    }

    #[inline(always)]
    unsafe fn load_first(_: *const f32, _: usize) -> f32 {
        0.0
    }

    #[inline(always)]
    unsafe fn store_first(self, _: *mut f32, _: usize) {}

    #[inline(always)]
    fn add(self, other: f32) -> f32 {
        self + other
    }

    #[inline(always)]
    fn sub(self, other: f32) -> f32 {
        self - other
    }

    #[inline(always)]
    fn mul(self, other: f32) -> f32 {
        self * other
    }

    #[inline(always)]
    fn div(self, other: f32) -> f32 {
        self / other
    }

    #[inline(always)]
    fn mul_add(self, by: f32, plus: f32) -> f32 {
        // Two roundings: the fused function is a call into a library where the target has no such instruction.
        self * by + plus
    }

    #[inline(always)]
    fn at_most(self, other: f32) -> f32 {
        // Comparisons rather than `min`, so that NaN stays NaN.
        if self > other { other } else { self }
    }

    #[inline(always)]
    fn at_least(self, other: f32) -> f32 {
        if self < other { other } else { self }
    }

    #[inline(always)]
    fn zero_without(self, bits: f32) -> f32 {
        if self.to_bits() & bits.to_bits() == 0 { 0.0 } else { self }
    }

    #[inline(always)]
    fn keep_nan(self, _: f32) -> f32 {
        self
    }

    #[inline(always)]
    fn power_of_two(self) -> f32 {
        f32::from_bits(self.to_bits() << 23)
    }
}

/// Implements [`Register`] by the instructions given.
#[allow(unused_macros, reason = "some targets have no registers of their own")]
macro_rules! register {
    ($register:ty, $width:literal, $splat:path, $load:expr, $load_halves:expr, $store:expr, $load_first:expr, $store_first:expr, $add:path, $sub:path, $mul:path, $div:path,
     $mul_add:expr, $at_most:expr, $at_least:expr, $zero_without:expr, $keep_nan:expr, $power_of_two:expr $(, $features:literal)?) => {
        #[allow(unused_unsafe, reason = "WebAssembly's arithmetic needs no promise")]
        impl Register for $register {
            const WIDTH: usize = $width;

            #[inline(always)]
            unsafe fn splat(value: f32) -> Self {
                // SAFETY: the caller's promise.
                unsafe { $splat(value) }
            }

            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                // SAFETY: the caller's promise.
                unsafe { $load(from.cast()) }
            }

            #[inline(always)]
            unsafe fn load_halves(from: *const u16, second: bool) -> Self {
                // SAFETY: the caller's promise.
                unsafe { $load_halves(from, second) }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: the caller's promise.
                unsafe { $store(to.cast(), self) }
            }

            #[inline(always)]
            unsafe fn load_first(from: *const f32, count: usize) -> Self {
                // SAFETY: the caller's promise.
                unsafe { $load_first(from, count) }
            }

            #[inline(always)]
            unsafe fn store_first(self, to: *mut f32, count: usize) {
                // SAFETY: the caller's promise.
                unsafe { $store_first(to, count, self) }
            }

            $(
                #[target_feature(enable = $features)]
                #[inline(never)]
                unsafe fn apart(work: impl $crate::registers::Work) {
                    // SAFETY: the caller's promise.
                    unsafe { work.run::<Self>() }
                }
            )?

            register!(@ add, $add);
            register!(@ sub, $sub);
            register!(@ mul, $mul);
            register!(@ div, $div);
            register!(@ at_most, $at_most);
            register!(@ at_least, $at_least);
            register!(@ zero_without, $zero_without);
            register!(@ keep_nan, $keep_nan);

            #[inline(always)]
            fn mul_add(self, by: Self, plus: Self) -> Self {
                // SAFETY: a register of this kind exists.
                unsafe { $mul_add(self, by, plus) }
            }

            #[inline(always)]
            fn power_of_two(self) -> Self {
                // SAFETY: a register of this kind exists.
                unsafe { $power_of_two(self) }
            }
        }
    };
    (@ $name:ident, $function:expr) => {
        #[inline(always)]
        fn $name(self, other: Self) -> Self {
            // SAFETY: a register of this kind exists.
            unsafe { $function(self, other) }
        }
    };
}

/// What every processor of the target has.
#[cfg(target_arch = "x86_64")]
pub(crate) type Common = std::arch::x86_64::__m128;
/// What every processor of the target has.
#[cfg(target_arch = "aarch64")]
pub(crate) type Common = std::arch::aarch64::float32x4_t;
/// A module with these instructions is refused as a whole where they are missing.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) type Common = std::arch::wasm32::v128;
/// Left to the compiler.
#[cfg(not(any(
    target_arch = "x86_64",
    target_arch = "aarch64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
pub(crate) type Common = f32;

#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
mod aarch64;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;

/// Runs `$body` for stretches `$j` of `0..$count`: as long as a register is wide, and what is left.
///
/// A macro, since the compiler calls a closure of this size, and a call cannot be made with registers that not every
/// processor has.
macro_rules! for_stretches {
    ($V:ty, $count:expr, $j:ident => $body:block) => {
        let count: usize = $count;
        let whole = count - count % <$V as $crate::registers::Register>::WIDTH;
        let mut first = 0;
        while first < whole {
            let $j = first..first + <$V as $crate::registers::Register>::WIDTH;
            first = $j.end;
            $body
        }
        if whole < count {
            let $j = whole..count;
            $body
        }
    };
}

pub(crate) use for_stretches;

/// Has values brought into the nearest cache while other work is done, where the processor can be asked to.
#[inline(always)]
pub(crate) fn prefetch(values: &[f32]) {
    #[cfg(target_arch = "x86_64")]
    for line in values.chunks(16) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every processor of this kind has the instruction, and the values are there.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = values;
}

/// The blocks of `width` values that `values` begins with.
#[inline(always)]
pub(crate) fn blocks<const N: usize>(values: &[f32], width: usize) -> [&[f32]; N] {
    std::array::from_fn(|i| &values[i * width..(i + 1) * width])
}

/// The blocks of `width` values that `values` begins with, to write to.
#[inline(always)]
pub(crate) fn blocks_mut<const N: usize>(mut values: &mut [f32], width: usize) -> [&mut [f32]; N] {
    std::array::from_fn(|_| {
        let (block, rest) = std::mem::take(&mut values).split_at_mut(width);
        values = rest;
        block
    })
}

/// Defines a function whose body is compiled for each kind of register, `V`, and picks by what the processor has. The
/// body may construct registers of this kind.
macro_rules! with_registers {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<$V:ident>($($arg:ident: $ty:ty),* $(,)?) $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, reason = "kernels take every operand as a plain slice")]
        $vis fn $name($($arg: $ty),*) {
            /// # Safety
            /// The processor has the instructions of the register.
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "kernels take every operand as a plain slice")]
            unsafe fn body<$V: $crate::registers::Register>($($arg: $ty),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f")]
                #[allow(clippy::too_many_arguments, reason = "kernels take every operand as a plain slice")]
                fn avx512($($arg: $ty),*) {
                    // SAFETY: this function is compiled for the register's instructions.
                    unsafe { body::<std::arch::x86_64::__m512>($($arg),*) }
                }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments, reason = "kernels take every operand as a plain slice")]
                fn avx2($($arg: $ty),*) {
                    // SAFETY: this function is compiled for the register's instructions.
                    unsafe { body::<std::arch::x86_64::__m256>($($arg),*) }
                }
                if is_x86_feature_detected!("avx512f") {
                    // SAFETY: the feature was detected on this processor just above.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the features were detected on this processor just above.
                    return unsafe { avx2($($arg),*) };
                }
            }
            // SAFETY: every processor has these.
            unsafe { body::<$crate::registers::Common>($($arg),*) }
        }
    };
}

pub(crate) use with_registers;
