//! `saccade read` of a tree classifier: the nodes of a tree in brackets with their labels.

use std::io::Write;

use saccade_rnn::device::Device;
use saccade_rnn::model::{Model, TreeNode};
use saccade_rnn::text::Tree;
use serde_json::{Map, json};

use super::Arguments;
use super::tagged::text;
use crate::failure::Failure;
use crate::output::{self, printable};

/// Prints the nodes of the tree from the root down, each with its place in the words, its label and the label's probability.
pub(super) fn run(arguments: Arguments, model: &Model, json: bool) -> Result<(), Failure> {
    let tree = Tree::parse(&text(arguments, "a tree classifier has no such option")?)?;
    let nodes = pollster::block_on(model.label_tree(&Device::cpu(), &tree))?;
    if json {
        let labels = model.config().task.labels();
        let node = |(number, node): (usize, &TreeNode<'_>)| {
            let probabilities = labels.iter().cloned().zip(node.probabilities.iter().map(|p| json!(p)));
            json!({ "text": tree.source(number), "start": node.span.utf16.start, "end": node.span.utf16.end,
                    "children": tree.children(number), "label": node.label,
                    "probabilities": Map::from_iter(probabilities) })
        };
        let nodes: Vec<_> = nodes.iter().enumerate().map(node).collect();
        return output::json(&json!({ "text": tree.text(), "nodes": nodes }));
    }
    let out = &mut anstream::stdout().lock();
    // What is still to be printed, the next one last. A deep tree is not indented any further than a line is wide.
    let mut next: Vec<(usize, usize)> =
        nodes.len().checked_sub(1).map(|root| (root, 0)).into_iter().collect();
    while let Some((number, depth)) = next.pop() {
        let (node, place) = (&nodes[number], &nodes[number].span.utf16);
        let indent = 2 * depth.min(MOST_INDENTED);
        writeln!(
            out,
            "{:indent$}{}  {}  {:.1} %  [{}, {})",
            "",
            printable(tree.source(number)),
            printable(node.label),
            node.probabilities[node.number] * 100.0,
            place.start,
            place.end
        )?;
        let children = tree.children(number).into_iter().flatten().rev();
        next.extend(children.map(|child| (child, depth + 1)));
    }
    Ok(out.flush()?)
}

/// Deeper nodes stand as far to the right as these.
const MOST_INDENTED: usize = 30;
