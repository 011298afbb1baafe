//! The sum that the norm of a gradient is the root of.
//!
//! WGSL twin: `shaders/norm.wgsl`.

use crate::vectorize::vectorize;

/// Sums that grow side by side, none of which waits for another.
const PARTS: usize = 16;

/// `Σ x²`.
pub fn squares(x: &[f32]) -> f64 {
    let mut sums = [0.0; PARTS];
    add_squares(&mut sums, x);
    sums.iter().sum()
}

vectorize! {
    fn add_squares(sums: &mut [f64; PARTS], x: &[f32]) {
        let mut parts = *sums;
        let (whole, rest) = x.as_chunks::<PARTS>();
        for x in whole {
            for (sum, &x) in parts.iter_mut().zip(x) {
                *sum += f64::from(x) * f64::from(x);
            }
        }
        for (sum, &x) in parts.iter_mut().zip(rest) {
            *sum += f64::from(x) * f64::from(x);
        }
        *sums = parts;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_counts_once() {
        for count in 0..40u32 {
            let x: Vec<f32> = (1..=count).map(|i| i as f32).collect();
            assert_eq!(squares(&x), f64::from(count * (count + 1) * (2 * count + 1) / 6));
        }
    }
}
