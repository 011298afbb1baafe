//! The registers of 64-bit ARM, which every processor has: NEON's.

use std::arch::aarch64::{
    float32x4_t, vaddq_f32, vandq_u32, vdivq_f32, vdupq_n_f32, vfmaq_f32, vld1_u16, vld1q_f32,
    vld1q_lane_f32, vmaxq_f32, vminq_f32, vmulq_f32, vreinterpretq_f32_s32, vreinterpretq_f32_u32,
    vreinterpretq_s32_f32, vreinterpretq_u32_f32, vshll_n_u16, vshlq_n_s32, vst1q_f32, vst1q_lane_f32,
    vsubq_f32, vtstq_u32,
};

use super::Register;

/// # Safety
/// `count` values can be read.
#[inline(always)]
unsafe fn load_first(from: *const f32, count: usize) -> float32x4_t {
    // SAFETY: the caller's promise.
    unsafe {
        let mut values = vdupq_n_f32(0.0);
        if count > 0 {
            values = vld1q_lane_f32::<0>(from, values);
        }
        if count > 1 {
            values = vld1q_lane_f32::<1>(from.add(1), values);
        }
        if count > 2 {
            values = vld1q_lane_f32::<2>(from.add(2), values);
        }
        values
    }
}

/// # Safety
/// `count` values can be written.
#[inline(always)]
unsafe fn store_first(to: *mut f32, count: usize, values: float32x4_t) {
    // SAFETY: the caller's promise.
    unsafe {
        if count > 0 {
            vst1q_lane_f32::<0>(to, values);
        }
        if count > 1 {
            vst1q_lane_f32::<1>(to.add(1), values);
        }
        if count > 2 {
            vst1q_lane_f32::<2>(to.add(2), values);
        }
    }
}

// The instructions for least and greatest give NaN if one of the operands is.
register!(
    float32x4_t,
    4,
    vdupq_n_f32,
    vld1q_f32,
    |from: *const u16, second| {
        vreinterpretq_f32_u32(vshll_n_u16::<16>(vld1_u16(from.add(if second { 4 } else { 0 }))))
    },
    vst1q_f32,
    load_first,
    store_first,
    vaddq_f32,
    vsubq_f32,
    vmulq_f32,
    vdivq_f32,
    |x, y, z| vfmaq_f32(z, x, y),
    vminq_f32,
    vmaxq_f32,
    |x, bits| {
        let x = vreinterpretq_u32_f32(x);
        vreinterpretq_f32_u32(vandq_u32(x, vtstq_u32(x, vreinterpretq_u32_f32(bits))))
    },
    |y, _| y,
    |k| vreinterpretq_f32_s32(vshlq_n_s32::<23>(vreinterpretq_s32_f32(k)))
);
