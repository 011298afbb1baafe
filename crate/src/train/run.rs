//! What a [`Trainer`] is given, and what it says.

#[cfg(doc)]
use super::Trainer;

/// What may change in the midst of a run; none stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Adjustment {
    /// The step size that the schedule begins with.
    pub learning_rate: Option<f32>,
    /// The weight of the loss of skimming, once it has risen.
    pub gamma: Option<f32>,
    /// The temperature of skimming, which then falls no more.
    pub temperature: Option<f32>,
}

/// The texts of a run.
#[derive(Clone, Debug, Default)]
pub struct Texts<T> {
    /// To learn from.
    pub train: Vec<T>,
    /// To choose by.
    pub dev: Vec<T>,
    /// To report on, if there are any.
    pub test: Vec<T>,
}

/// What a run is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// [`Trainer::step`].
    Step,
    /// [`Trainer::evaluate`].
    Evaluation,
    /// [`Trainer::finish`], with the model that was kept last.
    Finish,
}

/// Where a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The epoch, from 0.
    pub epoch: usize,
    /// Steps in it.
    pub steps: usize,
    /// Steps of it that are done.
    pub done: usize,
}

/// A loss of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Loss {
    /// As the objective calls it.
    pub name: &'static str,
    /// Its value.
    pub value: f32,
}

/// What an evaluation found.
#[derive(Clone, Debug)]
pub struct Evaluated<S> {
    /// Epochs so far, with fraction.
    pub epoch: f64,
    /// On the development texts.
    pub score: S,
    /// The model file, if the model is the best so far.
    pub kept: Option<Vec<u8>>,
}

/// The end of a run.
#[derive(Clone, Debug)]
pub struct Finished<S> {
    /// The model file, with its figures in it.
    pub model: Vec<u8>,
    /// Of the model as stored, on the development texts.
    pub dev: S,
    /// On the test texts.
    pub test: Option<S>,
}
