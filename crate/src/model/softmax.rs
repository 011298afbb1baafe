//! An adaptive softmax by itself: PyTorch's `nn.AdaptiveLogSoftmaxWithLoss`, rows of numbers in, words out.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use super::header::Header;
use super::layer::checked;
use super::model::from_build;
use super::state_dict::StateDict;
use super::{ModelError, place};
use crate::device::{Device, EngineError, Parameters};
use crate::graph::{Graph, Strategy};
use crate::nn::{AdaptiveSoftmax, AdaptiveSoftmaxConfig, Answer, Ask, Builder};

/// What is known of an adaptive softmax beside its file, and held against that.
#[derive(Clone, Debug, Default, PartialEq)]
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

    /// Answers for rows, as many as there are questions; `x` has them end to end. `each` is given the answers in order. `device`
    /// is a CPU, which has them at once.
    ///
    /// # Errors
    /// See [`AdaptiveSoftmax::answers`]; also for another number of rows.
    pub fn answers(
        &self,
        device: &Device,
        x: &[f32],
        asks: &[Ask],
        mut each: impl FnMut(Answer),
    ) -> Result<(), EngineError> {
        let columns = self.input_size;
        if x.len() != asks.len() * columns {
            let expected = format!("{} rows x {columns} columns", asks.len());
            let found = format!("{} values", x.len());
            return Err(EngineError::Shape { op: "adaptive_softmax", what: "x".into(), expected, found });
        }
        let rows = self.softmax.rows_together();
        for (x, asks) in x.chunks(rows * columns).zip(asks.chunks(rows)) {
            let graph = Graph::inference(&self.parameters, device, Strategy::Levels);
            let x = graph.input(asks.len(), columns, x.to_vec());
            ready(self.softmax.answers(x, asks))??.into_iter().for_each(&mut each);
        }
        Ok(())
    }
}

/// What a CPU answers without waiting.
fn ready<T>(future: impl Future<Output = T>) -> Result<T, EngineError> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => Ok(value),
        Poll::Pending => {
            Err(EngineError::Unsupported { op: "adaptive_softmax", reason: "a GPU answers later" })
        }
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
            let ratio = |size: usize| ((input_size as f64 / size as f64).ln() / (i + 1) as f64).exp();
            (least, most) = (least.max(ratio(size + 1)), most.min(ratio(size)));
        }
        let div_value = self.div_value.unwrap_or((least + most.max(least)) / 2.0);
        let head_bias = found.shape("head.bias").is_some();
        let cutoffs = self.cutoffs.clone().unwrap_or(cutoffs);
        Ok(AdaptiveSoftmaxConfig { input_size, words, cutoffs, div_value, head_bias })
    }
}
