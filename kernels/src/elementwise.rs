//! Functions of one or two values, element by element.

use crate::math;
use crate::vectorize::vectorize;

vectorize! {
    /// `x = tanh(x)`.
    pub fn tanh(x: &mut [f32]) { x.iter_mut().for_each(|x| *x = math::tanh(*x)); }
    /// `x = sigmoid(x)`.
    pub fn sigmoid(x: &mut [f32]) { x.iter_mut().for_each(|x| *x = math::sigmoid(*x)); }
    /// `x = max(x, 0)`.
    pub fn relu(x: &mut [f32]) { x.iter_mut().for_each(|x| *x = x.max(0.0)); }
    /// `x = s x`.
    pub fn scale(x: &mut [f32], s: f32) { x.iter_mut().for_each(|x| *x *= s); }
    /// `x += y`.
    pub fn add(x: &mut [f32], y: &[f32]) { x.iter_mut().zip(y).for_each(|(x, y)| *x += y); }
    /// `x -= y`.
    pub fn subtract(x: &mut [f32], y: &[f32]) { x.iter_mut().zip(y).for_each(|(x, y)| *x -= y); }
    /// `x *= y`.
    pub fn multiply(x: &mut [f32], y: &[f32]) { x.iter_mut().zip(y).for_each(|(x, y)| *x *= y); }
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
