//! Binary trees over the words of a text: from brackets as the Penn Treebank writes them, or from words and merges.
//!
//! A node in brackets is `(label word)` or `(label node node)`; white space, line feeds too, stands between the parts. A label
//! may be empty. Words are written with `-LRB-` for `(` and so on, and `\/` and `\*` for `/` and `*`.

use std::fmt;
use std::ops::Range;

use super::{Span, Token};

/// A binary tree over the words of a text.
///
/// Nodes are numbered: first the words in their order, then what two nodes make together, children before their parent. The
/// root is the last. A tree without words has no nodes.
///
/// ```
/// use saccade_rnn::text::Tree;
///
/// let tree = Tree::parse("(4 (2 Quite) (4 (3 good) (2 -RRB-)))")?;
/// assert_eq!(tree.text(), "Quite good )");
/// assert_eq!((tree.words(), tree.nodes(), tree.merges()), (3, 5, &[[1, 2], [0, 3]][..]));
/// assert_eq!((tree.source(3), tree.label(3)), ("good )", Some("4")));
/// # Ok::<(), saccade_rnn::text::TreeError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    text: String,
    /// Of every node.
    spans: Vec<Span>,
    merges: Vec<[usize; 2]>,
    /// Of every node, or of none.
    labels: Vec<String>,
}

impl Tree {
    /// Reads a tree in brackets. A text without any is a tree without nodes.
    ///
    /// # Errors
    /// If it is not such a tree, or more than one.
    pub fn parse(brackets: &str) -> Result<Self, TreeError> {
        let mut reader = Reader::new(brackets);
        let tree = reader.next_tree()?.map(|(_, tree)| tree).unwrap_or_default();
        let problem = match reader.next_part() {
            None => return Ok(tree),
            Some(Part::Open) => TreeProblem::Second,
            Some(Part::Close) => TreeProblem::Closed,
            Some(Part::Text(_)) => TreeProblem::NoTree,
        };
        Err(reader.error(reader.begun, problem))
    }

    /// Reads trees in brackets, one after the other, each with the line on which it begins, from 1.
    ///
    /// # Errors
    /// If there is anything else.
    pub fn parse_all(brackets: &str) -> Result<Vec<(usize, Self)>, TreeError> {
        let (mut reader, mut trees) = (Reader::new(brackets), Vec::new());
        let (mut line, mut counted) = (1, 0);
        while let Some((begun, tree)) = reader.next_tree()? {
            line += brackets[counted..begun].matches('\n').count();
            counted = begun;
            trees.push((line, tree));
        }
        Ok(trees)
    }

    /// A tree over tokens of a text, without labels. Each merge makes a node of two that stand side by side, by their numbers.
    ///
    /// # Errors
    /// If a merge names no node, or one that has a parent, or two that do not stand side by side; if more or less than one node
    /// is left.
    pub fn of_merges(
        text: impl Into<String>,
        tokens: &[Token],
        merges: &[[usize; 2]],
    ) -> Result<Self, MergeError> {
        let spans = tokens.iter().map(|token| token.span.clone()).collect();
        let mut tree = Self { text: text.into(), spans, merges: Vec::new(), labels: Vec::new() };
        // The words of every node that has no parent yet.
        let mut free: Vec<Option<Range<usize>>> =
            (0..tokens.len()).map(|word| Some(word..word + 1)).collect();
        for (merge, &[left, right]) in merges.iter().enumerate() {
            let mut take = |node: usize| free.get_mut(node).and_then(Option::take);
            let (Some(left_words), Some(right_words)) = (take(left), take(right)) else {
                return Err(MergeError { merge, problem: "names a node that is not there or has a parent" });
            };
            if left_words.end != right_words.start {
                return Err(MergeError { merge, problem: "names nodes that do not stand side by side" });
            }
            free.push(Some(left_words.start..right_words.end));
            tree.merge([left, right]);
        }
        if free.iter().flatten().count() > 1 {
            return Err(MergeError {
                merge: merges.len(),
                problem: "is missing: the tree has several roots",
            });
        }
        Ok(tree)
    }

    /// Makes a node.
    fn merge(&mut self, [left, right]: [usize; 2]) {
        let (first, last) = (&self.spans[left], &self.spans[right]);
        let span =
            Span { bytes: first.bytes.start..last.bytes.end, utf16: first.utf16.start..last.utf16.end };
        self.spans.push(span);
        self.merges.push([left, right]);
    }

    /// The text that spans are of: the words with a space between them, if the tree was in brackets.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many nodes are words, the first ones.
    pub fn words(&self) -> usize {
        self.spans.len() - self.merges.len()
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.spans.len()
    }

    /// The children of every node behind the words.
    pub fn merges(&self) -> &[[usize; 2]] {
        &self.merges
    }

    /// The children of a node, unless it is a word.
    pub fn children(&self, node: usize) -> Option<[usize; 2]> {
        self.merges.get(node.checked_sub(self.words())?).copied()
    }

    /// Where a node stands in the text.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn span(&self, node: usize) -> &Span {
        &self.spans[node]
    }

    /// What the text has at a node.
    ///
    /// # Panics
    /// If there is no such node.
    pub fn source(&self, node: usize) -> &str {
        &self.text[self.span(node).bytes.clone()]
    }

    /// The label of a node, if it was read with one.
    pub fn label(&self, node: usize) -> Option<&str> {
        self.labels.get(node).map(String::as_str)
    }
}

/// A merge makes no tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("merge {merge} {problem}")]
pub struct MergeError {
    /// Its number, from 0.
    pub merge: usize,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// Brackets make no tree.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct TreeError {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// What is wrong there.
    pub problem: TreeProblem,
}

/// What can be wrong with brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TreeProblem {
    /// No bracket opens here.
    NoTree,
    /// A tree begins where one alone was expected.
    Second,
    /// A bracket that never closes opens here.
    Open,
    /// A bracket closes that was never opened.
    Closed,
    /// A node with neither a word nor children.
    Empty,
    /// A node with one child, or more than two.
    Children(usize),
    /// A word beside another, or beside a node.
    Word,
}

impl fmt::Display for TreeProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoTree => f.write_str("expected a tree in brackets, as in (3 (3 good) (2 film))"),
            Self::Second => f.write_str("a second tree begins, expected one"),
            Self::Open => f.write_str("a bracket opens that never closes"),
            Self::Closed => f.write_str("a bracket closes that was never opened"),
            Self::Empty => f.write_str("a node has neither a word nor children"),
            Self::Children(1) => f.write_str("a node has 1 child, expected a word or 2"),
            Self::Children(count) => write!(f, "a node has {count} children, expected a word or 2"),
            Self::Word => f.write_str("a word stands beside another part of its node"),
        }
    }
}

/// Reads brackets. What is open is kept in a list, so that no depth exhausts the program's stack.
struct Reader<'t> {
    source: &'t str,
    at: usize,
    /// Where the last part began.
    begun: usize,
}

enum Part<'t> {
    Open,
    Close,
    Text(&'t str),
}

/// A node of which a bracket is open.
struct Opened {
    at: usize,
    label: String,
    /// Its first two parts, and how many nodes there are.
    children: [usize; 2],
    count: usize,
    is_word: bool,
}

impl<'t> Reader<'t> {
    fn new(source: &'t str) -> Self {
        let at = source.len() - source.trim_start_matches('\u{feff}').len();
        Self { source, at, begun: at }
    }

    fn next_part(&mut self) -> Option<Part<'t>> {
        let rest = &self.source[self.at..];
        let solid = rest.trim_start_matches(is_space);
        self.begun = self.source.len() - solid.len();
        let length = match solid.as_bytes().first()? {
            b'(' | b')' => 1,
            _ => solid.find(|c| is_space(c) || matches!(c, '(' | ')')).unwrap_or(solid.len()),
        };
        self.at = self.begun + length;
        Some(match &solid[..length] {
            "(" => Part::Open,
            ")" => Part::Close,
            text => Part::Text(text),
        })
    }

    /// The next tree, and where it begins.
    fn next_tree(&mut self) -> Result<Option<(usize, Tree)>, TreeError> {
        let Some(first) = self.next_part() else { return Ok(None) };
        let start = self.begun;
        match first {
            Part::Open => {}
            Part::Close => return Err(self.error(start, TreeProblem::Closed)),
            Part::Text(_) => return Err(self.error(start, TreeProblem::NoTree)),
        }
        let mut nodes = Nodes::default();
        let mut open = vec![self.opened()];
        while let Some(node) = open.last_mut() {
            let Some(part) = self.next_part() else {
                return Err(self.error(node.at, TreeProblem::Open));
            };
            match part {
                Part::Open if node.is_word => return Err(self.error(self.begun, TreeProblem::Word)),
                Part::Open => open.push(self.opened()),
                Part::Text(_) if node.is_word || node.count > 0 => {
                    return Err(self.error(self.begun, TreeProblem::Word));
                }
                Part::Text(word) => {
                    node.is_word = true;
                    node.children[0] = nodes.word(word);
                }
                Part::Close => {
                    let Some(node) = open.pop() else { break };
                    let made = match (node.is_word, node.count) {
                        (true, _) => node.children[0],
                        (false, 2) => nodes.merge(node.children),
                        (false, 0) => return Err(self.error(node.at, TreeProblem::Empty)),
                        (false, count) => return Err(self.error(node.at, TreeProblem::Children(count))),
                    };
                    nodes.label(made, node.label);
                    if let Some(parent) = open.last_mut() {
                        if let Some(place) = parent.children.get_mut(parent.count) {
                            *place = made;
                        }
                        parent.count += 1;
                    }
                }
            }
        }
        Ok(Some((start, nodes.tree())))
    }

    /// A node whose bracket was just read: its label follows at once.
    fn opened(&mut self) -> Opened {
        let rest = &self.source[self.at..];
        let end = rest.find(|c| is_space(c) || matches!(c, '(' | ')')).unwrap_or(rest.len());
        self.at += end;
        Opened { at: self.begun, label: rest[..end].to_owned(), children: [0; 2], count: 0, is_word: false }
    }

    fn error(&self, at: usize, problem: TreeProblem) -> TreeError {
        let before = &self.source[..at];
        let begun = before.rfind('\n').map_or(0, |feed| feed + 1);
        let (line, column) = (1 + before.matches('\n').count(), 1 + before[begun..].chars().count());
        TreeError { line, column, problem }
    }
}

/// White space between parts. U+00A0 and its like are parts of words.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

/// The nodes of a tree that is being read. How many words there will be is not known yet, so that words and merges are counted
/// apart: a merge has the number `MERGE + n`.
#[derive(Default)]
struct Nodes {
    text: String,
    utf16: usize,
    words: Vec<Span>,
    merges: Vec<[usize; 2]>,
    /// Of words, and of merges.
    labels: [Vec<String>; 2],
}

/// No text has as many words.
const MERGE: usize = 1 << (usize::BITS - 1);

impl Nodes {
    fn word(&mut self, written: &str) -> usize {
        if !self.words.is_empty() {
            self.text.push(' ');
            self.utf16 += 1;
        }
        let (bytes, utf16) = (self.text.len(), self.utf16);
        unescape(written, &mut self.text);
        self.utf16 += self.text[bytes..].chars().map(char::len_utf16).sum::<usize>();
        self.words.push(Span { bytes: bytes..self.text.len(), utf16: utf16..self.utf16 });
        self.words.len() - 1
    }

    fn merge(&mut self, children: [usize; 2]) -> usize {
        self.merges.push(children);
        MERGE + self.merges.len() - 1
    }

    /// Labels the node that was made last of its kind: a word's bracket closes before the next word, and a merge's at once.
    fn label(&mut self, node: usize, label: String) {
        self.labels[usize::from(node >= MERGE)].push(label);
    }

    fn tree(self) -> Tree {
        let [words, merges] = self.labels;
        let count = self.words.len();
        let mut tree = Tree {
            text: self.text,
            spans: self.words,
            merges: Vec::new(),
            labels: words.into_iter().chain(merges).collect(),
        };
        for children in self.merges {
            tree.merge(children.map(|child| if child < MERGE { child } else { count + (child - MERGE) }));
        }
        tree
    }
}

/// Appends a word as it is read, of one as treebanks write it.
fn unescape(written: &str, text: &mut String) {
    let bracket = match written.to_ascii_uppercase().as_str() {
        "-LRB-" => '(',
        "-RRB-" => ')',
        "-LSB-" => '[',
        "-RSB-" => ']',
        "-LCB-" => '{',
        "-RCB-" => '}',
        _ => return text.push_str(&written.replace("\\/", "/").replace("\\*", "*")),
    };
    text.push(bracket);
}

#[cfg(test)]
mod tests;
