//! What is wrong with a text.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

use super::token::{Token, Tokens};

/// A message, behind a pointer since every value read is a result.
#[derive(Debug)]
pub(crate) struct Error(Box<str>);

impl Error {
    pub(super) fn new(message: impl Into<Box<str>>) -> Self {
        Self(message.into())
    }

    /// With the place that was reached.
    pub(super) fn at(self, tokens: &Tokens<'_>) -> Self {
        Self(format!("{} at byte {}", self.0, tokens.at()).into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string().into())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        refused("type", found, expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        refused("value", found, expected)
    }
}

/// A token that is not of the kind that was asked for.
pub(super) fn unexpected(found: &Token<'_>, expected: &dyn Expected) -> Error {
    let found = match found {
        Token::Null => Unexpected::Unit,
        Token::Bool(value) => Unexpected::Bool(*value),
        Token::Unsigned(value) => Unexpected::Unsigned(*value),
        Token::Signed(value) => Unexpected::Signed(*value),
        Token::Real(value) => Unexpected::Float(*value),
        Token::Text(text) => Unexpected::Str(text),
        Token::Array => Unexpected::Seq,
        Token::Object => Unexpected::Map,
    };
    refused("type", found, expected)
}

#[cfg(any(feature = "web", test))]
impl serde::ser::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string().into())
    }
}

fn refused(what: &str, found: Unexpected<'_>, expected: &dyn Expected) -> Error {
    // Not as serde prints it: that would bring the printing of floats with it.
    let found = match found {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Unsigned(value) => format!("integer `{value}`"),
        Unexpected::Signed(value) => format!("integer `{value}`"),
        Unexpected::Str(text) => format!("string {text:?}"),
        Unexpected::Float(_) => "a number that is no integer".to_owned(),
        Unexpected::Seq => "an array".to_owned(),
        Unexpected::Map => "an object".to_owned(),
        _ => "null".to_owned(),
    };
    Error::new(format!("invalid {what}: {found}, expected {expected}"))
}
