//! What a layer's arithmetic costs.

/// Floating-point operations of matrix products: 2 for every multiply-add. Decisions count, embedding and head do
/// not. Each layer's documentation states its formula.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flops {
    /// What was computed.
    pub spent: u64,
    /// What the same network would have computed had it read every token, without deciding.
    pub full: u64,
}

impl Flops {
    /// A layer that always computes everything.
    pub fn fixed(flops: u64) -> Self {
        Self { spent: flops, full: flops }
    }

    /// A layer that computes as much for every row. The product has 64 bits: in a browser a usize has 32.
    pub fn per_row(flops: usize, rows: usize) -> Self {
        Self::fixed(flops as u64 * rows as u64)
    }

    /// `full / spent`; 1 if nothing was to be computed.
    pub fn reduction(self) -> f64 {
        if self.spent == 0 { 1.0 } else { self.full as f64 / self.spent as f64 }
    }
}

impl std::ops::Add for Flops {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self { spent: self.spent + other.spent, full: self.full + other.full }
    }
}

impl std::iter::Sum for Flops {
    fn sum<I: Iterator<Item = Self>>(flops: I) -> Self {
        flops.fold(Self::default(), |a, b| a + b)
    }
}
