//! Bracketed trees: see [`Format::SstTrees`](super::Format::SstTrees).

use super::source::{Source, numbered_lines};
use super::{DataError, Example};

pub(super) fn parse(source: &Source) -> Result<Vec<Example>, DataError> {
    let mut examples = Vec::new();
    for (line, content) in numbered_lines(source.utf8()?) {
        let tree = Tree::parse(content).map_err(|problem| match problem {
            Problem::Label(label) => source.unknown_label(line, &label, &["0", "1", "2", "3", "4"]),
            Problem::Shape(problem) => source.bad_line(line, problem),
        })?;
        let root = tree.nodes.len() - 1;
        for (index, node) in tree.nodes.iter().enumerate() {
            let label = match node.label {
                b'0' | b'1' => "0",
                b'3' | b'4' => "1",
                _ => continue,
            };
            let text = tree.leaves[node.start..node.end].to_owned();
            examples.push(Example {
                label: label.to_owned(),
                text,
                tokenised: true,
                phrase: index != root,
                line,
            });
        }
    }
    Ok(examples)
}

/// A tree as its leaves, lower-cased with a space between them, and its nodes, children before parents.
struct Tree {
    leaves: String,
    nodes: Vec<Node>,
}

/// A node covers `leaves[start..end]`.
struct Node {
    label: u8,
    start: usize,
    end: usize,
}

enum Problem {
    Label(String),
    Shape(&'static str),
}

impl Tree {
    /// Reads `(3 (2 good) (2 .))`. Open nodes are on a stack of their own, so that no depth can exhaust the program's.
    fn parse(text: &str) -> Result<Self, Problem> {
        let (mut leaves, mut nodes, mut open) = (String::new(), Vec::new(), Vec::<Node>::new());
        let mut rest = text.trim_matches(' ');
        while !rest.is_empty() {
            if open.is_empty() && !nodes.is_empty() {
                return Err(Problem::Shape("goes on after the end of its tree"));
            }
            if let Some(inside) = rest.strip_prefix('(') {
                let end = inside.find([' ', '(', ')']).ok_or(Problem::Shape("ends inside a node"))?;
                let label = &inside[..end];
                let &[label @ b'0'..=b'4'] = label.as_bytes() else {
                    return Err(Problem::Label(label.to_owned()));
                };
                open.push(Node { label, start: leaves.len(), end: leaves.len() });
                rest = &inside[end..];
            } else if let Some(after) = rest.strip_prefix(')') {
                let mut node = open.pop().ok_or(Problem::Shape("closes a bracket that is not open"))?;
                node.end = leaves.len();
                if node.start == node.end {
                    return Err(Problem::Shape("has a node without words"));
                }
                // The space before the first leaf of a node was not there yet when the node was opened.
                node.start += usize::from(leaves[node.start..].starts_with(' '));
                nodes.push(node);
                rest = after;
            } else if open.is_empty() {
                return Err(Problem::Shape("is not a tree in brackets"));
            } else {
                let end = rest.find([' ', '(', ')']).unwrap_or(rest.len());
                let word = &rest[..end];
                if !word.is_empty() {
                    if !leaves.is_empty() {
                        leaves.push(' ');
                    }
                    leaves.push_str(&word.to_lowercase());
                }
                rest = rest[end..].trim_start_matches(' ');
            }
        }
        match open.is_empty() && !nodes.is_empty() {
            true => Ok(Self { leaves, nodes }),
            false => Err(Problem::Shape("ends before its tree does")),
        }
    }
}
