//! Numbers in order, and draws from a distribution over words.

/// SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators"): a counter through a
/// 64-bit mixer. Integer arithmetic only, so a seed gives the same numbers everywhere and in every version.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let x = self.0;
        let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Uniform in [0, 1), a multiple of 2^-24.
    pub(super) fn uniform(&mut self) -> f32 {
        (self.bits() >> 40) as f32 * (1.0 / 16_777_216.0)
    }

    /// Uniform in `0..count`, to within `count` / 2^64 of the exact probability; 0 if `count` is 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((u128::from(self.bits()) * count as u128) >> 64) as usize
    }

    /// A random order (Fisher & Yates).
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// Draws `i` with a probability in proportion to `weights[i]`, in constant time: Walker's alias method, built as by
/// Vose 1991, "A linear algorithm for generating random numbers with a given distribution".
pub(super) struct AliasTable {
    /// Column `i` gives `i` for fractions below the first number (of 2^32), else the second.
    columns: Vec<(u32, u32)>,
}

impl AliasTable {
    /// `weights` are finite and not negative, their sum is positive, and there are at most 2^32 - 1 of them.
    pub(super) fn new(weights: &[f64]) -> Self {
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let mut left: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..weights.len() as u32).partition(|&i| left[i as usize] < 1.0);
        // A column that rounding leaves without a partner is whole.
        let mut columns: Vec<_> = (0..weights.len() as u32).map(|i| (u32::MAX, i)).collect();
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            let share = left[poor as usize];
            columns[poor as usize] = ((share * 4_294_967_296.0) as u32, rich);
            left[rich as usize] -= 1.0 - share;
            if left[rich as usize] < 1.0 {
                large.pop();
                small.push(rich);
            }
        }
        Self { columns }
    }

    pub(super) fn draw(&self, random: &mut Random) -> u32 {
        let bits = random.bits();
        let column = ((bits >> 32) * self.columns.len() as u64) >> 32;
        let (share, alias) = self.columns[column as usize];
        if (bits as u32) < share { column as u32 } else { alias }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_splitmix64() {
        // The first outputs for seed 1234567, as the generator's users publish them to check against.
        let mut random = Random::new(1_234_567);
        let first = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!([random.bits(), random.bits(), random.bits()], first);
    }

    #[test]
    fn draws_are_in_proportion_to_the_weights() {
        let weights = [0.0, 5.0, 1.0, 0.25, 13.75];
        let (table, mut random) = (AliasTable::new(&weights), Random::new(3));
        let mut counts = [0_u32; 5];
        let draws = 400_000;
        (0..draws).for_each(|_| counts[table.draw(&mut random) as usize] += 1);
        assert_eq!(counts[0], 0);
        for (count, weight) in counts.into_iter().zip(weights) {
            let (share, expected) = (f64::from(count) / f64::from(draws), weight / 20.0);
            let deviation = (expected * (1.0 - expected) / f64::from(draws)).sqrt();
            assert!((share - expected).abs() <= 5.0 * deviation, "{share} for {expected}");
        }
    }

    #[test]
    fn a_shuffle_is_an_order_of_the_same_items() {
        let mut items: Vec<_> = (0..100).collect();
        Random::new(5).shuffle(&mut items);
        assert!(!items.is_sorted());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
