//! What Unicode says of characters and words. A browser has the tables, which would be a twentieth of the binary, so
//! there they are asked of JavaScript; the two can differ in characters that are newer than one of them.

#[cfg(not(all(target_arch = "wasm32", feature = "web")))]
use standard as tables;

#[cfg(all(target_arch = "wasm32", feature = "web"))]
use browser as tables;

/// Letters, and marks and numbers that stand for letters.
pub(super) fn is_alphabetic(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphabetic() } else { tables::is_alphabetic(c) }
}

/// Letters and numbers of any script.
pub(super) fn is_alphanumeric(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_alphanumeric() } else { tables::is_alphanumeric(c) }
}

/// Lower-case letters.
pub(super) fn is_lowercase(c: char) -> bool {
    if c.is_ascii() { c.is_ascii_lowercase() } else { tables::is_lowercase(c) }
}

/// Whether lower-casing changes a character.
pub(super) fn has_lowercase(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_uppercase()
    } else {
        !tables::lowercase(c.encode_utf8(&mut [0; 4])).starts_with(c)
    }
}

/// A word with its capitals lower-cased.
pub(super) fn lowercase(word: &str) -> String {
    if word.is_ascii() { word.to_ascii_lowercase() } else { tables::lowercase(word) }
}

#[cfg(not(all(target_arch = "wasm32", feature = "web")))]
mod standard {
    pub(super) fn is_alphabetic(c: char) -> bool {
        c.is_alphabetic()
    }

    pub(super) fn is_alphanumeric(c: char) -> bool {
        c.is_alphanumeric()
    }

    pub(super) fn is_lowercase(c: char) -> bool {
        c.is_lowercase()
    }

    pub(super) fn lowercase(word: &str) -> String {
        word.to_lowercase()
    }
}

#[cfg(all(target_arch = "wasm32", feature = "web"))]
mod browser {
    use js_sys::{JsString, RegExp};

    thread_local! {
        static ALPHABETIC: RegExp = RegExp::new(r"\p{Alphabetic}", "u");
        static ALPHANUMERIC: RegExp = RegExp::new(r"\p{Alphabetic}|\p{N}", "u");
        static LOWERCASE: RegExp = RegExp::new(r"\p{Lowercase}", "u");
    }

    fn is(class: &RegExp, c: char) -> bool {
        class.test(c.encode_utf8(&mut [0; 4]))
    }

    pub(super) fn is_alphabetic(c: char) -> bool {
        ALPHABETIC.with(|class| is(class, c))
    }

    pub(super) fn is_alphanumeric(c: char) -> bool {
        ALPHANUMERIC.with(|class| is(class, c))
    }

    pub(super) fn is_lowercase(c: char) -> bool {
        LOWERCASE.with(|class| is(class, c))
    }

    pub(super) fn lowercase(word: &str) -> String {
        JsString::from(word).to_lower_case().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_are_what_lowercasing_changes() {
        for (c, changes) in
            [('a', false), ('A', true), ('é', false), ('É', true), ('İ', true), ('𝕆', false), ('東', false)]
        {
            assert_eq!(has_lowercase(c), changes, "{c}");
            assert_eq!(lowercase(&c.to_string()), c.to_string().to_lowercase());
        }
        assert_eq!(lowercase("ΟΔΟΣ"), "οδος");
    }
}
