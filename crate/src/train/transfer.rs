//! Starting from another model, or from word vectors.
//!
//! - Rows that stand for a word, a tail, a label or a transition are copied from the row that stands for the same, whatever
//!   its number; rows whose columns stand for labels, if those are the same in the same order. In bands a word takes its row from
//!   the same band, if the projection of that band fits too.
//! - A table of word vectors takes rows from adaptive input as the layers above see them: projected.
//! - Other tensors are copied from those of the same name and shape.
//! - A Skim layer whose source is an LSTM or GRU of the same size takes it as its big cell (`weight_ih_l0` becomes
//!   `big.weight_ih`), so that the Skim model begins as the model that reads everything.

mod names;
mod source;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use serde::Serialize;

use crate::device::{EngineError, Parameter};
use crate::model::{Model, ModelError};
use crate::nn::Tensor;
use names::{Named, Row};
pub use source::Source;

const EMBEDDING: &str = "embedding.weight";

/// How many weights an error tells of.
const MOST_TOLD: usize = 8;

/// A file cannot be started from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransferError {
    /// It is neither a model nor word vectors.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Its word vectors cannot be computed.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Nothing fits: the model's tensors, and why.
    #[error("no tensor has the name and the shape of one of this model's, and no row its word: {}", in_words(.0))]
    Nothing(Vec<Kept>),
}

/// What a model took from a source, and what it did not.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Transferred {
    /// The model's tensors that have values of the source.
    pub taken: Vec<Taken>,
    /// The model's other tensors, which are as they were.
    pub kept: Vec<Kept>,
    /// The source's tensors of which nothing was taken.
    pub unused: Vec<String>,
}

/// A tensor with values of a source.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Taken {
    /// Its name.
    pub name: String,
    /// How many of its rows; those of a vector are its values.
    pub rows: usize,
    /// How many rows it has.
    pub of: usize,
}

/// A tensor that a source has nothing for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Kept {
    /// Its name.
    pub name: String,
    /// Why nothing was taken.
    pub reason: KeptReason,
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.reason)
    }
}

/// The first, and how many more there are.
fn in_words(kept: &[Kept]) -> String {
    let told = kept.iter().take(MOST_TOLD).map(Kept::to_string).collect::<Vec<_>>().join(", ");
    match kept.len().saturating_sub(MOST_TOLD) {
        0 => told,
        more => format!("{told} and {more} more"),
    }
}

/// Why nothing was taken for a tensor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum KeptReason {
    /// The source has no such tensor.
    Absent,
    /// The source's is of another shape, or its rows are.
    Shape {
        /// The model's.
        expected: Vec<usize>,
        /// The source's.
        found: Vec<usize>,
    },
    /// No row stands for the same as one of the source's.
    NoRow,
    /// It projects rows of the softmax, and the source's projects others.
    Untied,
    /// The rows are projected, and the source's projection does not fit.
    Projection(String),
}

impl fmt::Display for KeptReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("absent there"),
            Self::Shape { expected, found } => write!(f, "{expected:?} here, {found:?} there"),
            Self::NoRow => f.write_str("no row stands for the same"),
            Self::Untied => f.write_str("not tied there"),
            Self::Projection(name) => write!(f, "{name} does not fit"),
        }
    }
}

/// New values of a parameter.
struct Found {
    values: Vec<f32>,
    rows: usize,
    of: usize,
    /// The source's tensors that they come from.
    from: Vec<String>,
}

/// Copies what fits into a model.
///
/// # Errors
/// If nothing fits; if the source's word vectors cannot be computed.
pub async fn transfer(model: &mut Model, source: &Source) -> Result<Transferred, TransferError> {
    let (ours, theirs) = (names::of(model.config()), source.named());
    // Input that is tied here reads the softmax's rows, which other projections than these were learned with.
    let reads_others = !model.network().encoder.words.aliases().is_empty() && !source.ties();
    let mut told = Transferred::default();
    let (mut changes, mut used) = (Vec::new(), BTreeSet::new());
    for (id, parameter) in model.parameters().iter() {
        let name = parameter.name.clone();
        let found = match (ours.get(&name), source.adaptive_input()) {
            (Some(named), Some(_)) if name == EMBEDDING => projected(parameter, named, source).await?,
            (Some(named), _) => by_rows(model, parameter, named, source, &theirs),
            (None, _) if reads_others && name.starts_with("embedding.") => Err(KeptReason::Untied),
            (None, _) => whole(parameter, source),
        };
        match found {
            Ok(Found { values, rows, of, from }) => {
                changes.push((id, values));
                used.extend(from);
                told.taken.push(Taken { name, rows, of });
            }
            Err(reason) => told.kept.push(Kept { name, reason }),
        }
    }
    if told.taken.is_empty() {
        return Err(TransferError::Nothing(told.kept));
    }
    told.unused = source.tensor_names().filter(|name| !used.contains(*name)).map(str::to_owned).collect();
    for (id, values) in changes {
        model.parameters_mut().get_mut(id).values = values;
    }
    Ok(told)
}

/// The tensor of the same name and shape, or the plain cell's that a big cell is.
fn whole(parameter: &Parameter, source: &Source) -> Result<Found, KeptReason> {
    let names = [Some(parameter.name.clone()), plain_name(&parameter.name)];
    let found = names.into_iter().flatten().find_map(|name| Some((source.tensor(&name)?, name)));
    let (tensor, name) = found.ok_or(KeptReason::Absent)?;
    if tensor.shape != parameter.shape {
        return Err(KeptReason::Shape { expected: parameter.shape.clone(), found: tensor.shape });
    }
    let rows = parameter.shape.first().copied().unwrap_or(1);
    Ok(Found { values: tensor.values, rows, of: rows, from: vec![name] })
}

/// `encoder.0.big.weight_ih` as the plain cell names it: `encoder.0.weight_ih_l0`.
fn plain_name(name: &str) -> Option<String> {
    let (layer, tensor) = name.split_once(".big.")?;
    Some(format!("{layer}.{tensor}_l0"))
}

/// The rows of the tensor of the same name that stand for the same.
fn by_rows(
    model: &Model,
    parameter: &Parameter,
    ours: &Named<'_>,
    source: &Source,
    theirs: &BTreeMap<String, Named<'_>>,
) -> Result<Found, KeptReason> {
    let name = &parameter.name;
    let (tensor, named) = source.tensor(name).zip(theirs.get(name)).ok_or(KeptReason::Absent)?;
    if let Some(projection) = &ours.projection {
        let shape = |tensor: Option<Tensor>| tensor.map(|tensor| tensor.shape);
        let here = model.parameters().id(projection).map(|id| model.parameters().get(id).shape.clone());
        if here.is_none() || here != shape(source.tensor(projection)) {
            return Err(KeptReason::Projection(projection.clone()));
        }
    }
    copied(parameter, &ours.rows, &tensor, &named.rows, vec![name.clone()])
}

/// Word vectors of a source with adaptive input.
async fn projected(
    parameter: &Parameter,
    ours: &Named<'_>,
    source: &Source,
) -> Result<Result<Found, KeptReason>, EngineError> {
    let (tensor, rows, from) = source.projected(&ours.rows).await?;
    Ok(copied(parameter, &ours.rows, &tensor, &rows, from))
}

/// The values of a parameter, with the rows of a tensor that stand for the same in place of its own.
fn copied(
    parameter: &Parameter,
    ours: &[Row<'_>],
    tensor: &Tensor,
    theirs: &[Row<'_>],
    from: Vec<String>,
) -> Result<Found, KeptReason> {
    if tensor.shape[1..] != parameter.shape[1..] {
        let (expected, found) = (parameter.shape.clone(), tensor.shape.clone());
        return Err(KeptReason::Shape { expected, found });
    }
    let size: usize = parameter.shape[1..].iter().product();
    let places: HashMap<&Row<'_>, usize> = theirs.iter().zip(0..).collect();
    let (mut values, mut rows) = (parameter.values.clone(), 0);
    for (row, values) in ours.iter().zip(values.chunks_mut(size)) {
        if let Some(place) = places.get(row) {
            values.copy_from_slice(&tensor.values[place * size..(place + 1) * size]);
            rows += 1;
        }
    }
    if rows == 0 {
        return Err(KeptReason::NoRow);
    }
    Ok(Found { values, rows, of: ours.len(), from })
}
