// Bounded transcendental functions. WGSL may assume finite arithmetic, so arguments are
// clamped before `exp`, and `tanh` is built on `exp` since WGSL's own overflows to NaN on some devices.
//
// CPU twin: `kernels/src/math.rs`.

fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// NaN where `x` is, `y` elsewhere: WGSL does not say what `max`, `clamp` and `log` make of NaN.
fn keep_nan(y: f32, x: f32) -> f32 {
    return select(y, x, is_nan(x));
}

fn exp_bounded(x: f32) -> f32 {
    return exp(clamp(x, -87.0, 88.0));
}

// Of `x <= 0`; 0 from -86 downwards, as of what is masked by minus infinity.
fn exp_down(x: f32) -> f32 {
    return select(exp(max(x, -86.0)), 0.0, x <= -86.0);
}

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp_bounded(-x));
}

// The sigmoid of a gate, at least 2^-63.
fn gate(x: f32) -> f32 {
    return sigmoid(max(x, -43.5));
}

// Zero where the magnitude is below 2^-63, which has neither of these bits of the exponent.
fn flush(x: f32) -> f32 {
    return select(x, 0.0, (bitcast<u32>(x) & 0x60000000u) == 0u);
}

// Below 0.25 an odd polynomial keeps the relative precision that `1 - 2 / (exp(2x) + 1)` would cancel away.
fn tanh_bounded(value: f32) -> f32 {
    let x = clamp(value, -15.0, 15.0);
    let s = x * x;
    let narrow = x + x * s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0))));
    return select(1.0 - 2.0 / (exp(2.0 * x) + 1.0), narrow, s < 0.0625);
}

// The natural logarithm of a positive number. WGSL's own may be off by 2^-21, which near 1 may be as much as the
// result. There the series of `2 artanh((x - 1) / (x + 1))` takes its place.
fn log_precise(x: f32) -> f32 {
    let r = (x - 1.0) / (x + 1.0);
    let s = r * r;
    let tail = 1.0 / 9.0 + s * (1.0 / 11.0 + s * (1.0 / 13.0 + s * (1.0 / 15.0)));
    let near = 2.0 * r * (1.0 + s * (1.0 / 3.0 + s * (1.0 / 5.0 + s * (1.0 / 7.0 + s * tail))));
    return select(log(x), near, x > 0.5 && x < 2.0);
}
