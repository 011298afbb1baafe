//! GRU cell, gates in PyTorch's order (r, z, n):
//! `n = tanh(W_in x + b_in + r ⊙ (W_hn h + b_hn))`, `h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}`; r, z = sigmoid.
//! The reset gate multiplies the recurrent product *with* its bias, hence two bias vectors that cannot be merged.

use crate::cell::Cell;
use crate::math::{sigmoid, tanh};
use crate::vectorize::vectorize;

/// The gated recurrent unit.
pub struct Gru;

vectorize! {
    fn forward(x: &[f32], w: &[f32], h_prev: &[f32], saved: &mut [f32], h: &mut [f32]) {
        let n = h.len();
        let (xr, x) = x.split_at(n);
        let (xz, xn) = x.split_at(n);
        let (wr, w) = w.split_at(n);
        let (wz, wn) = w.split_at(n);
        let (sr, s) = saved.split_at_mut(n);
        let (sz, s) = s.split_at_mut(n);
        let (sn, sw) = s.split_at_mut(n);
        let (xn, wn, sw, h_prev) = (&xn[..n], &wn[..n], &mut sw[..n], &h_prev[..n]);
        for j in 0..n {
            sr[j] = sigmoid(xr[j] + wr[j]);
            sz[j] = sigmoid(xz[j] + wz[j]);
            sw[j] = wn[j];
            sn[j] = tanh(xn[j] + sr[j] * wn[j]);
            h[j] = (1.0 - sz[j]) * sn[j] + sz[j] * h_prev[j];
        }
    }

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
            let dn = dh[j] * (1.0 - z) * (1.0 - candidate * candidate);
            let dr = dn * sw[j] * r * (1.0 - r);
            let dz = dh[j] * (h_prev[j] - candidate) * z * (1.0 - z);
            dxr[j] = dr;
            dwr[j] = dr;
            dxz[j] = dz;
            dwz[j] = dz;
            dxn[j] = dn;
            dwn[j] = dn * r;
            dh_prev[j] = dh[j] * z;
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
