//! Named weights.

use std::sync::{Arc, Mutex, Weak};

use super::cpu::known::{Known, Product};
use super::cpu::packs::Packs;
use super::{EngineError, WeightView};
use crate::cpu::packed::Packed;
use crate::cpu::word_products::WordProducts;

/// Identity of a parameter within its [`Parameters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId(u32);

impl ParamId {
    /// Position in the store.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How the CPU keeps weights that it multiplies with, beside the parameters themselves. The GPU, and gradients, have all bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// With all their bits.
    #[default]
    F32,
    /// Rounded to bfloat16, whose 8 bits of precision are the first of an f32: an error of at most 2^-9 of each weight.
    /// Half the memory for that copy, and up to twice the speed where a single sequence is read with weights that fit no near cache
    /// (an LSTM of 512 units or more). Sums and states have all bits.
    Bf16,
}

/// One weight: a row-major tensor under the name PyTorch gives it.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// Its name in a checkpoint.
    pub name: String,
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// `shape.product()` values.
    pub values: Vec<f32>,
    /// Whether an optimiser may change it.
    pub trainable: bool,
}

impl Parameter {
    /// Rows when seen as a matrix (a vector is one row).
    pub fn rows(&self) -> usize {
        if self.shape.len() < 2 { 1 } else { self.shape[0] }
    }

    /// Columns when seen as a matrix.
    pub fn columns(&self) -> usize {
        if self.shape.len() < 2 { self.values.len() } else { self.shape[1..].iter().product() }
    }
}

/// The weights of a model, in the order they were added.
#[derive(Debug, Default)]
pub struct Parameters {
    list: Vec<Parameter>,
    /// Sorted by name.
    names: Vec<ParamId>,
    /// How often each may have changed.
    revisions: Vec<u64>,
    identity: Arc<()>,
    /// The CPU's copies.
    packs: Packs,
    /// Products of words that the CPU has computed.
    known: Known,
}

impl Clone for Parameters {
    fn clone(&self) -> Self {
        let Self { list, names, revisions, packs, known, .. } = self;
        Self {
            list: list.clone(),
            names: names.clone(),
            revisions: revisions.clone(),
            identity: Arc::default(),
            packs: packs.emptied(),
            known: known.emptied(),
        }
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

impl Parameters {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a trainable parameter.
    ///
    /// # Errors
    /// If the name is taken or `values` does not fill `shape`.
    pub fn add(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        values: Vec<f32>,
    ) -> Result<ParamId, EngineError> {
        let name = name.into();
        let size: usize = shape.iter().product();
        if values.len() != size {
            let reason = format!("shape {shape:?} holds {size} values, found {}", values.len());
            return Err(EngineError::Parameter { name, reason });
        }
        let id = ParamId(self.list.len() as u32);
        match self.find(&name) {
            Ok(_) => return Err(EngineError::Parameter { name, reason: "is defined twice".into() }),
            Err(place) => self.names.insert(place, id),
        }
        self.revisions.push(0);
        self.list.push(Parameter { name, shape: shape.to_vec(), values, trainable: true });
        Ok(id)
    }

    /// The parameter with a name.
    pub fn id(&self, name: &str) -> Option<ParamId> {
        self.find(name).ok().map(|place| self.names[place])
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.names.binary_search_by(|id| self.list[id.index()].name.as_str().cmp(name))
    }

    /// A parameter.
    pub fn get(&self, id: ParamId) -> &Parameter {
        &self.list[id.index()]
    }

    /// A parameter, to change its values.
    pub fn get_mut(&mut self, id: ParamId) -> &mut Parameter {
        self.revisions[id.index()] += 1;
        &mut self.list[id.index()]
    }

    /// How often a parameter may have changed: devices keep copies by it.
    pub fn revision(&self, id: ParamId) -> u64 {
        self.revisions[id.index()]
    }

    /// Says that a device has newer values of a parameter than the host: other devices' copies are out of date.
    #[cfg(all(feature = "train", feature = "gpu"))]
    pub(crate) fn supersede(&mut self, id: ParamId) {
        self.revisions[id.index()] += 1;
    }

    /// Takes the values that superseded the host's.
    #[cfg(all(feature = "train", feature = "gpu"))]
    pub(crate) fn catch_up(&mut self, id: ParamId, values: Vec<f32>) {
        self.packs.forget(id);
        self.known.forget(id);
        self.list[id.index()].values = values;
    }

    /// What distinguishes this store from all others while it lives; a clone is another store.
    pub fn identity(&self) -> Weak<()> {
        Arc::downgrade(&self.identity)
    }

    /// Values of a parameter.
    pub fn values(&self, id: ParamId) -> &[f32] {
        &self.list[id.index()].values
    }

    /// A weight in the order that the CPU's products read.
    pub(super) fn packed(&self, view: &WeightView) -> Arc<Packed> {
        self.packs.get(self, view)
    }

    /// How the CPU keeps weights that it multiplies with; [`Precision::F32`] unless told.
    pub fn set_precision(&mut self, precision: Precision) {
        self.packs = Packs::of(precision);
        self.known = self.known.emptied();
    }

    /// How many bytes the CPU may keep, for each Skim layer that stands on an embedding, of the big cell's input products
    /// of words that it has read: 8 MiB unless told, 0 for none. Results do not depend on it; a word that is read again
    /// costs half as much.
    pub fn keep_word_products(&mut self, bytes: usize) {
        self.known = Known::with_room(bytes);
    }

    /// Whether any product of a word may be kept.
    pub(super) fn keeps_word_products(&self) -> bool {
        self.known.has_room()
    }

    /// Products of words that are known, if any may be.
    pub(super) fn known(&self, product: Product) -> Option<Arc<Mutex<WordProducts>>> {
        self.known.get(self, product)
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ParamId, &Parameter)> {
        self.list.iter().enumerate().map(|(i, p)| (ParamId(i as u32), p))
    }

    /// All parameters in order, to change their values.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (ParamId, &mut Parameter)> {
        self.revisions.iter_mut().for_each(|revision| *revision += 1);
        self.list.iter_mut().enumerate().map(|(i, p)| (ParamId(i as u32), p))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }
}
