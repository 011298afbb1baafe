//! Where sentences end.

use std::ops::Range;

use super::Token;
use super::characters::is_ignored;

/// The most words of a sentence: a longer one is cut.
const LONGEST: usize = 256;

/// The sentences of the tokens of a text: one ends after a token of `.`, `!` and `?` with what closes quotations and
/// brackets behind it, where a line is blank, and after 256 tokens.
pub fn sentences(text: &str, tokens: &[Token]) -> Vec<Range<usize>> {
    let source = |token: &Token| &text[token.span.bytes.clone()];
    let is_of =
        |token: &Token, signs: &[char]| source(token).chars().all(|c| signs.contains(&c) || is_ignored(c));
    let mut sentences = Vec::new();
    let (mut start, mut ended) = (0, false);
    for (at, token) in tokens.iter().enumerate() {
        let gap =
            at.checked_sub(1).map_or("", |last| &text[tokens[last].span.bytes.end..token.span.bytes.start]);
        let closes = is_of(token, &['.', '!', '?', '…', ')', ']', '"', '”', '’', '\'']);
        let begins = ended && !(closes && gap.chars().all(is_ignored))
            || gap.matches('\n').count() > 1
            || at - start == LONGEST;
        if begins && at > start {
            sentences.push(start..at);
            (start, ended) = (at, false);
        }
        ended |= is_of(token, &['.', '!', '?', '…']);
    }
    if start < tokens.len() {
        sentences.push(start..tokens.len());
    }
    sentences
}
