//! Elman cell: `h_t = g(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)`, g = tanh or ReLU (PyTorch `nn.RNN`).

use crate::cell::Cell;
use crate::math::tanh;
use crate::vectorize::vectorize;

/// Elman cell with `tanh`.
pub struct ElmanTanh;
/// Elman cell with `max(0, ·)`.
pub struct ElmanRelu;

vectorize! {
    fn tanh_forward(x: &[f32], w: &[f32], h: &mut [f32]) {
        let n = h.len();
        let (x, w) = (&x[..n], &w[..n]);
        for j in 0..n {
            h[j] = tanh(x[j] + w[j]);
        }
    }

    fn tanh_backward(h: &[f32], dh: &[f32], dx: &mut [f32]) {
        let n = dx.len();
        let (h, dh) = (&h[..n], &dh[..n]);
        for j in 0..n {
            dx[j] = dh[j] * (1.0 - h[j] * h[j]);
        }
    }
}

impl Cell for ElmanTanh {
    const GATES: usize = 1;
    const SAVED: usize = 0;
    const MEMORY: bool = false;

    fn forward(x: &[f32], w: &[f32], _: &[f32], _: &[f32], _: &mut [f32], h: &mut [f32], _: &mut [f32]) {
        tanh_forward(x, w, h);
    }

    fn backward(
        _: &[f32],
        _: &[f32],
        _: &[f32],
        h: &[f32],
        _: &[f32],
        dh: &[f32],
        _: &[f32],
        dx: &mut [f32],
        dw: &mut [f32],
        dh_prev: &mut [f32],
        _: &mut [f32],
    ) {
        tanh_backward(h, dh, dx);
        dw.copy_from_slice(dx);
        dh_prev.fill(0.0);
    }
}

impl Cell for ElmanRelu {
    const GATES: usize = 1;
    const SAVED: usize = 0;
    const MEMORY: bool = false;

    fn forward(x: &[f32], w: &[f32], _: &[f32], _: &[f32], _: &mut [f32], h: &mut [f32], _: &mut [f32]) {
        for ((h, x), w) in h.iter_mut().zip(x).zip(w) {
            *h = (x + w).max(0.0);
        }
    }

    fn backward(
        _: &[f32],
        _: &[f32],
        _: &[f32],
        h: &[f32],
        _: &[f32],
        dh: &[f32],
        _: &[f32],
        dx: &mut [f32],
        dw: &mut [f32],
        dh_prev: &mut [f32],
        _: &mut [f32],
    ) {
        for ((dx, h), dh) in dx.iter_mut().zip(h).zip(dh) {
            *dx = if *h > 0.0 { *dh } else { 0.0 };
        }
        dw.copy_from_slice(dx);
        dh_prev.fill(0.0);
    }
}
