//! Keeps weights on the GPU: uploads them when they are first used and after a change, and drops them when weights are next
//! used after their store is gone.
//!
//! Training changes weights on the GPU. The copy in the store's layout is then newer than the store, and copies in
//! other layouts are made from it.

use super::kernels::transpose;
use super::{Gpu, GpuBuffer};
use crate::cpu;
use crate::device::cache::Cache;
use crate::device::{EngineError, ParamId, Parameters};

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

/// The copies of every store that lives, by what they hold end to end.
pub(super) type Resident = Cache<Box<[Part]>, Copy>;

/// Weights on the GPU.
pub(super) struct Copy {
    buffer: GpuBuffer,
    /// Whether the copy is newer than the store.
    ahead: bool,
}

/// The parameters that a copy holds.
fn ids(parts: &[Part]) -> impl Iterator<Item = ParamId> {
    parts.iter().map(|&(id, _)| id)
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
        if let Some(copy) = self.resident.borrow_mut().get(parameters, parts, ids(parts)) {
            return Ok(copy.buffer.clone());
        }
        let buffer = if ids(parts).any(|id| self.is_ahead(parameters, id)) {
            let old = self.resident.borrow_mut().remove(parameters, parts);
            self.gathered(parameters, parts, old.map(|copy| copy.buffer))?
        } else {
            self.upload(stored(parameters, parts))?
        };
        self.keep(parameters, parts, Copy { buffer: buffer.clone(), ahead: false });
        Ok(buffer)
    }

    fn keep(&self, parameters: &Parameters, parts: &[Part], copy: Copy) {
        self.resident.borrow_mut().insert(parameters, parts.into(), ids(parts), copy);
    }

    /// Lays the copies of all weights in the store's layout end to end, in as few buffers as hold them.
    #[cfg(feature = "train")]
    pub(in crate::device) fn join(&self, parameters: &Parameters) -> Result<(), EngineError> {
        let sizes: Vec<usize> = parameters.iter().map(|(_, parameter)| parameter.values.len()).collect();
        let buffers = self.pool.end_to_end(&sizes)?;
        for ((id, parameter), buffer) in parameters.iter().zip(buffers) {
            let ahead = self.is_ahead(parameters, id);
            if ahead {
                let from = self.weight(parameters, id)?;
                self.recorder.borrow_mut().copy(&self.context, &from, &buffer);
            } else {
                let bytes = bytemuck::cast_slice(&parameter.values);
                self.recorder.borrow_mut().write(&self.context, &buffer, bytes);
            }
            self.keep(parameters, &[(id, Layout::AsStored)], Copy { buffer, ahead });
        }
        Ok(())
    }

    /// Whether the GPU's copy of a weight is newer than the store.
    pub(super) fn is_ahead(&self, parameters: &Parameters, id: ParamId) -> bool {
        let parts = [(id, Layout::AsStored)];
        self.resident.borrow_mut().get(parameters, &parts[..], [id]).is_some_and(|copy| copy.ahead)
    }

    /// Makes a buffer that kernels have written the values of a weight.
    #[cfg(feature = "train")]
    pub(super) fn supersede(&self, parameters: &mut Parameters, id: ParamId, buffer: GpuBuffer) {
        parameters.supersede(id);
        self.keep(parameters, &[(id, Layout::AsStored)], Copy { buffer, ahead: true });
    }

    /// Writes the GPU's values of a weight to the store, which then has the newest.
    #[cfg(feature = "train")]
    pub(super) fn catch_up(&self, parameters: &mut Parameters, id: ParamId, values: Vec<f32>) {
        let parts = [(id, Layout::AsStored)];
        // A new revision: what other devices made of the old values is out of date. And first, since a store that is shared
        // leaves its copies to those that it was shared with.
        parameters.get_mut(id).values = values;
        let copy = self.resident.borrow_mut().remove(parameters, &parts[..]);
        if let Some(copy) = copy {
            self.keep(parameters, &parts, Copy { ahead: false, ..copy });
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
