//! Files of running text: see [`Layout::Text`](super::Layout::Text).

use std::path::{Path, PathBuf};

use crate::corpus::CorpusError;
use crate::data::DataError;

/// The file itself, or the files of a folder, in the order of their names.
pub(crate) fn files(path: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let io = |source| DataError::Io { path: path.to_owned(), source };
    let entries = std::fs::read_dir(path).map_err(io)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()).map_err(io));
    let mut files = paths.collect::<Result<Vec<_>, _>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    if files.is_empty() {
        return Err(CorpusError::NoFiles(path.to_owned()));
    }
    Ok(files)
}
