//! Trees with a label on every node, as a tree classifier numbers words and labels.

use std::path::Path;

use saccade_rnn::model::Model;
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

/// Numbers words and labels. `path` is the file they come from, for the error.
///
/// # Errors
/// If there is a label that the model has not.
pub fn number(trees: &[(usize, Tree)], path: &Path, model: &Model) -> Result<Vec<TreeText>, CorpusError> {
    let known = model.config().task.data_labels();
    let text = |(line, tree): &(usize, Tree)| {
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
        let labels = (0..tree.nodes()).map(label).collect::<Result<_, _>>()?;
        Ok(TreeText { tree: model.number(tree), labels })
    };
    trees.iter().map(text).collect()
}
