//! Named weights.

use std::sync::{Arc, Weak};

use super::EngineError;

/// Identity of a parameter within its [`Parameters`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParamId(u32);

impl ParamId {
    /// Position in the store.
    pub fn index(self) -> usize {
        self.0 as usize
    }
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
///
/// A value: a clone costs nothing and has the same weights, until one of the two is changed, which first copies what
/// they share. A graph holds a clone.
///
/// ```
/// use saccade_rnn::device::Parameters;
///
/// let mut parameters = Parameters::new();
/// let weight = parameters.add("weight", &[2, 1], vec![1.0, 2.0])?;
/// let before = parameters.clone();
/// parameters.get_mut(weight).values[0] = 5.0;
/// assert_eq!((before.values(weight), parameters.values(weight)), (&[1.0, 2.0][..], &[5.0, 2.0][..]));
/// # Ok::<(), saccade_rnn::device::EngineError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Parameters(Arc<Store>);

#[derive(Debug, Default)]
struct Store {
    list: Vec<Parameter>,
    /// Sorted by name.
    names: Vec<ParamId>,
    /// How often each may have changed.
    revisions: Vec<u64>,
    identity: Arc<()>,
}

impl Clone for Store {
    fn clone(&self) -> Self {
        let Self { list, names, revisions, .. } = self;
        let (list, names, revisions) = (list.clone(), names.clone(), revisions.clone());
        Self { list, names, revisions, identity: Arc::default() }
    }
}

impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.0.list == other.0.list
    }
}

impl Store {
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.names.binary_search_by(|id| self.list[id.index()].name.as_str().cmp(name))
    }
}

impl Parameters {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// The store, to change it: a copy of its own if others share it.
    fn store_mut(&mut self) -> &mut Store {
        Arc::make_mut(&mut self.0)
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
        let size = shape.iter().try_fold(1usize, |size, &n| size.checked_mul(n));
        if size != Some(values.len()) {
            let holds = size.map_or("too many".to_string(), |size| size.to_string());
            let reason = format!("shape {shape:?} holds {holds} values, found {}", values.len());
            return Err(EngineError::Parameter { name, reason });
        }
        let Err(at) = self.0.find(&name) else {
            return Err(EngineError::Parameter { name, reason: "is defined twice".into() });
        };
        let store = self.store_mut();
        let id = ParamId(store.list.len() as u32);
        store.names.insert(at, id);
        store.revisions.push(0);
        store.list.push(Parameter { name, shape: shape.to_vec(), values, trainable: true });
        Ok(id)
    }

    /// The parameter with a name.
    pub fn id(&self, name: &str) -> Option<ParamId> {
        self.0.find(name).ok().map(|at| self.0.names[at])
    }

    /// A parameter.
    ///
    /// # Panics
    /// If there are not so many, since the id is another store's.
    pub fn get(&self, id: ParamId) -> &Parameter {
        &self.0.list[id.index()]
    }

    /// A parameter, to change its values.
    pub fn get_mut(&mut self, id: ParamId) -> &mut Parameter {
        let store = self.store_mut();
        store.revisions[id.index()] += 1;
        &mut store.list[id.index()]
    }

    /// How often a parameter may have changed. A device's copy is current while this stays the same.
    pub fn revision(&self, id: ParamId) -> u64 {
        self.0.revisions[id.index()]
    }

    /// Checks that no clone shares the store, such as that of a graph: a device may then change the weights in place.
    ///
    /// # Errors
    /// If a clone shares it. A change would copy the weights from the host, whose values may be older than a device's.
    #[cfg(feature = "train")]
    pub(crate) fn check_unshared(&mut self) -> Result<(), EngineError> {
        match Arc::get_mut(&mut self.0) {
            Some(_) => Ok(()),
            None => {
                let reason = "a graph or a clone still holds these parameters; drop it before they change";
                Err(EngineError::Unsupported { op: "optimiser", reason })
            }
        }
    }

    /// Counts a change of a parameter's values on a device, so that other devices' copies are out of date.
    #[cfg(all(feature = "train", feature = "gpu"))]
    pub(crate) fn supersede(&mut self, id: ParamId) {
        self.store_mut().revisions[id.index()] += 1;
    }

    /// What distinguishes this store from all others while it lives. Clones share it until one of them changes.
    pub fn identity(&self) -> Weak<()> {
        Arc::downgrade(&self.0.identity)
    }

    /// Whether this is the store with an [identity](Self::identity).
    pub(super) fn is(&self, identity: &Weak<()>) -> bool {
        std::ptr::eq(identity.as_ptr(), Arc::as_ptr(&self.0.identity))
    }

    /// Values of a parameter.
    pub fn values(&self, id: ParamId) -> &[f32] {
        &self.0.list[id.index()].values
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (ParamId, &Parameter)> {
        self.0.list.iter().enumerate().map(|(i, p)| (ParamId(i as u32), p))
    }

    /// All parameters in order, to change their values.
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (ParamId, &mut Parameter)> {
        let store = self.store_mut();
        store.revisions.iter_mut().for_each(|revision| *revision += 1);
        store.list.iter_mut().enumerate().map(|(i, p)| (ParamId(i as u32), p))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.list.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.list.is_empty()
    }
}
