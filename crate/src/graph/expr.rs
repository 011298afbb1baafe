//! Handles to recorded values, and the operations on them.

use std::ops::{Add, Mul, Range, Sub};

use super::{Gradients, Graph, Held, Port};
use crate::cpu::pool::Pool;
use crate::device::{
    Binary, EngineError, Op, ParamId, Real, Reduce, Semiring, SemiringProduct, Shape, Unary, WeightView,
};

/// A value that a graph will compute when it is asked for.
#[derive(Clone, Copy)]
pub struct Expr<'g> {
    pub(super) graph: &'g Graph,
    pub(super) port: Port,
}

impl Graph {
    /// Rows of a table by id: `ids.len() x columns`.
    #[track_caller]
    pub fn embedding(&self, table: ParamId, ids: &[u32]) -> Expr<'_> {
        self.record_one(Op::Embedding { table }, &[], ids)
    }

    /// Values end to end: the same columns, rows added up.
    #[track_caller]
    pub fn concat_rows<'g>(&'g self, parts: &[Expr<'g>]) -> Expr<'g> {
        self.record_one(Op::ConcatRows, parts, &[])
    }

    /// Values side by side: the same rows, columns added up.
    #[track_caller]
    pub fn concat_columns<'g>(&'g self, parts: &[Expr<'g>]) -> Expr<'g> {
        self.record_one(Op::ConcatColumns, parts, &[])
    }

    /// The mean of all rows of the values, `1 x columns`: of the losses of a minibatch the scalar to differentiate. A loss
    /// with a row a token counts once for each.
    ///
    #[cfg_attr(feature = "train", doc = "```")]
    #[cfg_attr(not(feature = "train"), doc = "```no_run")]
    /// # use saccade_rnn::device::{Device, Parameters};
    /// # use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let parameters = Parameters::new();
    /// let graph = Graph::training(&parameters, &Device::cpu(), Strategy::Levels, 0);
    /// let scores = graph.variable(1, 2, vec![0.0, 0.0]);
    /// let losses: Vec<_> = [0, 1].map(|class| scores.cross_entropy(&[class])).into();
    /// let loss = graph.mean(&losses);
    /// assert_eq!(loss.value().await?, [2f32.ln()]);
    /// loss.backward().await?;
    /// assert_eq!(scores.gradient().await?, [0.0, 0.0]); // one example wants either class
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn mean<'g>(&'g self, values: &[Expr<'g>]) -> Expr<'g> {
        self.concat_rows(values).mean_rows()
    }
}

impl<'g> Expr<'g> {
    /// What names it within its graph: see [`Graph::at`].
    #[cfg(all(feature = "web", feature = "train", not(feature = "runs")))]
    pub(crate) fn port(self) -> Port {
        self.port
    }

    /// The graph that recorded it.
    pub fn graph(self) -> &'g Graph {
        self.graph
    }

    /// Rows and columns, known before anything runs.
    pub fn shape(self) -> Shape {
        self.graph.tape().shape(self.port)
    }

    #[track_caller]
    pub(crate) fn then(self, op: Op) -> Self {
        self.graph.record_one(op, &[self], &[])
    }

    /// `x Wᵀ + b` with a weight of shape `[out, in]`.
    #[track_caller]
    pub fn affine(self, weight: ParamId, bias: Option<ParamId>) -> Self {
        self.affine_view(WeightView::whole(self.graph.parameters(), weight), bias)
    }

    /// `x Wᵀ + b` with a part of a weight, or with one stored as `[in, out]`.
    #[track_caller]
    pub fn affine_view(self, weight: WeightView, bias: Option<ParamId>) -> Self {
        self.then(Op::Affine { weight, bias })
    }

    /// The product of two values, `m x k` and `k x n`: `m x n`. (With a weight: [`Self::affine`].)
    ///
    /// Products of the same k and n run as one batch, whatever their rows. Those with the same right operand, the same
    /// [`Expr`], are one product over the rows of all of them.
    ///
    /// ```
    /// # use saccade_rnn::device::{Device, Parameters};
    /// # use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    /// let turn = graph.input(2, 2, vec![0.0, 1.0, -1.0, 0.0]);
    /// let points = graph.input(3, 2, vec![1.0, 0.0, 0.0, 1.0, 2.0, 3.0]);
    /// assert_eq!(points.matmul(turn).value().await?, [0.0, 1.0, -1.0, 0.0, -3.0, 2.0]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn matmul(self, right: Self) -> Self {
        self.graph.record_one(Op::MatMul, &[self, right], &[])
    }

    /// `y_j = ln Σ_i exp(x_i + w_ij)` of each row, without overflow, with a weight of shape `[in, out]`, or `[out, in]` if it is
    /// `transposed`: a product whose sums and products are those of the logarithms. With scores of steps for weights, a step of
    /// the forward algorithm.
    ///
    /// ```
    /// # use saccade_rnn::device::{Device, Parameters};
    /// # use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let mut parameters = Parameters::new();
    /// let steps = parameters.add("steps", &[2, 1], vec![1.0, -1.0])?;
    /// let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Levels);
    /// let x = graph.input(1, 2, vec![0.0, 2.0]);
    /// assert_eq!(x.log_product(steps, false).value().await?, [1.0 + 2f32.ln()]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn log_product(self, weight: ParamId, transposed: bool) -> Self {
        self.then(Op::Semiring(SemiringProduct { semiring: Semiring::Log, weight, transposed }))
    }

    /// `y_j = max_i (x_i + w_ij)` of each row, and the first `i` that has it, with a weight as in [`Self::log_product`]: a step
    /// of the Viterbi algorithm.
    ///
    /// ```
    /// # use saccade_rnn::device::{Device, Parameters};
    /// # use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let mut parameters = Parameters::new();
    /// let steps = parameters.add("steps", &[2, 2], vec![0.0, 4.0, 1.0, -1.0])?;
    /// let graph = Graph::inference(&parameters, &Device::cpu(), Strategy::Levels);
    /// let (best, from) = graph.input(1, 2, vec![0.0, 2.0]).max_product(steps, false);
    /// assert_eq!((best.value().await?, from.value().await?), (vec![3.0, 4.0], vec![1.0, 0.0]));
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn max_product(self, weight: ParamId, transposed: bool) -> (Self, Self) {
        let best = self.then(Op::Semiring(SemiringProduct { semiring: Semiring::Max, weight, transposed }));
        (best, Self { port: Port { output: 1, ..best.port }, ..best })
    }

    /// Hyperbolic tangent.
    #[track_caller]
    pub fn tanh(self) -> Self {
        self.then(Op::Unary(Unary::Tanh))
    }

    /// Logistic function.
    #[track_caller]
    pub fn sigmoid(self) -> Self {
        self.then(Op::Unary(Unary::Sigmoid))
    }

    /// `max(x, 0)`.
    #[track_caller]
    pub fn relu(self) -> Self {
        self.then(Op::Unary(Unary::Relu))
    }

    /// `s x`.
    #[track_caller]
    pub fn scale(self, s: f32) -> Self {
        self.then(Op::Unary(Unary::Scale(Real(s))))
    }

    /// `exp(x)`; infinity where `x` is above 88.7.
    #[track_caller]
    pub fn exp(self) -> Self {
        self.then(Op::Unary(Unary::Exp))
    }

    /// The natural logarithm: minus infinity of 0, NaN of less. A GPU may take a number below 1.2e-38 for 0. Gradients are
    /// those of a whole batch: where another program's logarithm is of 0, what it is of has NaN for a gradient, also when the
    /// loss does not depend on it. Add a small number to what may be 0.
    #[track_caller]
    pub fn log(self) -> Self {
        self.then(Op::Unary(Unary::Log))
    }

    /// A range of columns. One that ends before it begins is a mistake.
    #[track_caller]
    pub fn columns(self, range: Range<usize>) -> Self {
        // Of a range that ends before it begins the end overflows, as the operation's shape notices.
        self.then(Op::Columns { start: range.start, count: range.end.wrapping_sub(range.start) })
    }

    /// Rows by number; a number may occur more than once.
    #[track_caller]
    pub fn rows(self, numbers: &[u32]) -> Self {
        self.graph.record_one(Op::Rows, &[self], numbers)
    }

    /// All rows, `times` over: of `1 x n` a matrix `times x n` whose rows are equal, to be added to or multiplied with
    /// another of as many rows.
    ///
    /// ```
    /// # use saccade_rnn::device::{Device, Parameters};
    /// # use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    /// let x = graph.input(3, 2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    /// let centred = x - x.mean_rows().repeat(3);
    /// assert_eq!(centred.value().await?, [-2.0, -2.0, 0.0, 0.0, 2.0, 2.0]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn repeat(self, times: usize) -> Self {
        let rows = self.shape().rows as u32;
        let numbers: Vec<u32> = (0..times).flat_map(|_| 0..rows).collect();
        self.graph.record_one(Op::Rows, &[self], &numbers)
    }

    /// Rows added up by number: row `i` of this value is added to row `numbers[i]` of a matrix of so many `rows`, whose other
    /// rows are zeros. The gradient of [`Self::rows`], as that is of this.
    ///
    /// ```
    /// # use saccade_rnn::device::{Device, Parameters};
    /// # use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    /// let x = graph.input(3, 1, vec![1.0, 20.0, 300.0]);
    /// assert_eq!(x.scatter_add(&[2, 0, 2], 4).value().await?, [20.0, 0.0, 301.0, 0.0]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn scatter_add(self, numbers: &[u32], rows: usize) -> Self {
        let rows = u32::try_from(rows).unwrap_or(u32::MAX);
        self.graph.record_one(Op::ScatterAdd, &[self], &[numbers, &[rows]].concat())
    }

    /// The sum of the rows: `1 x columns`.
    #[track_caller]
    pub fn sum_rows(self) -> Self {
        self.pool(Pool::Sum)
    }

    /// The mean of the rows: `1 x columns`, zeros if there are none.
    #[track_caller]
    pub fn mean_rows(self) -> Self {
        self.pool(Pool::Mean)
    }

    /// The sum of each row: `rows x 1`.
    #[track_caller]
    pub fn sum_columns(self) -> Self {
        self.then(Op::Reduce(Reduce::Sum))
    }

    /// The mean of each row: `rows x 1`.
    #[track_caller]
    pub fn mean_columns(self) -> Self {
        self.then(Op::Reduce(Reduce::Mean))
    }

    /// `ln Σ exp(x)` of each row, `rows x 1`, without overflow.
    ///
    /// ```
    /// # use saccade_rnn::device::{Device, Parameters};
    /// # use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    /// let x = graph.input(1, 2, vec![1000.0, 1000.0]);
    /// assert_eq!(x.log_sum_exp().value().await?, [1000.0 + 2f32.ln()]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn log_sum_exp(self) -> Self {
        self.then(Op::Reduce(Reduce::LogSumExp))
    }

    /// The largest value of each row and the first column that has it, both `rows x 1`; a row with NaN has NaN for its
    /// largest. The gradient goes to that column; a value without columns is a mistake.
    ///
    /// ```
    /// # use saccade_rnn::device::{Device, Parameters};
    /// # use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    /// let (largest, column) = graph.input(2, 3, vec![1.0, 5.0, 5.0, 9.0, 7.0, 8.0]).max_columns();
    /// assert_eq!(largest.value().await?, [5.0, 9.0]);
    /// assert_eq!(column.value().await?, [1.0, 0.0]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn max_columns(self) -> (Self, Self) {
        let largest = self.then(Op::Reduce(Reduce::Max));
        (largest, Self { port: Port { output: 1, ..largest.port }, ..largest })
    }

    /// One row from all.
    #[track_caller]
    pub fn pool(self, pool: Pool) -> Self {
        self.then(Op::Pool(pool))
    }

    /// Inverted dropout in a training graph, otherwise the value itself. With `per_sequence` all rows share a mask.
    #[track_caller]
    pub fn dropout(self, rate: f32, per_sequence: bool) -> Self {
        if !self.graph.is_training() || rate <= 0.0 {
            return self;
        }
        self.then(Op::Dropout { rate: Real(rate), per_sequence })
    }

    /// Softmax of each row.
    #[track_caller]
    pub fn softmax(self) -> Self {
        self.then(Op::Softmax)
    }

    /// Log-softmax of each row.
    #[track_caller]
    pub fn log_softmax(self) -> Self {
        self.then(Op::LogSoftmax)
    }

    /// `-log softmax(x)[target]` of each row: `rows x 1`.
    #[track_caller]
    pub fn cross_entropy(self, targets: &[u32]) -> Self {
        self.graph.record_one(Op::CrossEntropy, &[self], targets)
    }

    /// Layer normalisation of each row.
    #[track_caller]
    pub fn layer_norm(self, weight: ParamId, bias: ParamId) -> Self {
        self.then(Op::LayerNorm { weight, bias })
    }

    /// The value, row by row. Runs everything recorded so far that has not run; inside a program of [`Graph::join`]
    /// the program waits until all others wait as well, and everything runs then.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters, Pool};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    /// let rows = graph.input(3, 2, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    /// assert_eq!(rows.pool(Pool::Mean).value().await?, [3.0, 4.0]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// A mistake made while recording (see [`Graph::record`]), or what the device reports.
    pub async fn value(self) -> Result<Vec<f32>, EngineError> {
        Ok(self.graph.values(&[self]).await?.pop().unwrap_or_default())
    }

    /// The value, left on the device for a later graph ([`Graph::held`]). Runs everything recorded so far that has
    /// not run.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let (parameters, device) = (Parameters::new(), Device::cpu());
    /// // A running sum: one graph for each step, and the sum never leaves the device.
    /// let mut sum = None;
    /// for step in [1.0, 2.0, 3.0] {
    ///     let graph = Graph::inference(&parameters, &device, Strategy::Levels);
    ///     let x = graph.input(1, 1, vec![step]);
    ///     sum = Some(match sum {
    ///         Some(sum) => (graph.held(sum) + x).hold()?,
    ///         None => x.hold()?,
    ///     });
    /// }
    /// let graph = Graph::inference(&parameters, &device, Strategy::Levels);
    /// let sum = sum.map(|sum| graph.held(sum)).expect("there were steps");
    /// assert_eq!(sum.value().await?, [6.0]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`Self::value`].
    pub fn hold(self) -> Result<Held, EngineError> {
        self.graph.flush(&[self.port])?;
        let (value, rows, columns) = self.graph.tape().locate(self.port);
        let buffer = self.graph.device.buffer(&self.graph.parameters, &value)?;
        Ok(Held { buffer, rows, columns })
    }

    /// Gradients of this scalar (1 x 1) with respect to every parameter, and to every variable
    /// ([`Self::gradient`]).
    ///
    #[cfg_attr(feature = "train", doc = "```")]
    #[cfg_attr(not(feature = "train"), doc = "```no_run")]
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let (mut parameters, device) = (Parameters::new(), Device::cpu());
    /// let weight = parameters.add("weight", &[1, 2], vec![0.5, 0.5])?;
    /// let graph = Graph::training(&parameters, &device, Strategy::Levels, 0);
    /// let y = graph.input(1, 2, vec![3.0, 4.0]).affine(weight, None);
    /// let gradients = y.backward().await?;
    /// assert_eq!(gradients.read(&device, &parameters, weight).await?, Some(vec![3.0, 4.0]));
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`Self::value`]; also if the graph is for inference or the value is not 1 x 1.
    pub async fn backward(self) -> Result<Gradients, EngineError> {
        let mut gradients = Gradients::zeros(self.graph.parameters());
        self.graph.flush(&[self.port])?;
        super::backward::run(self.graph, self.port, &mut gradients, false)?;
        Ok(gradients)
    }

    /// Adds the gradients of this scalar with respect to every parameter to those that are there, and keeps none of values
    /// ([`Self::gradient`]): for steps of training, in less time and memory than [`Self::backward`].
    ///
    /// # Errors
    /// See [`Self::backward`].
    pub async fn backward_into(self, gradients: &mut Gradients) -> Result<(), EngineError> {
        self.graph.flush(&[self.port])?;
        super::backward::run(self.graph, self.port, gradients, true)
    }

    /// The gradient of the scalar last given to [`Self::backward`] with respect to this value; zeros if it does not
    /// depend on it.
    ///
    #[cfg_attr(feature = "train", doc = "```")]
    #[cfg_attr(not(feature = "train"), doc = "```no_run")]
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::training(&Parameters::new(), &Device::cpu(), Strategy::Levels, 0);
    /// let [a, b] = [2.0, 5.0].map(|x| graph.variable(1, 1, vec![x]));
    /// let product = a * b;
    /// product.scale(10.0).backward().await?;
    /// assert_eq!(a.gradient().await?, [50.0]);
    /// assert_eq!(product.gradient().await?, [10.0]); // of a value on the way, too
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`Self::value`]; if the graph is for inference, the value has not run, depends on no variable and no parameter, or
    /// nothing was given to [`Self::backward`]; or what the device reports.
    pub async fn gradient(self) -> Result<Vec<f32>, EngineError> {
        let found = {
            let tape = self.graph.tape();
            tape.check(&[self.port], self.graph.current())?;
            if !self.graph.is_training() {
                return Err(EngineError::NotTraining);
            }
            if !tape.is_differentiable(self.port.node) {
                let reason = "a constant has no gradient; `Graph::variable` records what has one";
                return Err(EngineError::Unsupported { op: "gradient", reason });
            }
            let reason = "no gradient was computed since the value was recorded; call `backward` first";
            let ran = tape.ran(self.port.node).filter(|_| !tape.gradients.is_empty());
            let (batch, lane) = ran.ok_or(EngineError::Unsupported { op: "gradient", reason })?;
            let (rows, columns) = tape.batches[batch].rows(self.port.output, lane);
            let buffer = tape.gradients.get(batch).and_then(|g| g[self.port.output].clone());
            (buffer, rows.start * columns..rows.end * columns)
        };
        match found {
            (Some(buffer), range) => {
                Ok(self.graph.device.read(&[(buffer, range)]).await?.pop().unwrap_or_default())
            }
            (None, range) => Ok(vec![0.0; range.len()]),
        }
    }
}

impl<'g> Add for Expr<'g> {
    type Output = Self;
    #[track_caller]
    fn add(self, other: Self) -> Self {
        self.graph.record_one(Op::Binary(Binary::Add), &[self, other], &[])
    }
}

impl<'g> Sub for Expr<'g> {
    type Output = Self;
    #[track_caller]
    fn sub(self, other: Self) -> Self {
        self.graph.record_one(Op::Binary(Binary::Subtract), &[self, other], &[])
    }
}

impl<'g> Mul for Expr<'g> {
    type Output = Self;
    #[track_caller]
    fn mul(self, other: Self) -> Self {
        self.graph.record_one(Op::Binary(Binary::Multiply), &[self, other], &[])
    }
}
