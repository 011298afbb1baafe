//! Where a layer's parameters come from: drawn afresh, or stored tensors whose shapes are checked; or only their list.

use std::collections::{BTreeMap, BTreeSet};

use crate::cpu::noise;
use crate::device::{EngineError, ParamId, Parameters};

/// A dense array of f32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensor {
    /// The dimensions, outermost first. Their product is the number of values.
    pub shape: Vec<usize>,
    /// The values in row-major order.
    pub values: Vec<f32>,
}

/// Stored tensors by name.
pub type Tensors = BTreeMap<String, Tensor>;

/// How a fresh parameter is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// The same value everywhere.
    Constant(f32),
    /// Uniform in `-bound..bound`.
    Uniform(f32),
}

/// A layer cannot be built.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A stored tensor is missing.
    #[error("tensor {name} is missing; a tensor of shape {expected:?} was expected")]
    Missing {
        /// Its name.
        name: String,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// A stored tensor has another shape.
    #[error("tensor {name} has shape {found:?}; expected {expected:?}")]
    Shape {
        /// Its name.
        name: String,
        /// The shape it should have.
        expected: Vec<usize>,
        /// The shape it has.
        found: Vec<usize>,
    },
    /// A stored tensor that no layer asked for.
    #[error("no layer uses tensor {name} of shape {found:?}")]
    Unused {
        /// The first one's name.
        name: String,
        /// Its shape.
        found: Vec<usize>,
    },
    /// A stored tensor is not what it is tied to.
    #[error("tensor {name} is to be tensor {of}, or a part of it, and has other values")]
    Tied {
        /// Its name.
        name: String,
        /// The name that the weight is stored under.
        of: String,
    },
    /// A size that makes no layer.
    #[error("{what}: expected {expected}, found {found}")]
    Size {
        /// Which one.
        what: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A name used twice.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl BuildError {
    pub(crate) fn size(what: &'static str, expected: &str, found: impl ToString) -> Self {
        Self::Size { what, expected: expected.into(), found: found.to_string() }
    }
}

/// A second name of a parameter, of its first rows, or of its transpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The name.
    pub name: String,
    /// What has it.
    pub of: ParamId,
    /// How many of its rows.
    pub rows: usize,
    /// Whether rows and columns are exchanged.
    pub transposed: bool,
}

impl Alias {
    /// The tensor that has this name.
    pub fn tensor(&self, parameters: &Parameters) -> Tensor {
        let (rows, columns) = (self.rows, parameters.get(self.of).columns());
        let values = &parameters.values(self.of)[..rows * columns];
        if !self.transposed {
            return Tensor { shape: vec![rows, columns], values: values.to_vec() };
        }
        let column = |column: usize| values[column..].iter().step_by(columns).copied();
        Tensor { shape: vec![columns, rows], values: (0..columns).flat_map(column).collect() }
    }
}

/// Collects the parameters of a model while its layers are built.
pub struct Builder {
    parameters: Parameters,
    /// Stored tensors that are other names of parameters.
    aliases: BTreeSet<String>,
    source: Source,
    prefix: String,
}

enum Source {
    Fresh { seed: u32 },
    Stored(Tensors),
    Listed(Vec<(String, Vec<usize>)>),
}

impl Builder {
    /// Draws parameters; the same seed and layers give the same values on every platform.
    pub fn fresh(seed: u32) -> Self {
        Self::of(Source::Fresh { seed })
    }

    /// Takes parameters from stored tensors.
    pub fn stored(tensors: Tensors) -> Self {
        Self::of(Source::Stored(tensors))
    }

    fn of(source: Source) -> Self {
        Self { parameters: Parameters::new(), aliases: BTreeSet::new(), source, prefix: String::new() }
    }

    /// The parameters so far.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Makes no parameters, but [lists](Self::listed) the names and shapes of those that layers ask for.
    pub fn listing() -> Self {
        Self::of(Source::Listed(Vec::new()))
    }

    /// Runs `build` with `name.` in front of every parameter's name.
    ///
    /// # Errors
    /// Those of `build`.
    pub fn scope<T>(
        &mut self,
        name: &str,
        build: impl FnOnce(&mut Self) -> Result<T, BuildError>,
    ) -> Result<T, BuildError> {
        let length = self.prefix.len();
        self.prefix.push_str(name);
        self.prefix.push('.');
        let built = build(self);
        self.prefix.truncate(length);
        built
    }

    /// One parameter.
    ///
    /// # Errors
    /// If a stored tensor is missing or has another shape, or the name is used twice.
    pub fn parameter(&mut self, name: &str, shape: &[usize], init: Init) -> Result<ParamId, BuildError> {
        let name = format!("{}{name}", self.prefix);
        let values = match &mut self.source {
            Source::Fresh { seed } => draw(*seed, self.parameters.len() as u32, shape, init),
            Source::Stored(tensors) => {
                let Some(Tensor { shape: found, values }) = tensors.get_mut(&name) else {
                    return Err(BuildError::Missing { name, expected: shape.to_vec() });
                };
                if found != shape {
                    return Err(BuildError::Shape { name, expected: shape.to_vec(), found: found.clone() });
                }
                // The name stays: removing it would balance a tree.
                std::mem::take(values)
            }
            Source::Listed(list) => {
                list.push((name.clone(), shape.to_vec()));
                return Ok(self.parameters.add(name, &[0], Vec::new())?);
            }
        };
        Ok(self.parameters.add(name, shape, values)?)
    }

    /// One parameter that optimisers leave alone.
    ///
    /// # Errors
    /// Those of [`Self::parameter`].
    pub fn constant(&mut self, name: &str, shape: &[usize], init: Init) -> Result<ParamId, BuildError> {
        let id = self.parameter(name, shape, init)?;
        self.parameters.get_mut(id).trainable = false;
        Ok(id)
    }

    /// Another name of the first `rows` of a parameter. Stored tensors may have it, or not: it is not kept.
    ///
    /// # Errors
    /// [`BuildError::Tied`] if a stored tensor has the name and other values than the parameter.
    pub fn alias(&mut self, name: &str, of: ParamId, rows: usize) -> Result<Alias, BuildError> {
        self.claim(Alias { name: format!("{}{name}", self.prefix), of, rows, transposed: false })
    }

    /// Another name of a parameter's transpose (see [`Self::alias`]).
    ///
    /// # Errors
    /// See [`Self::alias`].
    pub fn transposed_alias(&mut self, name: &str, of: ParamId) -> Result<Alias, BuildError> {
        let rows = self.parameters.get(of).rows();
        self.claim(Alias { name: format!("{}{name}", self.prefix), of, rows, transposed: true })
    }

    fn claim(&mut self, alias: Alias) -> Result<Alias, BuildError> {
        if let Source::Stored(tensors) = &self.source
            && let Some(tensor) = tensors.get(&alias.name)
        {
            if *tensor != alias.tensor(&self.parameters) {
                let of = self.parameters.get(alias.of).name.clone();
                return Err(BuildError::Tied { name: alias.name, of });
            }
            self.aliases.insert(alias.name.clone());
        }
        Ok(alias)
    }

    /// A parameter whose values follow from those before it. It is neither stored nor trained.
    ///
    /// # Errors
    /// If the name is used twice.
    pub(super) fn derived(
        &mut self,
        name: &str,
        shape: &[usize],
        values: impl FnOnce(&Parameters) -> Vec<f32>,
    ) -> Result<ParamId, BuildError> {
        let name = format!("{}{name}", self.prefix);
        let (shape, values) = match self.source {
            Source::Listed(_) => (&[0][..], Vec::new()),
            _ => (shape, values(&self.parameters)),
        };
        let id = self.parameters.add(name, shape, values)?;
        self.parameters.get_mut(id).trainable = false;
        Ok(id)
    }

    /// Changes the values of a fresh parameter, for an initialisation that is not a plain draw. Stored values stay.
    pub fn adjust_fresh(&mut self, id: ParamId, change: impl FnOnce(&mut [f32])) {
        if matches!(self.source, Source::Fresh { .. }) {
            change(&mut self.parameters.get_mut(id).values);
        }
    }

    /// The parameters of all layers built.
    ///
    /// # Errors
    /// If stored tensors are left that no layer asked for.
    pub fn finish(self) -> Result<Parameters, BuildError> {
        if let Source::Stored(tensors) = self.source
            && let Some((name, tensor)) = tensors
                .into_iter()
                .find(|(name, _)| self.parameters.id(name).is_none() && !self.aliases.contains(name))
        {
            return Err(BuildError::Unused { name, found: tensor.shape });
        }
        Ok(self.parameters)
    }

    /// The names and shapes of the parameters that the layers built ask for; empty unless they are [listed](Self::listing).
    pub fn listed(self) -> Vec<(String, Vec<usize>)> {
        match self.source {
            Source::Listed(list) => list,
            _ => Vec::new(),
        }
    }
}

/// None of a shape that holds too many, which whoever adds the parameter tells.
fn draw(seed: u32, stream: u32, shape: &[usize], init: Init) -> Vec<f32> {
    let size = shape.iter().try_fold(1usize, |size, &n| size.checked_mul(n));
    // A stream numbers its values in 32 bits, and a vector has no more bytes than this.
    let most = (u32::MAX as usize).min(isize::MAX as usize / size_of::<f32>());
    let size = size.filter(|&size| size <= most).unwrap_or(0);
    match init {
        Init::Constant(value) => vec![value; size],
        Init::Uniform(bound) => {
            (0..size as u32).map(|i| (2.0 * noise::uniform(seed, stream, i) - 1.0) * bound).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_that_holds_too_many_is_refused() {
        for init in [Init::Constant(0.0), Init::Uniform(0.1)] {
            let error = Builder::fresh(0).parameter("w", &[usize::MAX, 2], init).expect_err("too many");
            let holds = format!("parameter w: shape [{}, 2] holds too many values, found 0", usize::MAX);
            assert_eq!(error.to_string(), holds);
            for shape in [[1 << 16, 1 << 16], [usize::MAX / 8 + 1, 1]] {
                let error = Builder::fresh(0).parameter("w", &shape, init).expect_err("too many");
                assert!(error.to_string().ends_with("values, found 0"), "{error}");
            }
        }
    }
}
