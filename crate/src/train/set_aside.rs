//! Weights that a step changes for a while.

use crate::device::{ParamId, Parameters};

/// Weights as they were. The host's values must be up to date ([`Device::fetch`](crate::device::Device::fetch)) when they are set
/// aside.
#[derive(Default)]
pub(super) struct SetAside(Vec<(ParamId, Vec<f32>)>);

impl SetAside {
    /// Keeps a copy of a parameter's values, which may be changed from here on.
    pub(super) fn keep<'p>(&mut self, parameters: &'p mut Parameters, id: ParamId) -> &'p mut Vec<f32> {
        let values = &mut parameters.get_mut(id).values;
        self.0.push((id, values.clone()));
        values
    }

    /// Which have been set aside.
    pub(super) fn ids(&self) -> impl Iterator<Item = ParamId> {
        self.0.iter().map(|(id, _)| *id)
    }

    /// Brings them back.
    pub(super) fn restore(&mut self, parameters: &mut Parameters) {
        for (id, whole) in &mut self.0 {
            parameters.get_mut(*id).values = std::mem::take(whole);
        }
    }
}
