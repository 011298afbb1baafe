//! Weights that live on the GPU: uploaded when first used, again when they changed, dropped with their store.

use std::collections::HashMap;
use std::sync::Weak;

use super::{Gpu, GpuBuffer};
use crate::device::{Device, EngineError, ParamId, Parameters};

/// How a copy of a weight lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Layout {
    /// As the store has it.
    AsStored,
    #[allow(dead_code, reason = "the recurrences come next")]
    /// A matrix with rows and columns exchanged, so that neighbouring invocations read neighbouring values.
    Transposed,
}

/// The copies of every store that lives.
#[derive(Default)]
pub(super) struct Resident {
    stores: Vec<Store>,
}

struct Store {
    identity: Weak<()>,
    copies: HashMap<(ParamId, Layout), Copy>,
}

struct Copy {
    revision: u64,
    buffer: GpuBuffer,
}

impl Resident {
    fn store(&mut self, identity: &Weak<()>) -> &mut Store {
        if let Some(at) = self.stores.iter().position(|store| store.identity.ptr_eq(identity)) {
            return &mut self.stores[at];
        }
        self.stores.retain(|store| store.identity.strong_count() > 0);
        self.stores.push(Store { identity: identity.clone(), copies: HashMap::new() });
        let last = self.stores.len() - 1;
        &mut self.stores[last]
    }
}

impl Gpu {
    /// A weight as it is stored.
    pub(super) fn weight(&self, parameters: &Parameters, id: ParamId) -> Result<GpuBuffer, EngineError> {
        self.weight_in(parameters, id, Layout::AsStored)
    }

    /// A weight in the layout that a kernel wants.
    pub(super) fn weight_in(
        &self,
        parameters: &Parameters,
        id: ParamId,
        layout: Layout,
    ) -> Result<GpuBuffer, EngineError> {
        let (identity, revision) = (parameters.identity(), parameters.revision(id));
        let found = self
            .resident
            .borrow_mut()
            .store(&identity)
            .copies
            .get(&(id, layout))
            .and_then(|copy| (copy.revision == revision).then(|| copy.buffer.clone()));
        if let Some(buffer) = found {
            return Ok(buffer);
        }
        let parameter = parameters.get(id);
        let values = match layout {
            Layout::AsStored => parameter.values.clone(),
            Layout::Transposed => transposed(&parameter.values, parameter.columns()),
        };
        let buffer = self.upload(values)?;
        let copy = Copy { revision, buffer: buffer.clone() };
        self.resident.borrow_mut().store(&identity).copies.insert((id, layout), copy);
        Ok(buffer)
    }
}

fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    let column = |j: usize| values.iter().skip(j).step_by(columns.max(1)).copied();
    (0..columns).flat_map(column).collect()
}
