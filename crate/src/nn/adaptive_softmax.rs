//! Adaptive softmax (Grave, Joulin, Cissé, Grangier, Jégou 2017; PyTorch `nn.AdaptiveLogSoftmaxWithLoss`).
//!
//! ```text
//! words in order of decreasing frequency, cut at k_0 < k_1 < … < n
//! head:            [words below k_0; clusters] = log_softmax(W x (+ b))
//! word w of tail i: log p(w) = head[cluster i] + log_softmax(V_i U_i x)[w - k_i]
//! ```
//! Most rows need the head alone. Tail `i` represents a row with `floor(in / div_value^(i + 1))` columns.

mod ask;
mod cutoffs;
mod distribution;
mod known;

use super::bands::{Bands, Routed};
use super::{BuildError, Builder, Flops, Init};
use crate::device::{EngineError, ParamId};
use crate::graph::{Expr, Graph};

pub use ask::{Answer, Ask};
pub use cutoffs::{Costs, Cutoffs};
pub use distribution::Distribution;
pub use known::{Sampling, Word};

const NAME: &str = "adaptive_softmax";
/// The most log-probabilities that are to be computed in one go: 16 MiB.
const MOST_VALUES: usize = 4 << 20;

/// Sizes of an adaptive softmax.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveSoftmaxConfig {
    /// Columns of the input.
    pub input_size: usize,
    /// Words, numbered in order of decreasing frequency.
    pub words: usize,
    /// The first word of every tail, increasing; without any the layer is a softmax over all words.
    pub cutoffs: Vec<usize>,
    /// How many times narrower each tail is than the one before it, at least 1.
    pub div_value: f64,
    /// Whether the head has a bias.
    pub head_bias: bool,
}

impl AdaptiveSoftmaxConfig {
    /// PyTorch's defaults: tails a quarter as wide as one another, no bias.
    pub fn new(input_size: usize, words: usize, cutoffs: &[usize]) -> Self {
        Self { input_size, words, cutoffs: cutoffs.to_vec(), div_value: 4.0, head_bias: false }
    }

    /// Checks that the cut-offs increase within the vocabulary and that every tail has a column.
    ///
    /// # Errors
    /// [`BuildError::Size`], as [`AdaptiveSoftmax::new`] returns.
    pub fn check(&self) -> Result<(), BuildError> {
        self.bands().map(drop)
    }

    /// The numbers in all matrices; 0 if the sizes make no layer.
    pub fn weights(&self) -> u64 {
        let Ok(bands) = self.bands() else { return 0 };
        let of = |band: usize| {
            let (size, words) = (bands.size(band) as u64, bands.range(band).len() as u64);
            if band == 0 {
                size * (words + self.cutoffs.len() as u64)
            } else {
                size * (words + self.input_size as u64)
            }
        };
        (0..bands.len()).map(of).sum()
    }

    fn bands(&self) -> Result<Bands, BuildError> {
        Bands::new(self.words, &self.cutoffs, self.input_size, self.div_value)
    }
}

/// A distribution over words for every row.
///
/// Rows are routed to the clusters of their targets: a tail is computed for its own rows and for no other.
///
#[cfg_attr(feature = "train", doc = "```")]
#[cfg_attr(not(feature = "train"), doc = "```no_run")]
/// use saccade_rnn::device::Device;
/// use saccade_rnn::graph::{Graph, Strategy};
/// use saccade_rnn::nn::{AdaptiveSoftmax, AdaptiveSoftmaxConfig, Builder};
/// # pollster::block_on(async {
/// // 100 words: 10 in the head, the others in two tails of 4 columns and of 1.
/// let mut builder = Builder::fresh(0);
/// let layer = AdaptiveSoftmax::new(&mut builder, AdaptiveSoftmaxConfig::new(16, 100, &[10, 40]))?;
/// let graph = Graph::training(&builder.finish()?, &Device::cpu(), Strategy::Levels, 0);
/// let x = graph.variable(3, 16, vec![0.1; 3 * 16]);
/// // The second tail is computed for two rows, the first for none.
/// let losses = layer.cross_entropy(x, &[2, 99, 40]);
/// losses.mean_rows().backward().await?;
/// let all = layer.log_softmax(x).value().await?;
/// assert!((losses.value().await?[1] + all[100 + 99]).abs() < 1e-5);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct AdaptiveSoftmax {
    input_size: usize,
    /// Band 0 is the head's words, band i + 1 tail i.
    bands: Bands,
    weight: ParamId,
    bias: Option<ParamId>,
    /// Of every tail U `[size, in]` and V `[words, size]`.
    tails: Vec<(ParamId, ParamId)>,
}

impl AdaptiveSoftmax {
    /// Parameters `head.weight [words + clusters, in]`, `head.bias` if there is one, and for tail `i`
    /// `tail.{i}.0.weight [size, in]` and `tail.{i}.1.weight [words, size]`, drawn like PyTorch: uniform in ±1/sqrt(in).
    ///
    /// # Errors
    /// See [`Builder::parameter`]; also if the cut-offs do not increase or lie outside the vocabulary, or a tail would have
    /// no column.
    pub fn new(builder: &mut Builder, config: AdaptiveSoftmaxConfig) -> Result<Self, BuildError> {
        let bands = config.bands()?;
        let AdaptiveSoftmaxConfig { input_size, cutoffs, head_bias, .. } = config;
        let uniform = |inputs: usize| Init::Uniform(1.0 / (inputs as f32).sqrt());
        let mut parameter =
            |name: &str, shape: &[usize], inputs| builder.parameter(name, shape, uniform(inputs));
        let head = bands.range(0).len() + cutoffs.len();
        let weight = parameter("head.weight", &[head, input_size], input_size)?;
        let bias = head_bias.then(|| parameter("head.bias", &[head], input_size)).transpose()?;
        let mut tails = Vec::new();
        for (tail, band) in (1..bands.len()).enumerate() {
            let (size, words) = (bands.size(band), bands.range(band).len());
            tails.push((
                parameter(&format!("tail.{tail}.0.weight"), &[size, input_size], input_size)?,
                parameter(&format!("tail.{tail}.1.weight"), &[words, size], size)?,
            ));
        }
        Ok(Self { input_size, bands, weight, bias, tails })
    }

    /// How many words there are.
    pub fn words(&self) -> usize {
        self.bands.words()
    }

    /// How many tails there are.
    pub fn clusters(&self) -> usize {
        self.tails.len()
    }

    /// The words of a tail.
    pub fn cluster(&self, tail: usize) -> std::ops::Range<usize> {
        self.bands.range(tail + 1)
    }

    /// The tail of a word, none for a word of the head; a word that does not exist counts as one of the last.
    pub fn cluster_of(&self, word: u32) -> Option<usize> {
        self.bands.of(word).checked_sub(1)
    }

    /// For how many rows all words may be computed in one go, so that memory stays bounded.
    pub fn rows_together(&self) -> usize {
        (MOST_VALUES / self.words()).max(1)
    }

    fn check_word(&self, index: u32) -> Result<(), EngineError> {
        let bound = self.words();
        if (index as usize) < bound { Ok(()) } else { Err(EngineError::Index { op: NAME, index, bound }) }
    }

    /// The words that the head has itself.
    fn short_list(&self) -> usize {
        self.bands.range(0).len()
    }

    pub(super) fn bands(&self) -> &Bands {
        &self.bands
    }

    /// The head's weight, whose first rows are those of its words, and of every tail U and V.
    pub(super) fn weights(&self) -> (ParamId, &[(ParamId, ParamId)]) {
        (self.weight, &self.tails)
    }

    /// The head's logits: its words, then the clusters.
    fn head_logits<'g>(&self, x: Expr<'g>) -> Expr<'g> {
        x.affine(self.weight, self.bias)
    }

    fn tail_logits<'g>(&self, x: Expr<'g>, tail: usize) -> Expr<'g> {
        let (narrow, words) = self.tails[tail];
        x.affine(narrow, None).affine(words, None)
    }

    /// Log-probabilities of the head's words and of the clusters: `rows x (short list + clusters)`.
    #[track_caller]
    pub fn head<'g>(&self, x: Expr<'g>) -> Expr<'g> {
        self.head_logits(x).log_softmax()
    }

    /// Log-probabilities of a tail's words, given that the word is one of them: `rows x words of the tail`.
    #[track_caller]
    pub fn tail<'g>(&self, x: Expr<'g>, tail: usize) -> Expr<'g> {
        self.tail_logits(x, tail).log_softmax()
    }

    /// Log-probabilities of all words, `rows x words`: every tail is computed for every row.
    #[track_caller]
    pub fn log_softmax<'g>(&self, x: Expr<'g>) -> Expr<'g> {
        let (graph, head, first) = (x.graph(), self.head(x), self.short_list());
        let mut parts = vec![head.columns(0..first)];
        for tail in 0..self.clusters() {
            let words = self.cluster(tail).len();
            // The cluster's own log-probability in every column: a product with ones is exact.
            let ones = graph.input(1, words, vec![1.0; words]);
            parts.push(self.tail(x, tail) + head.columns(first + tail..first + tail + 1).matmul(ones));
        }
        graph.concat_columns(&parts)
    }

    /// `-log p(target)` of each row, `rows x 1`. Needs the feature `train`, as [`Expr::cross_entropy`] does.
    #[track_caller]
    pub fn cross_entropy<'g>(&self, x: Expr<'g>, targets: &[u32]) -> Expr<'g> {
        let graph: &'g Graph = x.graph();
        let routed = match self.bands.route(NAME, targets) {
            Ok(routed) => routed,
            Err(mistake) => return graph.mistaken(mistake),
        };
        let in_head = |&word: &u32| match self.cluster_of(word) {
            None => word,
            Some(tail) => (self.short_list() + tail) as u32,
        };
        let heads: Vec<u32> = targets.iter().map(in_head).collect();
        let mut losses = self.head_logits(x).cross_entropy(&heads);
        for (tail, Routed { rows, words }) in
            routed[1..].iter().enumerate().filter(|(_, r)| !r.rows.is_empty())
        {
            let of_tail = self.tail_logits(x.rows(rows), tail).cross_entropy(words);
            losses = losses + of_tail.scatter_add(rows, targets.len());
        }
        losses
    }

    /// What is known of a row's distribution once its head is computed: tails are computed when a question needs them.
    ///
    /// # Errors
    /// [`EngineError::Shape`] unless `x` is one row; a probability that is no number; or what the device reports.
    pub async fn distribution<'l, 'g>(&'l self, x: Expr<'g>) -> Result<Distribution<'l, 'g>, EngineError> {
        Distribution::new(self, x).await
    }

    /// `2 in (short list + clusters)` for every row, and `2 size (in + words)` for every row of a tail; `rows` says how many
    /// there are, of all and of each tail. The full cost is that of all tails for all rows.
    pub fn flops(&self, rows: usize, of_tails: impl IntoIterator<Item = usize>) -> Flops {
        let of_head = 2 * self.input_size * (self.short_list() + self.clusters());
        let of_tail =
            |tail: usize| 2 * self.bands.size(tail + 1) * (self.input_size + self.cluster(tail).len());
        let tails = of_tails.into_iter().enumerate().map(|(tail, computed)| Flops {
            spent: of_tail(tail) as u64 * computed as u64,
            full: of_tail(tail) as u64 * rows as u64,
        });
        Flops::per_row(of_head, rows) + tails.sum()
    }
}
