//! A file of text in memory, and errors that point into it.

use std::borrow::Cow;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::DataError;

pub(crate) struct Source {
    path: PathBuf,
    bytes: Vec<u8>,
}

impl Source {
    pub(crate) fn open(path: &Path) -> Result<Self, DataError> {
        match fs::read(path) {
            Ok(bytes) => Ok(Self { path: path.to_owned(), bytes }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // The last ancestor that is named and missing is the outermost one.
                let folders = path.ancestors().skip(1);
                let missing =
                    folders.filter(|folder| !folder.as_os_str().is_empty() && !folder.exists()).last();
                Err(DataError::Missing { path: path.to_owned(), folder: missing.map(Path::to_owned) })
            }
            Err(source) => Err(DataError::Io { path: path.to_owned(), source }),
        }
    }

    /// The text, which must be UTF-8; a byte order mark is left out.
    pub(crate) fn utf8(&self) -> Result<&str, DataError> {
        let text = std::str::from_utf8(&self.bytes).map_err(|error| {
            let at = error.valid_up_to();
            self.bad_line(self.line(at), format!("is not UTF-8: byte {at} of the file begins no character"))
        })?;
        Ok(text.trim_start_matches('\u{feff}'))
    }

    /// The text as UTF-8, or else as Latin-1 (ISO 8859-1, in which every byte is the character of that number). UTF-16, which
    /// would be Latin-1 too, is refused.
    pub(super) fn utf8_or_latin1(&self) -> Result<Cow<'_, str>, DataError> {
        let is_marked = self.bytes.starts_with(b"\xff\xfe") || self.bytes.starts_with(b"\xfe\xff");
        let zero = self.bytes.iter().position(|&byte| byte == 0);
        if let Some(at) = is_marked.then_some(0).or(zero) {
            return Err(self.bad_line(self.line(at), "is UTF-16, or no text: save the file as UTF-8"));
        }
        Ok(match self.utf8() {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => {
                let mark = "\u{feff}".as_bytes();
                let bytes = self.bytes.strip_prefix(mark).unwrap_or(&self.bytes);
                Cow::Owned(bytes.iter().copied().map(char::from).collect())
            }
        })
    }

    /// The line of a byte, from 1.
    fn line(&self, at: usize) -> usize {
        1 + self.bytes[..at].iter().filter(|&&byte| byte == b'\n').count()
    }

    pub(crate) fn bad_line(&self, line: usize, problem: impl Into<String>) -> DataError {
        DataError::BadLine { path: self.path.clone(), line, problem: problem.into() }
    }

    pub(super) fn unknown_label(&self, line: usize, label: &str, known: &[&str]) -> DataError {
        let known = known.iter().map(|&label| label.to_owned()).collect();
        DataError::UnknownLabel { path: self.path.clone(), line, label: label.to_owned(), known }
    }
}

/// The lines of a text with their numbers from 1, those without content left out. Only `\n` and `\r\n` end a line:
/// Latin-1 texts hold U+0085 inside words.
pub(super) fn numbered_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines()).filter(|(_, line)| !line.trim_matches(' ').is_empty())
}
