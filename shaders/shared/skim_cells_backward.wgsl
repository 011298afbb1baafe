// Gradients of a unit of `skim_cells`.
//
// CPU twins: `kernels/src/lstm.rs` and `kernels/src/gru.rs`.

#import skim_cells

// Gradients of a unit's step, gate by gate: of the sums' input part and of their state part; and of the unit's h and c
// before it, as far as they do not pass through the sums.
struct UnitGradients {
    input: vec4<f32>,
    state: vec4<f32>,
    h: f32,
    c: f32,
}

// From the activated gates, h and c before the step, c after it, and the gradients of h and c after it.
#if lstm
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
fn retreat_unit(gates: vec4<f32>, h: f32, c: f32, c_after: f32, dh: f32, dc_after: f32) -> UnitGradients {
    let dn = dh * (1.0 - gates.y) * (1.0 - gates.z * gates.z);
    let dr = dn * gates.w * gates.x * (1.0 - gates.x);
    let dz = dh * (h - gates.z) * gates.y * (1.0 - gates.y);
    return UnitGradients(vec4(dr, dz, dn, 0.0), vec4(dr, dz, dn * gates.x, 0.0), dh * gates.y, 0.0);
}
#endif
