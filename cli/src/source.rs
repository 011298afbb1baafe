//! Arguments that name a file of labelled text: `PATH:FORMAT`.

use crate::config::Part;
use crate::data::UnknownFormat;

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
