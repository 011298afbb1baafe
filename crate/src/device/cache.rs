//! What a device derives from parameters and keeps: packed weights, products of words, copies on the GPU.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Weak;

// Looked up several times a call, of which the shortest take some microseconds.
use rustc_hash::FxHashMap;

use super::{ParamId, Parameters};

/// Values by store of parameters and key. A value is current while the parameters that it was derived from are at the
/// revision of that time. The values of a store that is gone are dropped when the cache is next asked for anything.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    stores: Vec<Store<K, V>>,
}

#[derive(Debug)]
struct Store<K, V> {
    identity: Weak<()>,
    entries: FxHashMap<K, Entry<V>>,
}

#[derive(Debug)]
struct Entry<V> {
    revision: u64,
    value: V,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self { stores: Vec::new() }
    }
}

/// The sum of the revisions of parameters, each of which only grows.
fn revision(parameters: &Parameters, of: impl IntoIterator<Item = ParamId>) -> u64 {
    of.into_iter().map(|id| parameters.revision(id)).sum()
}

impl<K: Eq + Hash, V> Cache<K, V> {
    fn entries(&mut self, parameters: &Parameters) -> &mut FxHashMap<K, Entry<V>> {
        self.stores.retain(|store| store.identity.strong_count() > 0);
        let at = self.stores.iter().position(|store| parameters.is(&store.identity)).unwrap_or_else(|| {
            let identity = parameters.identity();
            self.stores.push(Store { identity, entries: FxHashMap::default() });
            self.stores.len() - 1
        });
        &mut self.stores[at].entries
    }

    /// The value of a key if it is current.
    pub(super) fn get<Q: Eq + Hash + ?Sized>(
        &mut self,
        parameters: &Parameters,
        key: &Q,
        of: impl IntoIterator<Item = ParamId>,
    ) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let revision = revision(parameters, of);
        let entry = self.entries(parameters).get_mut(key).filter(|entry| entry.revision == revision)?;
        Some(&mut entry.value)
    }

    /// Takes the value of a key out, current or not.
    #[cfg(any(feature = "gpu", feature = "train"))]
    pub(super) fn remove<Q: Eq + Hash + ?Sized>(&mut self, parameters: &Parameters, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.entries(parameters).remove(key).map(|entry| entry.value)
    }

    /// Keeps a value that was derived from the parameters as they are.
    pub(super) fn insert(
        &mut self,
        parameters: &Parameters,
        key: K,
        of: impl IntoIterator<Item = ParamId>,
        value: V,
    ) {
        let revision = revision(parameters, of);
        self.entries(parameters).insert(key, Entry { revision, value });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_follow_their_parameters() {
        let mut parameters = Parameters::new();
        let a = parameters.add("a", &[1], vec![1.0]).unwrap();
        let b = parameters.add("b", &[1], vec![1.0]).unwrap();
        let mut cache = Cache::default();
        cache.insert(&parameters, "both", [a, b], 1);
        cache.insert(&parameters, "b", [b], 2);
        parameters.get_mut(a).values[0] = 2.0;
        assert_eq!(cache.get(&parameters, "both", [a, b]), None, "a has changed");
        assert_eq!(cache.get(&parameters, "b", [b]), Some(&mut 2));
    }

    #[test]
    fn stores_have_values_of_their_own_and_take_them_along() {
        let mut first = Parameters::new();
        let id = first.add("a", &[1], vec![1.0]).unwrap();
        let mut cache = Cache::default();
        cache.insert(&first, (), [id], "first");
        let mut second = first.clone();
        assert_eq!(cache.get(&second, &(), [id]), Some(&mut "first"), "a clone is the same store");
        second.get_mut(id).values[0] = 2.0;
        assert_eq!(cache.get(&second, &(), [id]), None, "until one of the two changes");
        assert_eq!(cache.stores.len(), 2);
        drop(first);
        assert_eq!(cache.get(&second, &(), [id]), None);
        assert_eq!(cache.stores.len(), 1, "the first one's values are gone");
    }
}
