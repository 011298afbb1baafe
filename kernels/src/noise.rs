//! Counter-based random numbers: a value is a pure function of (seed, stream, element).
//!
//! Dropout masks and Gumbel noise are drawn here. Because nothing is drawn *in order*, every batching strategy and
//! every device sees the same numbers: a stream belongs to a node of a graph, an element is a position in its value.
//! 32-bit integer arithmetic only, so that WGSL computes the same bits.
//!
//! WGSL twins: `shaders/shared/noise.wgsl` and `shaders/shared/gumbel.wgsl`.

/// Scrambles 32 bits: two rounds of xor-shift and odd multiplication, in the form of MurmurHash3's finaliser
/// (Appleby, public domain).
#[inline(always)]
fn scramble(mut x: u32) -> u32 {
    x ^= x >> 16;
    x = x.wrapping_mul(0x85eb_ca6b);
    x ^= x >> 13;
    x = x.wrapping_mul(0xc2b2_ae35);
    x ^ (x >> 16)
}

/// 32 random bits for an element of a stream.
#[inline(always)]
pub fn bits(seed: u32, stream: u32, element: u32) -> u32 {
    scramble(scramble(scramble(seed ^ 0x9e37_79b9).wrapping_add(stream)).wrapping_add(element))
}

/// Uniform in the open interval (0, 1), a multiple of 2^-23 plus 2^-24.
#[inline(always)]
pub fn uniform(seed: u32, stream: u32, element: u32) -> f32 {
    ((bits(seed, stream, element) >> 9) as f32 + 0.5) * (1.0 / 8_388_608.0)
}

/// Standard Gumbel noise `-log(-log(u))` (Skim-RNN, Eq. 5).
#[inline(always)]
pub fn gumbel(seed: u32, stream: u32, element: u32) -> f32 {
    -(-uniform(seed, stream, element).ln()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_distributions() {
        let n = 200_000;
        let mean = |f: &dyn Fn(u32) -> f64| (0..n).map(f).sum::<f64>() / f64::from(n);
        assert!((mean(&|i| f64::from(uniform(1, 2, i))) - 0.5).abs() < 0.005);
        let m = mean(&|i| f64::from(gumbel(7, 3, i)));
        assert!((m - 0.577_215).abs() < 0.01, "Gumbel mean is Euler's constant, found {m}");
        let v = mean(&|i| (f64::from(gumbel(7, 3, i)) - m).powi(2));
        assert!((v - 1.644_934).abs() < 0.05, "Gumbel variance is pi^2/6, found {v}");
    }

    #[test]
    fn streams_and_seeds_are_uncorrelated() {
        let n = 100_000u32;
        for (s, t) in [((1, 0), (1, 1)), ((1, 0), (2, 0)), ((5, 9), (6, 8))] {
            let covariance: f64 = (0..n)
                .map(|i| (f64::from(uniform(s.0, s.1, i)) - 0.5) * (f64::from(uniform(t.0, t.1, i)) - 0.5))
                .sum::<f64>()
                / f64::from(n);
            assert!(covariance.abs() < 0.002, "{s:?} {t:?}: {covariance}");
        }
    }
}
