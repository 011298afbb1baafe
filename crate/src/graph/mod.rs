//! A lazy graph of ragged row matrices, batched on the fly.
//!
//! A program records expressions, one example at a time; nothing runs. When a value is asked for, every recorded
//! node runs, and nodes that do the same thing run as one kernel call over all their rows (Neubig, Goldberg, Dyer
//! 2017). Each node's value is a matrix, rows = time steps (or 1), columns = features. To batch is to lay rows end to
//! end: there is no padding and no mask.
//!
//! ```
//! use saccade_rnn::device::{Cpu, Parameters, Pool};
//! use saccade_rnn::graph::{Graph, Strategy};
//! # pollster::block_on(async {
//! let mut parameters = Parameters::new();
//! let w = parameters.add("w", &[1, 2], vec![1.0, -1.0])?;
//! let graph = Graph::training(&parameters, &Cpu, Strategy::Agenda, 0);
//! let scores: Vec<_> = [[3.0, 1.0], [5.0, 5.0]]
//!     .map(|x| graph.input(1, 2, x.to_vec()).affine(w, None).tanh())
//!     .into();
//! assert_eq!(scores[1].value().await?, [0.0]); // both examples ran here, as one batch
//! graph.concat_rows(&scores).pool(Pool::Sum).backward().await?;
//! assert_eq!(graph.explain().batches().len(), 5); // the inputs, affine, tanh, concat, sum
//! # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
//! ```

mod backward;
mod batch;
mod expr;
mod report;
mod schedule;

use std::cell::{Ref, RefCell};
use std::ops::Range;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::device::{Cpu, Device, EngineError, Op, ParamGradients, ParamId, Parameters, Shape};
use batch::Batch;
pub use expr::Expr;
pub use report::{Alone, BatchReport, Report};
pub use schedule::Strategy;

/// Records expressions and runs them in batches.
///
/// Made for one minibatch: record, ask for values, ask for gradients, drop it.
pub struct Graph<'p, D: Device = Cpu> {
    parameters: &'p Parameters,
    device: &'p D,
    strategy: Strategy,
    seed: u32,
    training: bool,
    tape: RefCell<Tape<D::Buffer>>,
}

/// All that recording and running change.
pub(crate) struct Tape<B> {
    nodes: Vec<Node>,
    keys: Vec<Key>,
    batches: Vec<Batch<B>>,
    /// Values of earlier graphs that [`Op::Held`] nodes refer to by number.
    held: Vec<Held<B>>,
    /// Nodes before this one have run.
    done: usize,
    /// The first mistake made while recording.
    mistake: Option<EngineError>,
    /// Gradients of batch outputs after a backward pass: `[batch][output]`.
    gradients: Vec<Vec<Option<B>>>,
}

/// A value that stays on the device after its graph is gone, such as the state that the next piece of a long text
/// begins with.
#[derive(Clone, Debug)]
pub struct Held<B> {
    buffer: B,
    rows: Range<usize>,
    columns: usize,
}

impl<B: Clone> Held<B> {
    /// The buffer and the elements of it, as [`Device::read`] takes them.
    pub fn elements(&self) -> (B, Range<usize>) {
        (self.buffer.clone(), self.rows.start * self.columns..self.rows.end * self.columns)
    }
}

/// Nodes run together only if their keys are equal, compared whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    op: Op,
    /// Columns of every operand.
    columns: Vec<usize>,
}

/// One recorded operation.
pub(crate) struct Node {
    key: usize,
    inputs: Vec<Port>,
    /// Ids, targets, row numbers or forced decisions.
    indices: Vec<u32>,
    /// Values of an input, until they are uploaded.
    values: Vec<f32>,
    shapes: Vec<Shape>,
    /// Whether its value has a gradient that something wants.
    differentiable: bool,
    /// The batch that ran it, and its lane there.
    place: Option<(usize, usize)>,
}

/// One output of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    node: usize,
    output: usize,
}

impl<'p, D: Device> Graph<'p, D> {
    /// A graph that computes values only: dropout is the identity and nothing is kept for gradients.
    pub fn inference(parameters: &'p Parameters, device: &'p D, strategy: Strategy) -> Self {
        Self::new(parameters, device, strategy, 0, false)
    }

    /// A graph whose values can be differentiated. `seed` is that of dropout and Gumbel noise.
    pub fn training(parameters: &'p Parameters, device: &'p D, strategy: Strategy, seed: u32) -> Self {
        Self::new(parameters, device, strategy, seed, true)
    }

    fn new(parameters: &'p Parameters, device: &'p D, strategy: Strategy, seed: u32, training: bool) -> Self {
        let tape = Tape {
            nodes: Vec::new(),
            keys: Vec::new(),
            batches: Vec::new(),
            held: Vec::new(),
            done: 0,
            mistake: None,
            gradients: Vec::new(),
        };
        Self { parameters, device, strategy, seed, training, tape: RefCell::new(tape) }
    }

    /// The weights that expressions refer to.
    pub fn parameters(&self) -> &'p Parameters {
        self.parameters
    }

    /// Where it runs.
    pub fn device(&self) -> &'p D {
        self.device
    }

    /// Whether gradients can be asked for.
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// A constant of `rows x columns` values, row by row.
    pub fn input(&self, rows: usize, columns: usize, values: Vec<f32>) -> Expr<'_, D> {
        self.leaf(rows, columns, values, false)
    }

    /// As [`Self::input`], with a gradient ([`Expr::gradient`]).
    pub fn variable(&self, rows: usize, columns: usize, values: Vec<f32>) -> Expr<'_, D> {
        self.leaf(rows, columns, values, true)
    }

    fn leaf(&self, rows: usize, columns: usize, values: Vec<f32>, differentiable: bool) -> Expr<'_, D> {
        if rows.checked_mul(columns) != Some(values.len()) {
            let found = format!("{} values", values.len());
            let expected = format!("{rows} x {columns} values");
            self.mistake(EngineError::Shape { op: "input", what: "values".into(), expected, found });
            return self.leaf(0, columns, Vec::new(), differentiable);
        }
        let mut tape = self.tape.borrow_mut();
        let key = tape.key_number(Key { op: Op::Input, columns: vec![columns] });
        let shapes = vec![Shape { rows, columns }];
        let (inputs, indices) = (Vec::new(), Vec::new());
        tape.nodes.push(Node { key, inputs, indices, values, shapes, differentiable, place: None });
        Expr { graph: self, port: Port { node: tape.nodes.len() - 1, output: 0 } }
    }

    /// A value left by an earlier graph on the same device.
    pub fn held(&self, value: Held<D::Buffer>) -> Expr<'_, D> {
        let mut tape = self.tape.borrow_mut();
        let key = tape.key_number(Key { op: Op::Held, columns: vec![value.columns] });
        let shapes = vec![Shape { rows: value.rows.len(), columns: value.columns }];
        let indices = vec![tape.held.len() as u32];
        tape.held.push(value);
        let (inputs, values) = (Vec::new(), Vec::new());
        tape.nodes.push(Node { key, inputs, indices, values, shapes, differentiable: false, place: None });
        Expr { graph: self, port: Port { node: tape.nodes.len() - 1, output: 0 } }
    }

    /// Values of several expressions, row by row, with one exchange with the device. Runs everything recorded so far
    /// that has not run.
    ///
    /// # Errors
    /// The first mistake made while recording, or what the device reports.
    pub async fn values(&self, wanted: &[Expr<'_, D>]) -> Result<Vec<Vec<f32>>, EngineError> {
        self.flush(wanted)?;
        let parts: Vec<_> = {
            let tape = self.tape.borrow();
            let part = |x: &Expr<'_, D>| {
                let (buffer, rows, columns) = tape.locate(x.port);
                (buffer.clone(), rows.start * columns..rows.end * columns)
            };
            wanted.iter().map(part).collect()
        };
        self.device.read(&parts).await
    }

    /// As [`Self::values`] where they are ready as soon as they are asked for: on the CPU, and natively on the GPU.
    ///
    /// # Errors
    /// As [`Self::values`]; [`EngineError::Unsupported`] where they are not.
    pub(crate) fn ready_values(&self, wanted: &[Expr<'_, D>]) -> Result<Vec<Vec<f32>>, EngineError> {
        match pin!(self.values(wanted)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(values) => values,
            Poll::Pending => {
                let reason = "a browser's GPU answers later";
                Err(EngineError::Unsupported { op: "trace", reason })
            }
        }
    }

    /// Records an operation and returns its outputs. A mistake is kept and returned by the next value or gradient.
    pub fn record<'g>(&'g self, op: Op, inputs: &[Expr<'g, D>], indices: Vec<u32>) -> Vec<Expr<'g, D>> {
        let foreign = inputs.iter().any(|x| !std::ptr::eq(x.graph, self));
        // Their ports mean nothing here.
        let inputs = if foreign { &[] } else { inputs };
        let mut tape = self.tape.borrow_mut();
        let shapes: Vec<Shape> = inputs.iter().map(|x| tape.shape(x.port)).collect();
        let inferred = if foreign {
            Err(EngineError::Unsupported { op: op.name(), reason: "an operand belongs to another graph" })
        } else {
            op.infer(&shapes, &indices, self.parameters)
        };
        let shapes_out = inferred.unwrap_or_else(|error| {
            tape.mistake.get_or_insert(error);
            vec![Shape { rows: 0, columns: 0 }; 5]
        });
        let differentiable =
            op.has_parameters() || inputs.iter().any(|x| tape.nodes[x.port.node].differentiable);
        let key = tape.key_number(Key { op, columns: shapes.iter().map(|s| s.columns).collect() });
        let node = tape.nodes.len();
        let outputs = shapes_out.len();
        tape.nodes.push(Node {
            key,
            inputs: inputs.iter().map(|x| x.port).collect(),
            indices,
            values: Vec::new(),
            shapes: shapes_out,
            differentiable,
            place: None,
        });
        (0..outputs).map(|output| Expr { graph: self, port: Port { node, output } }).collect()
    }

    /// As [`Self::record`] for operations with one output.
    fn record_one<'g>(&'g self, op: Op, inputs: &[Expr<'g, D>], indices: Vec<u32>) -> Expr<'g, D> {
        self.record(op, inputs, indices)[0]
    }

    fn mistake(&self, error: EngineError) {
        self.tape.borrow_mut().mistake.get_or_insert(error);
    }

    /// Runs every recorded node that has not run, so that some values are there.
    fn flush(&self, wanted: &[Expr<'_, D>]) -> Result<(), EngineError> {
        let mut tape = self.tape.borrow_mut();
        if let Some(mistake) = &tape.mistake {
            return Err(mistake.clone());
        }
        for nodes in schedule::plan(&tape, self.strategy) {
            let batch = batch::run(&mut tape, nodes, self)?;
            tape.batches.push(batch);
        }
        tape.done = tape.nodes.len();
        wanted.iter().try_for_each(|x| batch::settle(&mut tape, x.port, self))
    }

    /// What ran so far: the batches, and for nodes that ran alone the reason.
    pub fn explain(&self) -> Report {
        Report::of(&self.tape.borrow())
    }

    fn tape(&self) -> Ref<'_, Tape<D::Buffer>> {
        self.tape.borrow()
    }
}

impl<D: Device> Drop for Graph<'_, D> {
    fn drop(&mut self) {
        for Batch { forward, .. } in self.tape.get_mut().batches.drain(..) {
            forward.outputs.into_iter().chain(forward.saved).for_each(|buffer| self.device.reclaim(buffer));
        }
    }
}

impl<B> Tape<B> {
    fn shape(&self, port: Port) -> Shape {
        self.nodes[port.node].shapes[port.output]
    }

    fn key_number(&mut self, key: Key) -> usize {
        // The last first: a loop records the same few again and again.
        self.keys.iter().rposition(|other| *other == key).unwrap_or_else(|| {
            self.keys.push(key);
            self.keys.len() - 1
        })
    }
}

/// Gradients of scalars with respect to every parameter, in the device's memory. Passes add to it
/// ([`Expr::backward_into`]), so that one can serve a whole training run.
pub struct Gradients<D: Device> {
    slots: ParamGradients<D::Buffer>,
}

impl<D: Device> Gradients<D> {
    /// All zero.
    pub fn zeros(parameters: &Parameters) -> Self {
        Self { slots: vec![None; parameters.len()] }
    }

    /// The gradient of one parameter in the device's memory; `None` is zero.
    pub fn get(&self, id: ParamId) -> Option<&D::Buffer> {
        self.slots[id.index()].as_ref()
    }

    /// As [`Self::get`], to change it, put one in its place or forget it.
    pub fn get_mut(&mut self, id: ParamId) -> &mut Option<D::Buffer> {
        &mut self.slots[id.index()]
    }

    /// The gradient of one parameter, or `None` if no scalar depended on it.
    ///
    /// # Errors
    /// If the device cannot be read.
    pub async fn read(
        &self,
        device: &D,
        parameters: &Parameters,
        id: ParamId,
    ) -> Result<Option<Vec<f32>>, EngineError> {
        match &self.slots[id.index()] {
            Some(buffer) => {
                let part = (buffer.clone(), 0..parameters.values(id).len());
                Ok(device.read(&[part]).await?.pop())
            }
            None => Ok(None),
        }
    }
}
