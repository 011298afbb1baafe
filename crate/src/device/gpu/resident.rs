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
    /// A matrix with rows and columns exchanged, so that neighbouring invocations read neighbouring values.
    Transposed,
}

/// A weight in a layout.
pub(super) type Part = (ParamId, Layout);

/// The copies of every store that lives.
#[derive(Default)]
pub(super) struct Resident {
    stores: Vec<Store>,
}

struct Store {
    identity: Weak<()>,
    /// By what they hold, end to end.
    copies: HashMap<Box<[Part]>, Copy>,
}

struct Copy {
    /// The sum over its parts, each of which only grows.
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
        let found = self
            .resident
            .borrow_mut()
            .store(&identity)
            .copies
            .get(parts)
            .and_then(|copy| (copy.revision == revision).then(|| copy.buffer.clone()));
        if let Some(buffer) = found {
            return Ok(buffer);
        }
        let mut values = Vec::new();
        for &(id, layout) in parts {
            let parameter = parameters.get(id);
            match layout {
                Layout::AsStored => values.extend_from_slice(&parameter.values),
                Layout::Transposed => values.extend(transposed(&parameter.values, parameter.columns())),
            }
        }
        let buffer = self.upload(values)?;
        let copy = Copy { revision, buffer: buffer.clone() };
        self.resident.borrow_mut().store(&identity).copies.insert(parts.into(), copy);
        Ok(buffer)
    }
}

fn transposed(values: &[f32], columns: usize) -> Vec<f32> {
    let column = |j: usize| values.iter().skip(j).step_by(columns.max(1)).copied();
    (0..columns).flat_map(column).collect()
}
