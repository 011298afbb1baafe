//! A matrix with rows and columns exchanged.

/// `out[j, i] = x[i, j]` of a matrix with so many columns.
pub fn transpose(x: &[f32], columns: usize) -> Vec<f32> {
    let column = |j: usize| x.iter().skip(j).step_by(columns.max(1)).copied();
    (0..columns).flat_map(column).collect()
}
