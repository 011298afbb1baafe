//! A build without cells: the function of one does not exist.

use super::infer::Check;
use super::{EngineError, Parameters, Shape};

/// A recorded function, of which there is none.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Function {}

impl Function {
    /// Its name in reports and errors.
    pub fn name(&self) -> &'static str {
        match *self {}
    }

    /// How many operands it takes.
    pub fn inputs(&self) -> usize {
        match *self {}
    }

    /// How many outputs it has.
    pub fn outputs(&self) -> usize {
        match *self {}
    }

    /// Whether it uses a parameter.
    pub fn has_parameters(&self) -> bool {
        match *self {}
    }

    pub(super) fn infer(&self, _: &Check<'_>, _: &Parameters) -> Result<Vec<Shape>, EngineError> {
        match *self {}
    }
}
