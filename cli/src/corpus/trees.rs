//! Trees with a label on every node, as a tree classifier numbers words and labels.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use saccade_rnn::device::Device;
use saccade_rnn::model::{Model, NumberedTree, Spelled, Task, TreeCell};
use saccade_rnn::text::Tree;
use saccade_rnn::train::TreeText;

use super::CorpusError;
use crate::data::{DataError, Source};

/// Trees, each with the line on which it begins.
pub type Trees = Vec<(usize, Tree)>;

/// Reads trees in brackets.
///
/// # Errors
/// If the file cannot be read, holds anything else, or no tree at all.
pub fn read(path: &Path) -> Result<Trees, DataError> {
    let source = Source::open(path)?;
    let trees = Tree::parse_all(source.utf8()?).map_err(|error| {
        source.bad_line(error.line, format!("column {}: {}", error.column, error.problem))
    })?;
    match trees.is_empty() {
        true => Err(source.bad_line(1, "the file holds no tree in brackets")),
        false => Ok(trees),
    }
}

/// Numbers words and labels. `path` is the file they come from, for the error. A model of trees of heads sees each tree's words
/// in the one that `parser` makes of them.
///
/// # Errors
/// If there is a label that the model has not, no parser where the model needs one, or one where it does not.
pub fn number(
    trees: &[(usize, Tree)],
    path: &Path,
    model: &Model,
    parser: Option<&Model>,
) -> Result<Vec<TreeText>, CorpusError> {
    let labels = labels(trees, path, model)?;
    match (sums_children(model), parser) {
        (false, None) => {
            let text = |((_, tree), labels): (&(usize, Tree), Vec<u32>)| TreeText {
                tree: model.number(tree),
                labels: labels.into_iter().map(Some).collect(),
            };
            Ok(trees.iter().zip(labels).map(text).collect())
        }
        (true, Some(parser)) => by_heads(trees, labels, model, parser),
        (true, None) => Err(CorpusError::NoParser),
        (false, Some(_)) => Err(CorpusError::NeedsNoParser),
    }
}

/// Whether a model labels trees of heads.
pub(crate) fn sums_children(model: &Model) -> bool {
    matches!(&model.config().task, Task::Tree(task) if task.cell == TreeCell::ChildSum)
}

/// The numbers of all nodes' labels.
fn labels(trees: &[(usize, Tree)], path: &Path, model: &Model) -> Result<Vec<Vec<u32>>, CorpusError> {
    let known = model.config().task.data_labels();
    let of_tree = |(line, tree): &(usize, Tree)| {
        let label = |node: usize| {
            let label = tree.label(node).unwrap_or_default();
            let number = known.iter().position(|known| known == label);
            number.map(|number| number as u32).ok_or_else(|| DataError::UnknownLabel {
                path: path.to_owned(),
                line: *line,
                label: label.to_owned(),
                known: known.to_vec(),
            })
        };
        Ok((0..tree.nodes()).map(label).collect::<Result<_, DataError>>()?)
    };
    trees.iter().map(of_tree).collect()
}

/// The trees that a parser makes of the trees' words. A word has the label of the phrase that it is with all words under it, if
/// they are one (Tai, Socher, Manning 2015).
fn by_heads(
    trees: &[(usize, Tree)],
    labels: Vec<Vec<u32>>,
    model: &Model,
    parser: &Model,
) -> Result<Vec<TreeText>, CorpusError> {
    let words = |tree: &'_ Tree| -> Spelled { parser.spell((0..tree.words()).map(|word| tree.source(word))) };
    let spelled: Vec<_> = trees.iter().map(|(_, tree)| words(tree)).collect();
    let parsed = pollster::block_on(parser.parse_words(&Device::cpu(), &spelled, &mut ()))?;
    let mut texts = Vec::with_capacity(trees.len());
    for (((_, tree), labels), parsed) in trees.iter().zip(labels).zip(parsed) {
        let ids = model.tree_ids((0..tree.words()).map(|word| tree.source(word)));
        let numbered = NumberedTree::of_heads(ids, &parsed.heads()).ok_or(CorpusError::NoTree)?;
        let phrases = phrases(tree).into_iter().map(|words| (words.start, words.end));
        let labels: BTreeMap<_, _> = phrases.zip(labels).collect();
        let under = numbered.extents().into_iter();
        let labels = under.map(|words| labels.get(&(words.start, words.end)).copied()).collect();
        texts.push(TreeText { tree: numbered, labels });
    }
    Ok(texts)
}

/// The words of every node.
fn phrases(tree: &Tree) -> Vec<Range<usize>> {
    let mut phrases: Vec<Range<usize>> = (0..tree.words()).map(|word| word..word + 1).collect();
    for &[left, right] in tree.merges() {
        phrases.push(phrases[left].start..phrases[right].end);
    }
    phrases
}
