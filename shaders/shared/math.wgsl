// Bounded transcendental functions (CPU twin: cpu/math.rs). WGSL may assume finite arithmetic, so arguments are
// clamped before `exp`, and `tanh` is built on `exp` since WGSL's own overflows to NaN on some devices.

fn exp_bounded(x: f32) -> f32 {
    return exp(clamp(x, -87.0, 88.0));
}

fn sigmoid(x: f32) -> f32 {
    return 1.0 / (1.0 + exp_bounded(-x));
}

// Below 0.25 an odd polynomial keeps the relative precision that `1 - 2 / (exp(2x) + 1)` would cancel away.
fn tanh_bounded(value: f32) -> f32 {
    let x = clamp(value, -15.0, 15.0);
    let s = x * x;
    let narrow = x + x * s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0))));
    return select(1.0 - 2.0 / (exp(2.0 * x) + 1.0), narrow, s < 0.0625);
}
