//! Label, id, rating, text between tabs: see [`Format::ImdbTsv`](super::Format::ImdbTsv).

use super::source::{Source, numbered_lines};
use super::{DataError, Example};

pub(super) fn parse(source: &Source) -> Result<Vec<Example>, DataError> {
    let example = |(line, content): (usize, &str)| {
        let fields: Vec<_> = content.split('\t').collect();
        let &[label, _id, _rating, text] = fields.as_slice() else {
            let found = fields.len();
            return Err(source.bad_line(
                line,
                format!("has {found} tab-separated fields, not label, id, rating and text"),
            ));
        };
        if !matches!(label, "neg" | "pos") {
            return Err(source.unknown_label(line, label, &["neg", "pos"]));
        }
        Ok(Example { label: label.to_owned(), text: text.to_owned(), tokenised: false, phrase: false, line })
    };
    numbered_lines(source.utf8()?).map(example).collect()
}
