//! Functions of one or two values, element by element.
//!
//! WGSL twin: `shaders/elementwise.wgsl`.

use crate::math;
use crate::registers::{for_stretches, with_registers};
use crate::vectorize::vectorize;

with_registers! {
    /// `x = tanh(x)`.
    pub fn tanh<V>(x: &mut [f32]) {
        for_stretches!(V, x.len(), j => {
            // SAFETY: the body is compiled for the register's instructions.
            math::tanh(unsafe { V::load_part(&x[j.clone()]) }).store_part(&mut x[j]);
        });
    }
}

with_registers! {
    /// `x = sigmoid(x)`.
    pub fn sigmoid<V>(x: &mut [f32]) {
        for_stretches!(V, x.len(), j => {
            // SAFETY: the body is compiled for the register's instructions.
            math::sigmoid(unsafe { V::load_part(&x[j.clone()]) }).store_part(&mut x[j]);
        });
    }
}

with_registers! {
    /// `x = max(x, 0)`.
    pub fn relu<V>(x: &mut [f32]) {
        for_stretches!(V, x.len(), j => {
            // SAFETY: the body is compiled for the register's instructions.
            math::relu(unsafe { V::load_part(&x[j.clone()]) }).store_part(&mut x[j]);
        });
    }
}

vectorize! {
    /// `x = s x`.
    pub fn scale(x: &mut [f32], s: f32) { x.iter_mut().for_each(|x| *x *= s); }
    /// `x = exp(x)`.
    pub fn exp(x: &mut [f32]) { x.iter_mut().for_each(|x| *x = x.exp()); }
    /// `x = ln(x)`.
    pub fn log(x: &mut [f32]) { x.iter_mut().for_each(|x| *x = x.ln()); }
    /// `x += y`.
    pub fn add(x: &mut [f32], y: &[f32]) { x.iter_mut().zip(y).for_each(|(x, y)| *x += y); }
    /// `x -= y`.
    pub fn subtract(x: &mut [f32], y: &[f32]) { x.iter_mut().zip(y).for_each(|(x, y)| *x -= y); }
    /// `x *= y`.
    pub fn multiply(x: &mut [f32], y: &[f32]) { x.iter_mut().zip(y).for_each(|(x, y)| *x *= y); }
    /// `x /= y`.
    pub fn divide(x: &mut [f32], y: &[f32]) { x.iter_mut().zip(y).for_each(|(x, y)| *x /= y); }
    /// `d *= 1 - y²`: through `y = tanh(x)`.
    pub fn tanh_backward(d: &mut [f32], y: &[f32]) {
        d.iter_mut().zip(y).for_each(|(d, y)| *d *= 1.0 - y * y);
    }
    /// `d *= y (1 - y)`: through `y = sigmoid(x)`.
    pub fn sigmoid_backward(d: &mut [f32], y: &[f32]) {
        d.iter_mut().zip(y).for_each(|(d, y)| *d *= y * (1.0 - y));
    }
    /// `d = 0 where y = 0`: through `y = max(x, 0)`.
    pub fn relu_backward(d: &mut [f32], y: &[f32]) {
        d.iter_mut().zip(y).for_each(|(d, y)| *d = if *y > 0.0 { *d } else { 0.0 });
    }
}
