//! LSTM cell, gates in PyTorch's order (i, f, g, o):
//! `c_t = f ⊙ c_{t-1} + i ⊙ g`, `h_t = o ⊙ tanh(c_t)`; i, f, o = sigmoid, g = tanh of `W_ih x + b_ih + W_hh h + b_hh`.
//!
//! WGSL twins: `shaders/recurrence.wgsl`, `shaders/recurrence_backward.wgsl`, `shaders/shared/skim_cells.wgsl` and
//! `shaders/shared/skim_cells_backward.wgsl`.

use crate::cell::Cell;
use crate::math::{gate_divisor, tanh, tanh_fraction};
use crate::registers::{blocks, blocks_mut, for_stretches, load_parts, store_parts, with_registers};
use crate::vectorize::vectorize;

/// The long short-term memory cell.
pub(crate) struct Lstm;

with_registers! {
    fn forward<V>(x: &[f32], w: &[f32], c_prev: &[f32], saved: &mut [f32], h: &mut [f32], c: &mut [f32]) {
        let n = h.len();
        let keep = !saved.is_empty();
        let (x, w): ([_; 4], [_; 4]) = (blocks(x, n), blocks(w, n));
        let mut saved: [_; 4] = blocks_mut(saved, if keep { n } else { 0 });
        let mut state = [h, &mut c[..n]];
        for_stretches!(V, n, j => {
            // SAFETY: the body is compiled for the register's instructions.
            let (x, w, [c_prev]) = unsafe {
                (load_parts::<V, 4>(x, &j), load_parts::<V, 4>(w, &j), load_parts::<V, 1>([c_prev], &j))
            };
            // Three divisions in place of five: products of gates divide by both at once.
            let i = gate_divisor(x[0].add(w[0]));
            let f = gate_divisor(x[1].add(w[1]));
            let (g, g_divisor) = tanh_fraction(x[2].add(w[2]));
            let o = gate_divisor(x[3].add(w[3]));
            let c = c_prev.div(f).add(g.div(i.mul(g_divisor)));
            let (squashed, divisor) = tanh_fraction(c);
            store_parts([squashed.div(o.mul(divisor)), c], &mut state, &j);
            if keep {
                let one = c.like(&1.0);
                store_parts([one.div(i), one.div(f), g.div(g_divisor), one.div(o)], &mut saved, &j);
            }
        });
    }
}

vectorize! {
    fn backward(
        saved: &[f32], c_prev: &[f32], c: &[f32], dh: &[f32], dc: &[f32], dx: &mut [f32], dc_prev: &mut [f32],
    ) {
        let n = dh.len();
        let (si, s) = saved.split_at(n);
        let (sf, s) = s.split_at(n);
        let (sg, so) = s.split_at(n);
        let (di, d) = dx.split_at_mut(n);
        let (df, d) = d.split_at_mut(n);
        let (dg, d_o) = d.split_at_mut(n);
        let (so, d_o) = (&so[..n], &mut d_o[..n]);
        let (c_prev, c, dc, dc_prev) = (&c_prev[..n], &c[..n], &dc[..n], &mut dc_prev[..n]);
        for j in 0..n {
            let (i, f, g, o) = (si[j], sf[j], sg[j], so[j]);
            let t = tanh(c[j]);
            let dh = dh[j];
            let dc = dc[j] + dh * o * (1.0 - t * t);
            di[j] = dc * g * i * (1.0 - i);
            df[j] = dc * c_prev[j] * f * (1.0 - f);
            dg[j] = dc * i * (1.0 - g * g);
            d_o[j] = dh * t * o * (1.0 - o);
            dc_prev[j] = dc * f;
        }
    }
}

impl Cell for Lstm {
    const GATES: usize = 4;
    const SAVED: usize = 4;
    const MEMORY: bool = true;

    fn forward(
        x: &[f32],
        w: &[f32],
        _: &[f32],
        c_prev: &[f32],
        saved: &mut [f32],
        h: &mut [f32],
        c: &mut [f32],
    ) {
        forward(x, w, c_prev, saved, h, c);
    }

    fn backward(
        saved: &[f32],
        _: &[f32],
        c_prev: &[f32],
        _: &[f32],
        c: &[f32],
        dh: &[f32],
        dc: &[f32],
        dx: &mut [f32],
        dw: &mut [f32],
        dh_prev: &mut [f32],
        dc_prev: &mut [f32],
    ) {
        backward(saved, c_prev, c, dh, dc, dx, dc_prev);
        dw.copy_from_slice(dx);
        dh_prev.fill(0.0);
    }
}
