//! What a device offers an optimiser. The optimiser says what to compute, the device does it where the weights are.
//! (Feature `train`.)

use super::{Device, EngineError, ParamId, Parameters};

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
pub struct Part<'a, B> {
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

/// A device that can change the weights that its kernels read.
///
/// Once it has, its copy is ahead of the host's, which [`Self::fetch`] brings up to date. A global norm stays in the
/// device's memory: whoever is given one that is not finite leaves the weights, moments and averages as they are.
#[allow(async_fn_in_trait, reason = "the engine drives devices on one thread; wasm futures are never Send")]
pub trait Optimize: Device {
    /// The root of the sum of all squares: a buffer of one value.
    ///
    /// # Errors
    /// If the device fails, as for all methods.
    fn norm(&self, gradients: &[Part<'_, Self::Buffer>]) -> Result<Self::Buffer, EngineError>;

    /// Takes a step of Adam with rows of a parameter, and sets their gradient to zero.
    #[allow(clippy::too_many_arguments, reason = "a step of Adam has as many operands")]
    fn adam(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        rows: Rows<'_>,
        gradient: &mut Self::Buffer,
        moments: [&mut Self::Buffer; 2],
        norm: &Self::Buffer,
        step: &AdamStep,
    ) -> Result<(), EngineError>;

    /// Moves an average of weights towards them: `average = w + (average - w) keep`, with one factor for all rows or
    /// one for each.
    fn average(
        &self,
        parameters: &Parameters,
        id: ParamId,
        rows: Rows<'_>,
        average: &mut Self::Buffer,
        keep: &[f32],
        norm: Option<&Self::Buffer>,
    ) -> Result<(), EngineError>;

    /// Exchanges the values of a parameter with those of a buffer.
    fn exchange(
        &self,
        parameters: &mut Parameters,
        id: ParamId,
        values: &mut Self::Buffer,
    ) -> Result<(), EngineError>;

    /// Brings the host's values up to date with the device's.
    async fn fetch(&self, parameters: &mut Parameters) -> Result<(), EngineError>;
}
