//! Labels of trees: one for every node.

use super::encoder::Dropouts;
use super::head::NumberedTree;
use super::paced::paced;
use super::tagging::best;
use super::{Head, Model, Network, ReadError, Watch};
use crate::cpu::softmax::softmax;
use crate::device::{Device, EngineError};
use crate::graph::{Expr, Graph, Strategy};
use crate::text::{Span, Tokenizer, TokenizerKind, Tree};

/// A node of a tree, and its label.
#[derive(Clone, Debug, PartialEq)]
pub struct TreeNode<'m> {
    /// Where it stands in the text.
    pub span: Span,
    /// The likeliest label.
    pub label: &'m str,
    /// Its number among the model's.
    pub number: usize,
    /// The probability of every label.
    pub probabilities: Vec<f32>,
}

impl Network {
    /// Records a tree classifier on a graph for trees side by side: the logits of all nodes of all trees in order, `nodes x
    /// labels`. There must be a node.
    pub fn trees<'g, 't>(
        &self,
        graph: &'g Graph,
        trees: impl IntoIterator<Item = &'t NumberedTree>,
        dropouts: Dropouts,
    ) -> Expr<'g> {
        let Head::Tree(head) = &self.head else {
            return graph.mistaken(not_of_trees());
        };
        let mut states = Vec::new();
        for NumberedTree { ids, merges } in trees.into_iter().filter(|tree| !tree.ids.is_empty()) {
            states.extend(head.states(self.encoder.rows(graph, ids, dropouts), merges));
        }
        self.head.logits_at_every_row(graph.concat_rows(&states).dropout(dropouts.head, false))
    }
}

impl Model {
    /// A tree as the model sees it: ids of its words as the tokenizer spells them.
    pub fn number(&self, tree: &Tree) -> NumberedTree {
        let id = |word: usize| self.vocabulary().id(&tree_word(self.tokenizer(), tree.source(word)));
        NumberedTree { ids: (0..tree.words()).map(id).collect(), merges: tree.merges().to_vec() }
    }

    /// Labels the nodes of a tree, which come in the tree's order: the root last.
    ///
    /// ```
    /// use saccade_rnn::device::Device;
    /// use saccade_rnn::model::{Model, ReadError};
    /// use saccade_rnn::text::Tree;
    ///
    /// async fn root(model: &Model, tree: &Tree) -> Result<Option<String>, ReadError> {
    ///     let nodes = model.label_tree(&Device::cpu(), tree).await?;
    ///     Ok(nodes.last().map(|root| root.label.to_owned()))
    /// }
    /// ```
    ///
    /// # Errors
    /// See [`ReadError`]; also for a model that labels no trees.
    pub async fn label_tree(&self, device: &Device, tree: &Tree) -> Result<Vec<TreeNode<'_>>, ReadError> {
        Ok(self.label_trees(device, std::slice::from_ref(tree), &mut ()).await?.pop().unwrap_or_default())
    }

    /// Labels the nodes of trees, which run together, in batches none of which takes long. `watch` hears after each batch how
    /// many words are done, and may stop.
    ///
    /// # Errors
    /// See [`Self::label_tree`].
    pub async fn label_trees<W: Watch>(
        &self,
        device: &Device,
        trees: &[Tree],
        watch: &mut W,
    ) -> Result<Vec<Vec<TreeNode<'_>>>, ReadError> {
        let numbered: Vec<NumberedTree> = trees.iter().map(|tree| self.number(tree)).collect();
        let scores = self.score_trees(device, &numbered, watch).await?;
        let labels = self.config().task.labels();
        let label = |(tree, scores): (&Tree, Vec<f32>)| {
            let node = |(node, row): (usize, &[f32])| {
                let number = best(row);
                TreeNode {
                    span: tree.span(node).clone(),
                    label: &labels[number],
                    number,
                    probabilities: row.to_vec(),
                }
            };
            scores.chunks_exact(labels.len()).enumerate().map(node).collect()
        };
        Ok(trees.iter().zip(scores).map(label).collect())
    }

    /// Probabilities of the labels, `nodes x labels`, of trees.
    ///
    /// # Errors
    /// See [`Self::label_tree`].
    pub async fn score_trees<W: Watch>(
        &self,
        device: &Device,
        trees: &[NumberedTree],
        watch: &mut W,
    ) -> Result<Vec<Vec<f32>>, ReadError> {
        if !matches!(self.network().head, Head::Tree(_)) {
            return Err(not_of_trees().into());
        }
        let labels = self.config().task.labels().len();
        let lengths: Vec<usize> = trees.iter().map(NumberedTree::words).collect();
        let mut scores = Vec::with_capacity(trees.len());
        paced(&lengths, watch, async |texts| {
            let part = &trees[texts];
            let graph = Graph::inference(self.parameters(), device, Strategy::Levels);
            let mut rows = match part.iter().all(|tree| tree.words() == 0) {
                true => Vec::new(),
                false => self.network().trees(&graph, part, Dropouts::default()).value().await?,
            };
            if !rows.iter().all(|value| value.is_finite()) {
                return Err(ReadError::Overflow("a score"));
            }
            softmax(&mut rows, labels);
            let mut rows = rows.into_iter();
            scores.extend(
                part.iter().map(|tree| rows.by_ref().take(tree.nodes() * labels).collect::<Vec<_>>()),
            );
            Ok(())
        })
        .await?;
        Ok(scores)
    }
}

/// What the vocabulary sees of a word of a tree, which is not cut.
pub fn tree_word(tokenizer: &Tokenizer, word: &str) -> String {
    if tokenizer.kind() == TokenizerKind::Treebank
        && let [token] = &mut tokenizer.tokenize(word)[..]
    {
        return std::mem::take(&mut token.text);
    }
    tokenizer.form(word)
}

fn not_of_trees() -> EngineError {
    EngineError::Unsupported { op: "trees", reason: "the model's task is another" }
}
