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
//! let graph = Graph::training(&parameters, &Device::cpu(), Strategy::Levels, 0);
//! let scores: Vec<_> = [[3.0, 1.0], [5.0, 5.0]]
//!     .map(|x| graph.input(1, 2, x.to_vec()).affine(w, None).tanh())
//!     .into();
//! assert_eq!(scores[1].value().await?, [0.0]); // both examples ran here, as one batch
//! graph.concat_rows(&scores).pool(Pool::Sum).backward().await?;
//! assert_eq!(graph.explain().batches().len(), 5); // the inputs, affine, tanh, concat, sum
//! # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
//! ```

mod attributes;
mod backward;
mod batch;
#[cfg(any(feature = "graph", not(feature = "web")))]
mod cell;
mod expr;
mod gradients;
mod programs;
mod report;
mod schedule;
mod tape;
#[cfg(test)]
mod tests;

use std::cell::{Ref, RefCell};
use std::ops::Range;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use crate::device::{Buffer, Device, EngineError, GRAPH, Op, Parameters, Shape};
use batch::{Batch, Outcome};
#[cfg(any(feature = "graph", not(feature = "web")))]
pub use cell::Cell;
#[cfg(all(feature = "web", feature = "train", not(feature = "runs")))]
pub(crate) use cell::{function, interned};
pub use expr::Expr;
pub use gradients::Gradients;
use programs::{Program, Queue};
pub use report::{Alone, BatchReport, Report, Split};
pub use schedule::Strategy;
pub use tape::Held;
pub(crate) use tape::Port;
use tape::{Mistake, Recorded, Tape};

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
        Self {
            parameters: parameters.clone(),
            device: device.clone(),
            strategy,
            seed,
            training,
            tape: RefCell::default(),
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
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
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
    /// let graph = Graph::training(&Parameters::new(), &Device::cpu(), Strategy::Levels, 0);
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
        let number = tape.values.len() as u32;
        tape.values.push(values);
        self.push_leaf(&mut tape, Op::Input, number, Shape { rows, columns }, differentiable, mistake)
    }

    /// A value left by an earlier graph on the same device.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let (parameters, device) = (Parameters::new(), Device::cpu());
    /// let first = Graph::inference(&parameters, &device, Strategy::Levels);
    /// let sum = (first.input(1, 1, vec![1.0]) + first.input(1, 1, vec![2.0])).hold()?;
    /// drop(first);
    /// let second = Graph::inference(&parameters, &device, Strategy::Levels);
    /// assert_eq!(second.held(sum).scale(10.0).value().await?, [30.0]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    pub fn held(&self, value: Held) -> Expr<'_> {
        let mut tape = self.tape.borrow_mut();
        let number = tape.held.len() as u32;
        let shape = Shape { rows: value.rows.len(), columns: value.columns };
        tape.held.push(value);
        self.push_leaf(&mut tape, Op::Held, number, shape, false, None)
    }

    /// A value that cannot be computed, for a mistake that no operation would notice.
    #[track_caller]
    pub(crate) fn mistaken(&self, mistake: EngineError) -> Expr<'_> {
        let mistake = mistake.at(Location::caller());
        let mut tape = self.tape.borrow_mut();
        self.push_leaf(&mut tape, Op::Input, 0, Shape { rows: 0, columns: 0 }, false, Some(mistake))
    }

    /// Adds a node without operands: the value of that number among those that the tape keeps.
    fn push_leaf(
        &self,
        tape: &mut Tape,
        op: Op,
        number: u32,
        shape: Shape,
        differentiable: bool,
        mistake: Option<EngineError>,
    ) -> Expr<'_> {
        let shapes = if mistake.is_some() { nothing(&op) } else { vec![shape] };
        let mistake = mistake.map(|mistake| Mistake::New(self.current(), mistake));
        let stream = self.next_stream(tape.len());
        let node = Recorded { op, indices: &[number], shapes, stream, differentiable, mistake };
        let port = Port { node: tape.push(node, std::iter::empty()), output: 0 };
        Expr { graph: self, port }
    }

    /// The value that a port names, for who keeps ports where the graph cannot be borrowed for as long.
    #[cfg(any(test, all(feature = "web", feature = "train", not(feature = "runs"))))]
    pub(crate) fn at(&self, port: Port) -> Expr<'_> {
        Expr { graph: self, port }
    }

    /// Records once more what the node of `known` is, with other operands: a loop records the same few operations, whose
    /// checks need not be repeated for operands of the same shapes. Gives the node's number, or none if it is to be recorded
    /// like any other.
    #[cfg(any(test, all(feature = "web", feature = "train", not(feature = "runs"))))]
    pub(crate) fn again(&self, known: usize, operands: &[Port]) -> Option<usize> {
        self.tape.borrow_mut().push_again(known, operands.iter().copied(), |node| self.next_stream(node))
    }

    /// Whether a node has these operands.
    #[cfg(any(test, all(feature = "web", feature = "train", not(feature = "runs"))))]
    pub(crate) fn takes(&self, node: usize, operands: &[Port]) -> bool {
        self.tape.borrow().inputs(node) == operands
    }

    /// Values of several expressions, row by row, with one exchange with the device. Runs everything recorded so far
    /// that has not run; inside a program of [`Graph::join`] the program waits until all others wait as well.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    /// let x = graph.input(1, 2, vec![1.0, -1.0]);
    /// assert_eq!(graph.values(&[x.relu(), x.scale(2.0)]).await?, [[1.0, 0.0], [2.0, -2.0]]);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// A mistake made while recording (see [`Self::record`]), or what the device reports.
    pub async fn values(&self, wanted: &[Expr<'_>]) -> Result<Vec<Vec<f32>>, EngineError> {
        if wanted.iter().any(|x| !std::ptr::eq(x.graph, self)) {
            let reason = "an expression belongs to another graph";
            return Err(EngineError::Unsupported { op: "values", reason });
        }
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
    /// recorded there; a program of [`Graph::join`] learns of its own mistakes only. What the device refuses to run has a
    /// mistake from then on, which counts as recorded outside of programs: it is not tried again, and nodes that do not
    /// depend on it run.
    ///
    /// ```
    /// use saccade_rnn::device::{Binary, Device, Op, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
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
        let first = self.record_one(op, inputs, &indices);
        let outputs = self.tape.borrow().shapes(first.port.node).len();
        (0..outputs).map(|output| Expr { port: Port { output, ..first.port }, ..first }).collect()
    }

    /// Records an operation and returns its first output (see [`Self::record`]).
    #[track_caller]
    fn record_one<'g>(&'g self, op: Op, inputs: &[Expr<'g>], indices: &[u32]) -> Expr<'g> {
        let foreign = inputs.iter().any(|x| !std::ptr::eq(x.graph, self));
        // Their ports mean nothing here.
        let inputs = if foreign { &[] } else { inputs };
        let mut tape = self.tape.borrow_mut();
        // A loop records the same few operations, whose checks need not be repeated for operands of the same shapes.
        if GRAPH && indices.is_empty() {
            let stream = |node| self.next_stream(node);
            if let Some(node) = tape.push_likely(&op, inputs.iter().map(|x| x.port), stream) {
                return Expr { graph: self, port: Port { node, output: 0 } };
            }
        }
        let mut shapes = std::mem::take(&mut tape.operands);
        shapes.clear();
        shapes.extend(inputs.iter().map(|x| tape.shape(x.port)));
        let inherited = inputs.iter().find_map(|x| tape.mistake_of(x.port.node)).map(Mistake::Inherited);
        let inferred = if foreign {
            Err(EngineError::Unsupported { op: op.name(), reason: "an operand belongs to another graph" })
        } else if inherited.is_some() {
            Ok(op.infer(&shapes, indices, &self.parameters).unwrap_or_else(|_| nothing(&op)))
        } else if GRAPH && self.within_cell && !op.fits_a_cell() {
            let reason = "a cell makes each row of a result of the same row of its operands, by products with weights, \
                          element by element, or by columns; record this outside of it";
            Err(EngineError::Unsupported { op: op.name(), reason })
        } else {
            op.infer(&shapes, indices, &self.parameters)
        };
        tape.operands = shapes;
        let (shapes, mistake) = match inferred {
            Ok(shapes) => (shapes, inherited),
            Err(mistake) => {
                (nothing(&op), Some(Mistake::New(self.current(), mistake.at(Location::caller()))))
            }
        };
        let differentiable =
            op.has_parameters() || inputs.iter().any(|x| tape.is_differentiable(x.port.node));
        let stream = self.next_stream(tape.len());
        let node = Recorded { op, indices, shapes, stream, differentiable, mistake };
        let node = tape.push(node, inputs.iter().map(|x| x.port));
        Expr { graph: self, port: Port { node, output: 0 } }
    }

    /// The program that records at the moment.
    fn current(&self) -> Option<Program> {
        self.program.get()
    }

    /// Runs every recorded node that has not run, so that some values are there.
    fn flush(&self, wanted: &[Port]) -> Result<(), EngineError> {
        let check = || self.tape.borrow().check(wanted, self.current());
        check()?;
        self.run_all();
        check()
    }

    /// Runs every recorded node that has not run and can. What the device refuses is a mistake of the nodes that it did not run,
    /// outside of programs.
    fn run_all(&self) {
        let mut tape = self.tape.borrow_mut();
        let first = tape.done();
        if tape.have_keys_of_their_own(first) {
            // A model's layers one after the other: there is nothing to plan.
            for node in first..tape.len() {
                if tape.can_run(node) {
                    batch::run(&mut tape, vec![node], self);
                }
            }
        } else {
            let (dag, nodes) = tape.dag(first, |_, _| true);
            let plan = schedule::plan(&dag, self.strategy);
            for batch in 0..plan.len() {
                let lanes = plan.get(batch).iter().map(|&node| nodes[node as usize]);
                let lanes: Vec<_> = lanes.filter(|&node| tape.can_run(node)).collect();
                if !lanes.is_empty() {
                    batch::run(&mut tape, lanes, self);
                }
            }
        }
        tape.set_done();
    }

    /// What ran so far: the batches, and for nodes that ran alone the reason.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    /// let inputs = [1.0, 2.0].map(|x| graph.input(1, 1, vec![x]));
    /// graph.values(&[inputs[0].tanh(), inputs[1].tanh(), inputs[0].relu()]).await?;
    /// assert_eq!(
    ///     graph.explain().to_string(),
    ///     "5 nodes ran as 3 kernel calls; no order needs fewer than 3
    ///      2 x input                2 rows
    ///      2 x tanh                 2 rows
    ///      1 x relu                 1 rows, alone: the only one of its operation
    /// "
    /// );
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    pub fn explain(&self) -> Report {
        Report::of(&mut self.tape.borrow_mut(), &self.parameters)
    }

    /// The least number of kernel calls in which any order can run what was recorded so far, if nothing is asked for in
    /// between: of every key as many as one path through the graph has nodes of it (Chen et al. 2023). Rows of a table that
    /// no kernel needed are no call.
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::Levels);
    /// // Chains of one, two and three steps: an upload and three steps, however long the others are.
    /// let ends = [1, 2, 3].map(|steps| (0..steps).fold(graph.input(1, 1, vec![0.5]), |x, _| x.tanh()));
    /// assert_eq!(graph.lower_bound(), 4);
    /// graph.values(&ends).await?;
    /// assert_eq!(graph.explain().batches().len(), 4);
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    pub fn lower_bound(&self) -> usize {
        let (dag, _) = self.tape.borrow_mut().dag(0, |tape, node| !tape.is_left_in_its_table(node));
        schedule::Levels::of(&dag, &dag.users()).bound()
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
        let tape = self.tape.get_mut();
        tape.gradients.drain(..).flatten().flatten().for_each(|gradient| self.device.reclaim(gradient));
        // The last first: a batch has its operands in its hands, so that those of the batches before are free after it.
        for Batch { outcome, .. } in tape.batches.drain(..).rev() {
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
