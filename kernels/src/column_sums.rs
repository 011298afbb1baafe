//! Sums of columns: the gradient of a bias.
//!
//! WGSL twin: `shaders/column_sums.wgsl`.

/// `sums[j] += sum_i rows[i, j]`; rows of `sums.len()` values.
pub fn add_columns(sums: &mut [f32], rows: &[f32]) {
    if sums.is_empty() {
        return;
    }
    for row in rows.chunks_exact(sums.len()) {
        for (s, r) in sums.iter_mut().zip(row) {
            *s += r;
        }
    }
}
