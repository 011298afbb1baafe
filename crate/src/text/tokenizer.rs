//! How a text becomes tokens: a choice that is part of a model and is stored with it.

use std::collections::VecDeque;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::characters::is_ignored;
use super::token::{Collector, Token};
use super::{treebank, universal};

/// The word that ends a line, a paragraph or a document, for models that predict words ([`Ends`]).
pub const END: &str = "<eos>";

/// Whether the convention of Universal Dependencies is compiled: the browser's binaries for inference and for training runs, which
/// have little room, leave it out.
pub(crate) const UNIVERSAL: bool = cfg!(any(
    all(feature = "graph", not(all(feature = "runs", target_arch = "wasm32"))),
    not(feature = "web")
));

/// A tokenizer, as plain settings: `{"kind":"treebank","lowercase":true}` in a model's configuration, with
/// `"ends":"line"` if the end of a line is a token.
///
/// Whatever the settings, a text is read as if it had no soft hyphens, zero-width spaces, byte-order marks and marks of
/// direction, which are no part of any word, and no carriage returns before line feeds.
///
/// ```
/// use saccade_rnn::text::Tokenizer;
///
/// let words = |text| Tokenizer::treebank().tokenize(text).into_iter().map(|t| t.text).collect::<Vec<_>>();
/// assert_eq!(words("You can't skim (all of) it."), ["you", "ca", "n't", "skim", "-lrb-", "all", "of", "-rrb-", "it", "."]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Tokenizer {
    kind: TokenizerKind,
    lowercase: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ends: Option<Ends>,
}

/// What the token [`END`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Ends {
    /// A line: every line feed is one.
    Line,
    /// A paragraph: white space after a word in which a line is blank is one.
    Paragraph,
    /// A document, of which the text does not tell the end: no token of a text is one.
    Document,
}

impl Ends {
    /// The white space that stands in a text where there is an end of this kind.
    pub fn white_space(self) -> &'static str {
        match self {
            Self::Line => "\n",
            Self::Paragraph => "\n\n",
            Self::Document => "",
        }
    }
}

/// Where a tokenizer cuts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenizerKind {
    /// At ASCII spaces and line feeds and nowhere else: for text that somebody has tokenised.
    Spaces,
    /// Around every character (Unicode scalar value), white space included.
    Characters,
    /// By the convention of the Penn Treebank as the Stanford Sentiment Treebank applies it: `do n't`, `it 's`,
    /// `can not`, punctuation apart, ` `` ` and `''` for quotation marks, `-lrb-` and `-rrb-` for brackets, `\/`
    /// and `\*` for slash and asterisk, `--` and `...` for dashes and dots of any length; hyphenated words,
    /// numbers (`1,000`, `9.50`) and abbreviations (`mr.`, `u.s.`) whole.
    ///
    /// Text that is tokenised this way already comes back unchanged. That is so because almost every rule looks no
    /// further than the white space around a token, and no token, standing between spaces, is cut again. Where a
    /// form is ambiguous in raw text, that stability decides:
    ///
    /// - a full stop after an abbreviation belongs to it even at the end of a sentence: `the u.s.` gets no second
    ///   one; `no.` is an abbreviation only before a number, or before a full stop of its own;
    /// - a free-standing `'` stays, and only a `'` that touches the following word opens a quotation (`` ` ``);
    /// - a free-standing `"` opens and closes by turns;
    /// - U+00A0 stays inside a number (`2 1\/2`) and is white space elsewhere; other white space separates.
    ///
    /// `<br>`, which reviews taken from web pages are full of, separates like white space. All other markup is
    /// text. White space, NUL, and the zero-width joiner and non-joiner have no special standing otherwise.
    Treebank,
    /// By the convention of Universal Dependencies for English web text (`universal.rs` states it): `do n't`, `it 's`,
    /// `15 - year`, punctuation apart, every token as the text has it.
    Universal,
}

impl Tokenizer {
    /// A tokenizer from its settings. With `lowercase`, every token's text is lower-cased by Unicode's rules.
    pub fn new(kind: TokenizerKind, lowercase: bool) -> Self {
        Self { kind, lowercase, ends: None }
    }

    /// The tokenizer with a token at the end of every line or paragraph.
    pub fn with_ends(self, ends: Option<Ends>) -> Self {
        Self { ends, ..self }
    }

    /// Lower-cased treebank tokens, as in the Stanford Sentiment Treebank.
    pub fn treebank() -> Self {
        Self::new(TokenizerKind::Treebank, true)
    }

    /// Tokens between ASCII spaces and line feeds, letters as they are.
    pub fn spaces() -> Self {
        Self::new(TokenizerKind::Spaces, false)
    }

    /// Where this tokenizer cuts.
    pub fn kind(&self) -> TokenizerKind {
        self.kind
    }

    /// Whether tokens are lower-cased.
    pub fn lowercase(&self) -> bool {
        self.lowercase
    }

    /// What the token [`END`] ends; none if there is no such token.
    pub fn ends(&self) -> Option<Ends> {
        self.ends
    }

    /// The tokens of `text` in order, with their spans in it; none for a text of white space, unless characters are tokens or its
    /// lines end. Any string is accepted, and the time is linear in its length.
    pub fn tokenize(&self, text: &str) -> Vec<Token> {
        let (read, omitted) = without_ignored(text);
        let mut tokens = Collector::new(text, omitted);
        let mut start = 0;
        while let Some(end) = self.next_end(&read, start) {
            self.cut(&read[start..end.start], start, &mut tokens);
            start = end.end;
            tokens.push(end, END.to_owned());
        }
        self.cut(&read[start..], start, &mut tokens);
        tokens.into_tokens()
    }

    /// Where the next line or paragraph ends that is at or after `start`.
    fn next_end(&self, text: &str, mut start: usize) -> Option<Range<usize>> {
        let is_paragraph = match self.ends? {
            Ends::Line => false,
            Ends::Paragraph => true,
            Ends::Document => return None,
        };
        while let Some(feed) = text[start..].find('\n') {
            let feed = start + feed;
            if !is_paragraph {
                return Some(feed..feed + 1);
            }
            let after = text[feed..].trim_start();
            let next = text.len() - after.len();
            // Blank lines at the beginning of a text end nothing.
            if text[feed + 1..next].contains('\n') && !text[..feed].trim_end().is_empty() {
                return Some(feed..next);
            }
            start = next;
        }
        None
    }

    /// Cuts a part of the text that begins at byte `start`.
    fn cut(&self, part: &str, start: usize, tokens: &mut Collector<'_>) {
        match self.kind {
            TokenizerKind::Spaces => {
                let mut at = start;
                for word in part.split([' ', '\n']) {
                    if !word.is_empty() {
                        tokens.push(at..at + word.len(), self.cased(word));
                    }
                    at += word.len() + 1;
                }
            }
            TokenizerKind::Characters => {
                for (at, c) in part.char_indices() {
                    let bytes = &part[at..at + c.len_utf8()];
                    tokens.push(start + at..start + at + bytes.len(), self.cased(bytes));
                }
            }
            TokenizerKind::Treebank => treebank::tokenize(part, start, self.lowercase, tokens),
            TokenizerKind::Universal if UNIVERSAL => universal::tokenize(part, &mut |range| {
                let form = self.cased(&part[range.clone()]);
                tokens.push(start + range.start..start + range.end, form);
            }),
            // No config of such a model is valid there.
            TokenizerKind::Universal => {}
        }
    }

    /// What the vocabulary sees of a word, unless the tokenizer has spellings of its own.
    pub fn form(&self, word: &str) -> String {
        self.cased(&without_ignored(word).0)
    }

    /// A word as it is read, lower-cased if the settings say so.
    fn cased(&self, word: &str) -> String {
        if self.lowercase { word.to_lowercase() } else { word.to_owned() }
    }
}

/// The text without characters that say nothing, and where each of those was in what is left, with its length.
fn without_ignored(text: &str) -> (String, VecDeque<(usize, usize)>) {
    let (mut read, mut omitted) = (String::with_capacity(text.len()), VecDeque::new());
    for (at, c) in text.char_indices() {
        if is_ignored(c) || c == '\r' && text.as_bytes().get(at + 1) == Some(&b'\n') {
            omitted.push_back((read.len(), c.len_utf8()));
        } else {
            read.push(c);
        }
    }
    (read, omitted)
}

#[cfg(test)]
mod tests;
