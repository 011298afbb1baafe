//! One label for every node of a tree.

use std::cmp::Ordering;

use serde::Serialize;

use crate::device::{Device, EngineError};
use crate::graph::Graph;
use crate::model::{Dropouts, Model, NumberedTree};
use crate::train::batches::{by_length, runs};
use crate::train::config::{ConfigError, TrainConfig, check};

use super::tag::{Asking, each_text};
use super::{Before, Losses, Objective, Skimming};

/// A tree, and the numbers of its nodes' labels in the tree's order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TreeText {
    /// Words and nodes.
    pub tree: NumberedTree,
    /// Labels; of a node that nobody has labelled none.
    pub labels: Vec<Option<u32>>,
}

/// One label for every node of a tree.
///
/// - A batch is trees of similar length.
/// - The loss is the mean cross entropy of the batch's nodes that have a label.
/// - No state is carried from batch to batch.
/// - Accuracy over roots and over all nodes is scored, and which of two [poles](Polarity) roots are nearer to.
#[derive(Clone, Debug, PartialEq)]
pub struct Tree {
    dropouts: Dropouts,
}

/// How well a model labels trees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TreeScore {
    /// Trees whose root has a label.
    pub n: usize,
    /// Nodes of all trees that have a label.
    pub nodes: usize,
    /// Share of roots whose likeliest label is right.
    pub accuracy: f64,
    /// Share of nodes whose likeliest label is right.
    pub node_accuracy: f64,
    /// Roots whose right label is not the middle one.
    pub poles: usize,
    /// Share of those to whose side of the middle the model gives more probability than to the other.
    pub pole_accuracy: f64,
    /// Mean negative log-likelihood of the right label, over nodes.
    pub loss: f64,
}

/// The side of a label that stands before or behind the middle of labels in order, from very negative to very positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Polarity {
    /// Before the middle.
    Negative,
    /// In the middle of an odd number of labels.
    Neutral,
    /// Behind the middle.
    Positive,
}

impl Polarity {
    /// The side of a label among so many.
    pub fn of(label: usize, labels: usize) -> Self {
        match (2 * label + 1).cmp(&labels) {
            Ordering::Less => Self::Negative,
            Ordering::Equal => Self::Neutral,
            Ordering::Greater => Self::Positive,
        }
    }

    /// The side with more of the probability, the middle left out; of equal sides the positive one.
    pub fn likelier(probabilities: &[f32]) -> Self {
        let labels = probabilities.len();
        let of = |side| {
            let labels = (0..labels).filter(move |&label| Self::of(label, labels) == side);
            labels.map(|label| probabilities[label]).sum::<f32>()
        };
        if of(Self::Negative) > of(Self::Positive) { Self::Negative } else { Self::Positive }
    }
}

impl TreeScore {
    /// Adds the figures worth keeping to a model's record, under `{set}_accuracy`, `{set}_node_accuracy` and
    /// `{set}_pole_accuracy`.
    pub fn record(&self, set: &str, model: &mut Model) {
        let figures = &mut model.config_mut().training.figures;
        figures.insert(format!("{set}_accuracy"), self.accuracy);
        figures.insert(format!("{set}_node_accuracy"), self.node_accuracy);
        figures.insert(format!("{set}_pole_accuracy"), self.pole_accuracy);
    }
}

impl Tree {
    /// Learns from whole trees.
    ///
    /// # Errors
    /// If the network is to learn to skim, or from a teacher.
    pub fn new(config: &TrainConfig) -> Result<Self, ConfigError> {
        check("train.skim", config.skim.is_none(), "none, of trees", "one")?;
        check("train.distill", config.distill.is_none(), "none, of trees", "one")?;
        Ok(Self { dropouts: config.dropouts() })
    }

    /// Scores alone.
    pub fn scoring() -> Self {
        Self { dropouts: Dropouts::default() }
    }
}

impl Objective for Tree {
    type Item = TreeText;
    type Batch = Vec<TreeText>;
    type Score = TreeScore;
    const LOSSES: &'static [&'static str] = &["loss"];

    /// Trees without words say nothing and are left out.
    fn batches(&self, texts: &[TreeText], size: usize, seed: u32, epoch: usize) -> Vec<Vec<TreeText>> {
        let texts = texts.iter().filter(|text| text.tree.words() > 0).cloned().collect();
        by_length(texts, |text: &TreeText| text.tree.words(), size, seed, epoch)
    }

    fn words(&self, batch: &Vec<TreeText>) -> impl Iterator<Item = u32> {
        batch.iter().flat_map(|text| text.tree.ids.iter().copied())
    }

    fn split(&self, batch: &Vec<TreeText>, most: usize) -> Vec<Vec<TreeText>> {
        runs(batch, most, |text| text.tree.words())
    }

    fn weight(&self, batch: &Vec<TreeText>) -> usize {
        batch.iter().flat_map(|text| &text.labels).flatten().count()
    }

    fn losses<'g>(
        &self,
        model: &Model,
        graph: &'g Graph,
        batch: &Vec<TreeText>,
        _: &Before<'_, 'g>,
        _: Skimming,
    ) -> Losses<'g> {
        let trees = batch.iter().map(|text| &text.tree);
        let all = batch.iter().flat_map(|text| &text.labels);
        let (nodes, labels): (Vec<u32>, Vec<u32>) =
            (0..).zip(all).filter_map(|(node, label)| label.map(|label| (node, label))).unzip();
        let mut logits = model.network().trees(graph, trees, self.dropouts);
        if nodes.len() < logits.shape().rows {
            logits = logits.rows(&nodes);
        }
        let loss = logits.cross_entropy(&labels).mean_rows();
        Losses { total: loss, parts: vec![("loss", loss)], states: Vec::new() }
    }

    async fn score(
        &self,
        model: &Model,
        device: &Device,
        texts: &[TreeText],
        go_on: impl FnMut(usize) -> bool,
    ) -> Result<Option<TreeScore>, EngineError> {
        let trees: Vec<NumberedTree> = texts.iter().map(|text| text.tree.clone()).collect();
        let overflow = EngineError::Unsupported { op: "trees", reason: "the scores overflow" };
        let work = async |device: &Device, trees: &[NumberedTree], go_on: &mut dyn FnMut(usize) -> bool| {
            model.score_trees(device, trees, &mut Asking(go_on)).await
        };
        let Some(scores) = each_text(device, &trees, overflow, work, go_on).await? else { return Ok(None) };
        let labels = model.config().task.labels().len();
        let (mut score, mut right) = (TreeScore::default(), [0; 3]);
        for (text, scores) in texts.iter().zip(&scores) {
            let nodes = text.labels.iter().zip(scores.chunks_exact(labels.max(1))).enumerate();
            let mut root = None;
            for (node, (label, row)) in nodes {
                let Some(label) = *label else { continue };
                let best = (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b]));
                let is_right = usize::from(best == Some(label as usize));
                score.nodes += 1;
                right[1] += is_right;
                score.loss -= f64::from(row[label as usize]).max(f64::MIN_POSITIVE).ln();
                if text.tree.root() == Some(node) {
                    root = Some((label as usize, row, is_right));
                }
            }
            let Some((label, row, is_right)) = root else { continue };
            score.n += 1;
            right[0] += is_right;
            let side = Polarity::of(label, labels);
            if side != Polarity::Neutral {
                score.poles += 1;
                right[2] += usize::from(Polarity::likelier(row) == side);
            }
        }
        let share = |right: usize, of: usize| right as f64 / of.max(1) as f64;
        Ok(Some(TreeScore {
            accuracy: share(right[0], score.n),
            node_accuracy: share(right[1], score.nodes),
            pole_accuracy: share(right[2], score.poles),
            loss: score.loss / score.nodes.max(1) as f64,
            ..score
        }))
    }

    fn rank(&self, score: &TreeScore) -> [f64; 3] {
        [score.accuracy, score.pole_accuracy, -score.loss]
    }

    fn record(&self, score: &TreeScore, set: &str, model: &mut Model) {
        score.record(set, model);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_in_order_have_two_sides_and_a_middle() {
        use Polarity::{Negative, Neutral, Positive};
        let of = |labels| (0..labels).map(|label| Polarity::of(label, labels)).collect::<Vec<_>>();
        assert_eq!(of(5), [Negative, Negative, Neutral, Positive, Positive]);
        assert_eq!(of(2), [Negative, Positive]);
        assert_eq!(of(1), [Neutral]);
        assert_eq!(Polarity::likelier(&[0.2, 0.2, 0.5, 0.05, 0.05]), Negative);
        assert_eq!(Polarity::likelier(&[0.1, 0.1, 0.4, 0.05, 0.35]), Positive);
        assert_eq!(Polarity::likelier(&[0.5, 0.5]), Positive);
    }
}
