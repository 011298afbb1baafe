//! Elman cell: `h_t = g(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)`, g = tanh or ReLU (PyTorch `nn.RNN`).
//!
//! WGSL twins: `shaders/recurrence.wgsl` and `shaders/recurrence_backward.wgsl`.

use crate::cell::Cell;
use crate::math::{relu, tanh};
use crate::registers::{for_stretches, load_parts, with_registers};
use crate::vectorize::vectorize;

/// Elman cell with `tanh`.
pub(crate) struct ElmanTanh;
/// Elman cell with `max(0, ·)`.
pub(crate) struct ElmanRelu;

with_registers! {
    fn tanh_forward<V>(x: &[f32], w: &[f32], h: &mut [f32]) {
        for_stretches!(V, h.len(), j => {
            // SAFETY: the body is compiled for the register's instructions.
            let [x, w] = unsafe { load_parts::<V, 2>([x, w], &j) };
            tanh(x.add(w)).store_part(&mut h[j]);
        });
    }
}

with_registers! {
    fn relu_forward<V>(x: &[f32], w: &[f32], h: &mut [f32]) {
        for_stretches!(V, h.len(), j => {
            // SAFETY: the body is compiled for the register's instructions.
            let [x, w] = unsafe { load_parts::<V, 2>([x, w], &j) };
            relu(x.add(w)).store_part(&mut h[j]);
        });
    }
}

vectorize! {
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
        relu_forward(x, w, h);
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
