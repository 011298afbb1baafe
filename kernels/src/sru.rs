//! Simple recurrent unit (Lei & Zhang 2017; Lei et al. 2018), the elementwise recurrence after the one matrix product.
//!
//! ```text
//! f_t = sigmoid(u_f + v_f ⊙ c_{t-1} + b_f)      r_t = sigmoid(u_r + v_r ⊙ c_{t-1} + b_r)
//! c_t = f_t ⊙ c_{t-1} + (1 - f_t) ⊙ u_x         h_t = r_t ⊙ g(c_t) + (1 - r_t) ⊙ skip
//! ```
//! `v_f = v_r = 0` in the first version. `u` is interleaved as the `sru` package stores it: column
//! `(direction * hidden + j) * k + m`, m = 0 candidate, 1 forget, 2 reset, 3 skip (only if k = 4). With k = 3 the skip
//! is the layer's input times `scale`, or absent. A mask of one value per lane and channel (dropout) multiplies
//! what the highway adds: version 2 `h = (g(c) - x) mask r + x`, version 1 `h = (g(c) mask - x) r + x`.
//! A backward direction runs from the last row to the first on its own channels.
//!
//! WGSL twins: `shaders/sru.wgsl` and `shaders/sru_backward.wgsl`.

use std::ops::Range;

use crate::math::{FLUSHED, flush_all, gate, is_flushed, tanh};
use crate::recurrence::{block, block_mut};
use crate::registers::{blocks, for_stretches, load_parts, with_registers};
use crate::{BufferPool, Ragged};

/// Operands of the recurrence.
#[derive(Clone, Copy)]
pub struct Arguments<'a> {
    /// The product, `channels * k` columns.
    pub u: Ragged<'a>,
    /// The skip input when k = 3, `channels` columns.
    pub skip: Option<Ragged<'a>>,
    /// Initial memory, a row a lane; zeros if absent.
    pub c0: Option<Ragged<'a>>,
    /// `[v_f, v_r]`, each `channels` long; `None` in version 1.
    pub weight_c: Option<&'a [f32]>,
    /// `[b_f, b_r]`, each `channels` long.
    pub bias: &'a [f32],
    /// Multiplies the skip input when k = 3.
    pub scale: f32,
    /// Whether g is tanh; otherwise the identity.
    pub use_tanh: bool,
    /// Both directions.
    pub bidirectional: bool,
    /// One value per lane and channel.
    pub mask: Option<&'a [f32]>,
    /// Where the mask goes (see the module's head).
    pub version_1: bool,
    /// Keep what [`backward`] needs.
    pub keep: bool,
}

impl Arguments<'_> {
    /// Channels of both directions together.
    pub fn channels(&self) -> usize {
        self.bias.len() / 2
    }

    /// Products per channel: 3 or 4.
    fn products(&self) -> usize {
        self.u.columns.checked_div(self.channels()).unwrap_or(3)
    }

    /// Row visited at step `t` by a channel.
    fn row(&self, channel: usize, lane: usize, t: usize) -> usize {
        let backwards = self.bidirectional && channel >= self.channels() / 2;
        self.u.start(lane) + if backwards { self.u.rows(lane) - 1 - t } else { t }
    }

    /// The memory before step `t` of a channel's direction; none before the first step from zeros.
    fn before<'b>(&'b self, cells: &'b [f32], channel: usize, lane: usize, t: usize) -> Option<&'b [f32]> {
        match t.checked_sub(1) {
            Some(t) => Some(block(cells, self.row(channel, lane, t), self.channels())),
            None => self.c0.map(|c0| c0.row(lane)),
        }
    }

    /// The two gates at a row, given the memory before it.
    #[inline(always)]
    fn gates(&self, u: &[f32], j: usize, k: usize, c: f32) -> (f32, f32) {
        let n = self.channels();
        let (vf, vr) = self.weight_c.map_or((0.0, 0.0), |v| (v[j], v[n + j]));
        let f = gate(u[j * k + 1] + vf * c + self.bias[j]);
        let r = gate(u[j * k + 2] + vr * c + self.bias[n + j]);
        (f, r)
    }

    /// What the highway carries at a row.
    #[inline(always)]
    fn skip(&self, u: &[f32], row: usize, j: usize, k: usize) -> f32 {
        if k == 4 { u[j * k + 3] } else { self.skip.map_or(0.0, |x| x.row(row)[j] * self.scale) }
    }

    /// `(output, its derivative by g(c), by r, by the skip)`.
    #[inline(always)]
    fn highway(&self, g: f32, r: f32, x: f32, mask: f32) -> (f32, f32, f32, f32) {
        if self.version_1 {
            ((g * mask - x) * r + x, mask * r, g * mask - x, 1.0 - r)
        } else {
            ((g - x) * mask * r + x, mask * r, (g - x) * mask, 1.0 - mask * r)
        }
    }

    #[inline(always)]
    fn activation(&self, c: f32) -> f32 {
        if self.use_tanh { tanh(c) } else { c }
    }

    fn mask_of(&self, lane: usize, j: usize) -> f32 {
        self.mask.map_or(1.0, |mask| mask[lane * self.channels() + j])
    }
}

/// Results: `h_t` of every row, last `c` a row a lane, and `c_t` of every row.
pub struct Forward {
    /// `h_t`, `channels` columns.
    pub rows: Vec<f32>,
    /// Last memory (of the backward direction: after its last step, at row 0), a row a lane.
    pub c: Vec<f32>,
    /// `c_t`, `channels` columns, for [`backward`]; empty if not kept.
    pub cells: Vec<f32>,
}

/// Runs every channel of every lane over time.
pub fn forward(buffers: &BufferPool, a: Arguments<'_>) -> Forward {
    let (n, k) = (a.channels(), a.products());
    let (lanes, total) = (a.u.lanes(), a.u.total_rows());
    let kept = if a.keep { total } else { 0 };
    let (rows, cells) = (buffers.take(total * n), buffers.take(kept * n));
    let mut out = Forward { rows, c: vec![0.0; lanes * n], cells };
    let mut planes = vec![0.0; 4 * n];
    // What is absent stands as what changes nothing.
    let (zeros, ones) = (vec![0.0; 2 * n], vec![1.0; n]);
    let weight_c = a.weight_c.unwrap_or(&zeros);
    for lane in 0..lanes {
        let state = block_mut(&mut out.c, lane, n);
        if let Some(c0) = a.c0 {
            state.copy_from_slice(c0.row(lane));
        }
        let mask = a.mask.map_or(&ones[..], |mask| block(mask, lane, n));
        for t in 0..a.u.rows(lane) {
            for half in halves(n, a.bidirectional).filter(|half| !half.is_empty()) {
                let row = a.row(half.start, lane, t);
                let width = half.len();
                let u = &a.u.row(row)[half.start * k..half.end * k];
                let planes = &mut planes[..k * width];
                if k == 4 {
                    part::<4>(u, planes);
                } else {
                    part::<3>(u, planes);
                }
                let (skip, scale) = match a.skip {
                    _ if k == 4 => (&planes[3 * width..], 1.0),
                    Some(skip) => (&skip.row(row)[half.clone()], a.scale),
                    None => (&zeros[..width], 1.0),
                };
                step(
                    blocks(planes, width),
                    skip,
                    scale,
                    of_gates(weight_c, n, &half),
                    of_gates(a.bias, n, &half),
                    &mask[half.clone()],
                    a.use_tanh,
                    a.version_1,
                    &mut state[half.clone()],
                    &mut block_mut(&mut out.rows, row, n)[half.clone()],
                );
                if is_flushed(t, a.u.rows(lane)) {
                    flush_all(&mut state[half.clone()]);
                }
                if a.keep {
                    block_mut(&mut out.cells, row, n)[half.clone()].copy_from_slice(&state[half]);
                }
            }
        }
    }
    out
}

/// The gates of every row, forget then reset, `2 * channels` columns, from the memories that [`forward`] kept.
pub fn gates(a: Arguments<'_>, cells: &[f32]) -> Vec<f32> {
    let (n, k) = (a.channels(), a.products());
    let mut gates = vec![0.0; a.u.total_rows() * 2 * n];
    for lane in 0..a.u.lanes() {
        for t in 0..a.u.rows(lane) {
            for half in halves(n, a.bidirectional) {
                let Some(first) = half.clone().next() else { continue };
                let row = a.row(first, lane, t);
                let before = a.before(cells, first, lane, t);
                let gates = block_mut(&mut gates, row, 2 * n);
                for j in half {
                    (gates[j], gates[n + j]) = a.gates(a.u.row(row), j, k, before.map_or(0.0, |c| c[j]));
                }
            }
        }
    }
    gates
}

/// What belongs to some of `n` channels, of the forget gate and of the reset gate.
fn of_gates<'a>(values: &'a [f32], n: usize, channels: &Range<usize>) -> [&'a [f32]; 2] {
    let (forget, reset) = values.split_at(n);
    [&forget[channels.clone()], &reset[channels.clone()]]
}

/// The `K` products of every channel, laid out with all channels of the first before those of the second.
fn part<const K: usize>(u: &[f32], planes: &mut [f32]) {
    let (channels, _) = u.as_chunks::<K>();
    let n = channels.len();
    let mut planes = planes.chunks_exact_mut(n.max(1));
    for m in 0..K {
        if let Some(plane) = planes.next() {
            plane.iter_mut().zip(channels).for_each(|(value, channel)| *value = channel[m]);
        }
    }
}

with_registers! {
    /// One row of channels of one direction. `u`: candidate, forget, reset; `v` and `bias`: forget, reset.
    fn step<V>(
        u: [&[f32]; 3],
        skip: &[f32],
        scale: f32,
        v: [&[f32]; 2],
        bias: [&[f32]; 2],
        mask: &[f32],
        use_tanh: bool,
        version_1: bool,
        state: &mut [f32],
        h: &mut [f32],
    ) {
        for_stretches!(V, h.len(), j => {
            // SAFETY: the body is compiled for the register's instructions.
            let ([candidate, u_f, u_r], [v_f, v_r], [b_f, b_r], [c, mask, x], scale) = unsafe {
                (
                    load_parts::<V, 3>(u, &j),
                    load_parts::<V, 2>(v, &j),
                    load_parts::<V, 2>(bias, &j),
                    load_parts::<V, 3>([state, mask, skip], &j),
                    V::splat(scale),
                )
            };
            let x = x.mul(scale);
            let f = gate(v_f.mul_add(c, u_f.add(b_f)));
            let r = gate(v_r.mul_add(c, u_r.add(b_r)));
            let c = f.mul_add(c.sub(candidate), candidate);
            c.store_part(&mut state[j.clone()]);
            let g = if use_tanh { tanh(c) } else { c };
            let added = if version_1 { g.mul(mask).sub(x) } else { g.sub(x).mul(mask) };
            added.mul_add(r, x).store_part(&mut h[j]);
        });
    }
}

/// Channels of each direction.
fn halves(n: usize, bidirectional: bool) -> impl Iterator<Item = Range<usize>> {
    let middle = if bidirectional { n / 2 } else { n };
    [0..middle, middle..n].into_iter()
}

/// Gradients of the operands.
pub struct Backward {
    /// Of the product.
    pub u: Vec<f32>,
    /// Of the skip input (empty if k = 4 or it is absent).
    pub skip: Vec<f32>,
    /// Of the initial memory, a row a lane.
    pub c0: Vec<f32>,
}

/// Runs time backwards; gates are recomputed from `u` and `cells`. Gradients of weights are added to.
pub fn backward(
    buffers: &BufferPool,
    a: Arguments<'_>,
    cells: &[f32],
    up_rows: Option<&[f32]>,
    up_c: Option<&[f32]>,
    mut d_weight_c: Option<&mut [f32]>,
    d_bias: &mut [f32],
) -> Backward {
    let (n, k) = (a.channels(), a.products());
    let (lanes, total) = (a.u.lanes(), a.u.total_rows());
    let mut out = Backward {
        u: buffers.take(total * n * k),
        skip: if k == 3 && a.skip.is_some() { buffers.take(total * n) } else { Vec::new() },
        c0: up_c.map_or_else(|| vec![0.0; lanes * n], <[f32]>::to_vec),
    };
    for lane in 0..lanes {
        for t in (0..a.u.rows(lane)).rev() {
            for half in halves(n, a.bidirectional) {
                let Some(first) = half.clone().next() else { continue };
                let row = a.row(first, lane, t);
                let u = a.u.row(row);
                let before = a.before(cells, first, lane, t);
                let du = block_mut(&mut out.u, row, n * k);
                for j in half {
                    let c_prev = before.map_or(0.0, |c| c[j]);
                    let (f, r) = a.gates(u, j, k, c_prev);
                    let c = cells[row * n + j];
                    let g = a.activation(c);
                    let x = a.skip(u, row, j, k);
                    let (_, by_g, by_r, by_skip) = a.highway(g, r, x, a.mask_of(lane, j));
                    let dh = up_rows.map_or(0.0, |up| up[row * n + j]);
                    let slope = if a.use_tanh { 1.0 - g * g } else { 1.0 };
                    let dc = out.c0[lane * n + j] + dh * by_g * slope;
                    let df = dc * (c_prev - u[j * k]) * f * (1.0 - f);
                    let dr = dh * by_r * r * (1.0 - r);
                    du[j * k] = dc * (1.0 - f);
                    du[j * k + 1] = df;
                    du[j * k + 2] = dr;
                    if k == 4 {
                        du[j * k + 3] = dh * by_skip;
                    } else if !out.skip.is_empty() {
                        out.skip[row * n + j] = dh * by_skip * a.scale;
                    }
                    d_bias[j] += df;
                    d_bias[n + j] += dr;
                    let mut dc_prev = dc * f;
                    if let (Some(v), Some(dv)) = (a.weight_c, d_weight_c.as_deref_mut()) {
                        dc_prev += df * v[j] + dr * v[n + j];
                        dv[j] += df * c_prev;
                        dv[n + j] += dr * c_prev;
                    }
                    out.c0[lane * n + j] = dc_prev;
                }
            }
            if t.is_multiple_of(FLUSHED) {
                flush_all(block_mut(&mut out.c0, lane, n));
            }
        }
    }
    out
}
