//! Gradients of parameters.

use crate::device::{Buffer, Device, EngineError, ParamGradients, ParamId, Parameters};

/// Gradients of scalars with respect to every parameter, in the device's memory. Passes add to it
/// ([`super::Expr::backward_into`]), so that one can serve a whole training run.
pub struct Gradients {
    pub(super) slots: ParamGradients,
}

impl Gradients {
    /// All zero.
    pub fn zeros(parameters: &Parameters) -> Self {
        Self { slots: vec![None; parameters.len()] }
    }

    /// The gradient of one parameter in the device's memory; `None` is zero.
    pub fn get(&self, id: ParamId) -> Option<&Buffer> {
        self.slots[id.index()].as_ref()
    }

    /// The gradient of one parameter, to change it, put one in its place or forget it.
    pub fn get_mut(&mut self, id: ParamId) -> &mut Option<Buffer> {
        &mut self.slots[id.index()]
    }

    /// The gradients of all parameters in the order of their numbers, to change them.
    #[cfg(feature = "train")]
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Option<Buffer>> {
        self.slots.iter_mut()
    }

    /// The gradients of all parameters in the order of their numbers; `None` is zero.
    #[cfg(all(feature = "web", feature = "train", not(feature = "runs")))]
    pub(crate) fn slots(&self) -> impl Iterator<Item = Option<&Buffer>> {
        self.slots.iter().map(Option::as_ref)
    }

    /// The gradient of one parameter, or `None` if no scalar depended on it.
    ///
    /// # Errors
    /// If the device cannot be read.
    pub async fn read(
        &self,
        device: &Device,
        parameters: &Parameters,
        id: ParamId,
    ) -> Result<Option<Vec<f32>>, EngineError> {
        match &self.slots[id.index()] {
            Some(buffer) => {
                let part = (buffer.clone(), 0..parameters.values(id).len());
                Ok(device.read(&[part]).await?.pop())
            }
            None => Ok(None),
        }
    }
}
