//! Cut-offs by cost (Grave et al. 2017, section 4): of all ways to cut a vocabulary, the one whose expected time is least,
//! by dynamic programming over the words' counts.
//!
//! Every word that moves to a later tail gets cheaper and poorer, for tails are narrow: without a bound the cheapest head
//! is a few words. Hence the head covers at least a given share of the text.

use crate::device::EngineError;

/// Neighbouring places that are tried as cut-offs differ by this factor, or by one word.
const STEP: f64 = 1.03;

/// A way to cut a vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub struct Cutoffs {
    /// The first word of every tail.
    pub cutoffs: Vec<usize>,
    /// The expected cost, in the unit of the costs that were given.
    pub cost: f64,
    /// Of every band, the head's words first, the share of the text that it holds.
    pub shares: Vec<f64>,
}

/// Costs of the parts of an adaptive softmax.
pub trait Costs {
    /// What the head costs with so many outputs: its words, and a column for each tail.
    fn head(&self, outputs: usize) -> f64;

    /// What is to be expected of a tail, counted from 0, with so many words, which hold this share of the text.
    fn tail(&self, tail: usize, words: usize, share: f64) -> f64;
}

impl Cutoffs {
    /// The cost of given cut-offs.
    ///
    /// # Errors
    /// If the words do not occur, or the cut-offs do not increase or lie outside the vocabulary.
    pub fn of(counts: &[u64], cutoffs: &[usize], costs: &impl Costs) -> Result<Self, EngineError> {
        let mass = Mass::new(counts)?;
        let ends = [cutoffs, &[counts.len()]].concat();
        let mut starts = ends.clone();
        starts.insert(0, 0);
        if starts.windows(2).any(|pair| pair[0] >= pair[1]) {
            let expected = format!("increasing numbers from 1 to below {}", counts.len());
            let (what, found) = ("cutoffs".to_string(), format!("{cutoffs:?}"));
            return Err(EngineError::Shape { op: super::NAME, what, expected, found });
        }
        let shares: Vec<f64> = starts.windows(2).map(|pair| mass.share(pair[0], pair[1])).collect();
        let tails = (1..ends.len()).map(|i| costs.tail(i - 1, ends[i] - ends[i - 1], shares[i]));
        let cost = costs.head(ends[0] + cutoffs.len()) + tails.sum::<f64>();
        Ok(Self { cutoffs: cutoffs.to_vec(), cost, shares })
    }

    /// The cheapest cut into a head, which holds at least the share `coverage` of the text, and so many tails, for words
    /// that occur so often. Cut-offs are tried at every word of the first few, and then at words 3 % apart.
    ///
    /// ```
    /// use saccade_rnn::nn::{Costs, Cutoffs};
    ///
    /// /// Multiplications of a row: a tail is a quarter as wide as the head.
    /// struct Multiplications;
    /// impl Costs for Multiplications {
    ///     fn head(&self, outputs: usize) -> f64 {
    ///         64.0 * outputs as f64
    ///     }
    ///     fn tail(&self, _: usize, words: usize, share: f64) -> f64 {
    ///         share * 16.0 * (64 + words) as f64
    ///     }
    /// }
    /// // Zipf's law.
    /// let counts: Vec<u64> = (1..=10_000).map(|rank| 1_000_000 / rank).collect();
    /// let best = Cutoffs::cheapest(&counts, 1, 0.5, &Multiplications)?;
    /// let whole = Cutoffs::of(&counts, &[], &Multiplications)?;
    /// assert!(best.shares[0] >= 0.5 && best.cost < whole.cost / 5.0);
    /// # Ok::<(), saccade_rnn::device::EngineError>(())
    /// ```
    ///
    /// # Errors
    /// If the words do not occur, or no cut-offs do: more tails than words, or a coverage above 1 or that is no number.
    pub fn cheapest(
        counts: &[u64],
        tails: usize,
        coverage: f64,
        costs: &impl Costs,
    ) -> Result<Self, EngineError> {
        let mass = Mass::new(counts)?;
        let none = || {
            let expected = format!("a head that holds {coverage} of the text, and {tails} tails");
            let found = format!("{} words", counts.len());
            EngineError::Shape { op: super::NAME, what: "cutoffs".into(), expected, found }
        };
        if tails > counts.len() {
            return Err(none());
        }
        let places = places(counts.len());
        // best[t][i]: the least cost of a head and t tails that end at place i, and where the last tail begins.
        let head = |&end: &usize| match mass.share(0, end) >= coverage {
            true => costs.head(end + tails),
            false => f64::INFINITY,
        };
        let mut best: Vec<Vec<(f64, usize)>> = vec![places.iter().map(|end| (head(end), 0)).collect()];
        for tail in 0..tails {
            let before = &best[tail];
            let cheapest = |end: usize| {
                (0..end).fold((f64::INFINITY, 0), |least, start| {
                    let (from, to) = (places[start], places[end]);
                    // A cost is not negative: what is dear without the tail need not be asked for with it.
                    if before[start].0 >= least.0 {
                        return least;
                    }
                    let cost = before[start].0 + costs.tail(tail, to - from, mass.share(from, to));
                    if cost < least.0 { (cost, start) } else { least }
                })
            };
            best.push((0..places.len()).map(cheapest).collect());
        }
        let (mut place, mut cutoffs) = (places.len() - 1, Vec::new());
        if !best[tails][place].0.is_finite() {
            return Err(none());
        }
        for tail in (0..tails).rev() {
            place = best[tail + 1][place].1;
            cutoffs.insert(0, places[place]);
        }
        Self::of(counts, &cutoffs, costs)
    }
}

/// How much of the text the first words hold.
struct Mass(Vec<u64>);

impl Mass {
    fn new(counts: &[u64]) -> Result<Self, EngineError> {
        let mut sums = vec![0u64];
        for &count in counts {
            sums.push(sums[sums.len() - 1].saturating_add(count));
        }
        if sums[counts.len()] == 0 {
            let (expected, found) = ("words that occur".into(), "none".into());
            return Err(EngineError::Shape { op: super::NAME, what: "counts".into(), expected, found });
        }
        Ok(Self(sums))
    }

    /// The share of words from `start` to before `end`.
    fn share(&self, start: usize, end: usize) -> f64 {
        (self.0[end] - self.0[start]) as f64 / self.0[self.0.len() - 1] as f64
    }
}

/// Places to cut at, the end of the vocabulary last.
fn places(words: usize) -> Vec<usize> {
    let mut places = Vec::new();
    let mut place = 1;
    while place < words {
        places.push(place);
        place = ((place as f64 * STEP) as usize).max(place + 1);
    }
    places.push(words);
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::noise::uniform;

    /// Costs with a fixed part and a floor, as those that are measured (Eq. 6), and tails that differ.
    struct Floor {
        fixed: f64,
        floor: f64,
    }

    impl Costs for Floor {
        fn head(&self, outputs: usize) -> f64 {
            self.fixed + (outputs as f64).max(self.floor)
        }

        fn tail(&self, tail: usize, words: usize, share: f64) -> f64 {
            let width = 0.25f64.powi(tail as i32 + 1);
            if share == 0.0 {
                0.0
            } else {
                self.fixed + share * width * (words as f64 + 20.0).max(self.floor)
            }
        }
    }

    /// Every way to cut `words` into a head and so many tails.
    fn all(words: usize, tails: usize) -> Vec<Vec<usize>> {
        let mut found = vec![Vec::new()];
        for _ in 0..tails {
            found = found
                .into_iter()
                .flat_map(|cutoffs: Vec<usize>| {
                    let first = cutoffs.last().map_or(1, |last| last + 1);
                    (first..words).map(move |next| [&cutoffs[..], &[next]].concat())
                })
                .collect();
        }
        found
    }

    #[test]
    fn no_other_cut_is_cheaper() -> Result<(), EngineError> {
        for seed in 0..20 {
            let words = 14 + seed as usize % 5;
            let counts: Vec<u64> = (0..words)
                .map(|i| (1e4 * f64::from(uniform(seed, 1, i as u32)) / (i + 1) as f64) as u64 + 1)
                .collect();
            let costs = Floor { fixed: f64::from(seed % 4), floor: f64::from(seed % 3) * 4.0 };
            for tails in 0..4 {
                for coverage in [0.0, 0.6, 0.9] {
                    let best = Cutoffs::cheapest(&counts, tails, coverage, &costs);
                    let others = all(words, tails).into_iter();
                    let others: Vec<Cutoffs> = others
                        .map(|cutoffs| Cutoffs::of(&counts, &cutoffs, &costs))
                        .filter(|other| other.as_ref().is_ok_and(|other| other.shares[0] >= coverage))
                        .collect::<Result<_, _>>()?;
                    // A head that holds so much may leave too few words for the tails.
                    let Ok(best) = best else {
                        assert!(others.is_empty(), "{others:?}");
                        continue;
                    };
                    assert!(best.shares[0] >= coverage && best.cutoffs.len() == tails);
                    for other in others {
                        assert!(best.cost <= other.cost + 1e-9, "{best:?}, {other:?}");
                    }
                }
            }
        }
        Ok(())
    }

    #[test]
    fn shares_add_up() -> Result<(), EngineError> {
        let cut = Cutoffs::of(&[50, 30, 15, 5], &[1, 3], &Floor { fixed: 0.0, floor: 0.0 })?;
        assert_eq!(cut.shares, [0.5, 0.45, 0.05]);
        Ok(())
    }

    #[test]
    fn what_cannot_be_cut_is_an_error() {
        let costs = Floor { fixed: 1.0, floor: 0.0 };
        let refused = |result: Result<Cutoffs, EngineError>| match result {
            Err(EngineError::Shape { what, .. }) => what,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(Cutoffs::cheapest(&[], 1, 0.5, &costs)), "counts");
        assert_eq!(refused(Cutoffs::cheapest(&[0, 0], 1, 0.5, &costs)), "counts");
        assert_eq!(refused(Cutoffs::cheapest(&[3, 2, 1], 3, 0.0, &costs)), "cutoffs");
        assert_eq!(refused(Cutoffs::cheapest(&[3, 2, 1], usize::MAX, 0.0, &costs)), "cutoffs");
        assert_eq!(refused(Cutoffs::cheapest(&[3, 2, 1], 1, 1.5, &costs)), "cutoffs");
        assert_eq!(refused(Cutoffs::cheapest(&[3, 2, 1], 1, f64::NAN, &costs)), "cutoffs");
        for cutoffs in [&[0][..], &[2, 1], &[1, 1], &[3], &[9]] {
            assert_eq!(refused(Cutoffs::of(&[3, 2, 1], cutoffs, &costs)), "cutoffs");
        }
    }

    #[test]
    fn a_large_vocabulary_is_cut_at_once() -> Result<(), EngineError> {
        let counts: Vec<u64> = (1..=1_000_000u64).map(|rank| 10_000_000 / rank + 1).collect();
        assert!(places(counts.len()).len() < 500);
        let best = Cutoffs::cheapest(&counts, 3, 0.7, &Floor { fixed: 10.0, floor: 50.0 })?;
        assert!(best.cutoffs.windows(2).all(|pair| pair[0] < pair[1]));
        Ok(())
    }
}
