//! A lazy graph of ragged row matrices, batched on the fly.
//!
//! A program records expressions, one example at a time; nothing runs. When a value is asked for, every recorded
//! node runs, and nodes that do the same thing run as one kernel call over all their rows (Neubig, Goldberg, Dyer
//! 2017). Each node's value is a matrix, rows = time steps (or 1), columns = features. To batch is to lay rows end to
//! end: there is no padding and no mask.
//!
#![cfg_attr(feature = "train", doc = "```")]
#![cfg_attr(not(feature = "train"), doc = "```no_run")]
//! use saccade_rnn::device::{Device, Parameters, Pool};
//! use saccade_rnn::graph::{Graph, Strategy};
//! # pollster::block_on(async {
//! let mut parameters = Parameters::new();
//! let w = parameters.add("w", &[1, 2], vec![1.0, -1.0])?;
//! let graph = Graph::training(&parameters, &Device::cpu(), Strategy::Agenda, 0);
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
#[cfg(any(feature = "graph", not(feature = "web")))]
mod cell;
mod expr;
mod gradients;
mod programs;
mod report;
mod schedule;

use std::cell::{Ref, RefCell};
use std::ops::Range;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::device::{Buffer, Device, EngineError, GRAPH, Op, Parameters, Shape};
use batch::{Batch, Outcome};
#[cfg(any(feature = "graph", not(feature = "web")))]
pub use cell::Cell;
pub use expr::Expr;
pub use gradients::Gradients;
use programs::{Program, Queue};
pub use report::{Alone, BatchReport, Report};
pub use schedule::Strategy;

/// Records expressions and runs them in batches.
///
/// Made for one minibatch: record, ask for values, ask for gradients, drop it. A graph owns a handle to its device and a
/// clone of the parameters, so it may be kept anywhere: in a thread, in a worker, in an object of another language.
pub struct Graph {
    parameters: Parameters,
    device: Device,
    strategy: Strategy,
    seed: u32,
    training: bool,
    tape: RefCell<Tape>,
    /// The program that records at the moment, inside [`Graph::join`].
    program: std::cell::Cell<Option<Program>>,
    /// Whether it records a cell.
    within_cell: bool,
    queue: Queue,
}

/// All that recording and running change.
pub(crate) struct Tape {
    nodes: Vec<Node>,
    keys: Vec<Key>,
    batches: Vec<Batch>,
    /// Values of earlier graphs that [`Op::Held`] nodes refer to by number.
    held: Vec<Held>,
    /// Nodes before this one have run, or never will.
    done: usize,
    /// The first mistake that was recorded outside of programs, and the first of each program.
    mistakes: Vec<(Option<Program>, EngineError)>,
    /// Gradients of batch outputs after a backward pass: `[batch][output]`.
    gradients: Vec<Vec<Option<Buffer>>>,
}

/// A value that stays on the device after its graph is gone, such as the state that the next piece of a long text
/// begins with.
#[derive(Clone, Debug)]
pub struct Held {
    buffer: Buffer,
    rows: Range<usize>,
    columns: usize,
}

impl Held {
    /// The buffer and the range of its elements, which [`Device::read`] copies to the host.
    pub fn elements(&self) -> (Buffer, Range<usize>) {
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
    /// Its stream of dropout and Gumbel noise.
    stream: u32,
    /// Whether its value has a gradient that something wants.
    differentiable: bool,
    /// The batch that ran it, and its lane there.
    ran: Option<(usize, usize)>,
    /// Why it cannot run: a mistake in recording it, or one of its operands.
    mistake: Option<Box<EngineError>>,
}

/// One output of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Port {
    node: usize,
    output: usize,
}

impl Graph {
    /// A graph that computes values only: dropout is the identity and nothing is kept for gradients.
    pub fn inference(parameters: &Parameters, device: &Device, strategy: Strategy) -> Self {
        Self::new(parameters, device, strategy, 0, false)
    }

    /// A graph whose values can be differentiated. `seed` is that of dropout and Gumbel noise.
    pub fn training(parameters: &Parameters, device: &Device, strategy: Strategy, seed: u32) -> Self {
        Self::new(parameters, device, strategy, seed, true)
    }

    /// The seed of noise.
    #[cfg(feature = "train")]
    pub(crate) fn seed(&self) -> u32 {
        self.seed
    }

    fn new(parameters: &Parameters, device: &Device, strategy: Strategy, seed: u32, training: bool) -> Self {
        let tape = Tape {
            nodes: Vec::new(),
            keys: Vec::new(),
            batches: Vec::new(),
            held: Vec::new(),
            done: 0,
            mistakes: Vec::new(),
            gradients: Vec::new(),
        };
        Self {
            parameters: parameters.clone(),
            device: device.clone(),
            strategy,
            seed,
            training,
            tape: RefCell::new(tape),
            program: std::cell::Cell::new(None),
            within_cell: false,
            queue: Queue::default(),
        }
    }

    /// The weights that expressions refer to.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The device that runs its nodes.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Whether gradients can be asked for.
    pub fn is_training(&self) -> bool {
        self.training
    }

    /// A constant of `rows x columns` values, row by row.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Agenda);
    /// let x = graph.input(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    /// assert_eq!(x.shape().to_string(), "2 x 3"); // known before anything runs
    /// assert_eq!(x.columns(1..2).value().await?, [2.0, 5.0]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn input(&self, rows: usize, columns: usize, values: Vec<f32>) -> Expr<'_> {
        self.leaf(rows, columns, values, false)
    }

    /// A constant of `rows x columns` values with a gradient ([`Expr::gradient`]).
    ///
    #[cfg_attr(feature = "train", doc = "```")]
    #[cfg_attr(not(feature = "train"), doc = "```no_run")]
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::training(&Parameters::new(), &Device::cpu(), Strategy::Agenda, 0);
    /// let x = graph.variable(1, 1, vec![3.0]);
    /// (x * x).backward().await?;
    /// assert_eq!(x.gradient().await?, [6.0]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn variable(&self, rows: usize, columns: usize, values: Vec<f32>) -> Expr<'_> {
        self.leaf(rows, columns, values, true)
    }

    #[track_caller]
    fn leaf(&self, rows: usize, columns: usize, values: Vec<f32>, differentiable: bool) -> Expr<'_> {
        let location = Location::caller();
        let mistake = (rows.checked_mul(columns) != Some(values.len())).then(|| {
            let found = format!("{} values", values.len());
            let expected = format!("{rows} x {columns} values");
            EngineError::Shape { op: "input", what: "values".into(), expected, found }.at(location)
        });
        let mut tape = self.tape.borrow_mut();
        let key = tape.key_number(Op::Input, std::iter::once(columns));
        let shapes = vec![Shape { rows, columns }];
        let node = Node { values, differentiable, ..self.node(key, shapes) };
        self.push(&mut tape, node, mistake)
    }

    /// A value left by an earlier graph on the same device.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let (parameters, device) = (Parameters::new(), Device::cpu());
    /// let first = Graph::inference(&parameters, &device, Strategy::Agenda);
    /// let sum = (first.input(1, 1, vec![1.0]) + first.input(1, 1, vec![2.0])).hold()?;
    /// drop(first);
    /// let second = Graph::inference(&parameters, &device, Strategy::Agenda);
    /// assert_eq!(second.held(sum).scale(10.0).value().await?, [30.0]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    pub fn held(&self, value: Held) -> Expr<'_> {
        let mut tape = self.tape.borrow_mut();
        let key = tape.key_number(Op::Held, std::iter::once(value.columns));
        let shapes = vec![Shape { rows: value.rows.len(), columns: value.columns }];
        let indices = vec![tape.held.len() as u32];
        tape.held.push(value);
        let node = Node { indices, ..self.node(key, shapes) };
        self.push(&mut tape, node, None)
    }

    /// A value that cannot be computed, for a mistake that no operation would notice.
    #[track_caller]
    pub(crate) fn mistaken(&self, mistake: EngineError) -> Expr<'_> {
        let mistake = mistake.at(Location::caller());
        let mut tape = self.tape.borrow_mut();
        let key = tape.key_number(Op::Input, std::iter::once(0));
        let node = self.node(key, nothing(&Op::Input));
        self.push(&mut tape, node, Some(mistake))
    }

    /// A node without operands, values or indices.
    fn node(&self, key: usize, shapes: Vec<Shape>) -> Node {
        Node {
            key,
            inputs: Vec::new(),
            indices: Vec::new(),
            values: Vec::new(),
            shapes,
            stream: 0,
            differentiable: false,
            ran: None,
            mistake: None,
        }
    }

    /// Adds a node; keeps the mistake made in recording it, if any.
    fn push(&self, tape: &mut Tape, mut node: Node, mistake: Option<EngineError>) -> Expr<'_> {
        let program = self.program.get();
        node.stream = self.next_stream(tape.nodes.len());
        if let Some(mistake) = mistake {
            node.mistake = Some(Box::new(mistake.clone()));
            if !tape.mistakes.iter().any(|(of, _)| *of == program) {
                tape.mistakes.push((program, mistake));
            }
        }
        tape.nodes.push(node);
        Expr { graph: self, port: Port { node: tape.nodes.len() - 1, output: 0 } }
    }

    /// Values of several expressions, row by row, with one exchange with the device. Runs everything recorded so far
    /// that has not run; inside a program of [`Graph::join`] the program waits until all others wait as well.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Agenda);
    /// let x = graph.input(1, 2, vec![1.0, -1.0]);
    /// assert_eq!(graph.values(&[x.relu(), x.scale(2.0)]).await?, [[1.0, 0.0], [2.0, -2.0]]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// A mistake made while recording (see [`Self::record`]), or what the device reports.
    pub async fn values(&self, wanted: &[Expr<'_>]) -> Result<Vec<Vec<f32>>, EngineError> {
        let ports: Vec<Port> = wanted.iter().map(|x| x.port).collect();
        if let Some(program) = self.program.get() {
            self.tape.borrow().check(&ports, Some(program))?;
            return self.queue.wait(ports).await;
        }
        self.flush(&ports)?;
        let parts = self.located(&ports)?;
        self.device.read(&parts).await
    }

    /// The buffers and elements of values that have run.
    fn located(&self, ports: &[Port]) -> Result<Vec<(Buffer, Range<usize>)>, EngineError> {
        let tape = self.tape.borrow();
        let part = |&port: &Port| {
            let (value, rows, columns) = tape.locate(port);
            let buffer = self.device.buffer(&self.parameters, &value)?;
            Ok((buffer, rows.start * columns..rows.end * columns))
        };
        ports.iter().map(part).collect()
    }

    /// Values without waiting, which the CPU has at once, and natively the GPU too.
    ///
    /// # Errors
    /// See [`Self::values`]; [`EngineError::Unsupported`] on a device that answers later.
    pub(crate) fn ready_values(&self, wanted: &[Expr<'_>]) -> Result<Vec<Vec<f32>>, EngineError> {
        match pin!(self.values(wanted)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(values) => values,
            Poll::Pending => {
                let reason = "a browser's GPU answers later";
                Err(EngineError::Unsupported { op: "trace", reason })
            }
        }
    }

    /// Records an operation and returns its outputs.
    ///
    /// Recording never fails. A mistake (a shape, an id) belongs to the node and says which line recorded it; whatever
    /// depends on the node has the same mistake. The next value asked for outside of programs returns the first mistake
    /// recorded there; a program of [`Graph::join`] learns of its own mistakes only.
    ///
    /// ```
    /// use saccade_rnn::device::{Binary, Device, Op, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Agenda);
    /// let (a, b) = (graph.input(1, 2, vec![1.0, 2.0]), graph.input(1, 2, vec![10.0, 20.0]));
    /// let sum = graph.record(Op::Binary(Binary::Add), &[a, b], Vec::new());
    /// assert_eq!(sum[0].value().await?, [11.0, 22.0]);
    /// // A mistake is reported by the next value.
    /// graph.record(Op::Rows, &[a], vec![7]);
    /// let error = b.value().await.unwrap_err().to_string();
    /// assert!(error.starts_with("rows: index 7 is not below 1 (recorded at "), "{error}");
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    #[track_caller]
    pub fn record<'g>(&'g self, op: Op, inputs: &[Expr<'g>], indices: Vec<u32>) -> Vec<Expr<'g>> {
        let first = self.record_one(op, inputs, indices);
        let outputs = self.tape.borrow().nodes[first.port.node].shapes.len();
        (0..outputs).map(|output| Expr { port: Port { output, ..first.port }, ..first }).collect()
    }

    /// Records an operation and returns its first output (see [`Self::record`]).
    #[track_caller]
    fn record_one<'g>(&'g self, op: Op, inputs: &[Expr<'g>], indices: Vec<u32>) -> Expr<'g> {
        let foreign = inputs.iter().any(|x| !std::ptr::eq(x.graph, self));
        // Their ports mean nothing here.
        let inputs = if foreign { &[] } else { inputs };
        let mut tape = self.tape.borrow_mut();
        let shapes: Vec<Shape> = inputs.iter().map(|x| tape.shape(x.port)).collect();
        let inherited = inputs.iter().find_map(|x| tape.nodes[x.port.node].mistake.clone());
        let inferred = if foreign {
            Err(EngineError::Unsupported { op: op.name(), reason: "an operand belongs to another graph" })
        } else if inherited.is_some() {
            Ok(op.infer(&shapes, &indices, &self.parameters).unwrap_or_else(|_| nothing(&op)))
        } else if GRAPH && self.within_cell && !op.fits_a_cell() {
            let reason = "a cell makes each row of a result of the same row of its operands, by products with weights, \
                          element by element, or by columns; record this outside of it";
            Err(EngineError::Unsupported { op: op.name(), reason })
        } else {
            op.infer(&shapes, &indices, &self.parameters)
        };
        let (shapes_out, mistake) = match inferred {
            Ok(shapes) => (shapes, None),
            Err(mistake) => (nothing(&op), Some(mistake.at(Location::caller()))),
        };
        let differentiable =
            op.has_parameters() || inputs.iter().any(|x| tape.nodes[x.port.node].differentiable);
        let key = tape.key_number(op, shapes.iter().map(|s| s.columns));
        let inputs = inputs.iter().map(|x| x.port).collect();
        let node = Node { inputs, indices, differentiable, mistake: inherited, ..self.node(key, shapes_out) };
        self.push(&mut tape, node, mistake)
    }

    /// The program that records at the moment.
    fn current(&self) -> Option<Program> {
        self.program.get()
    }

    /// Runs every recorded node that has not run, so that some values are there.
    fn flush(&self, wanted: &[Port]) -> Result<(), EngineError> {
        self.tape.borrow().check(wanted, self.current())?;
        self.run_all()
    }

    /// Runs every recorded node that has not run and has no mistake.
    fn run_all(&self) -> Result<(), EngineError> {
        let mut tape = self.tape.borrow_mut();
        for nodes in schedule::plan(&tape, self.strategy) {
            let batch = batch::run(&mut tape, nodes, self)?;
            tape.batches.push(batch);
        }
        tape.done = tape.nodes.len();
        Ok(())
    }

    /// What ran so far: the batches, and for nodes that ran alone the reason.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Agenda);
    /// let inputs = [1.0, 2.0].map(|x| graph.input(1, 1, vec![x]));
    /// graph.values(&[inputs[0].tanh(), inputs[1].tanh(), inputs[0].relu()]).await?;
    /// assert_eq!(
    ///     graph.explain().to_string(),
    ///     "5 nodes ran as 3 kernel calls
    ///      2 x input                2 rows
    ///      2 x tanh                 2 rows
    ///      1 x relu                 1 rows, alone: the only one of its operation
    /// "
    /// );
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    pub fn explain(&self) -> Report {
        Report::of(&self.tape.borrow())
    }

    fn tape(&self) -> Ref<'_, Tape> {
        self.tape.borrow()
    }
}

/// Shapes of an operation that cannot run: at least as many outputs as it has, all empty.
fn nothing(op: &Op) -> Vec<Shape> {
    vec![Shape { rows: 0, columns: 0 }; op.most_outputs()]
}

impl Drop for Graph {
    fn drop(&mut self) {
        for Batch { outcome, .. } in self.tape.get_mut().batches.drain(..) {
            match outcome {
                Outcome::Computed(forward) => {
                    forward.outputs.into_iter().chain(forward.saved).for_each(|b| self.device.reclaim(b));
                }
                Outcome::Table(rows) => {
                    let gathered =
                        std::rc::Rc::into_inner(rows).and_then(crate::device::TableRows::into_buffer);
                    gathered.into_iter().for_each(|buffer| self.device.reclaim(buffer));
                }
            }
        }
    }
}

impl Tape {
    fn shape(&self, port: Port) -> Shape {
        self.nodes[port.node].shapes[port.output]
    }

    fn key_number(&mut self, op: Op, columns: impl Iterator<Item = usize> + Clone) -> usize {
        // The last first: a loop records the same few again and again.
        let same = |key: &Key| key.op == op && key.columns.iter().copied().eq(columns.clone());
        self.keys.iter().rposition(same).unwrap_or_else(|| {
            self.keys.push(Key { op, columns: columns.collect() });
            self.keys.len() - 1
        })
    }

    /// The first mistake that `program`, or whoever records outside of programs, made, or one that a value depends on.
    fn check(&self, wanted: &[Port], program: Option<Program>) -> Result<(), EngineError> {
        if let Some((_, mistake)) = self.mistakes.iter().find(|(of, _)| *of == program) {
            return Err(mistake.clone());
        }
        match wanted.iter().find_map(|port| self.nodes[port.node].mistake.as_deref()) {
            Some(mistake) => Err(mistake.clone()),
            None => Ok(()),
        }
    }
}
