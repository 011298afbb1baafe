//! Run-time choice of the vector width.
//!
//! The compiler's baseline for x86-64 is SSE2. [`vectorize!`] compiles one function three times (AVX-512, AVX2,
//! baseline) and picks by what the processor has. Elsewhere (wasm simd128, aarch64) the target's own features
//! are already the best there is, and the macro adds nothing.
//!
//! No WGSL twin: a shader has no vector width to choose.

/// Defines functions whose loops are compiled for each vector width of the processor.
macro_rules! vectorize {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $ty:ty),* $(,)?) $body:block)*) => {$(
        $(#[$meta])*
        #[allow(clippy::too_many_arguments, reason = "kernels take every operand as a plain slice")]
        $vis fn $name($($arg: $ty),*) {
            #[inline(always)]
            #[allow(clippy::too_many_arguments, reason = "kernels take every operand as a plain slice")]
            fn portable($($arg: $ty),*) $body

            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw,avx2,fma")]
                #[allow(clippy::too_many_arguments, reason = "kernels take every operand as a plain slice")]
                fn avx512($($arg: $ty),*) { portable($($arg),*) }
                #[target_feature(enable = "avx2,fma")]
                #[allow(clippy::too_many_arguments, reason = "kernels take every operand as a plain slice")]
                fn avx2($($arg: $ty),*) { portable($($arg),*) }

                if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq") && is_x86_feature_detected!("avx512bw")
                {
                    // SAFETY: the features were detected on this processor just above.
                    return unsafe { avx512($($arg),*) };
                }
                if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                    // SAFETY: the features were detected on this processor just above.
                    return unsafe { avx2($($arg),*) };
                }
            }
            portable($($arg),*)
        }
    )*};
}

pub(crate) use vectorize;
