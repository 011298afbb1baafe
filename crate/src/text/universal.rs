//! The convention of Universal Dependencies for English web text, as the English Web Treebank applies it, as far as simple
//! rules go. White space parts tokens, and within it:
//!
//! - clitics are parted from their words: `do n't`, `it 's`, `can not`, `gon na`;
//! - hyphens and slashes are tokens between words (`15 - year`, `and / or`), but not behind the prefixes that make no word
//!   (`e-mail`, `anti-war`), in telephone numbers and in dates (`9/11/2001`);
//! - numbers (`1,000`, `5:30`, `3.5`), abbreviations (`Mr.`, `U.S.`, `p.m.`), web and mail addresses and emoticons are whole;
//! - a number and the unit behind it are two: `5 %`, `10 am`; so are a currency and its amount;
//! - a run of one sign is a token (`...`, `!!!`, `--`), also of `!` and `?` mixed; any other sign is one by itself.

use std::ops::Range;

use super::characters::{
    is_abbreviation, is_alphanumeric, is_apostrophe, is_clitic, is_dot, is_hyphen, is_pictograph,
    is_word_like, joins_pictographs,
};
use super::treebank::clitic_start;

/// Hands the bytes of each token of `text` to `emit`, from left to right.
pub(super) fn tokenize(text: &str, emit: &mut dyn FnMut(Range<usize>)) {
    let mut at = 0;
    while at < text.len() {
        let space = length(&text[at..], &char::is_whitespace);
        at += space;
        let chunk = &text[at..at + length(&text[at..], &|c| !c.is_whitespace())];
        let is_address = chunk.contains(['@']) || chunk.contains("://") || chunk.starts_with("www.");
        let end = at + chunk.len();
        while at < end {
            let rest = &text[at..end];
            let token = token(rest, is_address);
            parts(&rest[..token], at, emit);
            at += token;
        }
    }
}

/// How many bytes at the beginning of a text are of characters of a class.
fn length(text: &str, class: &dyn Fn(char) -> bool) -> usize {
    text.chars().take_while(|&c| class(c)).map(char::len_utf8).sum()
}

/// The length of the token, with its clitics, that a piece of text without white space begins with.
fn token(rest: &str, is_address: bool) -> usize {
    let first = rest.chars().next().unwrap_or_default();
    let second = rest[first.len_utf8()..].chars().next().unwrap_or_default();
    if is_alphanumeric(first) && is_address {
        return rest.trim_end_matches(|c| ".,;:!?'\")]>".contains(c)).len().max(first.len_utf8());
    }
    match first {
        ':' | ';' | '=' if emoticon(rest) > 0 => emoticon(rest),
        '!' | '?' => length(rest, &|c| matches!(c, '!' | '?')),
        '\'' | '’' if clitic(rest) > 0 => clitic(rest),
        '.' if second.is_ascii_digit() => word(rest),
        _ if ".-=*_~<>+#`'‘’".contains(first) => length(rest, &|c| c == first),
        _ if is_pictograph(first) => length(rest, &|c| is_pictograph(c) || joins_pictographs(c)),
        _ if is_word_like(first) && !is_apostrophe(first) => word(rest),
        _ => first.len_utf8(),
    }
}

/// The length of a word: up to the first character that does not belong to it, with its full stop if it is an abbreviation.
fn word(rest: &str) -> usize {
    let (mut at, mut last, mut is_number) = (0, ' ', true);
    for c in rest.chars() {
        let end = at + c.len_utf8();
        let next = rest[end..].chars().next().unwrap_or(' ');
        let digits = last.is_ascii_digit() && next.is_ascii_digit();
        let inside = is_word_like(last) && is_alphanumeric(next);
        let belongs = match c {
            _ if is_number && last.is_ascii_digit() && c.is_alphabetic() => {
                !is_one_of(&rest[at..at + length(&rest[at..], &is_alphanumeric)], UNITS)
            }
            _ if is_word_like(c) && !is_apostrophe(c) => true,
            '.' => at == 0 || inside && !(last.is_lowercase() && next.is_uppercase()),
            ',' | ':' | '/' => digits,
            '&' => inside && last.is_uppercase() && next.is_uppercase(),
            '_' => inside,
            _ if is_apostrophe(c) => inside,
            _ if is_hyphen(c) => inside && joins(&rest[..at], &rest[end..]),
            _ => false,
        };
        if !belongs {
            break;
        }
        (at, last, is_number) = (end, c, is_number && !c.is_alphabetic());
    }
    let stops = rest[at..].starts_with('.') && !rest[at + 1..].starts_with(is_dot);
    if stops && at <= 32 && is_abbreviation(&rest[..at].to_lowercase()) { at + 1 } else { at }
}

/// Prefixes that make no word.
const PREFIXES: &str =
    " anti co counter cross e ex inter mid multi neo non post pre pro re semi sub ultra x ";
/// Letters behind a number that are a word of their own.
const UNITS: &str = " am pm k km kg mm cm mb gb lb lbs ft hrs min mins x h m yr yrs c ";

/// Whether a list of words has this one, in any case.
fn is_one_of(word: &str, list: &str) -> bool {
    list.split(' ').any(|one| !one.is_empty() && one.eq_ignore_ascii_case(word))
}

/// Whether a hyphen is inside the word: behind a prefix, or among the digits of a telephone number or date.
fn joins(before: &str, after: &str) -> bool {
    let digits = length(after, &|c| c.is_ascii_digit());
    let group = before.bytes().rev().take_while(u8::is_ascii_digit).count();
    if group > 0 && digits > 0 {
        // A third group before or behind these, or the last four digits of a number.
        let third = before.len() > group || after[digits..].starts_with('-');
        return third || digits == 4 && group != 4;
    }
    is_one_of(before, PREFIXES)
}

/// The length of an emoticon, which no letter follows.
fn emoticon(rest: &str) -> usize {
    let nose = 1 + usize::from(rest[1..].starts_with(['-', '\'']));
    let mouth = rest[nose..].chars().next().filter(|&c| ")(][DPp/|*".contains(c));
    let Some(mouth) = mouth else { return 0 };
    let end = nose + length(&rest[nose..], &|c| c == mouth);
    if rest[end..].starts_with(is_alphanumeric) { 0 } else { end }
}

/// The length of a clitic or elision that stands by itself: `'s`, `'em`.
fn clitic(rest: &str) -> usize {
    let sign = rest.chars().next().map_or(0, char::len_utf8);
    let end = sign + length(&rest[sign..], &is_alphanumeric);
    let word = &rest[sign..end];
    if is_clitic(word) || word.eq_ignore_ascii_case("em") { end } else { 0 }
}

/// Words that are two, and where the second begins.
const JOINED: [(&str, usize); 8] = [
    ("cannot", 3),
    ("gonna", 3),
    ("gotta", 3),
    ("wanna", 3),
    ("dont", 2),
    ("didnt", 3),
    ("cant", 2),
    ("im", 1),
];

/// Hands the parts of a token that begins at byte `start` to `emit`: a word, and its clitics.
fn parts(word: &str, mut start: usize, emit: &mut dyn FnMut(Range<usize>)) {
    let (end, mut stem, mut cuts) = (start + word.len(), word, Vec::new());
    while let Some(cut) = clitic_start(stem) {
        cuts.push(start + cut);
        stem = &stem[..cut];
    }
    let joined = JOINED.iter().find(|joined| stem.eq_ignore_ascii_case(joined.0));
    cuts.extend(joined.map(|joined| start + joined.1));
    for cut in cuts.into_iter().rev().chain([end]) {
        emit(start..cut);
        start = cut;
    }
}
