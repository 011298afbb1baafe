//! The classes of characters, and the lists of words, that the treebank convention turns on.
//!
//! U+0091 to U+0097 are control characters that nobody writes; in text they are the quotation marks and dashes of
//! Windows-1252, decoded as if it were Latin-1.

/// U+00A0, which joins the parts of a number (`2 1/2`) and separates anything else.
pub(super) const NO_BREAK_SPACE: char = '\u{a0}';

/// Characters without a mark or a width of their own that say nothing of the word they stand in: the soft hyphen, the
/// zero-width space, the word joiner and the invisible operators of mathematics, marks of direction, the byte-order mark.
/// A text is read as if they were not there.
///
/// Not the zero-width joiner and non-joiner, which tell words apart in Persian and in scripts of India and hold emoji
/// together, and not the variation selectors.
pub(crate) fn is_ignored(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Letters and digits of any script.
pub(super) fn is_alphanumeric(c: char) -> bool {
    c.is_alphanumeric() && !is_pictograph(c)
}

/// What a word can end in before an apostrophe or a slash: letters, digits, and what attaches to them outside
/// ASCII (combining marks, joiners). Lower-casing maps this class into itself, which idempotence needs: `İ`
/// becomes `i` and a combining dot.
pub(super) fn is_word_like(c: char) -> bool {
    let attaches =
        !c.is_ascii() && !c.is_whitespace() && !stands_alone(c) && !is_hyphen(c) && !is_currency(c);
    is_alphanumeric(c) || attaches
}

/// Characters that never join a word, wherever they stand.
pub(super) fn stands_alone(c: char) -> bool {
    matches!(
        c,
        ';' | '?' | '!' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' | '%' | '`' | '"' | '…' | '¿' | '¡'
    ) || is_opening_quote(c)
        || is_closing_quote(c)
        || is_long_dash(c)
        || is_apostrophe(c) && c != '\''
        || is_pictograph(c)
}

/// Opening double quotation marks other than the ambiguous `"`.
pub(super) fn is_opening_quote(c: char) -> bool {
    matches!(c, '“' | '„' | '«' | '\u{93}')
}

/// Closing double quotation marks other than the ambiguous `"`.
pub(super) fn is_closing_quote(c: char) -> bool {
    matches!(c, '”' | '»' | '\u{94}')
}

/// Apostrophes, single quotation marks, and the accent that is typed for them.
pub(super) fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '’' | '´' | '\u{92}') || is_opening_single_quote(c)
}

/// Opening single quotation marks other than the ambiguous `'`.
pub(super) fn is_opening_single_quote(c: char) -> bool {
    matches!(c, '‘' | '\u{91}')
}

/// The hyphens that join words.
pub(super) fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}')
}

/// Dashes that separate, unless they stand between digits as in `1990–95`.
pub(super) fn is_long_dash(c: char) -> bool {
    matches!(c, '\u{2012}'..='\u{2015}' | '\u{96}' | '\u{97}')
}

/// A full stop, or the character for three.
pub(super) fn is_dot(c: char) -> bool {
    matches!(c, '.' | '…')
}

/// Signs that the treebank parts from the amount beside them.
pub(super) fn is_currency(c: char) -> bool {
    matches!(c, '$' | '£' | '€' | '¥')
}

/// Arrows, symbols and emoji: a run of them is a token of its own.
pub(super) fn is_pictograph(c: char) -> bool {
    matches!(c,
        '\u{2190}'..='\u{21ff}' | '\u{2300}'..='\u{23ff}' | '\u{2500}'..='\u{27bf}' | '\u{2900}'..='\u{297f}'
        | '\u{2b00}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// What holds an emoji sequence together: the joiner, the variation selectors, the tags of flags.
pub(super) fn joins_pictographs(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}' | '\u{e0020}'..='\u{e007f}')
}

/// Whether a quotation mark right after `c` opens a quotation.
pub(super) fn precedes_opening(c: char) -> bool {
    matches!(c, '(' | '[' | '{' | '<' | '`' | '"' | '/')
        || is_opening_quote(c)
        || is_hyphen(c)
        || is_long_dash(c)
}

/// Whether `word`, lower-cased and without its last full stop, is an abbreviation that keeps it: a single letter
/// other than the pronoun `i`, letters with full stops between them (`u.s`), a degree (`ph.d`), or a listed word.
///
/// `no` is not here: it is an abbreviation only before a number.
pub(super) fn is_abbreviation(word: &str) -> bool {
    const LISTED: &[&str] = &[
        "adm", "al", "assn", "asst", "aug", "ave", "blvd", "brig", "bros", "capt", "cf", "co", "col",
        "comdr", "corp", "cpl", "dec", "dept", "det", "dr", "drs", "esq", "etc", "feb", "fla", "fr", "gen",
        "gov", "hon", "inc", "insp", "jan", "jr", "lt", "ltd", "maj", "messrs", "mgr", "mr", "mrs", "ms",
        "mt", "nov", "oct", "pa", "prof", "pvt", "rep", "rev", "sen", "sept", "sgt", "sr", "st", "supt",
        "univ", "vs", "wash",
    ];
    let single = word.len() == 1 && word != "i" && word.starts_with(|c: char| c.is_ascii_alphabetic());
    single || is_initials(word) || is_degree(word) || LISTED.binary_search(&word).is_ok()
}

/// Whether `word`, lower-cased and without its last full stop, is an academic degree with a full stop inside it.
pub(super) fn is_degree(word: &str) -> bool {
    const DEGREES: &[&str] = &[
        "b.com", "b.ed", "b.eng", "b.sc", "b.tech", "d.phil", "d.sc", "ed.d", "eng.d", "litt.d", "ll.b",
        "ll.d", "ll.m", "m.ed", "m.eng", "m.phil", "m.sc", "m.tech", "pharm.d", "ph.d", "psy.d", "sc.d",
        "th.d",
    ];
    DEGREES.contains(&word)
}

/// Two or more single letters with full stops between them.
fn is_initials(word: &str) -> bool {
    let mut letters = 0;
    let each_single = word.split('.').all(|part| {
        letters += 1;
        let mut chars = part.chars();
        chars.next().is_some_and(char::is_alphabetic) && chars.next().is_none()
    });
    each_single && letters > 1
}

/// Words that begin with an apostrophe, without it: the treebank's clitics, and elisions.
pub(super) fn follows_apostrophe(word: &str) -> bool {
    const ELISIONS: &[&str] = &["bout", "cause", "cuz", "em", "n", "til", "tis", "twas"];
    is_clitic(word) || ELISIONS.iter().any(|elision| word.eq_ignore_ascii_case(elision))
}

/// The clitics that the treebank parts from the word before them, without their apostrophe (`n't` apart).
pub(super) fn is_clitic(word: &str) -> bool {
    ["s", "m", "d", "re", "ve", "ll"].iter().any(|clitic| word.eq_ignore_ascii_case(clitic))
}

/// Words that keep a final apostrophe.
pub(super) fn keeps_final_apostrophe(word: &str) -> bool {
    ["ol", "o", "lil"].iter().any(|kept| word.eq_ignore_ascii_case(kept))
}
