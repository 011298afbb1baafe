//! A token, and where it stands in the text it came from.

use std::collections::VecDeque;
use std::ops::Range;

/// One token of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The normalised form, which is what the vocabulary sees: lower-cased if the tokenizer says so, and in the
    /// treebank's spelling (`-lrb-` for an opening bracket, `n't` for `N’T`).
    pub text: String,
    /// Where the token stands in the original string.
    pub span: Span,
}

/// A half-open range of the original string, counted in both units that readers of a string use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// UTF-8 bytes, always on character boundaries: a Rust `&text[span.bytes]` is the source of the token.
    pub bytes: Range<usize>,
    /// UTF-16 code units, the index of JavaScript strings: `text.slice(start, end)`.
    pub utf16: Range<usize>,
}

/// Collects tokens from left to right and counts UTF-16 units on the way, so that a text of any length is
/// measured once.
pub(super) struct Collector<'t> {
    source: &'t str,
    /// Bytes that the text read by the tokenizer lacks: where each stretch was, in that text, and how long; in order.
    omitted: VecDeque<(usize, usize)>,
    /// Bytes of the stretches passed so far.
    passed: usize,
    /// The end of the last measured stretch, in bytes and in UTF-16 units.
    measured: (usize, usize),
    tokens: Vec<Token>,
}

impl<'t> Collector<'t> {
    /// For a text that the tokenizer reads without these stretches of it.
    pub(super) fn new(source: &'t str, omitted: VecDeque<(usize, usize)>) -> Self {
        Self { source, omitted, passed: 0, measured: (0, 0), tokens: Vec::new() }
    }

    /// Appends a token that begins at or after the end of the last one, in the text as the tokenizer reads it.
    pub(super) fn push(&mut self, bytes: Range<usize>, text: String) {
        // What is left out in front of a token is not part of it, what is inside is.
        let start = self.pass(|at| at <= bytes.start) + bytes.start;
        let end = self.pass(|at| at < bytes.end) + bytes.end;
        let bytes = start..end;
        let utf16 = self.measure(bytes.start)..self.measure(bytes.end);
        self.tokens.push(Token { text, span: Span { bytes, utf16 } });
    }

    /// Passes the stretches whose places are `before` something; the bytes left out up to there.
    fn pass(&mut self, before: impl Fn(usize) -> bool) -> usize {
        while let Some((_, length)) = self.omitted.pop_front_if(|(at, _)| before(*at)) {
            self.passed += length;
        }
        self.passed
    }

    fn measure(&mut self, to: usize) -> usize {
        let (from, units) = self.measured;
        let units = units + self.source[from..to].chars().map(char::len_utf16).sum::<usize>();
        self.measured = (to, units);
        units
    }

    pub(super) fn into_tokens(self) -> Vec<Token> {
        self.tokens
    }
}
