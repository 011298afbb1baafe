//! Handles to recorded values, and the operations on them.

use std::ops::{Add, Mul, Range, Sub};

use super::{Gradients, Graph, Held, Port};
use crate::cpu::pool::Pool;
use crate::device::{Binary, Cpu, Device, EngineError, Op, ParamId, Real, Shape, Unary, WeightView};

/// A value that a graph will compute when it is asked for.
pub struct Expr<'g, D: Device = Cpu> {
    pub(super) graph: &'g Graph<'g, D>,
    pub(super) port: Port,
}

impl<D: Device> Clone for Expr<'_, D> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<D: Device> Copy for Expr<'_, D> {}

impl<'p, D: Device> Graph<'p, D> {
    /// Rows of a table by id: `ids.len() x columns`.
    pub fn embedding(&self, table: ParamId, ids: &[u32]) -> Expr<'_, D> {
        self.record_one(Op::Embedding { table }, &[], ids.to_vec())
    }

    /// Values end to end: the same columns, rows added up.
    pub fn concat_rows<'g>(&'g self, parts: &[Expr<'g, D>]) -> Expr<'g, D> {
        self.record_one(Op::ConcatRows, parts, Vec::new())
    }

    /// Values side by side: the same rows, columns added up.
    pub fn concat_columns<'g>(&'g self, parts: &[Expr<'g, D>]) -> Expr<'g, D> {
        self.record_one(Op::ConcatColumns, parts, Vec::new())
    }
}

impl<'g, D: Device> Expr<'g, D> {
    /// The graph that recorded it.
    pub fn graph(self) -> &'g Graph<'g, D> {
        self.graph
    }

    /// Rows and columns, known before anything runs.
    pub fn shape(self) -> Shape {
        self.graph.tape().shape(self.port)
    }

    fn then(self, op: Op) -> Self {
        self.graph.record_one(op, &[self], Vec::new())
    }

    /// `x Wᵀ + b` with a weight of shape `[out, in]`.
    pub fn affine(self, weight: ParamId, bias: Option<ParamId>) -> Self {
        self.affine_view(WeightView::whole(self.graph.parameters(), weight), bias)
    }

    /// As [`Self::affine`] with a part of a weight, or one stored as `[in, out]`.
    pub fn affine_view(self, weight: WeightView, bias: Option<ParamId>) -> Self {
        self.then(Op::Affine { weight, bias })
    }

    /// Hyperbolic tangent.
    pub fn tanh(self) -> Self {
        self.then(Op::Unary(Unary::Tanh))
    }

    /// Logistic function.
    pub fn sigmoid(self) -> Self {
        self.then(Op::Unary(Unary::Sigmoid))
    }

    /// `max(x, 0)`.
    pub fn relu(self) -> Self {
        self.then(Op::Unary(Unary::Relu))
    }

    /// `s x`.
    pub fn scale(self, s: f32) -> Self {
        self.then(Op::Unary(Unary::Scale(Real(s))))
    }

    /// A range of columns.
    pub fn columns(self, range: Range<usize>) -> Self {
        self.then(Op::Columns { start: range.start, count: range.len() })
    }

    /// Rows by number; a number may occur more than once.
    pub fn rows(self, numbers: &[u32]) -> Self {
        self.graph.record_one(Op::Rows, &[self], numbers.to_vec())
    }

    /// One row from all.
    pub fn pool(self, pool: Pool) -> Self {
        self.then(Op::Pool(pool))
    }

    /// Inverted dropout in a training graph, otherwise the value itself. With `per_sequence` all rows share a mask.
    pub fn dropout(self, rate: f32, per_sequence: bool) -> Self {
        if !self.graph.is_training() || rate <= 0.0 {
            return self;
        }
        self.then(Op::Dropout { rate: Real(rate), per_sequence })
    }

    /// Softmax of each row.
    pub fn softmax(self) -> Self {
        self.then(Op::Softmax)
    }

    /// Log-softmax of each row.
    pub fn log_softmax(self) -> Self {
        self.then(Op::LogSoftmax)
    }

    /// `-log softmax(x)[target]` of each row: `rows x 1`.
    pub fn cross_entropy(self, targets: &[u32]) -> Self {
        self.graph.record_one(Op::CrossEntropy, &[self], targets.to_vec())
    }

    /// Layer normalisation of each row.
    pub fn layer_norm(self, weight: ParamId, bias: ParamId) -> Self {
        self.then(Op::LayerNorm { weight, bias })
    }

    /// The value, row by row. Runs everything recorded so far that has not run.
    ///
    /// # Errors
    /// The first mistake made while recording, or what the device reports.
    pub async fn value(self) -> Result<Vec<f32>, EngineError> {
        Ok(self.graph.values(&[self]).await?.pop().unwrap_or_default())
    }

    /// The value, left on the device for a later graph ([`Graph::held`]). Runs everything recorded so far that has
    /// not run.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn hold(self) -> Result<Held<D::Buffer>, EngineError> {
        self.graph.flush(&[self])?;
        let tape = self.graph.tape();
        let (buffer, rows, columns) = tape.locate(self.port);
        Ok(Held { buffer: buffer.clone(), rows, columns })
    }

    /// Gradients of this scalar (1 x 1) with respect to every parameter, and to every variable
    /// ([`Self::gradient`]).
    ///
    /// # Errors
    /// As [`Self::value`]; also if the graph is for inference or the value is not 1 x 1.
    pub async fn backward(self) -> Result<Gradients<D>, EngineError> {
        let mut gradients = Gradients::zeros(self.graph.parameters());
        self.backward_into(&mut gradients).await?;
        Ok(gradients)
    }

    /// As [`Self::backward`], adding the parameters' gradients to those that are there.
    ///
    /// # Errors
    /// As [`Self::backward`].
    pub async fn backward_into(self, gradients: &mut Gradients<D>) -> Result<(), EngineError> {
        self.graph.flush(&[self])?;
        super::backward::run(self.graph, self.port, gradients)
    }

    /// The gradient of the scalar last given to [`Self::backward`] with respect to this value; zeros if it does not
    /// depend on it.
    ///
    /// # Errors
    /// The first mistake made while recording; if the graph is for inference, the value has not run or nothing was
    /// given to [`Self::backward`]; or what the device reports.
    pub async fn gradient(self) -> Result<Vec<f32>, EngineError> {
        let found = {
            let tape = self.graph.tape();
            if let Some(mistake) = &tape.mistake {
                return Err(mistake.clone());
            }
            if !self.graph.is_training() {
                return Err(EngineError::NotTraining);
            }
            let reason = "no gradient was computed since the value was recorded; call `backward` first";
            let place = tape.nodes[self.port.node].place.filter(|_| !tape.gradients.is_empty());
            let (batch, lane) = place.ok_or(EngineError::Unsupported { op: "gradient", reason })?;
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

impl<'g, D: Device> Add for Expr<'g, D> {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.graph.record_one(Op::Binary(Binary::Add), &[self, other], Vec::new())
    }
}

impl<'g, D: Device> Sub for Expr<'g, D> {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self.graph.record_one(Op::Binary(Binary::Subtract), &[self, other], Vec::new())
    }
}

impl<'g, D: Device> Mul for Expr<'g, D> {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        self.graph.record_one(Op::Binary(Binary::Multiply), &[self, other], Vec::new())
    }
}
