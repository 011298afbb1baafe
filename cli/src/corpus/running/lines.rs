//! One sentence a line: see [`Layout::Lines`](super::Layout::Lines).

/// The sentences of a file.
pub(super) fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim_ascii).filter(|line| !line.is_empty())
}
