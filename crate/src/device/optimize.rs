//! What a device offers an optimiser: the optimiser says what to compute, the device does it where the weights are.
//! (Feature `train`.)

use super::{Buffer, Device, EngineError, ParamId, Parameters};

/// Rows of a parameter.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    /// All of so many.
    All(usize),
    /// Those with these numbers, in increasing order.
    Listed(&'a [u32]),
}

impl Rows<'_> {
    /// How many.
    pub fn count(&self) -> usize {
        match self {
            Rows::All(count) => *count,
            Rows::Listed(numbers) => numbers.len(),
        }
    }
}

/// Rows of a matrix in the device's memory.
#[derive(Debug)]
pub struct Part<'a, B = Buffer> {
    /// The matrix.
    pub buffer: &'a B,
    /// Its columns.
    pub columns: usize,
    /// Which rows.
    pub rows: Rows<'a>,
}

/// One step of Adam for one parameter: `g = scale gradient` with `scale = min(1, clip / (norm + 1e-6))`,
/// `m = beta1 m + (1 - beta1) g`, `v = beta2 v + (1 - beta2) g²`,
/// `w = decay w - rate m / (sqrt(v) correction + epsilon)`.
///
/// With `beta1` 0 and `beta2` 1 it is gradient descent: no later step reads the first moment, and the second is taken to be
/// zero, as it begins. A device need not keep them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamStep {
    /// Decay of the first moment.
    pub beta1: f32,
    /// Decay of the second moment.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub epsilon: f32,
    /// The step size, with the bias correction of the first moment.
    pub rate: f32,
    /// The bias correction of the second moment's root.
    pub correction: f32,
    /// What is left of the weights before they move.
    pub decay: f32,
    /// The largest global norm of the gradient; 0 for none.
    pub clip: f32,
}

/// Steps of an optimiser.
///
/// Once a GPU has changed weights, its copy is ahead of the host's, which [`Self::fetch`] brings up to date. A global
/// norm stays in the device's memory: a step that is given one that is not finite leaves the weights, moments and
/// averages as they are.
impl Device {
    /// The root of the sum of all squares: a buffer of one value.
    ///
    /// # Errors
    /// If the device fails, or a buffer lies on another one, as for all methods.
    pub fn norm(&self, gradients: &[Part<'_>]) -> Result<Buffer, EngineError> {
        on!(self, device => device.norm(gradients))
    }

    /// Takes a step of Adam with rows of a parameter, and sets their gradient to zero.
    ///
    /// # Errors
    /// See [`Self::norm`].
    #[allow(clippy::too_many_arguments, reason = "a step of Adam has as many operands")]
    pub fn adam(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        rows: Rows<'_>,
        gradient: &mut Buffer,
        moments: [&mut Buffer; 2],
        norm: &Buffer,
        step: &AdamStep,
    ) -> Result<(), EngineError> {
        on!(self, device => device.adam(parameters, id, rows, gradient, moments, norm, step))
    }

    /// Moves an average of weights towards them: `average = w + (average - w) keep`, with one factor for all rows or
    /// one for each.
    ///
    /// # Errors
    /// See [`Self::norm`].
    pub fn average(
        &self,
        parameters: &Parameters,
        id: ParamId,
        rows: Rows<'_>,
        average: &mut Buffer,
        keep: &[f32],
        norm: Option<&Buffer>,
    ) -> Result<(), EngineError> {
        on!(self, device => device.average(parameters, id, rows, average, keep, norm))
    }

    /// Exchanges the values of a parameter with those of a buffer.
    ///
    /// # Errors
    /// See [`Self::norm`].
    pub fn exchange(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        values: &mut Buffer,
    ) -> Result<(), EngineError> {
        on!(self, device => device.exchange(parameters, id, values))
    }

    /// Brings the host's values up to date with the device's.
    ///
    /// # Errors
    /// See [`Self::norm`].
    #[cfg_attr(not(feature = "gpu"), allow(unused_variables, reason = "the CPU's weights are the host's"))]
    pub async fn fetch(&self, parameters: &mut Parameters) -> Result<(), EngineError> {
        match self {
            Self::Cpu(_) => Ok(()),
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => gpu.fetch(parameters).await,
        }
    }
}
