//! Labelled documents without their labels: see [`Layout::ImdbTsv`](super::Layout::ImdbTsv).

use std::path::Path;

use crate::corpus::CorpusError;
use crate::data::Format;

/// The texts of a file.
pub(super) fn read(path: &Path) -> Result<Vec<String>, CorpusError> {
    Ok(Format::ImdbTsv.read(path)?.into_iter().map(|example| example.text).collect())
}
