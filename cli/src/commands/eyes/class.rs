//! Classes of English words, by lists of those whose members can be counted.

use serde::Serialize;

/// The class of a word. A word that could be of several is of the one it mostly is (`that` conjoins, `her` stands
/// for somebody).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Class {
    Content,
    Negation,
    Pronoun,
    Auxiliary,
    Conjunction,
    Preposition,
    Determiner,
}

/// The classes that are lists; every other word is one of [`Class::Content`].
const LISTS: [(Class, &str); 6] = [
    (Class::Negation, "no not n't never neither nor none nothing nobody nowhere"),
    (
        Class::Pronoun,
        "i me my mine myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers \
         herself it its itself they them their theirs themselves who whom whose what which there someone somebody something \
         anyone anybody anything everyone everybody everything",
    ),
    (
        Class::Auxiliary,
        "be am is are was were been being 's 're 'm 've 'd 'll have has had having do does did can ca could will wo would \
         shall should may might must",
    ),
    (
        Class::Conjunction,
        "and or but that if because although though whether while when where as than so yet unless",
    ),
    (
        Class::Preposition,
        "of in to for with on at from by about into through over after before between under during without within against \
         among around along across behind beyond despite off onto out per since toward towards until up upon down",
    ),
    (
        Class::Determiner,
        "a an the this these those all any some each every both either another other such many much more most few several",
    ),
];

impl Class {
    /// Every class.
    pub(super) const ALL: [Self; 7] = [
        Self::Content,
        Self::Negation,
        Self::Pronoun,
        Self::Auxiliary,
        Self::Conjunction,
        Self::Preposition,
        Self::Determiner,
    ];

    /// Of a token in lower case, cut as in the Penn Treebank (`do n't`, `it 's`).
    pub(super) fn of(token: &str) -> Self {
        let listed = LISTS.iter().find(|(_, words)| words.split(' ').any(|word| word == token));
        listed.map_or(Self::Content, |(class, _)| *class)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_word_has_one_class() {
        let words: Vec<&str> = LISTS.iter().flat_map(|(_, words)| words.split(' ')).collect();
        assert_eq!(words.iter().collect::<HashSet<_>>().len(), words.len());
        assert!(words.iter().all(|word| !word.is_empty()));
        assert_eq!(
            ["film", "n't", "that", "the"].map(Class::of),
            [Class::Content, Class::Negation, Class::Conjunction, Class::Determiner]
        );
    }
}
