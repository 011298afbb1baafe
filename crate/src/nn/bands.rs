//! Bands: a vocabulary in order of decreasing frequency, cut into ranges of words that are represented with fewer and
//! fewer columns. Adaptive softmax and adaptive input share them.

use std::ops::Range;

use super::BuildError;
use crate::device::{EngineError, number};

/// Ranges of words and the columns that represent each.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Bands {
    /// Of every band its first word; last how many words there are.
    starts: Vec<usize>,
    /// Of every band its columns.
    sizes: Vec<usize>,
}

/// The rows of a batch that belong to one band.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Routed {
    /// Their numbers in the batch, increasing.
    pub(super) rows: Vec<u32>,
    /// Their words, counted from the band's first.
    pub(super) words: Vec<u32>,
}

impl Bands {
    /// Bands of `words` words cut at `cutoffs`, none or more; band i has `floor(size / div_value^i)` columns.
    pub(super) fn new(
        words: usize,
        cutoffs: &[usize],
        size: usize,
        div_value: f64,
    ) -> Result<Self, BuildError> {
        if words == 0 || u32::try_from(words).is_err() {
            return Err(BuildError::size("words", &format!("1 to {}", u32::MAX), words));
        }
        let starts = [&[0], cutoffs, &[words]].concat();
        if let Some(i) = starts.windows(2).position(|pair| pair[0] >= pair[1]) {
            let expected = format!("increasing numbers from 1 to below {words}");
            // The one that is wrong, after the one before it; a file may have any number.
            let found = &cutoffs[i.saturating_sub(1)..cutoffs.len().min(i + 1)];
            return Err(BuildError::size("cutoffs", &expected, format!("{found:?}")));
        }
        if !(div_value >= 1.0 && div_value.is_finite()) {
            return Err(BuildError::size("div_value", "a finite number of at least 1", number(div_value)));
        }
        let divisors = std::iter::successors(Some(1.0), |by| Some(by * div_value));
        let sizes: Vec<usize> = divisors.take(starts.len() - 1).map(|by| divided(size, by)).collect();
        if let Some(band) = sizes.iter().position(|&size| size == 0) {
            let found = format!("none in band {band} of size {size}");
            return Err(BuildError::size("div_value", "a column in every band", found));
        }
        Ok(Self { starts, sizes })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.sizes.len()
    }

    /// How many words all have.
    pub(super) fn words(&self) -> usize {
        self.starts[self.len()]
    }

    /// The words of a band.
    pub(super) fn range(&self, band: usize) -> Range<usize> {
        self.starts[band]..self.starts[band + 1]
    }

    /// The columns of a band.
    pub(super) fn size(&self, band: usize) -> usize {
        self.sizes[band]
    }

    /// The band of a word; one that does not exist counts as one of the last.
    pub(super) fn of(&self, word: u32) -> usize {
        self.starts[1..self.len()].partition_point(|&end| end <= word as usize)
    }

    /// The rows of every band, for rows that have these words.
    pub(super) fn route(&self, op: &'static str, words: &[u32]) -> Result<Vec<Routed>, EngineError> {
        let bound = self.words();
        if let Some(&index) = words.iter().find(|&&word| word as usize >= bound) {
            return Err(EngineError::Index { op, index, bound });
        }
        let mut routed = vec![Routed::default(); self.len()];
        for (row, &word) in words.iter().enumerate() {
            let band = self.of(word);
            routed[band].rows.push(row as u32);
            routed[band].words.push(word - self.starts[band] as u32);
        }
        Ok(routed)
    }
}

/// `size // by`, as Python divides: no quotient is rounded up.
fn divided(size: usize, by: f64) -> usize {
    let size = size as f64;
    let quotient = (size / by).floor();
    // Of the divisor's two halves neither product is rounded.
    let coarse = f64::from(by as f32);
    let is_above = quotient * (by - coarse) > size - quotient * coarse;
    (quotient - f64::from(u8::from(is_above))) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_routed_to_their_bands() -> Result<(), BuildError> {
        let bands = Bands::new(10, &[2, 7], 16, 4.0)?;
        assert_eq!((0..3).map(|band| bands.size(band)).collect::<Vec<_>>(), [16, 4, 1]);
        assert_eq!([0, 1, 2, 6, 7, 9, u32::MAX].map(|word| bands.of(word)), [0, 0, 1, 1, 2, 2, 2]);
        let routed = bands.route("test", &[9, 1, 7, 0])?;
        assert_eq!(routed[0], Routed { rows: vec![1, 3], words: vec![1, 0] });
        assert_eq!(routed[1], Routed::default());
        assert_eq!(routed[2], Routed { rows: vec![0, 2], words: vec![2, 0] });
        let beyond = EngineError::Index { op: "test", index: 10, bound: 10 };
        assert_eq!(bands.route("test", &[3, 10]), Err(beyond));
        Ok(())
    }

    #[test]
    fn every_word_of_a_million_has_a_band() -> Result<(), BuildError> {
        let bands = Bands::new(1_000_000, &[4_000, 40_000, 200_000], 1024, 4.0)?;
        let routed = bands.route("test", &[3_999, 4_000, 39_999, 199_999, 999_999])?;
        assert_eq!(
            routed.iter().map(|band| band.words.clone()).collect::<Vec<_>>(),
            [vec![3_999], vec![0, 35_999], vec![159_999], vec![799_999]]
        );
        Ok(())
    }

    #[test]
    fn quotients_are_pythons() -> Result<(), BuildError> {
        // int(in // div ** power), by CPython 3.11.
        for (size, by, power, quotient) in [
            (256, 4.0, 3, 4),
            (20, 1.5, 2, 8),
            (9, 3.0, 2, 1),
            (7, 2.5, 1, 2),
            (1, 1.0, 5, 1),
            (3, 1.1, 3, 2),
        ] {
            let sizes = Bands::new(100, &(1..=power).collect::<Vec<_>>(), size, by)?.sizes;
            assert_eq!(sizes.last(), Some(&quotient), "{size} // {by} ** {power}");
        }
        // Whose rounded quotient is 3.
        assert_eq!(divided(10, 10.0 / 3.0), 2);
        Ok(())
    }

    #[test]
    fn what_makes_no_bands_is_refused() {
        let refused =
            |words, cutoffs: &[usize], size, div_value| match Bands::new(words, cutoffs, size, div_value) {
                Err(error @ BuildError::Size { what, .. }) => (what, error.to_string()),
                other => panic!("{cutoffs:?}: {other:?}"),
            };
        for (cutoffs, found) in [
            (&[0][..], "[0]"),
            (&[2, 5, 5], "[5, 5]"),
            (&[7, 3, 9], "[7, 3]"),
            (&[10], "[10]"),
            (&[2, 11], "[11]"),
        ] {
            let message = format!("cutoffs: expected increasing numbers from 1 to below 10, found {found}");
            assert_eq!(refused(10, cutoffs, 8, 4.0).1, message, "{cutoffs:?}");
        }
        let refused = |words, cutoffs: &[usize], size, div_value| refused(words, cutoffs, size, div_value).0;
        assert_eq!(refused(10, &[2, usize::MAX], 8, 4.0), "cutoffs");
        assert_eq!(refused(0, &[], 8, 4.0), "words");
        assert_eq!(refused(usize::MAX, &[], 8, 4.0), "words");
        for div_value in [0.0, 0.5, -4.0, 1e9, f64::NAN, f64::INFINITY] {
            assert_eq!(refused(10, &[2], 8, div_value), "div_value", "{div_value}");
        }
    }
}
