//! What the engine's tests share: reproducible numbers, and parameters of given shapes filled with them.

use saccade_rnn::cpu::noise::uniform;
use saccade_rnn::device::{ParamId, Parameters};

/// `count` values in (-size, size), a function of `stream`.
pub(crate) fn values(stream: u32, count: usize, size: f32) -> Vec<f32> {
    (0..count as u32).map(|i| size * (2.0 * uniform(17, stream, i) - 1.0)).collect()
}

/// Adds a parameter with values in (-1, 1) that depend on its position in the store.
pub(crate) fn parameter(parameters: &mut Parameters, name: &str, shape: &[usize]) -> ParamId {
    let stream = 1_000 + parameters.len() as u32;
    let values = values(stream, shape.iter().product(), 1.0);
    parameters.add(name, shape, values).expect("the name is new and the values fill the shape")
}
