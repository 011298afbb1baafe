//! The sum that the norm of a gradient is the root of.
//!
//! WGSL twin: `shaders/norm.wgsl`.

/// `Σ x²`.
pub fn squares(x: &[f32]) -> f64 {
    x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum()
}
