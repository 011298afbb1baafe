//! Products of table rows with a weight, kept by word. The words of a text repeat, so that a layer over an embedding
//! multiplies the same rows again and again (`kernels/src/word_products.rs`).

use std::sync::{Arc, Mutex, PoisonError};

use crate::cpu::word_products::WordProducts;
use crate::device::cache::Cache;
use crate::device::{ParamId, Parameters, WeightView};

/// `table[word] Wᵀ + b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Product {
    /// The table of the words.
    pub(super) table: ParamId,
    /// The weight.
    pub(super) weight: WeightView,
    /// The bias.
    pub(super) bias: Option<ParamId>,
}

impl Product {
    fn parameters(&self) -> impl Iterator<Item = ParamId> {
        [self.table, self.weight.param].into_iter().chain(self.bias)
    }
}

/// The kept products, by table, weight and bias.
#[derive(Debug)]
pub(super) struct WordCache {
    products: Mutex<Cache<Product, Arc<Mutex<WordProducts>>>>,
    /// The most bytes that the products of one weight may take.
    bytes: usize,
}

impl WordCache {
    /// An empty cache with room for `bytes` of each weight's products; 0 keeps none.
    pub(super) fn new(bytes: usize) -> Self {
        Self { products: Mutex::default(), bytes }
    }

    /// Whether the cache may keep anything.
    pub(super) fn has_room(&self) -> bool {
        self.bytes > 0
    }

    /// The kept products of a weight; none if nothing may be kept. A caller that finds them locked computes instead of
    /// waiting.
    pub(super) fn get(&self, parameters: &Parameters, product: Product) -> Option<Arc<Mutex<WordProducts>>> {
        if !self.has_room() {
            return None;
        }
        // A panic while the lock was held leaves whole entries.
        let mut cache = self.products.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = cache.get(parameters, &product, product.parameters()) {
            return Some(kept.clone());
        }
        let words = parameters.get(product.table).rows();
        let kept = Arc::new(Mutex::new(WordProducts::new(words, product.weight.outputs, self.bytes)));
        cache.insert(parameters, product, product.parameters(), kept.clone());
        Some(kept)
    }
}
