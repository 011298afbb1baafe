//! `label word word …`: see [`Format::Lines`](super::Format::Lines).

use super::source::{Source, numbered_lines};
use super::{DataError, Example};

pub(super) fn parse(source: &Source) -> Result<Vec<Example>, DataError> {
    let text = source.utf8_or_latin1()?;
    let example = |(line, content): (usize, &str)| {
        let (label, text) = content.split_once(' ').unwrap_or((content, ""));
        if label.is_empty() {
            return Err(source.bad_line(line, "begins with a space where its label should be"));
        }
        if label.contains('\t') {
            return Err(source.bad_line(line, "has a tab where a space ends its label"));
        }
        let (label, text) = (label.to_owned(), text.trim_matches(' ').to_owned());
        Ok(Example { label, text, tokenised: true, phrase: false, line })
    };
    numbered_lines(&text).map(example).collect()
}
