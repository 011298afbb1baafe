//! `y = x Wᵀ + b`: one matrix product for all rows of all lanes.
//!
//! WGSL twins: `shaders/matmul.wgsl`, `shaders/matmul_few.wgsl` and `shaders/matmul_block.wgsl`.

use crate::BufferPool;
use crate::column_sums::add_columns;
use crate::matmul::{View, matmul};
use crate::packed::{Packed, Rows, Start, multiply};

/// How a weight is stored and which of its columns are used.
#[derive(Clone, Copy)]
pub struct Weight<'a> {
    /// Row-major values.
    pub values: &'a [f32],
    /// Columns of the stored matrix.
    pub stride: usize,
    /// Stored as `[in, out]` (the `sru` package) rather than `[out, in]` (PyTorch).
    pub input_major: bool,
    /// Inputs (x's columns).
    pub inputs: usize,
    /// Outputs (y's columns).
    pub outputs: usize,
}

impl<'a> Weight<'a> {
    /// The matrix that multiplies `x` from the right, `[inputs, outputs]`.
    pub fn right(&self) -> View<'a> {
        if self.input_major {
            View::strided(self.values, self.inputs, self.outputs, self.stride)
        } else {
            View::strided(self.values, self.outputs, self.inputs, self.stride).t()
        }
    }

    /// The matrix that multiplies the gradient of `y` from the right, `[outputs, inputs]`.
    pub fn transposed(&self) -> View<'a> {
        self.right().t()
    }
}

/// `rows * outputs` values; the weight is [`Weight::right`].
pub fn forward(
    buffers: &BufferPool,
    x: &[f32],
    rows: usize,
    weight: &Packed,
    bias: Option<&[f32]>,
) -> Vec<f32> {
    let mut y = buffers.take(rows * weight.outputs());
    multiply(&mut y, Start::bias(bias), Rows::new(x, rows, weight.inputs()), weight);
    y
}

/// The gradient of `x`, `[rows, inputs]`, from that of `y`. The weight is transposed: [`Weight::transposed`].
pub fn backward_input(buffers: &BufferPool, dy: &[f32], rows: usize, weight: &Packed) -> Vec<f32> {
    let mut dx = buffers.take(rows * weight.outputs());
    multiply(&mut dx, Start::Zero, Rows::new(dy, rows, weight.inputs()), weight);
    dx
}

/// Adds the gradients of weight and bias to `d_weight`, whose rows are `weight.stride` apart, and `d_bias`.
pub fn backward_weight(
    x: &[f32],
    rows: usize,
    weight: Weight<'_>,
    dy: &[f32],
    d_weight: &mut [f32],
    d_bias: Option<&mut [f32]>,
) {
    let (dy_view, x_view) = (View::new(dy, rows, weight.outputs), View::new(x, rows, weight.inputs));
    if weight.input_major {
        matmul(d_weight, weight.stride, true, x_view.t(), dy_view);
    } else {
        matmul(d_weight, weight.stride, true, dy_view.t(), x_view);
    }
    if let Some(d_bias) = d_bias {
        add_columns(d_bias, dy);
    }
}
