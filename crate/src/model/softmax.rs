//! An adaptive softmax by itself: PyTorch's `nn.AdaptiveLogSoftmaxWithLoss`, rows of numbers in, words out.

use serde::Deserialize;

use super::header::Header;
use super::layer::checked;
use super::model::from_build;
use super::state_dict::StateDict;
use super::{ModelError, place};
use crate::device::{Device, EngineError, Parameters};
use crate::graph::{Graph, Strategy};
use crate::nn::{AdaptiveSoftmax, AdaptiveSoftmaxConfig, Builder};

/// The most log-probabilities that are computed in one go: 16 MiB.
const MOST_VALUES: usize = 4 << 20;

/// What is known of an adaptive softmax beside its file, and held against that.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct StoredSoftmax {
    /// The first word of every tail.
    pub cutoffs: Option<Vec<usize>>,
    /// How many times narrower each tail is than the one before it.
    pub div_value: Option<f64>,
}

/// An adaptive softmax with its weights.
#[derive(Debug)]
pub struct SoftmaxLayer {
    softmax: AdaptiveSoftmax,
    parameters: Parameters,
    input_size: usize,
}

/// What is asked of every row.
#[derive(Clone, Debug, PartialEq)]
pub enum SoftmaxAsk {
    /// `ln p` of all words.
    All,
    /// So many of the most probable words.
    Top(usize),
    /// `ln p` of a word, one for each row.
    Targets(Vec<u32>),
}

/// What was found of all rows, end to end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SoftmaxAnswer {
    /// The most probable words; empty unless they were asked for.
    pub words: Vec<u32>,
    /// `ln p`: of all words, of those found, or of the targets.
    pub log_probabilities: Vec<f32>,
    /// How many logits were computed for each row.
    pub rows: Vec<u32>,
}

impl SoftmaxLayer {
    /// The adaptive softmax of a safetensors file, as [`super::SequenceLayer::from_bytes`] finds a layer.
    ///
    /// # Errors
    /// Those of [`super::SequenceLayer::from_bytes`].
    pub fn from_bytes(bytes: &[u8], prefix: &str, stored: &StoredSoftmax) -> Result<Self, ModelError> {
        let (header, data) = Header::read(bytes)?;
        let prefix = place::find(&header, prefix, place::ADAPTIVE_SOFTMAX)?;
        let found = StateDict::under(&header, &prefix);
        let config = stored.config(&found)?;
        let input_size = config.input_size;
        let build = |builder: &mut Builder| AdaptiveSoftmax::new(builder, config.clone());
        let mut builder = Builder::stored(checked(&found, data, &mut |builder| build(builder).map(drop))?);
        let softmax = build(&mut builder).map_err(from_build)?;
        Ok(Self { softmax, parameters: builder.finish().map_err(from_build)?, input_size })
    }

    /// Columns of the input.
    pub fn input_size(&self) -> usize {
        self.input_size
    }

    /// The layer.
    pub fn softmax(&self) -> &AdaptiveSoftmax {
        &self.softmax
    }

    /// Answers for rows, `x.len() / input_size` of them. A tail is computed for rows whose answer depends on it.
    ///
    /// # Errors
    /// [`EngineError::Index`] for a target that is no word; what the device reports.
    pub async fn ask(&self, device: &Device, x: &[f32], ask: &SoftmaxAsk) -> Result<SoftmaxAnswer, EngineError> {
        let mut answer = SoftmaxAnswer::default();
        let piece = (MOST_VALUES / self.softmax.words()).max(1);
        for (number, x) in x.chunks(piece * self.input_size).enumerate() {
            let graph = &Graph::inference(&self.parameters, device, Strategy::Agenda);
            let programs = x.chunks(self.input_size).enumerate().map(|(row, x)| async move {
                let x = graph.input(1, x.len(), x.to_vec());
                let mut distribution = self.softmax.distribution(x).await?;
                let (mut words, mut log_p) = (Vec::new(), Vec::new());
                match ask {
                    SoftmaxAsk::All => log_p = distribution.all().await?,
                    SoftmaxAsk::Top(count) => {
                        let top = distribution.top(*count).await?;
                        words.extend(top.iter().map(|word| word.id));
                        log_p.extend(top.iter().map(|word| word.log_probability));
                    }
                    SoftmaxAsk::Targets(targets) => {
                        log_p.push(distribution.log_probability(targets[number * piece + row]).await?);
                    }
                }
                Ok::<_, EngineError>((words, log_p, distribution.rows_computed() as u32))
            });
            for found in graph.join(programs).await {
                let (words, log_p, rows) = found?;
                answer.words.extend(words);
                answer.log_probabilities.extend(log_p);
                answer.rows.push(rows);
            }
        }
        Ok(answer)
    }
}

impl StoredSoftmax {
    /// The sizes that the tensors' shapes tell; whether all fit one another is for who builds the layer.
    fn config(&self, found: &StateDict<'_>) -> Result<AdaptiveSoftmaxConfig, ModelError> {
        let matrix = |name: &str| match found.shape(name) {
            Some(&[rows, columns]) => Ok([rows, columns]),
            Some(shape) => Err(ModelError::Shape {
                tensor: found.whole_name(name),
                expected: "[rows, columns]".into(),
                found: format!("{shape:?}"),
            }),
            None => Err(ModelError::Missing {
                tensor: found.whole_name(name),
                expected: "[rows, columns]".into(),
            }),
        };
        let [rows, input_size] = matrix("head.weight")?;
        let tail = |tail: usize, part: usize| format!("tail.{tail}.{part}.weight");
        let tails = (0..).take_while(|&i| found.shape(&tail(i, 0)).is_some()).count();
        let mut words = rows.saturating_sub(tails);
        let mut cutoffs = Vec::new();
        // Dividing by a number in between gives all widths, rounded down.
        let (mut least, mut most) = (1.0_f64, f64::MAX);
        for i in 0..tails {
            let ([size, _], [of_tail, _]) = (matrix(&tail(i, 0))?, matrix(&tail(i, 1))?);
            cutoffs.push(words);
            words = words.saturating_add(of_tail);
            let ratio = |size: usize| (input_size as f64 / size as f64).powf(1.0 / (i + 1) as f64);
            (least, most) = (least.max(ratio(size + 1)), most.min(ratio(size)));
        }
        let div_value = self.div_value.unwrap_or((least + most.max(least)) / 2.0);
        let head_bias = found.shape("head.bias").is_some();
        let cutoffs = self.cutoffs.clone().unwrap_or(cutoffs);
        Ok(AdaptiveSoftmaxConfig { input_size, words, cutoffs, div_value, head_bias })
    }
}
