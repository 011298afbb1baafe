//! `saccade read` of a tree classifier: the nodes of a tree in brackets, or of the trees that a parser makes of a text, with their
//! labels.

use std::io::Write;

use saccade_rnn::device::Device;
use saccade_rnn::model::{LabelledToken, Model, TreeNode};
use saccade_rnn::text::Tree;
use serde_json::{Map, json};

use super::Arguments;
use super::tagged::text;
use crate::corpus::CorpusError;
use crate::corpus::trees::sums_children;
use crate::failure::Failure;
use crate::labelled;
use crate::output::{self, printable};

/// Prints the nodes of the tree from the root down, each with its place in the words, its label and the label's probability.
pub(super) fn run(arguments: Arguments, model: &Model, json: bool) -> Result<(), Failure> {
    if sums_children(model) {
        return by_heads(arguments, model, json);
    }
    if arguments.parser.is_some() {
        return Err(CorpusError::NeedsNoParser.into());
    }
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

/// Prints the words of the text, each sentence from its root down, with the part of the sentence that each heads, the part's
/// label and the label's probability.
fn by_heads(arguments: Arguments, model: &Model, json: bool) -> Result<(), Failure> {
    let parser = labelled::parser_for(model, arguments.parser.as_deref().ok_or(CorpusError::NoParser)?)?;
    let text = text(arguments, "a tree classifier has no such option")?;
    let words = pollster::block_on(model.label_text(&Device::cpu(), &parser, &text))?;
    if json {
        let labels = model.config().task.labels();
        let word = |LabelledToken { token, node }: &LabelledToken<'_>| {
            let probabilities = labels.iter().cloned().zip(node.probabilities.iter().map(|p| json!(p)));
            json!({ "word": &text[token.span.bytes.clone()], "tag": token.tag, "head": token.head, "relation": token.relation,
                    "text": &text[node.span.bytes.clone()], "start": node.span.utf16.start, "end": node.span.utf16.end,
                    "label": node.label, "probabilities": Map::from_iter(probabilities) })
        };
        return output::json(&json!({ "text": text, "nodes": words.iter().map(word).collect::<Vec<_>>() }));
    }
    let out = &mut anstream::stdout().lock();
    let mut children = vec![Vec::new(); words.len()];
    for (number, word) in words.iter().enumerate() {
        word.token.head.into_iter().for_each(|head| children[head].push(number));
    }
    let roots = (0..words.len()).filter(|&number| words[number].token.head.is_none());
    let mut next: Vec<(usize, usize)> = roots.rev().map(|root| (root, 0)).collect();
    while let Some((number, depth)) = next.pop() {
        let LabelledToken { token, node } = &words[number];
        writeln!(
            out,
            "{:indent$}{}  {}  {:.1} %  {}  [{}, {})",
            "",
            printable(&text[token.span.bytes.clone()]),
            printable(node.label),
            node.probabilities[node.number] * 100.0,
            printable(token.relation),
            node.span.utf16.start,
            node.span.utf16.end,
            indent = 2 * depth.min(MOST_INDENTED),
        )?;
        next.extend(children[number].iter().rev().map(|&child| (child, depth + 1)));
    }
    Ok(out.flush()?)
}

/// Deeper nodes stand as far to the right as these.
const MOST_INDENTED: usize = 30;
