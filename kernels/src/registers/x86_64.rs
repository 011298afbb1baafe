//! The registers of x86-64: SSE's, which every processor has, AVX2's and AVX-512's.

use std::arch::x86_64::{
    __m128, __m256, __m256i, __m512, _mm_add_ps, _mm_and_ps, _mm_andnot_ps, _mm_castps_si128,
    _mm_castsi128_ps, _mm_cmpeq_epi32, _mm_div_ps, _mm_load_ss, _mm_loadl_epi64, _mm_loadu_ps,
    _mm_loadu_si128, _mm_max_ps, _mm_min_ps, _mm_movehl_ps, _mm_movelh_ps, _mm_mul_ps, _mm_set1_ps,
    _mm_setzero_si128, _mm_slli_epi32, _mm_store_ss, _mm_storel_epi64, _mm_storeu_ps, _mm_sub_ps,
    _mm_unpacklo_epi16, _mm256_add_ps, _mm256_and_ps, _mm256_andnot_ps, _mm256_castps_si256,
    _mm256_castsi256_ps, _mm256_cmpeq_epi32, _mm256_cmpgt_epi32, _mm256_cvtepu16_epi32, _mm256_div_ps,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_maskload_ps, _mm256_maskstore_ps,
    _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setr_epi32,
    _mm256_setzero_si256, _mm256_slli_epi32, _mm256_storeu_ps, _mm256_sub_ps, _mm512_add_ps,
    _mm512_castps_si512, _mm512_castsi512_ps, _mm512_cvtepu16_epi32, _mm512_div_ps, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_mask_storeu_ps, _mm512_maskz_loadu_ps, _mm512_maskz_mov_ps, _mm512_max_ps,
    _mm512_min_ps, _mm512_mul_ps, _mm512_set1_ps, _mm512_slli_epi32, _mm512_storeu_ps, _mm512_sub_ps,
    _mm512_test_epi32_mask,
};

use super::Register;

/// All bits where the first `count` of 8 values are.
#[target_feature(enable = "avx2")]
#[inline]
fn first(count: usize) -> __m256i {
    _mm256_cmpgt_epi32(_mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
}

/// # Safety
/// `count` values can be read.
#[inline(always)]
unsafe fn load_first(from: *const f32, count: usize) -> __m128 {
    // SAFETY: the caller's promise.
    unsafe {
        let pair = || _mm_castsi128_ps(_mm_loadl_epi64(from.cast()));
        match count {
            0 => _mm_set1_ps(0.0),
            1 => _mm_load_ss(from),
            2 => pair(),
            _ => _mm_movelh_ps(pair(), _mm_load_ss(from.add(2))),
        }
    }
}

/// # Safety
/// `count` values can be written.
#[inline(always)]
unsafe fn store_first(to: *mut f32, count: usize, values: __m128) {
    // SAFETY: the caller's promise.
    unsafe {
        if count >= 2 {
            _mm_storel_epi64(to.cast(), _mm_castps_si128(values));
        }
        match count {
            1 => _mm_store_ss(to, values),
            3 => _mm_store_ss(to.add(2), _mm_movehl_ps(values, values)),
            _ => {}
        }
    }
}

// Of two operands of which one is NaN, the instructions for least and greatest give the second.
register!(
    __m128,
    4,
    _mm_set1_ps,
    _mm_loadu_ps,
    |from: *const u16, second| {
        let from = from.add(if second { 4 } else { 0 });
        _mm_castsi128_ps(_mm_unpacklo_epi16(_mm_setzero_si128(), _mm_loadl_epi64(from.cast())))
    },
    _mm_storeu_ps,
    load_first,
    store_first,
    _mm_add_ps,
    _mm_sub_ps,
    _mm_mul_ps,
    _mm_div_ps,
    |x, y, z| _mm_add_ps(_mm_mul_ps(x, y), z),
    |x, y| _mm_min_ps(y, x),
    |x, y| _mm_max_ps(y, x),
    |x, bits| {
        let without = _mm_cmpeq_epi32(_mm_castps_si128(_mm_and_ps(x, bits)), _mm_setzero_si128());
        _mm_andnot_ps(_mm_castsi128_ps(without), x)
    },
    |y, _| y,
    |k| _mm_castsi128_ps(_mm_slli_epi32::<23>(_mm_castps_si128(k)))
);
register!(
    __m512,
    16,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    |from: *const u16, second| {
        let from = from.add(if second { 16 } else { 0 });
        _mm512_castsi512_ps(_mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()))))
    },
    _mm512_storeu_ps,
    |from, count| _mm512_maskz_loadu_ps((1u16 << count) - 1, from),
    |to, count, values| _mm512_mask_storeu_ps(to, (1u16 << count) - 1, values),
    _mm512_add_ps,
    _mm512_sub_ps,
    _mm512_mul_ps,
    _mm512_div_ps,
    _mm512_fmadd_ps,
    |x, y| _mm512_min_ps(y, x),
    |x, y| _mm512_max_ps(y, x),
    |x, bits| {
        _mm512_maskz_mov_ps(_mm512_test_epi32_mask(_mm512_castps_si512(x), _mm512_castps_si512(bits)), x)
    },
    |y, _| y,
    |k| _mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_castps_si512(k))),
    "avx512f"
);
register!(
    __m256,
    8,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    |from: *const u16, second| {
        let from = from.add(if second { 8 } else { 0 });
        _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()))))
    },
    _mm256_storeu_ps,
    |from, count| _mm256_maskload_ps(from, first(count)),
    |to, count, values| _mm256_maskstore_ps(to, first(count), values),
    _mm256_add_ps,
    _mm256_sub_ps,
    _mm256_mul_ps,
    _mm256_div_ps,
    _mm256_fmadd_ps,
    |x, y| _mm256_min_ps(y, x),
    |x, y| _mm256_max_ps(y, x),
    |x, bits| {
        let without = _mm256_cmpeq_epi32(_mm256_castps_si256(_mm256_and_ps(x, bits)), _mm256_setzero_si256());
        _mm256_andnot_ps(_mm256_castsi256_ps(without), x)
    },
    |y, _| y,
    |k| _mm256_castsi256_ps(_mm256_slli_epi32::<23>(_mm256_castps_si256(k))),
    "avx2,fma"
);
