// The exponential function and the natural logarithm of every number, infinities and NaN included, which WGSL lets an
// implementation assume away: NaN is told by its bits, and infinities are made of theirs. Needs `math`.

// A number by its bits, which WGSL does not let a constant be if it is not finite.
fn of_bits(bits: u32) -> f32 {
    return bitcast<f32>(bits);
}

// `2^k` for -126 <= k <= 127.
fn power_of_two(k: i32) -> f32 {
    return bitcast<f32>(u32(k + 127) << 23u);
}

// WGSL's own exp is off by more the larger the argument. This is `2^k exp(r)` with `|r| <= ln 2 / 2`; ln 2 is taken in two
// parts, so that multiples of the larger are exact.
fn exp_total(x: f32) -> f32 {
    if is_nan(x) {
        return x;
    }
    let bounded = clamp(x, -104.0, 89.0);
    let k = round(bounded * 1.442695);
    let r = (bounded - k * 0.693359375) + k * 2.1219444e-4;
    let bend = 0.49999994 + r * (0.16666521 + r * (0.04166839 + r * (0.008368745 + r * 0.001381454)));
    // In two steps, since neither the largest power nor the least is a normal number.
    let half = i32(k) / 2;
    return (1.0 + (r + r * r * bend)) * power_of_two(half) * power_of_two(i32(k) - half);
}

// The least number for minus infinity, which less itself is no number.
fn above_infinity(x: f32) -> f32 {
    return select(x, -3.4028234e38, bitcast<u32>(x) == 0xff800000u);
}

fn log_total(x: f32) -> f32 {
    if is_nan(x) || bitcast<u32>(x) == 0x7f800000u {
        return x;
    }
    if x > 0.0 {
        return log_precise(x);
    }
    // Minus infinity, and NaN.
    return of_bits(select(0x7fc00000u, 0xff800000u, x == 0.0));
}
