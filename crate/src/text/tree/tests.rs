use proptest::prelude::*;

use super::*;
use crate::text::Tokenizer;

#[test]
fn a_tree_has_the_words_first_and_its_root_last() {
    let tree = Tree::parse("(3 (2 (3 Good) (2 -LRB-)) (1 (2 1\\/2) (1 🎬)))").unwrap();
    assert_eq!((tree.text(), tree.words(), tree.nodes()), ("Good ( 1/2 🎬", 4, 7));
    assert_eq!(tree.merges(), [[0, 1], [2, 3], [4, 5]]);
    let labels: Vec<_> = (0..7).map(|node| tree.label(node).unwrap()).collect();
    assert_eq!(labels, ["3", "2", "2", "1", "2", "1", "3"]);
    assert_eq!([4, 5, 6].map(|node| tree.source(node)), ["Good (", "1/2 🎬", "Good ( 1/2 🎬"]);
    assert_eq!(tree.span(5).utf16, 7..13);
    assert_eq!(
        [0, 3, 4, 6, 7].map(|node| tree.children(node)),
        [None, None, Some([0, 1]), Some([4, 5]), None]
    );
}

#[test]
fn one_word_and_no_word_are_trees() {
    let one = Tree::parse(" (3 fine)\n").unwrap();
    assert_eq!((one.text(), one.nodes(), one.label(0)), ("fine", 1, Some("3")));
    assert_eq!(Tree::parse(" \r\n").unwrap(), Tree::default());
    assert_eq!(Tree::default().label(0), None);
    assert_eq!(Tree::parse("\u{feff}(3 fine)").unwrap(), Tree::parse("(3 fine)").unwrap());
    assert_eq!(Tree::parse("( good)").unwrap().label(0), Some(""));
}

#[test]
fn trees_follow_one_another_over_lines() {
    let trees = Tree::parse_all("(3 fine)\n\n(S\n  (A x)\t(B\u{a0} y)) (3 z)").unwrap();
    let found: Vec<_> = trees.iter().map(|(line, tree)| (*line, tree.text())).collect();
    assert_eq!(found, [(1, "fine"), (3, "x y"), (4, "z")]);
}

#[test]
fn depth_costs_no_stack() {
    const DEPTH: usize = 200_000;
    let left = "(2 ".repeat(DEPTH) + "(2 x)" + &" (2 y))".repeat(DEPTH);
    let right = "(2 (2 x) ".repeat(DEPTH) + "(2 y)" + &")".repeat(DEPTH);
    for brackets in [left, right] {
        assert_eq!(Tree::parse(&brackets).unwrap().nodes(), 2 * DEPTH + 1);
    }
    let open = Tree::parse(&"(".repeat(DEPTH)).unwrap_err();
    assert_eq!((open.column, open.problem), (DEPTH, TreeProblem::Open));
}

#[test]
fn mistakes_have_a_place() {
    for (brackets, line, column, problem) in [
        ("good", 1, 1, TreeProblem::NoTree),
        ("(3 a)\n  (3 b)", 2, 3, TreeProblem::Second),
        ("(3 a))", 1, 6, TreeProblem::Closed),
        (")", 1, 1, TreeProblem::Closed),
        ("(3 (2 a) (2 b)", 1, 1, TreeProblem::Open),
        ("(3 (2 a)\n(2 ä (2 b)))", 2, 6, TreeProblem::Word),
        ("(3 (2 a) b)", 1, 10, TreeProblem::Word),
        ("(3 a b)", 1, 6, TreeProblem::Word),
        ("(3", 1, 1, TreeProblem::Open),
        ("(3 (2 ))", 1, 4, TreeProblem::Empty),
        ("()", 1, 1, TreeProblem::Empty),
        ("(3 (2 a))", 1, 1, TreeProblem::Children(1)),
        ("(3 (2 a) (2 b) (2 c))", 1, 1, TreeProblem::Children(3)),
    ] {
        assert_eq!(Tree::parse(brackets), Err(TreeError { line, column, problem }), "{brackets}");
    }
    let closed = Tree::parse_all("(3 a)\n )").unwrap_err();
    assert_eq!(closed.to_string(), "line 2, column 2: a bracket closes that was never opened");
}

#[test]
fn merges_make_trees_over_tokens() {
    let text = "Really (very)  good";
    let tokens = Tokenizer::treebank().tokenize(text);
    let tree = Tree::of_merges(text, &tokens, &[[1, 2], [5, 3], [6, 4], [0, 7]]).unwrap();
    assert_eq!(tree.source(6), "(very)");
    assert_eq!((tree.source(8), tree.span(8).utf16.clone(), tree.label(8)), (text, 0..19, None));
    let refused = |merges: &[[usize; 2]]| Tree::of_merges(text, &tokens, merges).unwrap_err().merge;
    assert_eq!(refused(&[[0, 2]]), 0);
    assert_eq!(refused(&[[1, 0]]), 0);
    assert_eq!(refused(&[[0, 0]]), 0);
    assert_eq!(refused(&[[0, 1], [0, 2]]), 1);
    assert_eq!(refused(&[[0, 1], [2, 9]]), 1);
    assert_eq!(refused(&[[0, 1]]), 1, "several roots");
    assert_eq!(Tree::of_merges("", &[], &[]), Ok(Tree::default()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read_or_refused(text in "[()a1 \nä🎬-]{0,40}") {
        match Tree::parse_all(&text) {
            Ok(trees) => for (_, tree) in trees {
                prop_assert_eq!(tree.nodes() + 1, 2 * tree.words());
                prop_assert_eq!(tree.source(tree.nodes() - 1), tree.text());
            },
            Err(TreeError { line, column, .. }) => {
                let line = text.split('\n').nth(line - 1).expect("a line of the text");
                prop_assert!(column <= line.chars().count() + 1);
            }
        }
    }
}
