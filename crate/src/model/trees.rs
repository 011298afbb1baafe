//! Labels of trees: one for every node.

use super::encoder::Dropouts;
use super::head::{Nodes, NumberedTree};
use super::paced::paced;
use super::tagging::{Cut, best};
use super::{Head, Model, Monotone, Network, ParsedToken, ReadError, Watch};
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

/// A word of a text, in the tree of its sentence, and the label of what it says together with all words under it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelledToken<'m> {
    /// The word, and its head.
    pub token: ParsedToken<'m>,
    /// The part of the sentence that it heads, and its label.
    pub node: TreeNode<'m>,
}

/// A node by the probabilities of its labels.
fn node<'m>(labels: &'m [String], span: Span, probabilities: &[f32]) -> TreeNode<'m> {
    let number = best(probabilities);
    TreeNode { span, label: &labels[number], number, probabilities: probabilities.to_vec() }
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
        for NumberedTree { ids, nodes } in trees.into_iter().filter(|tree| !tree.ids.is_empty()) {
            states.extend(head.states(self.encoder.rows(graph, ids, dropouts), nodes));
        }
        self.head.logits_at_every_row(graph.concat_rows(&states).dropout(dropouts.head, false))
    }
}

impl Model {
    /// A tree as the model sees it: ids of its words as the tokenizer spells them.
    pub fn number(&self, tree: &Tree) -> NumberedTree {
        let ids = self.tree_ids((0..tree.words()).map(|word| tree.source(word)));
        NumberedTree { ids, nodes: Nodes::Merged(tree.merges().to_vec()) }
    }

    /// Words as a model that labels trees sees them, not cut.
    pub fn tree_ids<'t>(&self, words: impl IntoIterator<Item = &'t str>) -> Vec<u32> {
        let id = |word| self.vocabulary().id(&tree_word(self.tokenizer(), word));
        words.into_iter().map(id).collect()
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
            let rows = scores.chunks_exact(labels.len()).enumerate();
            rows.map(|(number, row)| node(labels, tree.span(number).clone(), row)).collect()
        };
        Ok(trees.iter().zip(scores).map(label).collect())
    }

    /// Labels every word of a text with what it says together with all words under it, in the trees that `parser` makes of the
    /// text's sentences; for a model of trees of heads.
    ///
    /// ```
    /// use saccade_rnn::device::Device;
    /// use saccade_rnn::model::{Model, ReadError};
    ///
    /// /// The label of each sentence.
    /// async fn sentences(model: &Model, parser: &Model, text: &str) -> Result<Vec<String>, ReadError> {
    ///     let words = model.label_text(&Device::cpu(), parser, text).await?;
    ///     let roots = words.iter().filter(|word| word.token.head.is_none());
    ///     Ok(roots.map(|root| root.node.label.to_owned()).collect())
    /// }
    /// ```
    ///
    /// # Errors
    /// See [`ReadError`]; also if `parser` is none, or this model labels no trees of heads.
    pub async fn label_text<'m>(
        &'m self,
        device: &Device,
        parser: &'m Self,
        text: &str,
    ) -> Result<Vec<LabelledToken<'m>>, ReadError> {
        Ok(self.label_texts(device, parser, &[text], &mut ()).await?.pop().unwrap_or_default())
    }

    /// Labels every word of texts, whose sentences run together; see [`Self::label_text`]. `watch` hears how many words are
    /// parsed, and that all are while they are labelled, and may stop.
    ///
    /// # Errors
    /// See [`Self::label_text`].
    pub async fn label_texts<'m, W: Watch>(
        &'m self,
        device: &Device,
        parser: &'m Self,
        texts: &[&str],
        watch: &mut W,
    ) -> Result<Vec<Vec<LabelledToken<'m>>>, ReadError> {
        let cut = Cut::new(parser, texts);
        let parsed = parser.parse_words(device, &cut.spelled, watch).await?;
        let mut numbered = Vec::with_capacity(parsed.len());
        for (&(owner, ref sentence), tree) in cut.places.iter().zip(&parsed) {
            let spans = cut.tokens[owner][sentence.clone()].iter().map(|token| token.span.bytes.clone());
            let ids = self.tree_ids(spans.map(|span| &texts[owner][span]));
            numbered.push(NumberedTree::of_heads(ids, &tree.heads()).ok_or(EngineError::Unsupported {
                op: "trees",
                reason: "the parser's heads make no tree",
            })?);
        }
        let most = numbered.iter().map(NumberedTree::words).sum();
        let scores = self.score_trees(device, &numbered, &mut Monotone { watch, most }).await?;
        let labels = self.config().task.labels();
        let mut labelled: Vec<Vec<LabelledToken<'m>>> = texts.iter().map(|_| Vec::new()).collect();
        let mut tokens =
            parser.parsed_tokens(&cut, &parsed).into_iter().map(Vec::into_iter).collect::<Vec<_>>();
        for (((owner, sentence), tree), scores) in cut.places.iter().zip(&numbered).zip(&scores) {
            let of_sentence = &cut.tokens[*owner][sentence.clone()];
            let spans = tree.extents().into_iter().map(|words| {
                let (first, last) = (&of_sentence[words.start].span, &of_sentence[words.end - 1].span);
                Span { bytes: first.bytes.start..last.bytes.end, utf16: first.utf16.start..last.utf16.end }
            });
            let nodes =
                spans.zip(scores.chunks_exact(labels.len())).map(|(span, row)| node(labels, span, row));
            let made = tokens[*owner].by_ref().zip(nodes);
            labelled[*owner].extend(made.map(|(token, node)| LabelledToken { token, node }));
        }
        Ok(labelled)
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
