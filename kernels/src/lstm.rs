//! LSTM cell, gates in PyTorch's order (i, f, g, o):
//! `c_t = f ⊙ c_{t-1} + i ⊙ g`, `h_t = o ⊙ tanh(c_t)`; i, f, o = sigmoid, g = tanh of `W_ih x + b_ih + W_hh h + b_hh`.
//!
//! WGSL twins: `shaders/recurrence.wgsl`, `shaders/recurrence_backward.wgsl`, `shaders/shared/skim_cells.wgsl` and
//! `shaders/shared/skim_cells_backward.wgsl`.

use crate::cell::Cell;
use crate::math::{gate_divisor, tanh_fraction};
use crate::registers::{blocks, blocks_mut, for_stretches, load_parts, store_parts, with_registers};

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

with_registers! {
    fn backward<V>(
        saved: &[f32], states: [&[f32]; 2], upstream: [&[f32]; 2], dx: &mut [f32], dw: &mut [f32], dc_prev: &mut [f32],
    ) {
        let n = dc_prev.len();
        let ([c_prev, h], [dh, dc]) = (states, upstream);
        let saved: [_; 4] = blocks(saved, n);
        let (mut dx, mut dw): ([_; 4], [_; 4]) = (blocks_mut(dx, n), blocks_mut(dw, n));
        let mut dc_prev = [dc_prev];
        for_stretches!(V, n, j => {
            // SAFETY: the body is compiled for the register's instructions.
            let ([i, f, g, o], [c_prev, h, dh, dc]) = unsafe {
                (load_parts::<V, 4>(saved, &j), load_parts::<V, 4>([c_prev, h, dh, dc], &j))
            };
            let one = i.like(&1.0);
            // tanh c: o is 2^-63 or more, and what a flushed h tells wrongly is multiplied by an o as small.
            let t = h.div(o);
            let dc = dc.add(dh.mul(o).mul(one.sub(t.mul(t))));
            let gates = [
                dc.mul(g).mul(i.mul(one.sub(i))),
                dc.mul(c_prev).mul(f.mul(one.sub(f))),
                dc.mul(i).mul(one.sub(g.mul(g))),
                dh.mul(h).mul(one.sub(o)),
            ];
            store_parts(gates, &mut dx, &j);
            store_parts(gates, &mut dw, &j);
            store_parts([dc.mul(f)], &mut dc_prev, &j);
        });
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
        h: &[f32],
        _: &[f32],
        dh: &[f32],
        dc: &[f32],
        dx: &mut [f32],
        dw: &mut [f32],
        dh_prev: &mut [f32],
        dc_prev: &mut [f32],
    ) {
        backward(saved, [c_prev, h], [dh, dc], dx, dw, dc_prev);
        dh_prev.fill(0.0);
    }
}
