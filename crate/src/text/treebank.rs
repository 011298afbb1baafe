//! The treebank convention as one pass from left to right.
//!
//! [`TokenizerKind::Treebank`](super::TokenizerKind::Treebank) states the convention. The invariant that every rule
//! here keeps: a token that is written out and stands between spaces is read back as itself.

use std::ops::Range;

use super::characters::{
    NO_BREAK_SPACE, follows_apostrophe, is_abbreviation, is_alphanumeric, is_apostrophe, is_clitic,
    is_closing_quote, is_currency, is_degree, is_dot, is_hyphen, is_long_dash, is_opening_quote,
    is_opening_single_quote, is_pictograph, is_word_like, joins_pictographs, keeps_final_apostrophe,
    precedes_opening, stands_alone,
};
use super::token::Collector;

/// Finds the treebank tokens of `text`, which is a part of a longer one from byte `start` on.
pub(super) fn tokenize(text: &str, start: usize, lowercase: bool, tokens: &mut Collector<'_>) {
    let mut scanner = Scanner { text, start, lowercase, gap: 0, quoting: false, tokens };
    let mut at = 0;
    while let Some(c) = scanner.peek(at) {
        at = scanner.step(at, c);
    }
}

struct Scanner<'t, 'c> {
    text: &'t str,
    start: usize,
    lowercase: bool,
    /// The end of the last white space or line-break tag.
    gap: usize,
    /// Whether the last double quotation mark opened.
    quoting: bool,
    tokens: &'t mut Collector<'c>,
}

impl Scanner<'_, '_> {
    /// Consumes what begins at `at` with `c`; returns where the next thing begins, always further on.
    fn step(&mut self, at: usize, c: char) -> usize {
        let next = at + c.len_utf8();
        if c.is_whitespace() {
            self.gap = next;
            return next;
        }
        match c {
            '<' if let Some(end) = self.line_break(at) => {
                self.gap = end;
                end
            }
            '(' => self.bracket(at, "-lrb-"),
            ')' => self.bracket(at, "-rrb-"),
            '[' => self.bracket(at, "-lsb-"),
            ']' => self.bracket(at, "-rsb-"),
            '{' => self.bracket(at, "-lcb-"),
            '}' => self.bracket(at, "-rcb-"),
            '?' | '!' => self.exclamation(at),
            '"' => self.ambiguous_quote(at),
            '`' if self.peek(next) == Some('`') => self.emit_as(at..next + 1, "``"),
            '*' | '/' | '\\' if let Some(unit) = self.escaped(at) => match unit.1 {
                '*' => self.emit(at..self.asterisks(at)),
                _ => self.emit(at..unit.0),
            },
            '.' if self.peek(next).is_some_and(|c| c.is_ascii_digit()) => self.word(at),
            _ if is_dot(c) => self.dots(at),
            _ if is_opening_quote(c) => self.double_quote(at..next, true),
            _ if is_closing_quote(c) => self.double_quote(at..next, false),
            _ if is_apostrophe(c) => self.apostrophe(at, c),
            _ if is_hyphen(c) || is_long_dash(c) => self.dash(at, c),
            _ if is_pictograph(c) => {
                self.emit(at..self.run(at, |c| is_pictograph(c) || joins_pictographs(c)))
            }
            ',' | ':' | '#' => self.emit(at..next),
            _ if is_currency(c) || stands_alone(c) => self.emit(at..next),
            _ => self.word(at),
        }
    }

    /// A word: up to the first character that does not belong to it, with its full stop if it is an abbreviation,
    /// and without its clitics.
    fn word(&mut self, start: usize) -> usize {
        let end = self.word_end(start);
        let word = &self.text[start..end];
        match (self.peek(end), self.peek_second(end)) {
            (Some('.'), after) if !after.is_some_and(is_dot) && self.keeps_full_stop(word, end + 1) => {
                self.emit(start..end + 1)
            }
            (Some(c), after)
                if is_apostrophe(c)
                    && keeps_final_apostrophe(word)
                    && !after.is_some_and(|c| is_apostrophe(c) || is_alphanumeric(c)) =>
            {
                self.emit(start..end + c.len_utf8())
            }
            _ => {
                self.emit_parts(start..end);
                end
            }
        }
    }

    fn keeps_full_stop(&self, word: &str, after: usize) -> bool {
        // Longer words are no abbreviations, and a text may be one very long word. Counted in characters, because
        // lower-casing may change the number of bytes.
        if word.chars().nth(32).is_some() {
            return false;
        }
        match word.to_lowercase().as_str() {
            "no" => {
                let mut rest = self.text[after..].chars();
                let space = rest.next().is_some_and(char::is_whitespace);
                let (first, second) = (rest.next(), rest.next());
                let full_stop = first == Some('.') && second.is_none_or(char::is_whitespace);
                space && (full_stop || first.is_some_and(|c| c.is_ascii_digit()))
            }
            word => is_abbreviation(word),
        }
    }

    /// Where the word that begins at `start` ends. Whether a character belongs depends on its neighbours within
    /// the word, so that the word by itself is judged alike.
    fn word_end(&self, start: usize) -> usize {
        let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
        let (mut before, mut last, mut at) = (None, None, start);
        while let Some(c) = self.peek(at) {
            let mut end = at + c.len_utf8();
            let next = self.peek(end);
            let between_digits = digit(last) && digit(next);
            let joins = last.is_some_and(is_word_like);
            let belongs = at == start
                || match c {
                    _ if is_alphanumeric(c) => true,
                    NO_BREAK_SPACE | ',' | ':' => between_digits,
                    '.' => self.dot_belongs(start, before, last, end),
                    '*' | '/' | '\\' if let Some((unit, sign)) = self.escaped(at) => {
                        end = if sign == '*' { self.asterisks(at) } else { unit };
                        joins && self.peek(end).is_some_and(is_alphanumeric)
                    }
                    _ if is_apostrophe(c) => joins && next.is_some_and(is_alphanumeric),
                    _ if is_hyphen(c) => !next.is_some_and(is_hyphen),
                    _ if is_long_dash(c) => between_digits,
                    _ if is_currency(c) => !digit(last) && !digit(next),
                    _ => !c.is_whitespace() && !stands_alone(c),
                };
            if !belongs {
                break;
            }
            (before, last, at) = (last, Some(c), end);
        }
        at
    }

    /// Whether a full stop that ends at `end` is inside the word that begins at `start`: before a letter or digit
    /// (`9.50`, `u.s`), unless a sentence ends there for want of a space (`good.The`, but not `Ph.D`); and in
    /// hyphenated initials (`u.s.-led`).
    fn dot_belongs(&self, start: usize, before: Option<char>, last: Option<char>, end: usize) -> bool {
        let Some(next) = self.peek(end) else { return false };
        if is_hyphen(next) {
            let initial = last.is_some_and(|c| c.is_ascii_alphabetic()) && before.is_none_or(|c| c == '.');
            return initial && self.peek(end + next.len_utf8()).is_some_and(is_alphanumeric);
        }
        // Some capitals (`𝕆`) have no lower-case form and would, after a lower-cased letter, look like a beginning.
        let capital = !next.to_lowercase().eq([next]);
        is_alphanumeric(next)
            && (!(last.is_some_and(char::is_lowercase) && capital) || self.in_degree(start, end))
    }

    /// Whether the letter at `end` ends a degree (`Ph.D`) that begins at `start`.
    fn in_degree(&self, start: usize, end: usize) -> bool {
        let whole = |letter: char| end + letter.len_utf8();
        self.peek(end).is_some_and(|letter| {
            // The longest has seven letters and signs.
            whole(letter) - start <= 7
                && !self.peek(whole(letter)).is_some_and(is_word_like)
                && is_degree(&self.text[start..whole(letter)].to_lowercase())
        })
    }

    /// Emits a word with its clitics apart: `wouldn't've` is `would n't 've`, `cannot` is `can not`.
    fn emit_parts(&mut self, range: Range<usize>) {
        let mut clitics = Vec::new();
        let mut stem = range;
        while let Some(cut) = clitic_start(&self.text[stem.clone()]) {
            clitics.push(stem.start + cut..stem.end);
            stem.end = stem.start + cut;
        }
        if self.text[stem.clone()].eq_ignore_ascii_case("cannot") {
            let middle = stem.start + "can".len();
            self.emit(stem.start..middle);
            stem.start = middle;
        }
        self.emit(stem);
        for clitic in clitics.into_iter().rev() {
            self.emit(clitic);
        }
    }

    /// An apostrophe that no word has claimed: a clitic or elision, a year, or a quotation mark.
    fn apostrophe(&mut self, at: usize, c: char) -> usize {
        let next = at + c.len_utf8();
        if c != '\'' && self.peek(next) == Some(c) || self.text[at..].starts_with("''") {
            let form = if is_opening_single_quote(c) { "``" } else { "''" };
            return self.emit_as(at..next + c.len_utf8(), form);
        }
        let digits = self.text[next..].bytes().take(3).take_while(u8::is_ascii_digit).count();
        if digits == 2 {
            return self.word(at);
        }
        // The longest elision has five letters.
        let letters = self.text[next..].bytes().take(6).take_while(u8::is_ascii_alphabetic).count();
        let end = next + letters;
        let after = self.peek(end);
        if letters > 0 && follows_apostrophe(&self.text[next..end]) && !after.is_some_and(is_word_like) {
            if self.text[next..end].eq_ignore_ascii_case("n") && after.is_some_and(is_apostrophe) {
                let closed = end + after.map_or(0, char::len_utf8);
                let free = !self.peek(closed).is_some_and(|c| is_alphanumeric(c) || is_apostrophe(c));
                return self.emit(at..if free { closed } else { end });
            }
            return self.emit(at..end);
        }
        let opens = (c == '\'' || is_opening_single_quote(c)) && self.opens(at, next);
        self.emit_as(at..next, if opens { "`" } else { "'" })
    }

    /// `"`, told apart by what it touches; free-standing, it opens and closes by turns.
    fn ambiguous_quote(&mut self, at: usize) -> usize {
        let next = at + 1;
        let free = self.gap == at && self.peek(next).is_none_or(char::is_whitespace);
        let opens = if free { !self.quoting } else { self.opens(at, next) };
        self.double_quote(at..next, opens)
    }

    fn double_quote(&mut self, range: Range<usize>, opens: bool) -> usize {
        self.quoting = opens;
        self.emit_as(range, if opens { "``" } else { "''" })
    }

    /// Whether a quotation mark at `at..end` touches what follows but not what precedes.
    fn opens(&self, at: usize, end: usize) -> bool {
        let free_before = self.gap == at || self.text[..at].chars().next_back().is_some_and(precedes_opening);
        free_before && self.peek(end).is_some_and(|c| !c.is_whitespace())
    }

    /// Dashes: two hyphens or more, or a long dash, are `--`. A single hyphen begins a number, or a bracket of
    /// text that is tokenised already, or stands alone.
    fn dash(&mut self, at: usize, c: char) -> usize {
        let end = self.run(at, |c| is_hyphen(c) || is_long_dash(c));
        if is_long_dash(c) || end > at + c.len_utf8() {
            return self.emit_as(at..end, "--");
        }
        if let Some(name) = self.text.as_bytes().get(at..at + 5)
            && matches!(
                name.to_ascii_lowercase().as_slice(),
                [b'-', b'l' | b'r', b'r' | b's' | b'c', b'b', b'-']
            )
        {
            return self.emit(at..at + 5);
        }
        if self.peek(end).is_some_and(|c| c.is_ascii_digit()) { self.word(at) } else { self.emit(at..end) }
    }

    fn dots(&mut self, at: usize) -> usize {
        let end = self.run(at, is_dot);
        if &self.text[at..end] == "." { self.emit(at..end) } else { self.emit_as(at..end, "...") }
    }

    /// `?!` and `?!?` are one token each, as in the treebank; any other run is cut into its signs.
    fn exclamation(&mut self, at: usize) -> usize {
        let end = self.run(at, |c| matches!(c, '?' | '!'));
        let signs = &self.text.as_bytes()[at..end];
        if matches!(signs, [a, b] if a != b) || matches!(signs, [a, b, c] if a != b && b != c) {
            return self.emit(at..end);
        }
        for sign in at..end {
            self.emit(sign..sign + 1);
        }
        end
    }

    fn bracket(&mut self, at: usize, form: &str) -> usize {
        let form = if self.lowercase { form.to_owned() } else { form.to_ascii_uppercase() };
        self.emit_as(at..at + 1, &form)
    }

    /// The end of `<br>`, `<br/>` or `<br />` at `at`.
    fn line_break(&self, at: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        if !bytes.get(at..at + 3)?.eq_ignore_ascii_case(b"<br") {
            return None;
        }
        let spaces =
            |from: usize| from + bytes[from..].iter().take_while(|b| b.is_ascii_whitespace()).count();
        let mut end = spaces(at + 3);
        if bytes.get(end) == Some(&b'/') {
            end = spaces(end + 1);
        }
        (bytes.get(end) == Some(&b'>')).then_some(end + 1)
    }

    /// The end and the sign of a slash or asterisk at `at`, which the treebank writes after a backslash.
    fn escaped(&self, at: usize) -> Option<(usize, char)> {
        let bytes = self.text.as_bytes();
        let sign = if bytes[at] == b'\\' { at + 1 } else { at };
        match bytes.get(sign)? {
            b'/' => Some((sign + 1, '/')),
            b'*' => Some((sign + 1, '*')),
            _ => None,
        }
    }

    /// The end of the run of asterisks, each escaped or not, that begins at `at`.
    fn asterisks(&self, mut at: usize) -> usize {
        while at < self.text.len()
            && let Some((end, '*')) = self.escaped(at)
        {
            at = end;
        }
        at
    }

    /// The end of the run of characters in a class that begins at `at`.
    fn run(&self, at: usize, class: impl Fn(char) -> bool) -> usize {
        self.text[at..].find(|c| !class(c)).map_or(self.text.len(), |length| at + length)
    }

    fn peek(&self, at: usize) -> Option<char> {
        self.text[at..].chars().next()
    }

    fn peek_second(&self, at: usize) -> Option<char> {
        self.text[at..].chars().nth(1)
    }

    /// Emits a stretch of the text, normalised; returns its end.
    fn emit(&mut self, range: Range<usize>) -> usize {
        let form = normalise(&self.text[range.clone()], self.lowercase);
        self.push(range, form)
    }

    /// Emits a stretch of the text under a name of the convention; returns its end.
    fn emit_as(&mut self, range: Range<usize>, form: &str) -> usize {
        self.push(range, form.to_owned())
    }

    fn push(&mut self, range: Range<usize>, form: String) -> usize {
        self.tokens.push(self.start + range.start..self.start + range.end, form);
        range.end
    }
}

/// Where the last clitic of `word` begins, if something is left before it.
pub(super) fn clitic_start(word: &str) -> Option<usize> {
    let (apostrophe, sign) = word.char_indices().rfind(|&(_, c)| is_apostrophe(c))?;
    let clitic = &word[apostrophe + sign.len_utf8()..];
    if is_clitic(clitic) {
        return (apostrophe > 0).then_some(apostrophe);
    }
    let stem = word[..apostrophe].strip_suffix(['n', 'N'])?;
    (clitic.eq_ignore_ascii_case("t") && stem.ends_with(char::is_alphabetic)).then_some(stem.len())
}

/// The treebank's spelling of a stretch of text: straight apostrophes, plain hyphens, slash and asterisk after a
/// backslash.
fn normalise(source: &str, lower: bool) -> String {
    let cased = if lower { source.to_lowercase() } else { source.to_owned() };
    let plain =
        |c: char| c != '/' && c != '*' && (c == '\'' || !is_apostrophe(c)) && (c == '-' || !is_hyphen(c));
    if cased.chars().all(|c| plain(c) && !is_long_dash(c)) {
        return cased;
    }
    let mut form = String::with_capacity(cased.len() + 2);
    for c in cased.chars() {
        match c {
            '/' | '*' if form.ends_with('\\') => form.push(c),
            '/' | '*' => form.extend(['\\', c]),
            _ if is_apostrophe(c) => form.push('\''),
            _ if is_hyphen(c) || is_long_dash(c) => form.push('-'),
            _ => form.push(c),
        }
    }
    form
}
