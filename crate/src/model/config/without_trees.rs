//! A build without cells: there is no tree classifier.

use std::convert::Infallible;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Config, ModelError};

/// One label for every node of a tree, of which there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLabels {
    /// The names of the classes.
    pub labels: Vec<String>,
    pub(in crate::model) never: Infallible,
}

impl TreeLabels {
    /// The labels as the data set writes them.
    pub fn data_labels(&self) -> &[String] {
        match self.never {}
    }

    pub(super) fn validate(&self, _: &Config) -> Result<(), ModelError> {
        match self.never {}
    }

    pub(super) fn weights(&self, _: u64) -> u64 {
        match self.never {}
    }
}

impl<'de> Deserialize<'de> for TreeLabels {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("this build reads no trees"))
    }
}

impl Serialize for TreeLabels {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match self.never {}
    }
}
