//! Sentences that say what somebody makes of something.

use crate::common::conllu;
use crate::runs::draws;

/// Sentences of nouns that say nothing, and adjectives that do; each "not", of which there are fewer than `nots`, turns what
/// stands beside it. As phrases with labels, and as words with heads.
pub(crate) fn treebanks(seed: u32, count: usize, nots: usize) -> [String; 2] {
    let mut draw = draws(seed);
    let (mut phrases, mut heads) = (String::new(), String::new());
    for _ in 0..count {
        let noun = ["film", "plot", "cast"][draw(3)];
        let (adjective, mut label) =
            [("good", 2), ("fine", 2), ("bad", 0), ("dull", 0), ("long", 1)][draw(5)];
        let nots = draw(nots);
        let root = 4 + nots;
        let mut phrase = format!("({label} {adjective})");
        let mut words =
            vec![("The", "DET", 2, "det"), (noun, "NOUN", root, "nsubj"), ("is", "AUX", root, "cop")];
        for _ in 0..nots {
            label = 2 - label;
            phrase = format!("({label} (1 not) {phrase})");
            words.push(("not", "PART", root, "advmod"));
        }
        words.push((adjective, "ADJ", 0, "root"));
        phrases += &format!("({label} (1 (1 The) (1 {noun})) ({label} (1 is) {phrase}))\n");
        heads += &conllu(&words);
    }
    [phrases, heads]
}
