//! What makes a token a word.

/// The treebank's names of brackets, which are punctuation for all their letters.
const BRACKETS: [&str; 6] = ["-lrb-", "-rrb-", "-lcb-", "-rcb-", "-lsb-", "-rsb-"];

/// Letters and digits of a token; a word has one at least. A bracket has none.
pub(crate) fn letters(token: &str) -> usize {
    let bracket = BRACKETS.iter().any(|name| name.eq_ignore_ascii_case(token));
    if bracket { 0 } else { token.chars().filter(|c| c.is_alphanumeric()).count() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_has_no_letters() {
        assert_eq!(["n't", "1,000", "naïve", "--", "-LRB-", "-rrb-", ""].map(letters), [2, 4, 5, 0, 0, 0, 0]);
    }
}
