//! Skim-RNN with hard decisions: a workgroup a sequence, the time loop inside, one branch a step.
//! variants: lstm gru
//! variants: n64 n128 n256 wide
//!
//! CPU twin: `kernels/src/skim.rs`.

// Skimming must be cheap. It does not change `h[small..]`, so the kernel sums that part's share of the decision only
// after a read, and a skimmed step adds the first `small` products to it. Up to 256 units have one invocation each, h
// in workgroup memory, and c and biases in registers. Such a workgroup is no larger than needed, because invocations
// without a unit cost a skimmed step as much as those with one. `wide` keeps h and c in `state`.

#import math
#import grid
#import skim_cells
#import workgroup_sum

struct Arguments {
    stretches: u32,
    hidden: u32,
    small: u32,
    small_reads: u32,
    input: u32,
    // The number of invocations that share a unit's products.
    big_parts: u32,
    small_parts: u32,
    // First elements of the operands, of c in `state` and of the decisions in `decided`.
    x_first: u32,
    small_x_first: u32,
    decision_x_first: u32,
    c_first: u32,
    decisions_first: u32,
    // First elements within `weights`: matrices are transposed, the decision's is in the layout of the store.
    decision_weight: u32,
    small_weight: u32,
    small_bias: u32,
    big_weight_ih: u32,
    big_bias_ih: u32,
    big_weight_hh: u32,
    big_bias_hh: u32,
    // Skim iff the logits differ by more than this.
    least: f32,
}

@group(0) @binding(0) var<uniform> arguments: Arguments;
// For each stretch: lane, first row, steps, and where its forced decisions begin (0: it has none).
@group(0) @binding(1) var<storage, read> plan: array<u32>;
@group(0) @binding(2) var<storage, read> x: array<f32>;
@group(0) @binding(3) var<storage, read> small_x: array<f32>;
@group(0) @binding(4) var<storage, read> decision_x: array<f32>;
@group(0) @binding(5) var<storage, read> weights: array<f32>;
@group(0) @binding(6) var<storage, read_write> rows: array<f32>;
// h of every lane, then c of every lane: initial before, last after.
@group(0) @binding(7) var<storage, read_write> state: array<f32>;
// Logits of every row, then decisions.
@group(0) @binding(8) var<storage, read_write> decided: array<f32>;

#if n64
const SIZE = 64u;
#endif
#if n128
const SIZE = 128u;
#endif
#if n256 wide
const SIZE = 256u;
#endif
const FORCE_SKIM = 2u;

var<workgroup> partial: array<vec4<f32>, SIZE>;
var<workgroup> skim: u32;
var<private> lane_number: u32 = 0u;

#if n64 n128 n256
var<workgroup> h: array<f32, SIZE>;
// Values of the invocation's own unit: the bias of all sums of the big cell, and of the state's part of the small
// cell's.
var<private> c_own: f32 = 0.0;
var<private> big_bias: vec4<f32> = vec4<f32>();
var<private> small_bias: vec4<f32> = vec4<f32>();

fn own_biases(unit: u32) {
    if unit < arguments.hidden {
        big_bias = big_bias_at(unit);
    }
    if unit < arguments.small {
        small_bias = small_bias_at(unit);
    }
}

fn bias_of(unit: u32, read: bool) -> vec4<f32> {
    return select(small_bias, big_bias, read);
}

fn h_at(unit: u32) -> f32 {
    return h[unit];
}

fn set_h(unit: u32, value: f32) {
    h[unit] = value;
}

fn c_at(unit: u32) -> f32 {
    return c_own;
}

fn set_c(unit: u32, value: f32) {
    c_own = value;
}

fn state_barrier() {
    workgroupBarrier();
}
#else
fn bias_of(unit: u32, read: bool) -> vec4<f32> {
    if read {
        return big_bias_at(unit);
    }
    return small_bias_at(unit);
}

fn h_at(unit: u32) -> f32 {
    return state[lane_number * arguments.hidden + unit];
}

fn set_h(unit: u32, value: f32) {
    state[lane_number * arguments.hidden + unit] = value;
}

#if lstm
fn c_at(unit: u32) -> f32 {
    return state[arguments.c_first + lane_number * arguments.hidden + unit];
}

fn set_c(unit: u32, value: f32) {
    state[arguments.c_first + lane_number * arguments.hidden + unit] = value;
}
#else
fn c_at(unit: u32) -> f32 {
    return 0.0;
}

fn set_c(unit: u32, value: f32) {
}
#endif

fn state_barrier() {
    storageBarrier();
    workgroupBarrier();
}
#endif

// A unit's value in each gate's block of `width` weights.
fn weights_at(at: u32, width: u32) -> vec4<f32> {
#if lstm
    return vec4(weights[at], weights[at + width], weights[at + 2u * width], weights[at + 3u * width]);
#else
    return vec4(weights[at], weights[at + width], weights[at + 2u * width], 0.0);
#endif
}

fn small_x_at(at: u32, width: u32) -> vec4<f32> {
#if lstm
    return vec4(small_x[at], small_x[at + width], small_x[at + 2u * width], small_x[at + 3u * width]);
#else
    return vec4(small_x[at], small_x[at + width], small_x[at + 2u * width], 0.0);
#endif
}

// Every `big_parts`-th product of the big cell's unit with the input and the state.
fn big_sums(row: u32, unit: u32, part: u32) -> vec4<f32> {
    let width = arguments.hidden;
    let x_row = arguments.x_first + row * arguments.input;
#if n64
    let begin = part;
    let step = arguments.big_parts;
#else
    // More than half of the invocations have a unit of their own.
    let begin = 0u;
    let step = 1u;
#endif
    var sums = vec4(0.0);
    for (var k = begin; k < arguments.input; k += step) {
        sums += from_input(x[x_row + k] * weights_at(arguments.big_weight_ih + k * GATES * width + unit, width));
    }
    for (var k = begin; k < width; k += step) {
        sums += from_state(h_at(k) * weights_at(arguments.big_weight_hh + k * GATES * width + unit, width));
    }
    return sums;
}

// Every `small_parts`-th product of the small cell's unit with the state.
fn small_sums(unit: u32, part: u32) -> vec4<f32> {
    let width = arguments.small;
    var sums = vec4(0.0);
    for (var k = part; k < arguments.small_reads; k += arguments.small_parts) {
        sums += from_state(h_at(k) * weights_at(arguments.small_weight + k * GATES * width + unit, width));
    }
    return sums;
}

fn big_bias_at(unit: u32) -> vec4<f32> {
    return from_input(weights_at(arguments.big_bias_ih + unit, arguments.hidden))
        + from_state(weights_at(arguments.big_bias_hh + unit, arguments.hidden));
}

fn small_bias_at(unit: u32) -> vec4<f32> {
    return from_state(weights_at(arguments.small_bias + unit, arguments.small));
}

// The terms of a unit's sums that are not products.
fn constants(row: u32, unit: u32, read: bool) -> vec4<f32> {
    let bias = bias_of(unit, read);
    if read {
        return bias;
    }
    let width = arguments.small;
    return bias + from_input(small_x_at(arguments.small_x_first + row * GATES * width + unit, width));
}

// A step of the big or the small cell. Computes the units that the cell updates and copies the others.
fn advance(row: u32, lane: u32, read: bool) {
    let units = select(arguments.small, arguments.hidden, read);
    let parts = select(arguments.small_parts, arguments.big_parts, read);
    let span = min(units, SIZE);
    for (var first = 0u; first < units; first += SIZE) {
        let unit = first + lane % span;
        let part = lane / span;
        var sums = vec4(0.0);
        var rest = vec4(0.0);
        if part < parts && unit < units {
            if read {
                sums = big_sums(row, unit, part);
            } else {
                sums = small_sums(unit, part);
            }
            if part == 0u {
                rest = constants(row, unit, read);
            }
        }
        partial[lane] = sums;
        workgroupBarrier();
        if part == 0u && unit < units {
            for (var i = 0u; i < parts; i += 1u) {
                rest += partial[lane + i * span];
            }
            let next = advance_unit(activate(rest), h_at(unit), c_at(unit));
            set_c(unit, next.y);
            rows[row * arguments.hidden + unit] = next.x;
#if n64 n128 n256
            // h may change here: all products are in `partial`.
            set_h(unit, next.x);
#endif
        }
#if wide
        workgroupBarrier();
#endif
    }
#if wide
    for (var unit = lane; unit < units; unit += SIZE) {
        set_h(unit, rows[row * arguments.hidden + unit]);
    }
#endif
    for (var unit = lane; unit < arguments.hidden; unit += SIZE) {
        if unit >= units {
            rows[row * arguments.hidden + unit] = h_at(unit);
        }
    }
    state_barrier();
}

// A unit's share of the decision's logits.
fn share(unit: u32) -> vec2<f32> {
    let at = arguments.decision_weight + arguments.input + unit;
    return h_at(unit) * vec2(weights[at], weights[at + arguments.input + arguments.hidden]);
}

// The share of the units that skimming does not change.
fn share_of_rest(lane: u32) -> vec2<f32> {
    var sum = vec2(0.0);
    for (var unit = lane; unit < arguments.hidden; unit += SIZE) {
        if unit >= arguments.small {
            sum += share(unit);
        }
    }
    return workgroup_sum(lane, sum);
}

@compute @workgroup_size(SIZE)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let stretch = group_number(group, groups);
    if stretch >= arguments.stretches {
        return;
    }
    lane_number = plan[4u * stretch];
    let first_row = plan[4u * stretch + 1u];
    let steps = plan[4u * stretch + 2u];
    let forced = plan[4u * stretch + 3u];
#if n64 n128 n256
    own_biases(lane);
    let own = lane_number * arguments.hidden + lane;
    if lane < arguments.hidden {
        set_h(lane, state[own]);
#if lstm
        set_c(lane, state[arguments.c_first + own]);
#endif
    }
    workgroupBarrier();
#endif
    var rest = share_of_rest(lane);
    for (var t = 0u; t < steps; t += 1u) {
        let row = first_row + t;
        if lane == 0u {
            let at = arguments.decision_x_first + 2u * row;
            var logits = vec2(decision_x[at], decision_x[at + 1u]) + rest;
            for (var unit = 0u; unit < arguments.small; unit += 1u) {
                logits += share(unit);
            }
            var decision = u32(logits.y - logits.x > arguments.least);
            if forced > 0u {
                let force = plan[forced + t];
                decision = select(u32(force == FORCE_SKIM), decision, force == 0u);
            }
            skim = decision;
            decided[2u * row] = logits.x;
            decided[2u * row + 1u] = logits.y;
            decided[arguments.decisions_first + row] = f32(decision);
        }
        let read = workgroupUniformLoad(&skim) == 0u;
        advance(row, lane, read);
        if read {
            rest = share_of_rest(lane);
        }
    }
#if n64 n128 n256
    if lane < arguments.hidden {
        state[own] = h_at(lane);
#if lstm
        state[arguments.c_first + own] = c_at(lane);
#endif
    }
#endif
}
