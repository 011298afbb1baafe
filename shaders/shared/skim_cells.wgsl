// One unit of a cell from four sums. LSTM: the sums in front of i, f, g, o. GRU:
// those in front of r and z, then the input's and the state's share of n, which the reset gate keeps apart.
//
// CPU twins: `kernels/src/lstm.rs` and `kernels/src/gru.rs`.

#import math

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
    return vec4(gate(sums.x), gate(sums.y), tanh_bounded(sums.z), gate(sums.w));
}

// h and c after a step.
fn advance_unit(gates: vec4<f32>, h: f32, c: f32) -> vec2<f32> {
    let next = flush(gates.y * c + gates.x * gates.z);
    return vec2(gates.w * tanh_bounded(next), next);
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
    let r = gate(sums.x);
    return vec4(r, gate(sums.y), tanh_bounded(sums.z + r * sums.w), sums.w);
}

fn advance_unit(gates: vec4<f32>, h: f32, c: f32) -> vec2<f32> {
    return vec2(flush((1.0 - gates.y) * gates.z + gates.y * h), 0.0);
}
#endif
