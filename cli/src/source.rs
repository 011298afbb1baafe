//! Arguments that name a file of text, as in `PATH:FORMAT`, and its format.

use std::path::PathBuf;
use std::str::FromStr;

use crate::config::Part;
use crate::corpus::running::Layout;
use crate::data::{Format, UnknownFormat};

/// A format of labelled text, of running text, or, under one name, of either, of tagged text or of trees: the model's
/// task tells which is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnyFormat {
    pub(crate) labelled: Option<Format>,
    pub(crate) running: Option<Layout>,
    /// `conllu`.
    pub(crate) tagged: bool,
    /// `ptb`.
    pub(crate) trees: bool,
}

/// The name of the format of tagged text.
const TAGGED: &str = "conllu";
/// The name of the format of trees in brackets, as the Penn Treebank has them.
const TREES: &str = "ptb";

impl FromStr for AnyFormat {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let format = Self {
            labelled: name.parse().ok(),
            running: name.parse().ok(),
            tagged: name == TAGGED,
            trees: name == TREES,
        };
        if format.labelled.is_some() || format.running.is_some() || format.tagged || format.trees {
            return Ok(format);
        }
        let [labelled, running] =
            [Format::ALL.map(Format::name).join(", "), Layout::ALL.map(Layout::name).join(", ")];
        Err(format!(
            "no format is called {name:?}; labelled text is {labelled}, running text {running}, tagged text {TAGGED}, trees {TREES}"
        ))
    }
}

/// A file of text of either kind, as in `PATH:FORMAT`.
pub(crate) fn parse_any(argument: &str) -> Result<(PathBuf, AnyFormat), String> {
    let (path, format) = argument.rsplit_once(':').ok_or_else(|| SourceError::NoColon.to_string())?;
    Ok((path.into(), format.parse()?))
}

/// Why an argument is no `PATH:FORMAT`.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("a text is PATH:FORMAT, as in reviews/train.tsv:imdb-tsv; there is no colon")]
    NoColon,
    #[error(transparent)]
    Format(#[from] UnknownFormat),
}

/// The format follows the last colon, so that a path may hold others.
pub(crate) fn parse(argument: &str) -> Result<Part, SourceError> {
    let (path, format) = argument.rsplit_once(':').ok_or(SourceError::NoColon)?;
    Ok(Part { path: path.into(), format: format.parse()? })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use crate::data::Format;

    use super::*;

    #[test]
    fn a_source_is_a_path_and_a_format() {
        let source = parse("a:b/train.tsv:imdb-tsv").unwrap();
        assert_eq!((source.path, source.format), (PathBuf::from("a:b/train.tsv"), Format::ImdbTsv));
        assert!(matches!(parse("train.tsv"), Err(SourceError::NoColon)));
        let unknown = parse("train.tsv:xml").unwrap_err().to_string();
        assert!(unknown.contains("\"xml\"") && unknown.contains("imdb-tsv"), "{unknown}");
    }
}
