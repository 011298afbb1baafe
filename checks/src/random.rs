//! Numbers for cases, the same on every machine.

use saccade_rnn::cpu::noise;
use saccade_rnn::device::{ParamId, Parameters};

use crate::Matrix;

/// Draws numbers from the engine's counter-based generator.
#[derive(Clone, Debug)]
pub struct Random {
    seed: u32,
    drawn: u32,
}

impl Random {
    /// A source that depends on its seed alone.
    pub fn new(seed: u32) -> Self {
        Self { seed, drawn: 0 }
    }

    /// Uniform in -1..1.
    pub fn value(&mut self) -> f32 {
        self.drawn += 1;
        2.0 * noise::uniform(self.seed, 0, self.drawn) - 1.0
    }

    /// Below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.drawn += 1;
        noise::bits(self.seed, 0, self.drawn) as usize % bound
    }

    /// Values uniform in `-scale..scale`.
    pub fn values(&mut self, size: usize, scale: f32) -> Vec<f32> {
        (0..size).map(|_| self.value() * scale).collect()
    }

    /// A matrix uniform in `-scale..scale`.
    pub fn matrix(&mut self, rows: usize, columns: usize, scale: f32) -> Matrix {
        Matrix { rows, columns, values: self.values(rows * columns, scale) }
    }

    /// Adds a parameter uniform in `-scale..scale`.
    pub fn parameter(&mut self, parameters: &mut Parameters, shape: &[usize], scale: f32) -> ParamId {
        let name = format!("p{}", parameters.len());
        let values = self.values(shape.iter().product(), scale);
        parameters.add(name, shape, values).unwrap_or_else(|error| panic!("names are numbered: {error}"))
    }
}
