//! What an eye tracker saw of people who read: a table of words between tabs, with the share of readers that looked at
//! each.

use std::path::Path;

use super::DataError;
use super::source::{Source, numbered_lines};

/// A sentence that people read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadSentence {
    /// The part of the data set it is from, as the file writes it: `train`, `dev`, `test`.
    pub split: String,
    /// Its words in order.
    pub words: Vec<Fixated>,
}

/// A word, and who looked at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fixated {
    /// As it stood on the screen, punctuation included.
    pub word: String,
    /// Share of the readers whose eyes rested on it, in 0..=1.
    pub share: f64,
}

const COLUMNS: [&str; 4] = ["sst_split", "word_index", "word", "fix_prob"];

/// Reads a table of fixations. Its first line names the columns, of which `sst_split`, `word_index`, `word` and `fix_prob`
/// are used; a word of index 0 begins a sentence, and the others follow in order.
///
/// # Errors
/// If the file cannot be read, is not UTF-8, lacks a column, or holds a line that is not of this form.
pub fn read_fixations(path: impl AsRef<Path>) -> Result<Vec<ReadSentence>, DataError> {
    parse(&Source::open(path.as_ref())?)
}

fn parse(source: &Source) -> Result<Vec<ReadSentence>, DataError> {
    let mut lines = numbered_lines(source.utf8()?);
    let (_, head) = lines.next().ok_or_else(|| source.bad_line(1, "has no names of columns"))?;
    let names: Vec<&str> = head.split('\t').collect();
    let mut places = [0; COLUMNS.len()];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        let found = names.iter().position(|name| *name == column);
        *place = found.ok_or_else(|| source.bad_line(1, format!("names no column {column}")))?;
    }
    let mut sentences: Vec<ReadSentence> = Vec::new();
    for (line, content) in lines {
        let fields: Vec<&str> = content.split('\t').collect();
        if fields.len() != names.len() {
            let (found, wanted) = (fields.len(), names.len());
            return Err(source.bad_line(line, format!("has {found} tab-separated fields, not {wanted}")));
        }
        let [split, index, word, share] = places.map(|place| fields[place]);
        let share = share.parse().ok().filter(|share| (0.0..=1.0).contains(share));
        let share =
            share.ok_or_else(|| source.bad_line(line, "has a fix_prob that is no share from 0 to 1"))?;
        if index == "0" {
            sentences.push(ReadSentence { split: split.to_owned(), words: Vec::new() });
        }
        let sentence = sentences
            .last_mut()
            .filter(|sentence| sentence.split == split && index.parse() == Ok(sentence.words.len()));
        let sentence = sentence.ok_or_else(|| {
            source.bad_line(line, format!("has the word {index:?} of a sentence out of order"))
        })?;
        sentence.words.push(Fixated { word: word.to_owned(), share });
    }
    Ok(sentences)
}
