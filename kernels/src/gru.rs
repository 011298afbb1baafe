//! GRU cell, gates in PyTorch's order (r, z, n):
//! `n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))`, `h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}`; r, z = sigmoid.
//! The reset gate multiplies the recurrent product *with* its bias, hence two bias vectors that cannot be merged.
//!
//! WGSL twins: `shaders/recurrence.wgsl`, `shaders/recurrence_backward.wgsl`, `shaders/shared/skim_cells.wgsl` and
//! `shaders/shared/skim_cells_backward.wgsl`.

use crate::cell::Cell;
use crate::math::{gate, tanh};
use crate::registers::{blocks, blocks_mut, for_stretches, load_parts, store_parts, with_registers};
use crate::vectorize::vectorize;

/// The gated recurrent unit.
pub(crate) struct Gru;

with_registers! {
    fn forward<V>(x: &[f32], w: &[f32], h_prev: &[f32], saved: &mut [f32], h: &mut [f32]) {
        let n = h.len();
        let keep = !saved.is_empty();
        let (x, w): ([_; 3], [_; 3]) = (blocks(x, n), blocks(w, n));
        let mut saved: [_; 4] = blocks_mut(saved, if keep { n } else { 0 });
        for_stretches!(V, n, j => {
            // SAFETY: the body is compiled for the register's instructions.
            let (x, w, [h_prev]) = unsafe {
                (load_parts::<V, 3>(x, &j), load_parts::<V, 3>(w, &j), load_parts::<V, 1>([h_prev], &j))
            };
            let r = gate(x[0].add(w[0]));
            let z = gate(x[1].add(w[1]));
            let candidate = tanh(r.mul_add(w[2], x[2]));
            if keep {
                store_parts([r, z, candidate, w[2]], &mut saved, &j);
            }
            z.mul_add(h_prev, z.like(&1.0).sub(z).mul(candidate)).store_part(&mut h[j]);
        });
    }
}

vectorize! {
    fn backward(
        saved: &[f32], h_prev: &[f32], dh: &[f32], dx: &mut [f32], dw: &mut [f32], dh_prev: &mut [f32],
    ) {
        let n = dh.len();
        let (sr, s) = saved.split_at(n);
        let (sz, s) = s.split_at(n);
        let (sn, sw) = s.split_at(n);
        let (dxr, dx) = dx.split_at_mut(n);
        let (dxz, dxn) = dx.split_at_mut(n);
        let (dwr, dw) = dw.split_at_mut(n);
        let (dwz, dwn) = dw.split_at_mut(n);
        let (sw, dxn, dwn) = (&sw[..n], &mut dxn[..n], &mut dwn[..n]);
        let (h_prev, dh_prev) = (&h_prev[..n], &mut dh_prev[..n]);
        for j in 0..n {
            let (r, z, candidate) = (sr[j], sz[j], sn[j]);
            let dh = dh[j];
            let dn = dh * (1.0 - z) * (1.0 - candidate * candidate);
            let dr = dn * sw[j] * r * (1.0 - r);
            let dz = dh * (h_prev[j] - candidate) * z * (1.0 - z);
            dxr[j] = dr;
            dwr[j] = dr;
            dxz[j] = dz;
            dwz[j] = dz;
            dxn[j] = dn;
            dwn[j] = dn * r;
            dh_prev[j] = dh * z;
        }
    }
}

impl Cell for Gru {
    const GATES: usize = 3;
    const SAVED: usize = 4;
    const MEMORY: bool = false;

    fn forward(
        x: &[f32],
        w: &[f32],
        h_prev: &[f32],
        _: &[f32],
        saved: &mut [f32],
        h: &mut [f32],
        _: &mut [f32],
    ) {
        forward(x, w, h_prev, saved, h);
    }

    fn backward(
        saved: &[f32],
        h_prev: &[f32],
        _: &[f32],
        _: &[f32],
        _: &[f32],
        dh: &[f32],
        _: &[f32],
        dx: &mut [f32],
        dw: &mut [f32],
        dh_prev: &mut [f32],
        _: &mut [f32],
    ) {
        backward(saved, h_prev, dh, dx, dw, dh_prev);
    }
}
