//! AG News in its two published shapes: see [`Format::AgCsv`](super::Format::AgCsv).
//!
//! The collection was damaged before it was published: the ampersand of a character reference became a space
//! (`it #39;s`), a line break became a backslash (`second\team`), markup was escaped (`&lt;b&gt;`), and the noisy
//! edition escaped its dollars (`\$10`). [`repair`] undoes this.

use std::io::Read as _;

use csv::{ReaderBuilder, StringRecord};

use super::source::Source;
use super::{DataError, Example};

const CLASSES: [&str; 4] = ["1", "2", "3", "4"];

/// Read after the text as a record of its own, unless a quote that never closes takes it up.
const END: &str = "end";

pub(super) fn parse(source: &Source) -> Result<Vec<Example>, DataError> {
    let text = source.utf8()?;
    let input = text.as_bytes().chain(b"\n".chain(END.as_bytes()));
    let mut records =
        ReaderBuilder::new().has_headers(false).flexible(true).from_reader(input).into_records().peekable();
    let mut noisy = false;
    let mut examples = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(record) = records.next() {
        let record = record.map_err(|error| source.bad_line(line, error.to_string()))?;
        // To the reader, the blank lines before a record are its own.
        let begin = record.position().map_or(0, |position| position.byte());
        let begin = usize::try_from(begin).unwrap_or(usize::MAX).min(text.len());
        let begin = text.len() - text[begin..].trim_start_matches(['\r', '\n']).len();
        line += text[at..begin].matches('\n').count();
        at = begin;
        if records.peek().is_none() {
            if record != [END][..] {
                return Err(source.bad_line(line, "begins a record whose last quote is never closed"));
            }
        } else if examples.is_empty() && !noisy && record == ["label", "gt", "text", "group"][..] {
            noisy = true;
        } else if noisy {
            examples.push(noisy_row(source, line, &record)?);
        } else {
            examples.push(official_row(source, line, &record)?);
        }
    }
    Ok(examples)
}

fn official_row(source: &Source, line: usize, record: &StringRecord) -> Result<Example, DataError> {
    let [class, title, description] = fields(source, line, record, "class, title and description")?;
    let Some(&label) = CLASSES.iter().find(|&&known| known == class) else {
        return Err(source.unknown_label(line, class, &CLASSES));
    };
    Ok(example(label, &format!("{title} . {description}"), line))
}

fn noisy_row(source: &Source, line: usize, record: &StringRecord) -> Result<Example, DataError> {
    let [_noisy, truth, text, _group] = fields(source, line, record, "label, gt, text and group")?;
    let Some(&label) = truth.parse::<usize>().ok().and_then(|truth| CLASSES.get(truth)) else {
        return Err(source.unknown_label(line, truth, &["0", "1", "2", "3"]));
    };
    Ok(example(label, text, line))
}

fn fields<'r, const N: usize>(
    source: &Source,
    line: usize,
    record: &'r StringRecord,
    names: &str,
) -> Result<[&'r str; N], DataError> {
    let fields: Vec<_> = record.iter().collect();
    fields.try_into().map_err(|fields: Vec<_>| {
        source.bad_line(line, format!("has {} comma-separated fields, not {names}", fields.len()))
    })
}

fn example(label: &str, text: &str, line: usize) -> Example {
    Example { label: label.to_owned(), text: repair(text), tokenised: false, phrase: false, line }
}

/// The text as it was before it was damaged, without markup, one space between words.
fn repair(text: &str) -> String {
    let unescaped = unescape_references(&text.replace("\\$", "$").replace('\\', " "));
    strip_markup(&unescaped).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Replaces `&name;` and its damaged form ` name;`. A damaged `&amp;` had a space of its own on either side.
fn unescape_references(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['&', ' ']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        match reference(&from[1..]) {
            Some((c, length)) => {
                out.push(c);
                rest = &from[1 + length..];
            }
            None => {
                out.push_str(&from[..1]);
                rest = &from[1..];
            }
        }
    }
    out + rest
}

/// The character that `name;` at the start of `text` refers to, and the length of the reference.
fn reference(text: &str) -> Option<(char, usize)> {
    // The longest reference of the collection, `#8230;`, is shorter.
    let end = text.bytes().take(9).position(|byte| byte == b';')?;
    let c = match &text[..end] {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "nbsp" => ' ',
        "hellip" => '…',
        "mdash" => '—',
        "ndash" => '–',
        name => numbered(name.strip_prefix('#')?.parse().ok()?)?,
    };
    Some((c, end + 1))
}

/// The character of a numeric reference. As in HTML, 128–159 are read as Windows-1252; of these the collection uses
/// the punctuation.
fn numbered(code: u32) -> Option<char> {
    match code {
        133 => Some('…'),
        145 => Some('‘'),
        146 => Some('’'),
        147 => Some('“'),
        148 => Some('”'),
        149 => Some('•'),
        150 => Some('–'),
        151 => Some('—'),
        153 => Some('™'),
        code => char::from_u32(code),
    }
}

/// Replaces every tag, `<b>` or `</a>` or `<a href="…">`, by a space. A `<` that begins no tag is text.
fn strip_markup(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let inside = tag[1..].trim_start_matches('/');
        // A tag ends before the next one begins.
        let end = tag[1..].find(['<', '>']).map(|end| end + 1).filter(|&end| tag[end..].starts_with('>'));
        match end {
            Some(end) if inside.starts_with(|c: char| c.is_ascii_alphabetic()) => {
                out.push(' ');
                rest = &tag[end + 1..];
            }
            _ => {
                out.push('<');
                rest = &tag[1..];
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damage_is_repaired() {
        assert_eq!(
            repair(r"a second\team,  #36;10 or \$9 of  quot;Messier #39;s quot;"),
            r#"a second team, $10 or $9 of "Messier's""#
        );
        assert_eq!(
            repair("so &lt;b&gt;...&lt;/b&gt; &lt;A HREF=\"x y\"&gt;GOOG&lt;/A&gt; now"),
            "so ... GOOG now"
        );
        assert_eq!(repair("an office #151;his #147;home #148;"), "an office—his“home”");
        assert_eq!(repair("3 < 4 &lt; 5 R&D; at AT amp;T & co; é;"), "3 < 4 < 5 R&D; at AT&T & co; é;");
        assert_eq!(repair("&#1114112; &#x41; ;"), "&#1114112; &#x41; ;");
    }
}
