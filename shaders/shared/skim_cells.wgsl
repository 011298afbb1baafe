// One unit of a cell, forward and backward, from four sums (CPU twins: cpu/lstm.rs, cpu/gru.rs). LSTM: the sums in front of i, f, g, o. GRU:
// those in front of r and z, then the input's and the state's share of n, which the reset gate keeps apart.

#import math

// Gradients of a unit's step, gate by gate: of the sums' input part and of their state part; and of the unit's h and c
// before it, as far as they do not pass through the sums.
struct UnitGradients {
    input: vec4<f32>,
    state: vec4<f32>,
    h: f32,
    c: f32,
}

#if lstm
const GATES = 4u;

// The sums to which an input's product with the gates' weights adds.
fn from_input(gates: vec4<f32>) -> vec4<f32> {
    return gates;
}

// The sums to which a state's product with the gates' weights adds.
fn from_state(gates: vec4<f32>) -> vec4<f32> {
    return gates;
}

// i, f, g, o.
fn activate(sums: vec4<f32>) -> vec4<f32> {
    return vec4(sigmoid(sums.x), sigmoid(sums.y), tanh_bounded(sums.z), sigmoid(sums.w));
}

// h and c after a step.
fn advance_unit(gates: vec4<f32>, h: f32, c: f32) -> vec2<f32> {
    let next = gates.y * c + gates.x * gates.z;
    return vec2(gates.w * tanh_bounded(next), next);
}

// From the activated gates, h and c before the step, c after it, and the gradients of h and c after it.
fn retreat_unit(gates: vec4<f32>, h: f32, c: f32, c_after: f32, dh: f32, dc_after: f32) -> UnitGradients {
    let t = tanh_bounded(c_after);
    let dc = dc_after + dh * gates.w * (1.0 - t * t);
    let sigmoids = gates * (1.0 - gates);
    let d = vec4(
        dc * gates.z * sigmoids.x,
        dc * c * sigmoids.y,
        dc * gates.x * (1.0 - gates.z * gates.z),
        dh * t * sigmoids.w,
    );
    return UnitGradients(d, d, 0.0, dc * gates.y);
}
#else
const GATES = 3u;

fn from_input(gates: vec4<f32>) -> vec4<f32> {
    return vec4(gates.xyz, 0.0);
}

fn from_state(gates: vec4<f32>) -> vec4<f32> {
    return vec4(gates.xy, 0.0, gates.z);
}

// r, z, n, and the state's share of n.
fn activate(sums: vec4<f32>) -> vec4<f32> {
    let r = sigmoid(sums.x);
    return vec4(r, sigmoid(sums.y), tanh_bounded(sums.z + r * sums.w), sums.w);
}

fn advance_unit(gates: vec4<f32>, h: f32, c: f32) -> vec2<f32> {
    return vec2((1.0 - gates.y) * gates.z + gates.y * h, 0.0);
}

fn retreat_unit(gates: vec4<f32>, h: f32, c: f32, c_after: f32, dh: f32, dc_after: f32) -> UnitGradients {
    let dn = dh * (1.0 - gates.y) * (1.0 - gates.z * gates.z);
    let dr = dn * gates.w * gates.x * (1.0 - gates.x);
    let dz = dh * (h - gates.z) * gates.y * (1.0 - gates.y);
    return UnitGradients(vec4(dr, dz, dn, 0.0), vec4(dr, dz, dn * gates.x, 0.0), dh * gates.y, 0.0);
}
#endif
