//! Functions of one or two values, element by element.

use super::math;
use super::vectorize::vectorize;

vectorize! {
    /// `x = tanh(x)`.
    pub(crate) fn tanh(x: &mut [f32]) { x.iter_mut().for_each(|x| *x = math::tanh(*x)); }
    /// `x = sigmoid(x)`.
    pub(crate) fn sigmoid(x: &mut [f32]) { x.iter_mut().for_each(|x| *x = math::sigmoid(*x)); }
    /// `x = max(x, 0)`.
    pub(crate) fn relu(x: &mut [f32]) { x.iter_mut().for_each(|x| *x = x.max(0.0)); }
    /// `x = s x`.
    pub(crate) fn scale(x: &mut [f32], s: f32) { x.iter_mut().for_each(|x| *x *= s); }
    /// `x += y`.
    pub(crate) fn add(x: &mut [f32], y: &[f32]) { x.iter_mut().zip(y).for_each(|(x, y)| *x += y); }
    /// `x -= y`.
    pub(crate) fn subtract(x: &mut [f32], y: &[f32]) { x.iter_mut().zip(y).for_each(|(x, y)| *x -= y); }
    /// `x *= y`.
    pub(crate) fn multiply(x: &mut [f32], y: &[f32]) { x.iter_mut().zip(y).for_each(|(x, y)| *x *= y); }
    /// `d *= 1 - y²`: through `y = tanh(x)`.
    pub(crate) fn tanh_backward(d: &mut [f32], y: &[f32]) {
        d.iter_mut().zip(y).for_each(|(d, y)| *d *= 1.0 - y * y);
    }
    /// `d *= y (1 - y)`: through `y = sigmoid(x)`.
    pub(crate) fn sigmoid_backward(d: &mut [f32], y: &[f32]) {
        d.iter_mut().zip(y).for_each(|(d, y)| *d *= y * (1.0 - y));
    }
    /// `d = 0 where y = 0`: through `y = max(x, 0)`.
    pub(crate) fn relu_backward(d: &mut [f32], y: &[f32]) {
        d.iter_mut().zip(y).for_each(|(d, y)| *d = if *y > 0.0 { *d } else { 0.0 });
    }
}
