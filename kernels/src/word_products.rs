//! Products of a table's rows with a weight, kept by word.
//!
//! The words of a language are few and most of a text is made of the commonest (Zipf 1949), so that a layer over an
//! embedding multiplies the same rows again and again. What is kept is the product of one row, which by
//! [`crate::packed`] has the same bits as in any other product: whoever looks a product up computes what he would have
//! computed without.
//!
//! No WGSL twin: the GPU computes every product.

/// Rows that are stored together, so that room is taken as words come.
const SLAB: usize = 64;

/// Products of words, as many as there is room for; then each new one takes the place of the oldest.
#[derive(Debug)]
pub struct WordProducts {
    columns: usize,
    most: usize,
    /// Of every word, one more than the place of its product; 0 without.
    places: Vec<u32>,
    /// The word at each place.
    words: Vec<u32>,
    slabs: Vec<Box<[f32]>>,
    /// The place that is given away next, once all are taken.
    oldest: usize,
}

impl WordProducts {
    /// Room for up to `bytes` of products of `columns` values, of ids below `words`; at least one product.
    pub fn new(words: usize, columns: usize, bytes: usize) -> Self {
        let most = (bytes / size_of::<f32>() / columns.max(1)).clamp(1, words.max(1));
        Self { columns, most, places: vec![0; words], words: Vec::new(), slabs: Vec::new(), oldest: 0 }
    }

    /// How many products are kept.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The product of a word; `compute` fills it if it is not there.
    ///
    /// # Panics
    /// If the id is none of the table's.
    pub fn row(&mut self, word: u32, compute: impl FnOnce(&mut [f32])) -> &[f32] {
        match self.places[word as usize] {
            0 => {
                let place = self.free_place();
                compute(self.at(place));
                // Last, so that a panic above leaves no word with half a product.
                self.words[place] = word;
                self.places[word as usize] = place as u32 + 1;
                self.at(place)
            }
            place => self.at(place as usize - 1),
        }
    }

    /// The products of several words end to end; `compute` makes those that are not there.
    pub fn rows(&mut self, words: &[u32], compute: impl FnOnce(&[u32]) -> Vec<f32>) -> Vec<f32> {
        let columns = self.columns;
        let mut out = Vec::with_capacity(words.len() * columns);
        let mut missing = Vec::new();
        for (i, &word) in words.iter().enumerate() {
            match self.places[word as usize] {
                0 => {
                    missing.push(i);
                    out.resize(out.len() + columns, 0.0);
                }
                place => out.extend_from_slice(self.at(place as usize - 1)),
            }
        }
        if missing.is_empty() {
            return out;
        }
        let unknown: Vec<u32> = missing.iter().map(|&i| words[i]).collect();
        let computed = compute(&unknown);
        for (i, row) in missing.into_iter().zip(computed.chunks_exact(columns.max(1))) {
            out[i * columns..(i + 1) * columns].copy_from_slice(row);
            self.row(words[i], |place| place.copy_from_slice(row));
        }
        out
    }

    fn at(&mut self, place: usize) -> &mut [f32] {
        let first = place % SLAB * self.columns;
        &mut self.slabs[place / SLAB][first..first + self.columns]
    }

    /// A place without a word.
    fn free_place(&mut self) -> usize {
        if self.words.len() < self.most {
            let place = self.words.len();
            if place.is_multiple_of(SLAB) {
                let rows = SLAB.min(self.most - place);
                self.slabs.push(vec![0.0; rows * self.columns].into());
            }
            self.words.push(0);
            return place;
        }
        let place = self.oldest;
        self.oldest = (place + 1) % self.most;
        self.places[self.words[place] as usize] = 0;
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_computed_once_and_kept_until_its_place_is_needed() {
        let mut products = WordProducts::new(1000, 2, 100 * 2 * 4);
        let mut computed = Vec::new();
        let mut ask = |products: &mut WordProducts, word: u32| {
            let row = products.row(word, |row| {
                computed.push(word);
                row.copy_from_slice(&[word as f32, -(word as f32)]);
            });
            assert_eq!(row, [word as f32, -(word as f32)]);
        };
        // Twice as many words as there is room for, each asked for twice.
        for word in (0..200).chain(150..200) {
            ask(&mut products, word);
            ask(&mut products, word);
        }
        assert_eq!(products.len(), 100);
        // The first hundred have been forgotten; asking for one forgets the oldest of the others.
        ask(&mut products, 0);
        ask(&mut products, 101);
        ask(&mut products, 100);
        assert_eq!(computed, (0..200).chain([0, 100]).collect::<Vec<_>>());
    }

    #[test]
    fn a_panic_leaves_whole_products_alone() {
        let mut products = WordProducts::new(3, 1, 4);
        products.row(1, |row| row[0] = 1.0);
        let fails = std::panic::AssertUnwindSafe(|| products.row(2, |_| panic!("no product")).len());
        assert!(std::panic::catch_unwind(fails).is_err());
        assert_eq!(products.row(2, |row| row[0] = 2.0), [2.0]);
        assert_eq!(products.row(1, |row| row[0] = 3.0), [3.0]);
    }
}
