//! Softmax, its logarithm and the cross entropy, row by row.
//!
//! WGSL twins: `shaders/softmax.wgsl` and `shaders/softmax_backward.wgsl`.

/// Replaces each row of `columns` values by its log-softmax.
pub fn log_softmax(rows: &mut [f32], columns: usize) {
    for row in rows.chunks_exact_mut(columns.max(1)) {
        let max = largest(row);
        let sum: f32 = row.iter().map(|x| (x - max).exp()).sum();
        let log_sum = sum.ln();
        // In this order small differences of large values stay exact.
        row.iter_mut().for_each(|x| *x = (*x - max) - log_sum);
    }
}

/// Replaces each row of `columns` values by its softmax.
pub fn softmax(rows: &mut [f32], columns: usize) {
    for row in rows.chunks_exact_mut(columns.max(1)) {
        let max = largest(row);
        row.iter_mut().for_each(|x| *x = (*x - max).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|x| *x /= sum);
    }
}

fn largest(row: &[f32]) -> f32 {
    row.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Gradient through `y = softmax(x)`: `dx = y ⊙ (dy - Σ dy ⊙ y)`.
pub fn softmax_backward(y: &[f32], dy: &[f32], columns: usize) -> Vec<f32> {
    let mut dx = Vec::with_capacity(y.len());
    for (y, dy) in y.chunks_exact(columns.max(1)).zip(dy.chunks_exact(columns.max(1))) {
        let inner: f32 = y.iter().zip(dy).map(|(y, d)| y * d).sum();
        dx.extend(y.iter().zip(dy).map(|(y, d)| y * (d - inner)));
    }
    dx
}

/// Gradient through `y = log_softmax(x)`: `dx = dy - exp(y) Σ dy`.
pub fn log_softmax_backward(y: &[f32], dy: &[f32], columns: usize) -> Vec<f32> {
    let mut dx = Vec::with_capacity(y.len());
    for (y, dy) in y.chunks_exact(columns.max(1)).zip(dy.chunks_exact(columns.max(1))) {
        let sum: f32 = dy.iter().sum();
        dx.extend(y.iter().zip(dy).map(|(y, d)| d - y.exp() * sum));
    }
    dx
}

/// `(-log p[target] of each row, log p)`; targets are below `columns`.
pub fn cross_entropy(logits: &[f32], columns: usize, targets: &[u32]) -> (Vec<f32>, Vec<f32>) {
    let mut log_p = logits.to_vec();
    log_softmax(&mut log_p, columns);
    let losses = targets.iter().enumerate().map(|(i, &t)| -log_p[i * columns + t as usize]).collect();
    (losses, log_p)
}

/// Gradient of the logits: `(p - onehot(target)) * d_loss`.
pub fn cross_entropy_backward(log_p: &[f32], columns: usize, targets: &[u32], d_loss: &[f32]) -> Vec<f32> {
    let mut dx: Vec<f32> = log_p.iter().map(|x| x.exp()).collect();
    for ((row, &target), d) in dx.chunks_exact_mut(columns.max(1)).zip(targets).zip(d_loss) {
        row[target as usize] -= 1.0;
        row.iter_mut().for_each(|x| *x *= d);
    }
    dx
}
