//! A map of few entries: a list that is searched from its beginning. Hashing costs more than that, in time and code.

use std::borrow::Borrow;

/// Values by key.
#[derive(Clone, Debug)]
pub(crate) struct Few<K, V>(Vec<(K, V)>);

impl<K, V> Default for Few<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K, V> Few<K, V> {
    fn position<Q: PartialEq + ?Sized>(&self, key: &Q) -> Option<usize>
    where
        K: Borrow<Q>,
    {
        self.0.iter().position(|(other, _)| other.borrow() == key)
    }

    pub(crate) fn get<Q: PartialEq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.position(key).map(|at| &self.0[at].1)
    }

    /// Puts a value in the place of the one there was.
    pub(crate) fn insert(&mut self, key: K, value: V)
    where
        K: PartialEq,
    {
        match self.position(&key) {
            Some(at) => self.0[at].1 = value,
            None => self.0.push((key, value)),
        }
    }

    /// Keeps what belongs to some keys.
    #[cfg(all(feature = "train", feature = "gpu"))]
    pub(crate) fn retain(&mut self, keep: impl Fn(&K) -> bool) {
        self.0.retain(|(key, _)| keep(key));
    }

    #[cfg(feature = "gpu")]
    pub(crate) fn get_mut<Q: PartialEq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.position(key).map(|at| &mut self.0[at].1)
    }

    /// The value of a key, which `make` makes if there is none.
    #[cfg(feature = "gpu")]
    pub(crate) fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V
    where
        K: PartialEq,
    {
        let at = self.position(&key).unwrap_or_else(|| {
            self.0.push((key, make()));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }

    /// Its entries in the order in which they came.
    #[cfg(feature = "gpu")]
    pub(crate) fn into_entries(self) -> impl Iterator<Item = (K, V)> {
        self.0.into_iter()
    }
}

#[cfg(all(test, feature = "gpu"))]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_value() {
        let mut few = Few::default();
        *few.get_or_insert_with("a", || 1) += 1;
        *few.get_or_insert_with("a", || 7) += 1;
        *few.get_or_insert_with("b", || 7) += 1;
        assert_eq!((few.get("a"), few.get("b"), few.get("c")), (Some(&3), Some(&8), None));
        few.insert("b", 0);
        assert_eq!(few.into_entries().collect::<Vec<_>>(), [("a", 3), ("b", 0)]);
    }
}
