//! Gradients of the simple recurrent unit over some steps of every sequence, the last step first.
//!
//! CPU twin: `kernels/src/sru.rs`.
//!
//! An invocation runs one channel of one sequence. `carry` holds `[lanes, n]` gradients of the memory, then what each
//! sequence adds to those of the bias, `[lanes, 2n]`, and in version 2 of the gates' weights, `[lanes, 2n]`.

#import math
#import sru

// c before the row, f, r, what the highway carries.
@group(0) @binding(4) var<storage, read> saved: array<vec4<f32>>;
// Gradient of the rows.
@group(0) @binding(5) var<storage, read> d_rows: array<f32>;
@group(0) @binding(6) var<storage, read_write> carry: array<f32>;
@group(0) @binding(7) var<storage, read_write> d_u: array<f32>;
// Gradient of the skip input if there are 3 products.
@group(0) @binding(8) var<storage, read_write> d_skip: array<f32>;

@compute @workgroup_size(SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) invocation: u32,
) {
    let n = arguments.channels;
    let i = group_number(group, groups) * SIZE + invocation;
    if i >= arguments.alive * n {
        return;
    }
    let lane = lanes[i / n];
    let j = i % n;
    let v = weights_of(j);
    let mask = mask_of(lane, j);
    let c_at = lane.number * n + j;
    let bias_at = arguments.lanes * n + lane.number * 2u * n + j;
    let weight_at = bias_at + arguments.lanes * 2u * n;
    var dc = carry[c_at];
    // Gradients of the bias and of `weight_c`.
    var d_bias = vec2(0.0);
    var d_v = vec2(0.0);
    for (var t = min(arguments.end_step, lane.length); t > arguments.first_step; t -= 1u) {
        let cell = row_at(lane, j, t - 1u) * n + j;
        let kept = saved[cell];
        let before = kept.x;
        let f = kept.y;
        let r = kept.z;
        let carried = kept.w;
        let candidate = u[arguments.u_first + cell * arguments.products];
        let g = activation(f * before + (1.0 - f) * candidate);
        var dh = 0.0;
        if is_set(UPSTREAM) {
            dh = d_rows[cell];
        }
        // h = (g - x) mask r + x in version 2, (g mask - x) r + x in version 1.
        let by_r = select(g * mask - carried, (g - carried) * mask, is_set(WEIGHT_C));
        let by_skip = 1.0 - select(r, mask * r, is_set(WEIGHT_C));
        dc += dh * mask * r * select(1.0, 1.0 - g * g, is_set(TANH));
        let d_gates = vec2(dc * (before - candidate) * f * (1.0 - f), dh * by_r * r * (1.0 - r));
        let at = cell * arguments.products;
        d_u[at] = dc * (1.0 - f);
        d_u[at + 1u] = d_gates.x;
        d_u[at + 2u] = d_gates.y;
        if arguments.products == 4u {
            d_u[at + 3u] = dh * by_skip;
        } else if is_set(SKIP) {
            d_skip[cell] = dh * by_skip * arguments.scale;
        }
        d_bias += d_gates;
        d_v += d_gates * before;
        dc = flush(dc * f + dot(d_gates, v));
    }
    carry[c_at] = dc;
    carry[bias_at] += d_bias.x;
    carry[bias_at + n] += d_bias.y;
    if is_set(WEIGHT_C) {
        carry[weight_at] += d_v.x;
        carry[weight_at + n] += d_v.y;
    }
}
