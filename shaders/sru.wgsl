//! Simple recurrent unit over some steps of every sequence.
//!
//! CPU twin: `kernels/src/sru.rs`.
//!
//! An invocation runs one channel of one sequence with its memory in a register, so that no invocation waits for
//! another. Between launches the memory is in `last_c`.

#import math
#import sru

// The input of the highway if there are 3 products.
@group(0) @binding(4) var<storage, read> skip: array<f32>;
// `[b_f, b_r]`.
@group(0) @binding(5) var<storage, read> bias: array<f32>;
// One row a sequence.
@group(0) @binding(6) var<storage, read_write> last_c: array<f32>;
@group(0) @binding(7) var<storage, read_write> rows: array<f32>;
// For `sru_backward.wgsl`: c before the row, f, r, what the highway carries.
@group(0) @binding(8) var<storage, read_write> saved: array<vec4<f32>>;

// The candidate, forget and reset products of channel `j` at step `t`, and the value that its highway carries.
fn operands(lane: Lane, j: u32, t: u32) -> vec4<f32> {
    let cell = row_at(lane, j, t) * arguments.channels + j;
    let at = arguments.u_first + cell * arguments.products;
    var carried = 0.0;
    if arguments.products == 4u {
        carried = u[at + 3u];
    } else if is_set(SKIP) {
        carried = skip[arguments.skip_first + cell] * arguments.scale;
    }
    return vec4(u[at], u[at + 1u], u[at + 2u], carried);
}

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
    let b = vec2(bias[j], bias[n + j]);
    let mask = mask_of(lane, j);
    let end = min(arguments.end_step, lane.length);
    var c = last_c[lane.number * n + j];
    // Reads one step ahead, so that a step's arithmetic hides the latency of the memory.
    var next = operands(lane, j, arguments.first_step);
    for (var t = arguments.first_step; t < end; t += 1u) {
        let here = next;
        next = operands(lane, j, min(t + 1u, end - 1u));
        let f = gate(here.y + v.x * c + b.x);
        let r = gate(here.z + v.y * c + b.y);
        let cell = row_at(lane, j, t) * n + j;
        if is_set(KEEP) {
            saved[cell] = vec4(c, f, r, here.w);
        }
        c = flush(f * c + (1.0 - f) * here.x);
        let g = activation(c);
        let added = select((g * mask - here.w) * r, (g - here.w) * mask * r, is_set(WEIGHT_C));
        rows[cell] = added + here.w;
    }
    last_c[lane.number * n + j] = c;
}
