//! Files that are read and written whole.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The file system refuses a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {wanted} {}: {source}", .path.display())]
pub struct FileError {
    /// What was to be done: `read`, `write` or `remove`.
    pub wanted: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: std::io::Error,
}

/// What is in a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    std::fs::read(path).map_err(error("read", path))
}

fn error(wanted: &'static str, path: &Path) -> impl Fn(std::io::Error) -> FileError + Copy {
    move |source| FileError { wanted, path: path.to_owned(), source }
}

/// Whether [`write_whole`] may write a file: said before the work of which it is to hold the result. Makes folders on the
/// way to it.
pub(crate) fn check_writable(path: &Path) -> Result<(), FileError> {
    if path.is_dir() {
        return Err(error("write", path)(std::io::ErrorKind::IsADirectory.into()));
    }
    temporary(path).map(drop)
}

/// A file beside the one that is to be written.
fn temporary(path: &Path) -> Result<tempfile::NamedTempFile, FileError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(error("write", path))?;
    tempfile::Builder::new().prefix(".saccade-").tempfile_in(folder).map_err(error("write", path))
}

/// Writes a file, and folders on the way to it, so that a reader finds the old content or the new, never a part.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let io = error("write", path);
    let mut file = temporary(path)?;
    file.write_all(bytes).and_then(|()| file.as_file().sync_all()).map_err(io)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let readable = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(io)?;
    }
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(error("remove", path)(source)),
        _ => Ok(()),
    }
}
