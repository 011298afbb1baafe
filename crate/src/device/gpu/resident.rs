//! Keeps weights on the GPU: uploads them when they are first used and after a change, and drops them with their store.
//!
//! Training changes weights on the GPU. The copy in the store's layout is then newer than the store, and copies in
//! other layouts are made from it.

use std::sync::Weak;

use super::kernels::transpose;
use super::{Gpu, GpuBuffer};
use crate::cpu;
use crate::device::{Device, EngineError, ParamId, Parameters};
use crate::few::Few;

/// The layout of a weight's copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Layout {
    /// The layout of the store.
    AsStored,
    /// A matrix with rows and columns exchanged, so that neighbouring invocations read neighbouring values.
    Transposed,
}

/// A weight in a layout.
pub(super) type Part = (ParamId, Layout);

/// The copies of the weights of every living store.
#[derive(Default)]
pub(super) struct Resident {
    stores: Vec<Store>,
}

struct Store {
    identity: Weak<()>,
    /// Copies by the weights that they hold, end to end.
    copies: Few<Box<[Part]>, Copy>,
}

struct Copy {
    /// The sum of its weights' revisions, each of which only grows.
    revision: u64,
    buffer: GpuBuffer,
    /// Whether the copy is newer than the store.
    ahead: bool,
}

impl Resident {
    fn store(&mut self, identity: &Weak<()>) -> &mut Store {
        if let Some(at) = self.stores.iter().position(|store| store.identity.ptr_eq(identity)) {
            return &mut self.stores[at];
        }
        self.stores.retain(|store| store.identity.strong_count() > 0);
        self.stores.push(Store { identity: identity.clone(), copies: Few::default() });
        let last = self.stores.len() - 1;
        &mut self.stores[last]
    }
}

impl Gpu {
    /// A weight in the layout of the store.
    pub(super) fn weight(&self, parameters: &Parameters, id: ParamId) -> Result<GpuBuffer, EngineError> {
        self.weight_in(parameters, id, Layout::AsStored)
    }

    /// A weight in the given layout.
    pub(super) fn weight_in(
        &self,
        parameters: &Parameters,
        id: ParamId,
        layout: Layout,
    ) -> Result<GpuBuffer, EngineError> {
        self.weights_in_one(parameters, &[(id, layout)])
    }

    /// Weights end to end in one buffer, for kernels with more weights than bindings.
    pub(super) fn weights_in_one(
        &self,
        parameters: &Parameters,
        parts: &[Part],
    ) -> Result<GpuBuffer, EngineError> {
        let identity = parameters.identity();
        let revision = parts.iter().map(|&(id, _)| parameters.revision(id)).sum();
        let old = {
            let mut resident = self.resident.borrow_mut();
            let old = resident.store(&identity).copies.get(parts);
            old.map(|copy| (copy.revision == revision, copy.buffer.clone()))
        };
        let buffer = match old {
            Some((true, current)) => return Ok(current),
            old if parts.iter().any(|&(id, _)| self.is_ahead(parameters, id)) => {
                self.gathered(parameters, parts, old.map(|(_, buffer)| buffer))?
            }
            _ => self.upload(stored(parameters, parts))?,
        };
        let copy = Copy { revision, buffer: buffer.clone(), ahead: false };
        self.resident.borrow_mut().store(&identity).copies.insert(parts.into(), copy);
        Ok(buffer)
    }

    /// Whether the copy of a weight is newer than the store.
    pub(super) fn is_ahead(&self, parameters: &Parameters, id: ParamId) -> bool {
        let mut resident = self.resident.borrow_mut();
        let copy = resident.store(&parameters.identity()).copies.get(&[(id, Layout::AsStored)][..]);
        copy.is_some_and(|copy| copy.ahead && copy.revision == parameters.revision(id))
    }

    /// Makes a buffer that kernels have written the values of a weight.
    #[cfg(feature = "train")]
    pub(super) fn supersede(&self, parameters: &mut Parameters, id: ParamId, buffer: GpuBuffer) {
        parameters.supersede(id);
        let copy = Copy { revision: parameters.revision(id), buffer, ahead: true };
        let mut resident = self.resident.borrow_mut();
        resident.store(&parameters.identity()).copies.insert([(id, Layout::AsStored)].into(), copy);
    }

    /// Notes that the store has received the values of a weight.
    #[cfg(feature = "train")]
    pub(super) fn caught_up(&self, parameters: &Parameters, id: ParamId) {
        let mut resident = self.resident.borrow_mut();
        let copies = &mut resident.store(&parameters.identity()).copies;
        if let Some(copy) = copies.get_mut(&[(id, Layout::AsStored)][..]) {
            copy.ahead = false;
        }
    }

    /// Weights end to end from copies in the store's layout, in the given buffer or a new one.
    fn gathered(
        &self,
        parameters: &Parameters,
        parts: &[Part],
        buffer: Option<GpuBuffer>,
    ) -> Result<GpuBuffer, EngineError> {
        let size = parts.iter().map(|&(id, _)| parameters.values(id).len()).sum();
        let out = buffer.map_or_else(|| self.allocate(size), Ok)?;
        let mut first = 0;
        for &(id, layout) in parts {
            let parameter = parameters.get(id);
            let shape = match layout {
                // Transposing a single row copies it.
                Layout::AsStored => [1, parameter.values.len()],
                Layout::Transposed => [parameter.rows(), parameter.columns()],
            };
            transpose::into(self, &self.weight(parameters, id)?, shape, &out, first)?;
            first += parameter.values.len();
        }
        Ok(out)
    }
}

/// Weights end to end, from the store.
fn stored(parameters: &Parameters, parts: &[Part]) -> Vec<f32> {
    let mut values = Vec::new();
    for &(id, layout) in parts {
        let parameter = parameters.get(id);
        match layout {
            Layout::AsStored => values.extend_from_slice(&parameter.values),
            Layout::Transposed => {
                values.extend(cpu::transpose::transpose(&parameter.values, parameter.columns()))
            }
        }
    }
    values
}
