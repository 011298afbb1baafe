//! Files that are read and written whole.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file system refuses a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot {wanted} {}: {source}", .path.display())]
pub struct FileError {
    /// What was to be done: `read`, `write`, `lock` or `remove`.
    pub wanted: &'static str,
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// What is in a file.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    fs::read(path).map_err(error("read", path))
}

fn error(wanted: &'static str, path: &Path) -> impl Fn(io::Error) -> FileError + Copy {
    move |source| FileError { wanted, path: path.to_owned(), source }
}

/// Whether [`write_whole`] may write a file: said before the work of which it is to hold the result. Makes folders on the
/// way to it.
pub(crate) fn check_writable(path: &Path) -> Result<(), FileError> {
    let place = Place::of(path).map_err(error("write", path))?;
    place.temporary().map(drop).map_err(error("write", path))
}

/// Writes a file, and folders on the way to it, so that a reader finds the old content or the new, never a part. What a
/// symbolic link leads to is written, not the link, and a file that is replaced keeps its permissions.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let write = || {
        let place = Place::of(path)?;
        let mut file = place.temporary()?;
        file.write_all(bytes)?;
        if let Some(permissions) = place.permissions {
            file.as_file().set_permissions(permissions)?;
        }
        file.as_file().sync_all()?;
        file.persist(place.file)?;
        Ok(())
    };
    write().map_err(error("write", path))
}

/// The right to write a file, which one program at a time has: a file beside it that is locked. One that is left by a program
/// that was killed is locked by nobody.
pub(crate) struct Lock {
    path: PathBuf,
    /// Ends the lock when it is closed.
    _file: File,
}

impl Lock {
    /// The right to write a file; `None` if another has it. File systems without locks, which say so in many ways, give it to
    /// everyone.
    pub(crate) fn of(path: &Path) -> Result<Option<Self>, FileError> {
        let place = Place::of(path).map_err(error("lock", path))?;
        let mut path = place.file.into_os_string();
        path.push(".saccade-lock");
        let path = PathBuf::from(path);
        let error = error("lock", &path);
        loop {
            let open = File::options().create(true).truncate(false).write(true).open(&path);
            // Another user's file can be locked by whoever may read it.
            let open = open.or_else(|error| match error.kind() {
                io::ErrorKind::PermissionDenied => File::open(&path),
                _ => Err(error),
            });
            let file = open.map_err(error)?;
            if matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
                return Ok(None);
            }
            if !is_removed(&file).map_err(error)? {
                return Ok(Some(Self { path, _file: file }));
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // What is left of it does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether a file was removed since it was opened, so that another may lie in its place.
#[cfg(unix)]
fn is_removed(file: &File) -> io::Result<bool> {
    Ok(std::os::unix::fs::MetadataExt::nlink(&file.metadata()?) == 0)
}

/// Elsewhere a file that is open keeps its place.
#[cfg(not(unix))]
fn is_removed(_: &File) -> io::Result<bool> {
    Ok(false)
}

/// Where a file is to lie.
struct Place {
    /// No symbolic link.
    file: PathBuf,
    /// Those of the file that it replaces, if there is one.
    permissions: Option<Permissions>,
}

impl Place {
    fn of(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(found) if found.is_file() => {
                Ok(Self { file: fs::canonicalize(path)?, permissions: Some(found.permissions()) })
            }
            Ok(_) => Err(io::Error::other("it is a device or a pipe, not a file that can be replaced")),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
                // As `new/` and `new/.` name one that is not there.
                let written = path.as_os_str().as_encoded_bytes();
                if path.file_name().is_none_or(|name| !written.ends_with(name.as_encoded_bytes())) {
                    return Err(io::ErrorKind::IsADirectory.into());
                }
                Ok(Self { file: path.to_owned(), permissions: None })
            }
            Err(_) if path.is_symlink() => Err(io::Error::other("it is a link that leads to no file")),
            Err(error) => Err(error),
        }
    }

    /// A file beside it.
    fn temporary(&self) -> io::Result<tempfile::NamedTempFile> {
        let folder = self.file.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut builder = tempfile::Builder::new();
        // Others may read it as far as the umask allows.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        builder.prefix(".saccade-").tempfile_in(folder)
    }
}

/// Removes a file, if it is there.
pub(crate) fn remove(path: &Path) -> Result<(), FileError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => Err(error("remove", path)(source)),
        _ => Ok(()),
    }
}
