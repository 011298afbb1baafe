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

/// A step of Adam with rows of one parameter.
#[derive(Debug)]
pub struct Change<'a> {
    /// The parameter.
    pub id: ParamId,
    /// Which rows.
    pub rows: Rows<'a>,
    /// Its gradient.
    pub gradient: &'a mut Buffer,
    /// Its first and second moments.
    pub moments: [&'a mut Buffer; 2],
    /// How it moves.
    pub step: AdamStep,
}

/// A step of the average of rows of one parameter.
#[derive(Debug)]
pub struct Averaged<'a> {
    /// The parameter.
    pub id: ParamId,
    /// Which rows.
    pub rows: Rows<'a>,
    /// Its average.
    pub average: &'a mut Buffer,
    /// What the average keeps: one share for all rows, or one for each that is listed.
    pub keep: &'a [f32],
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
/// A GPU changes in one launch all whose matrices lie in the same buffers: [`Self::join`] has the weights lie so,
/// [`Self::upload_all`] whatever else.
///
/// Once a GPU has changed weights, its copy is ahead of the host's, which [`Self::fetch`] brings up to date. A global
/// norm stays in the device's memory: a step that is given one that is not finite leaves the weights, moments and
/// averages as they are.
impl Device {
    /// Has the weights lie end to end in the device's memory, in as few buffers as hold them.
    ///
    /// # Errors
    /// See [`Self::norm`].
    #[cfg_attr(not(feature = "gpu"), allow(unused_variables, reason = "the CPU has no launches"))]
    pub fn join(&self, parameters: &Parameters) -> Result<(), EngineError> {
        match self {
            Self::Cpu(_) => Ok(()),
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => gpu.join(parameters),
        }
    }

    /// Copies matrices to the device, end to end in as few buffers as hold them.
    ///
    /// # Errors
    /// See [`Self::norm`].
    pub fn upload_all(&self, matrices: Vec<Vec<f32>>) -> Result<Vec<Buffer>, EngineError> {
        match self {
            Self::Cpu(_) => matrices.into_iter().map(|values| self.upload(values)).collect(),
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => Ok(gpu.upload_all(&matrices)?.into_iter().map(Buffer::Gpu).collect()),
        }
    }

    /// Matrices of so many zeros each, end to end in as few buffers as hold them.
    ///
    /// # Errors
    /// See [`Self::norm`].
    pub fn zeros_all(&self, sizes: &[usize]) -> Result<Vec<Buffer>, EngineError> {
        match self {
            Self::Cpu(_) => sizes.iter().map(|&size| self.zeros(size)).collect(),
            #[cfg(feature = "gpu")]
            Self::Gpu(gpu) => Ok(gpu.zeros_all(sizes)?.into_iter().map(Buffer::Gpu).collect()),
        }
    }

    /// The root of the sum of all squares: a buffer of one value.
    ///
    /// # Errors
    /// If the device fails, or a buffer lies on another one, as for all methods.
    pub fn norm(&self, gradients: &[Part<'_>]) -> Result<Buffer, EngineError> {
        on!(self, device => device.norm(gradients))
    }

    /// Takes a step of Adam with rows of each parameter, and sets their gradients to zero.
    ///
    /// # Errors
    /// See [`Self::norm`].
    pub fn adam(
        &self,
        parameters: &mut Parameters,
        changes: Vec<Change<'_>>,
        norm: &Buffer,
    ) -> Result<(), EngineError> {
        on!(self, device => device.adam(parameters, changes, norm))
    }

    /// Moves averages of weights towards them: `average = w + (average - w) keep`.
    ///
    /// # Errors
    /// See [`Self::norm`].
    pub fn average(
        &self,
        parameters: &Parameters,
        averages: Vec<Averaged<'_>>,
        norm: Option<&Buffer>,
    ) -> Result<(), EngineError> {
        on!(self, device => device.average(parameters, averages, norm))
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
