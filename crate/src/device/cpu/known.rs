//! Products of words that are known already, beside the store that they are made from: filled as words come, begun anew
//! when a parameter changed.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cpu::word_products::WordProducts;
use crate::device::{ParamId, Parameters, WeightView};
use crate::few::Few;

/// What products of one layer may take unless somebody says otherwise ([`Parameters::keep_word_products`]).
const BYTES: usize = 8 << 20;

/// `table[word] Wᵀ + b`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::device) struct Product {
    /// The table of the words.
    pub(in crate::device) table: ParamId,
    /// The weight.
    pub(in crate::device) weight: WeightView,
    /// The bias.
    pub(in crate::device) bias: Option<ParamId>,
}

impl Product {
    fn parameters(&self) -> [ParamId; 3] {
        [self.table, self.weight.param, self.bias.unwrap_or(self.table)]
    }
}

/// The products of one store.
#[derive(Debug)]
pub(in crate::device) struct Known {
    products: Mutex<Few<Product, Kept>>,
    /// The most that those of one product may take.
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    /// Of the parameters that they were made from.
    revisions: [u64; 3],
    words: Arc<Mutex<WordProducts>>,
}

impl Default for Known {
    fn default() -> Self {
        Self::with_room(BYTES)
    }
}

impl Known {
    /// Nothing is known, and so many bytes may come to be.
    pub(in crate::device) fn with_room(bytes: usize) -> Self {
        Self { products: Mutex::default(), bytes }
    }

    /// Whether anything may be kept.
    pub(in crate::device) fn has_room(&self) -> bool {
        self.bytes > 0
    }

    /// As this one was in the beginning.
    pub(in crate::device) fn emptied(&self) -> Self {
        Self::with_room(self.bytes)
    }

    /// What is known of a product of `parameters`, the store that this belongs to; none if nothing may be kept. Whoever
    /// finds it locked had better compute than wait.
    pub(in crate::device) fn get(
        &self,
        parameters: &Parameters,
        product: Product,
    ) -> Option<Arc<Mutex<WordProducts>>> {
        if !self.has_room() {
            return None;
        }
        // A panic while the lock was held leaves whole entries.
        let mut products = self.products.lock().unwrap_or_else(PoisonError::into_inner);
        let revisions = product.parameters().map(|id| parameters.revision(id));
        match products.get(&product) {
            Some(kept) if kept.revisions == revisions => Some(kept.words.clone()),
            _ => {
                let rows = parameters.get(product.table).rows();
                let words = WordProducts::new(rows, product.weight.outputs, self.bytes);
                let words = Arc::new(Mutex::new(words));
                products.insert(product, Kept { revisions, words: words.clone() });
                Some(words)
            }
        }
    }

    /// Forgets what was made from a parameter.
    #[cfg(all(feature = "train", feature = "gpu"))]
    pub(in crate::device) fn forget(&mut self, id: ParamId) {
        let products = self.products.get_mut().unwrap_or_else(PoisonError::into_inner);
        products.retain(|product| !product.parameters().contains(&id));
    }
}
