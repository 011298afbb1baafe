//! What can be wrong with a model file, and where.

/// The most characters of a reason. It has room for a name from the file.
const LONGEST_REASON: usize = 512;

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
        "tensor {tensor:?} has dtype {dtype:?}; F64, F32, F16, BF16 and I8 (with row scales) can be read"
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
    /// The file has no config: it holds tensors only.
    #[error("the file has no config: its metadata lacks the key \"saccade\"")]
    ConfigMissing,
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

impl ModelError {
    /// A name for the kind of error that stays the same between versions.
    ///
    /// `MODEL_TRUNCATED` (fetching the file again may help), `MODEL_INVALID` (the bytes contradict themselves),
    /// `MODEL_UNSUPPORTED` (a dtype or format this version cannot read), `MODEL_CONFIG` (the config is missing or
    /// wrong), `MODEL_TENSORS` (the tensors are not those of the network).
    pub fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "MODEL_TRUNCATED",
            Self::Header { .. } | Self::Tensor { .. } | Self::Value { .. } => "MODEL_INVALID",
            Self::Dtype { .. } | Self::Format { .. } => "MODEL_UNSUPPORTED",
            Self::ConfigMissing | Self::ConfigSyntax { .. } | Self::Config { .. } => "MODEL_CONFIG",
            Self::Missing { .. }
            | Self::Shape { .. }
            | Self::Unclaimed { .. }
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
