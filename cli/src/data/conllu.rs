//! CoNLL-U: sentences of words with tags, heads and relations, and the text that they were cut from.
//!
//! A line of a word has ten columns between tabs; of them ID, FORM, UPOS, HEAD, DEPREL and MISC are read. A line `1-2` is a
//! multiword token, whose form is what the text has in place of the words 1 and 2; a line `8.1` is an empty node, which the
//! text has not, and is passed over.

use std::ops::Range;
use std::path::Path;

use super::{DataError, Source};

/// A sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sentence {
    /// The text, as `# text = ` has it or else put together from the forms.
    pub text: String,
    /// The words in order.
    pub words: Vec<Word>,
    /// The line of the file on which its first word stands, from 1.
    pub line: usize,
}

/// A word of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// As the treebank has it.
    pub form: String,
    /// Its universal part of speech.
    pub tag: String,
    /// The number of the word that it depends on, from 1; 0 of the root. None where the treebank has none.
    pub head: Option<usize>,
    /// How it depends on it.
    pub relation: String,
    /// Its bytes in the text. Words of a multiword token that do not spell it out share its bytes.
    pub span: Range<usize>,
    /// Its line of the file, from 1.
    pub line: usize,
}

impl Sentence {
    /// Whether every word has a head, and all lead to one root.
    pub fn is_tree(&self) -> bool {
        let leads_to_root = |word: &Word| {
            let mut head = word.head;
            // A way that is longer than the sentence goes round.
            for _ in 0..self.words.len() {
                match head {
                    Some(0) => return true,
                    Some(number) => head = self.words[number - 1].head,
                    None => return false,
                }
            }
            false
        };
        self.words.iter().filter(|word| word.head == Some(0)).count() == 1
            && self.words.iter().all(leads_to_root)
    }

    /// Whether arcs cross: between a head and its word stands one that does not depend on the head, be it through others.
    pub fn is_projective(&self) -> bool {
        let arc =
            |(word, Word { head, .. }): (usize, &Word)| head.map(|head| (word.min(head), word.max(head)));
        let arcs: Vec<_> = (1..).zip(&self.words).filter_map(arc).collect();
        let crosses = |&(a, b): &(usize, usize), &(c, d): &(usize, usize)| a < c && c < b && b < d;
        !arcs.iter().any(|one| arcs.iter().any(|other| crosses(one, other)))
    }
}

/// Reads the sentences of a file.
///
/// # Errors
/// If there is no such file, or a line is not of the format: the error names it.
pub fn read(path: impl AsRef<Path>) -> Result<Vec<Sentence>, DataError> {
    let source = Source::open(path.as_ref())?;
    let mut sentences = Vec::new();
    let mut reading = Reading::default();
    for (number, line) in (1..).zip(source.utf8()?.lines()) {
        let line = line.trim_end_matches('\r');
        if line.is_empty() {
            sentences.extend(reading.finish().map_err(|(line, problem)| source.bad_line(line, problem))?);
        } else {
            reading.line(number, line).map_err(|problem| source.bad_line(number, problem))?;
        }
    }
    sentences.extend(reading.finish().map_err(|(line, problem)| source.bad_line(line, problem))?);
    if sentences.is_empty() {
        return Err(source.bad_line(1, "the file holds no sentence in CoNLL-U"));
    }
    Ok(sentences)
}

/// A sentence that is being read.
#[derive(Default)]
struct Reading {
    sentence: Sentence,
    /// As the comment has it, and the comment's line.
    text: Option<(usize, String)>,
    /// The text as far as it was put together from the forms, and whether a space follows.
    spelled: String,
    spaced: bool,
    /// The last word of the multiword token that is being read, and its bytes.
    token: Option<(usize, Range<usize>, bool)>,
}

impl Reading {
    fn line(&mut self, number: usize, line: &str) -> Result<(), String> {
        if let Some(comment) = line.strip_prefix('#') {
            if let Some(text) = comment.trim_start().strip_prefix("text =") {
                self.text = Some((number, text.trim_start().to_owned()));
            }
            return Ok(());
        }
        let columns: Vec<&str> = line.split('\t').collect();
        let [id, form, _, tag, _, _, head, relation, _, misc] = columns[..] else {
            return Err(format!("has {} columns between tabs, expected 10", columns.len()));
        };
        if form.is_empty() || tag.is_empty() {
            return Err("has a word without a form or a tag".into());
        }
        if self.sentence.line == 0 {
            self.sentence.line = number;
        }
        let spaced = !misc.split('|').any(|part| part == "SpaceAfter=No");
        let next = self.sentence.words.len() + 1;
        if let Some((before, after)) = id.split_once('.') {
            let numbers = [before, after].map(|part| part.parse::<usize>().is_ok());
            return if numbers == [true; 2] { Ok(()) } else { Err(format!("{id:?} is no number of a node")) };
        }
        if let Some((first, last)) = id.split_once('-') {
            let numbers = [first, last].map(|part| part.parse::<usize>().ok());
            let [Some(first), Some(last)] = numbers else {
                return Err(format!("{id:?} is no range of words"));
            };
            if first != next || last <= first || self.token.is_some() {
                return Err(format!("the words {id} of a multiword token: expected a range from {next}"));
            }
            let span = self.append(form, spaced);
            self.token = Some((last, span, true));
            return Ok(());
        }
        if id.parse() != Ok(next) {
            return Err(format!("the word's number is {id:?}, expected {next}"));
        }
        let head = match head {
            "_" => None,
            head => Some(head.parse().map_err(|_| format!("{head:?} is no number of a head"))?),
        };
        let span = match &mut self.token {
            Some((last, left, is_spelled)) => {
                let whole = left.clone();
                // The words spell the token out, each in its place, or all stand for the whole of it.
                let span = match self.spelled[whole.clone()].strip_prefix(form) {
                    Some(_) if *is_spelled => {
                        left.start += form.len();
                        whole.start..whole.start + form.len()
                    }
                    _ => {
                        *is_spelled = false;
                        whole
                    }
                };
                if *last == next {
                    self.token = None;
                }
                span
            }
            None => self.append(form, spaced),
        };
        let (form, tag, relation) = (form.to_owned(), tag.to_owned(), relation.to_owned());
        self.sentence.words.push(Word { form, tag, head, relation, span, line: number });
        Ok(())
    }

    fn append(&mut self, form: &str, spaced: bool) -> Range<usize> {
        if self.spaced {
            self.spelled.push(' ');
        }
        let start = self.spelled.len();
        self.spelled.push_str(form);
        self.spaced = spaced;
        start..self.spelled.len()
    }

    /// The sentence, if there is one, and a new beginning; or what is wrong, and in which line.
    fn finish(&mut self) -> Result<Option<Sentence>, (usize, String)> {
        let Self { mut sentence, text, spelled, token, .. } = std::mem::take(self);
        let Some(ends) = sentence.words.last().map(|word| word.line) else { return Ok(None) };
        if let Some((last, ..)) = token {
            return Err((ends, format!("the sentence ends before word {last} of a multiword token")));
        }
        let words = sentence.words.len();
        for (number, word) in (1..).zip(&sentence.words) {
            if let Some(head) = word.head.filter(|&head| head > words || head == number) {
                return Err((
                    word.line,
                    format!("word {number} has the head {head}; there are {words} words"),
                ));
            }
        }
        // Where other white space stands between words than the forms tell, they are looked for one after the other.
        if let Some((line, text)) = text
            && text != spelled
        {
            place(&mut sentence.words, &spelled, &text).map_err(|problem| (line, problem))?;
            sentence.text = text;
        } else {
            sentence.text = spelled;
        }
        Ok(Some(sentence))
    }
}

/// Moves the spans of words from one text to another that differs in white space alone.
fn place(words: &mut [Word], from: &str, to: &str) -> Result<(), String> {
    let solid = |text: &str| -> Vec<(usize, char)> {
        text.char_indices().filter(|(_, c)| !c.is_whitespace()).collect()
    };
    let (old, new) = (solid(from), solid(to));
    if !old.iter().map(|(_, c)| c).eq(new.iter().map(|(_, c)| c)) {
        return Err(format!("`# text` is not what the words spell: {from:?}"));
    }
    let moved = |at: usize| match old.binary_search_by_key(&at, |(at, _)| *at) {
        Ok(place) => new[place].0,
        Err(_) => to.len(),
    };
    for word in words {
        // The last solid character of the word, and its end.
        let last = from[word.span.clone()].char_indices().next_back();
        let end = last.map_or(word.span.start, |(at, c)| moved(word.span.start + at) + c.len_utf8());
        word.span = moved(word.span.start)..end;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
