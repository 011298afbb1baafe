//! What can be wrong with a model file, and where.

use std::fmt;

use super::foreign;

/// The most characters of a reason. It has room for a name from the file.
const LONGEST_REASON: usize = 512;
/// The most tensors of one kind of mistake that a message lists.
const MOST_LISTED: usize = 8;

/// What is wrong with a model file: the tensor or field, what was expected there, what was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// The file ends before what it announces, as a download that was cut off does.
    #[error("the model file is cut short: {part} needs {expected} bytes, {found} are there")]
    Truncated {
        /// The part that is incomplete.
        part: &'static str,
        /// The bytes that part takes.
        expected: u64,
        /// The bytes of it that the file holds.
        found: u64,
    },
    /// The bytes are a file of another kind, or none.
    #[error("not a safetensors file but {what}: {remedy}")]
    Foreign {
        /// What they are.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The bytes are not safetensors, or their header is malformed.
    #[error("not a valid safetensors file: {reason}")]
    Header {
        /// What is malformed, and where.
        reason: String,
    },
    /// A tensor's name, shape or extent is not what it must be.
    #[error("tensor {tensor:?}: expected {expected}, found {found}")]
    Tensor {
        /// The tensor's name.
        tensor: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A number in a tensor cannot be used.
    #[error("tensor {tensor:?}, value {index}: expected {expected}, found {found}")]
    Value {
        /// The tensor's name.
        tensor: String,
        /// The value's position in row-major order.
        index: usize,
        /// What was expected.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// A tensor holds a type of number that no layer has.
    #[error(
        "tensor {tensor:?} has dtype {dtype:?}; F64, F32, F16, BF16 and I8 (with row scales) can be read: \
         store it as one of these, in PyTorch by `.float()`"
    )]
    Dtype {
        /// The tensor's name.
        tensor: String,
        /// Its dtype as the file spells it.
        dtype: String,
    },
    /// A tensor that the network needs is not in the file.
    #[error("tensor {tensor:?} of shape {expected} is missing")]
    Missing {
        /// The tensor's name.
        tensor: String,
        /// The shape that it must have.
        expected: String,
    },
    /// A tensor has another shape than the network needs.
    #[error("tensor {tensor:?}: the network needs shape {expected}, the file has {found}")]
    Shape {
        /// The tensor's name.
        tensor: String,
        /// The shape that it must have.
        expected: String,
        /// The shape that it has.
        found: String,
    },
    /// A tensor belongs to no part of the network.
    #[error("tensor {tensor:?} of shape {found} belongs to no part of this network")]
    Unclaimed {
        /// The tensor's name.
        tensor: String,
        /// Its shape.
        found: String,
    },
    /// The tensors are not those of a layer.
    #[error("the tensors are not those of the layer: {0}")]
    Mismatch(Box<Mismatch>),
    /// There is no layer of a kind where it was looked for, or several may be meant.
    #[error("{why}; the file has {found}")]
    NoLayer {
        /// What was looked for.
        why: String,
        /// The layers that the file seems to have, or some of its tensors; what to do.
        found: String,
    },
    /// The file has no config: it holds tensors only.
    #[error("the file has no config: its metadata lacks the key \"saccade\"")]
    ConfigMissing,
    /// The file is a `state_dict`, and no model.
    #[error("the file is no model but tensors without a config: {found}")]
    NoModel {
        /// The layers that it seems to have, or some of its tensors; what to do.
        found: String,
    },
    /// The model's tensors have names that begin with a prefix.
    #[error("all names of the model's tensors begin with {prefix:?}: store them without it")]
    Prefixed {
        /// The prefix.
        prefix: String,
    },
    /// The config is not JSON of the shape that this version writes.
    #[error("the model's config is malformed: {reason}")]
    ConfigSyntax {
        /// What is malformed, and where.
        reason: String,
    },
    /// The config is written in a format that this version does not know.
    #[error("the model's config has format {found}; this version reads formats up to {expected}")]
    Format {
        /// The newest format that is read.
        expected: u32,
        /// The format of the file.
        found: u32,
    },
    /// A field of the config has a value that no network can have.
    #[error("config field `{field}`: expected {expected}, found {found}")]
    Config {
        /// The path of the field, as in `encoder[1].hidden_size`.
        field: String,
        /// What was expected.
        expected: String,
        /// What was found.
        found: String,
    },
    /// The config describes a network that is larger than the file.
    #[error("the config describes a network of at least {needed} weights; the file holds {held} numbers")]
    TooFewParameters {
        /// The weights that the network has at the least.
        needed: u64,
        /// The numbers in the file.
        held: u64,
    },
}

/// How tensors differ from those of a layer, as PyTorch's `load_state_dict` reports it. Names are those in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mismatch {
    /// Tensors that the layer has and the file has not: name and shape.
    pub missing: Vec<(String, Vec<usize>)>,
    /// Tensors that the layer has not, under its prefix: name and shape.
    pub unexpected: Vec<(String, Vec<usize>)>,
    /// Tensors of another shape: name, the layer's shape and the file's.
    pub shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = |(name, shape): &(String, Vec<usize>)| format!("{:?} {shape:?}", excerpt(name));
        let other = |(name, expected, found): &(String, Vec<usize>, Vec<usize>)| {
            format!("{:?} {found:?} instead of {expected:?}", excerpt(name))
        };
        let lists: [(&str, Vec<String>); 3] = [
            ("missing", self.missing.iter().map(named).collect()),
            ("unexpected", self.unexpected.iter().map(named).collect()),
            ("of another shape", self.shapes.iter().map(other).collect()),
        ];
        let mut semicolon = "";
        for (what, list) in lists.iter().filter(|(_, list)| !list.is_empty()) {
            let shown = &list[..list.len().min(MOST_LISTED)];
            write!(formatter, "{semicolon}{what}: {}", shown.join(", "))?;
            if list.len() > shown.len() {
                write!(formatter, " and {} more", list.len() - shown.len())?;
            }
            semicolon = "; ";
        }
        Ok(())
    }
}

impl ModelError {
    /// A name for the kind of error that stays the same between versions.
    ///
    /// `MODEL_TRUNCATED` (fetching the file again may help), `MODEL_INVALID` (the bytes contradict themselves),
    /// `MODEL_UNSUPPORTED` (a dtype or format this version cannot read), `MODEL_CONFIG` (the config is missing or
    /// wrong), `MODEL_TENSORS` (the tensors are not those of the network).
    pub fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "MODEL_TRUNCATED",
            Self::Foreign { what, .. } if what == foreign::EMPTY => "MODEL_TRUNCATED",
            Self::Foreign { .. } | Self::Header { .. } | Self::Tensor { .. } | Self::Value { .. } => {
                "MODEL_INVALID"
            }
            Self::Dtype { .. } | Self::Format { .. } => "MODEL_UNSUPPORTED",
            Self::ConfigMissing | Self::NoModel { .. } | Self::ConfigSyntax { .. } | Self::Config { .. } => {
                "MODEL_CONFIG"
            }
            Self::Missing { .. }
            | Self::Shape { .. }
            | Self::Unclaimed { .. }
            | Self::Mismatch(_)
            | Self::NoLayer { .. }
            | Self::Prefixed { .. }
            | Self::TooFewParameters { .. } => "MODEL_TENSORS",
        }
    }

    pub(super) fn tensor(tensor: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self::Tensor { tensor: excerpt(tensor), expected: expected.into(), found: found.into() }
    }

    pub(super) fn config(
        field: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self::Config { field: field.into(), expected: expected.into(), found: found.into() }
    }

    pub(super) fn header(reason: impl AsRef<str>) -> Self {
        Self::Header { reason: cut(reason.as_ref(), LONGEST_REASON) }
    }

    pub(super) fn syntax(error: &serde_json::Error) -> Self {
        Self::ConfigSyntax { reason: cut(&error.to_string(), LONGEST_REASON) }
    }
}

/// A name or a text from the file, cut so that no message is as long as the file. A valid tensor name is whole.
pub(super) fn excerpt(text: &str) -> String {
    cut(text, 256)
}

/// The first `most` characters.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_place_and_stay_short() {
        let error = ModelError::tensor("w", "[2, 3]", "[3, 2]");
        assert_eq!(error.to_string(), "tensor \"w\": expected [2, 3], found [3, 2]");
        assert_eq!(error.code(), "MODEL_INVALID");
        assert!(ModelError::header("é".repeat(1 << 20)).to_string().len() < 1_200);
    }
}
