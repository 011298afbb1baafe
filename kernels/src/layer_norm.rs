//! Layer normalisation (Ba et al. 2016): `y = (x - mean) / sqrt(var + eps) ⊙ weight + bias`, row by row, biased variance.
//!
//! WGSL twin: `shaders/layer_norm.wgsl`.

/// Added to the variance, as in PyTorch.
const EPSILON: f32 = 1e-5;

/// Mean and reciprocal standard deviation of a row.
fn moments(row: &[f32]) -> (f32, f32) {
    let n = row.len() as f32;
    let mean = row.iter().sum::<f32>() / n;
    let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / n;
    (mean, 1.0 / (variance + EPSILON).sqrt())
}

/// Normalises rows of `weight.len()` values.
pub fn forward(x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let mut out = Vec::with_capacity(x.len());
    for row in x.chunks_exact(weight.len().max(1)) {
        let (mean, scale) = moments(row);
        out.extend(row.iter().zip(weight).zip(bias).map(|((x, w), b)| (x - mean) * scale * w + b));
    }
    out
}

/// The gradient of `x`; those of weight and bias are added to.
pub fn backward(x: &[f32], weight: &[f32], dy: &[f32], d_weight: &mut [f32], d_bias: &mut [f32]) -> Vec<f32> {
    let n = weight.len();
    let mut dx = Vec::with_capacity(x.len());
    for (row, dy) in x.chunks_exact(n.max(1)).zip(dy.chunks_exact(n.max(1))) {
        let (mean, scale) = moments(row);
        let normal = |j: usize| (row[j] - mean) * scale;
        let (mut sum, mut sum_normal) = (0.0, 0.0);
        for j in 0..n {
            d_bias[j] += dy[j];
            d_weight[j] += dy[j] * normal(j);
            sum += dy[j] * weight[j];
            sum_normal += dy[j] * weight[j] * normal(j);
        }
        let count = n as f32;
        dx.extend((0..n).map(|j| scale * (dy[j] * weight[j] - (sum + normal(j) * sum_normal) / count)));
    }
    dx
}
