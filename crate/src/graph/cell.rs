//! Cells: functions recorded once that are one node wherever they are called.

use std::panic::Location;

use super::tape::{Port, Tape};
use super::{Expr, Graph, Strategy};
use crate::device::{Body, Device, EngineError, Function, Kind, Node, Op, Parameters, Real};

/// A function of `I` values with `O` results, recorded once. Wherever it is called it is *one* node: scheduling and batching
/// see cells, and a device runs the cells of a batch together, their products as one product over all rows and what is
/// between them as one pass over memory.
///
/// The function makes each row of its results of the same row of its operands: products with weights ([`Expr::affine`]),
/// functions of one and two values, columns taken apart and put together, other cells, and constants of one row
/// ([`Graph::input`]). Its gradient follows from what was recorded.
///
/// A cell may be called on any graph over the same parameters, or others of the same shapes in the same places. Calls with
/// as many rows as one another or not run as one batch.
///
/// An LSTM of one's own, and the states after two words of two sentences, in a batch for each:
///
#[cfg_attr(feature = "train", doc = "```")]
#[cfg_attr(not(feature = "train"), doc = "```no_run")]
/// use saccade_rnn::device::{Device, Parameters};
/// use saccade_rnn::graph::{Cell, Graph, Strategy};
/// # pollster::block_on(async {
/// let (input, d) = (2, 3);
/// let mut parameters = Parameters::new();
/// let w = parameters.add("w", &[4 * d, input], vec![0.1; 4 * d * input])?;
/// let u = parameters.add("u", &[4 * d, d], vec![0.2; 4 * d * d])?;
/// let b = parameters.add("b", &[4 * d], vec![0.0; 4 * d])?;
///
/// let lstm = Cell::new("my_lstm", &parameters, [input, d, d], |_, [x, h, c]| {
///     let gates = x.affine(w, Some(b)) + h.affine(u, None);
///     let gate = |i: usize| gates.columns(i * d..(i + 1) * d);
///     let c = gate(1).sigmoid() * c + gate(0).sigmoid() * gate(2).tanh();
///     [gate(3).sigmoid() * c.tanh(), c]
/// })?;
///
/// let graph = Graph::training(&parameters, &Device::cpu(), Strategy::default(), 0);
/// let mut last = Vec::new();
/// for words in [[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]] {
///     let [mut h, mut c] = [graph.input(1, d, vec![0.0; d]), graph.input(1, d, vec![0.0; d])];
///     for word in words {
///         [h, c] = lstm.call([graph.input(1, input, word.to_vec()), h, c]);
///     }
///     last.push(h);
/// }
/// graph.values(&last).await?;
/// let report = graph.explain();
/// let cells: Vec<_> = report.batches().iter().filter(|batch| batch.op == "my_lstm").collect();
/// assert_eq!(cells.iter().map(|batch| batch.lanes).collect::<Vec<_>>(), [2, 2]);
/// graph.mean(&last).sum_columns().backward().await?; // gradients of w, u and b
/// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct Cell<const I: usize, const O: usize> {
    function: Function,
}

impl<const I: usize, const O: usize> Cell<I, O> {
    /// Records a function of values that have so many `columns`, a row each. `name` stands in reports and errors.
    ///
    /// # Errors
    /// The first mistake made in the function. [`EngineError::Unsupported`] for an operation that reads or makes other rows
    /// than its own (`op` names it), for a variable or a value of an earlier graph, if the function asks for a value, or if
    /// there is no operand or no result.
    #[track_caller]
    pub fn new(
        name: &'static str,
        parameters: &Parameters,
        columns: [usize; I],
        function: impl for<'g> FnOnce(&'g Graph, [Expr<'g>; I]) -> [Expr<'g>; O],
    ) -> Result<Self, EngineError> {
        let location = Location::caller();
        let function = self::function(name, parameters, columns.to_vec(), |graph, inputs| {
            function(graph, std::array::from_fn(|i| inputs[i])).to_vec()
        });
        Ok(Self { function: function.map_err(|error| error.at(location))? })
    }

    /// Calls it: one node. All operands have the same number of rows, one or more or none, and each the columns that the cell
    /// was recorded for; what does not fit is a mistake (see [`Graph::record`]).
    #[track_caller]
    pub fn call<'g>(&self, inputs: [Expr<'g>; I]) -> [Expr<'g>; O] {
        let op = Op::Cell(self.function.clone());
        let first = inputs[0].graph.record_one(op, &inputs, &[]);
        std::array::from_fn(|output| Expr { port: Port { output, ..first.port }, ..first })
    }

    /// The function, to be recorded by [`Graph::record`] as an [`Op::Cell`].
    pub fn function(&self) -> &Function {
        &self.function
    }
}

impl Graph {
    /// Records a cell over the parameters of this graph: see [`Cell::new`].
    ///
    /// ```
    /// use saccade_rnn::device::{Device, Parameters};
    /// use saccade_rnn::graph::{Graph, Strategy};
    /// # pollster::block_on(async {
    /// let graph = Graph::inference(&Parameters::new(), &Device::cpu(), Strategy::default());
    /// let squash = graph.cell("squash", [1, 1], |_, [a, b]| [(a + b).tanh()])?;
    /// let [y] = squash.call([graph.input(1, 1, vec![20.0]), graph.input(1, 1, vec![22.0])]);
    /// assert_eq!(y.value().await?, [1.0]);
    /// // What a cell cannot do is an error that says where.
    /// let error = graph.cell("total", [1], |_, [x]| [x.sum_rows()]).unwrap_err().to_string();
    /// assert!(error.starts_with("pool: a cell makes each row"), "{error}");
    /// # Ok::<(), saccade_rnn::device::EngineError>(()) }).unwrap();
    /// ```
    ///
    /// # Errors
    /// See [`Cell::new`].
    #[track_caller]
    pub fn cell<const I: usize, const O: usize>(
        &self,
        name: &'static str,
        columns: [usize; I],
        function: impl for<'g> FnOnce(&'g Graph, [Expr<'g>; I]) -> [Expr<'g>; O],
    ) -> Result<Cell<I, O>, EngineError> {
        Cell::new(name, self.parameters(), columns, function)
    }
}

/// Records a function as [`Cell::new`] does, of as many values and with as many results as there are.
pub(crate) fn function(
    name: &'static str,
    parameters: &Parameters,
    columns: Vec<usize>,
    function: impl for<'g> FnOnce(&'g Graph, Vec<Expr<'g>>) -> Vec<Expr<'g>>,
) -> Result<Function, EngineError> {
    let mut graph = Graph::training(parameters, &Device::cpu(), Strategy::default(), 0);
    let input = |&columns: &usize| graph.input(1, columns, vec![0.0; columns]).port;
    let inputs: Vec<Port> = columns.iter().map(input).collect();
    graph.within_cell = true;
    let outputs = function(&graph, inputs.into_iter().map(|port| Expr { graph: &graph, port }).collect());
    let body = body(name, &graph, columns, &outputs)?;
    Function::new(parameters, body)
}

/// A name that lives as long as the module: the same one for equal names, of which a program has few.
#[cfg(all(feature = "web", feature = "train", not(feature = "runs")))]
pub(crate) fn interned(name: &str) -> &'static str {
    thread_local! {
        static NAMES: std::cell::RefCell<Vec<&'static str>> = const { std::cell::RefCell::new(Vec::new()) };
    }
    NAMES.with_borrow_mut(|names| match names.iter().find(|known| **known == name) {
        Some(known) => known,
        None => {
            let name: &'static str = Box::leak(name.into());
            names.push(name);
            name
        }
    })
}

/// What was recorded on a graph, as a function of its first nodes.
fn body(
    name: &'static str,
    graph: &Graph,
    inputs: Vec<usize>,
    outputs: &[Expr<'_>],
) -> Result<Body, EngineError> {
    let tape = graph.tape.borrow();
    let unsupported = |reason| Err(EngineError::Unsupported { op: name, reason });
    if let Some(mistake) = tape.first_mistake() {
        return Err(mistake.clone());
    }
    if inputs.is_empty() || outputs.is_empty() {
        return unsupported("a cell has at least one operand and one result");
    }
    if outputs.iter().any(|output| !std::ptr::eq(output.graph, graph)) {
        return unsupported("a result belongs to another graph");
    }
    if tape.done() > 0 {
        return unsupported("a cell cannot ask for a value: it is recorded before there is any");
    }
    let mut recorder = Recorder { tape: &tape, nodes: Vec::new(), of_tape: Vec::new() };
    for number in 0..tape.len() {
        let made = recorder.node(number, inputs.len())?;
        recorder.of_tape.push(made);
    }
    let outputs =
        outputs.iter().map(|output| recorder.of_tape[output.port.node][output.port.output]).collect();
    let nodes = recorder.nodes;
    Ok(Body { name, inputs, nodes, outputs })
}

/// Makes nodes of a function of those of a tape.
struct Recorder<'a> {
    tape: &'a Tape,
    nodes: Vec<Node>,
    /// For each node of the tape, the nodes that are its outputs.
    of_tape: Vec<Vec<usize>>,
}

impl Recorder<'_> {
    /// The nodes that are the outputs of one of the tape, whose first are the inputs.
    fn node(&mut self, number: usize, inputs: usize) -> Result<Vec<usize>, EngineError> {
        let shape = self.tape.shapes(number)[0];
        let columns = shape.columns;
        let op = self.tape.op(number);
        let operands: Vec<usize> =
            self.tape.inputs(number).iter().map(|port| self.of_tape[port.node][port.output]).collect();
        let kind = match op {
            Op::Input if number < inputs => Kind::Input(number),
            Op::Input if self.tape.is_differentiable(number) => {
                let reason = "a cell has no variables of its own; make it an operand or a parameter";
                return Err(EngineError::Unsupported { op: "variable", reason });
            }
            Op::Input if shape.rows != 1 => {
                let (what, found) = ("rows of a constant of a cell".into(), shape.rows.to_string());
                return Err(EngineError::Shape { op: "input", what, expected: "1".into(), found });
            }
            Op::Input => Kind::Constant(self.tape.values_of(number).iter().copied().map(Real).collect()),
            Op::Held => {
                let reason = "a cell takes values of earlier graphs as operands";
                return Err(EngineError::Unsupported { op: "held", reason });
            }
            Op::Cell(function) => return Ok(self.splice(function.body(), &operands)),
            op => Kind::Op(op.clone(), operands),
        };
        self.nodes.push(Node { kind, columns });
        Ok(vec![self.nodes.len() - 1])
    }

    /// Adds the nodes of another function; those that are its outputs.
    fn splice(&mut self, body: &Body, operands: &[usize]) -> Vec<usize> {
        let mut of_body = Vec::with_capacity(body.nodes.len());
        for node in &body.nodes {
            let kind = match &node.kind {
                Kind::Input(i) => {
                    of_body.push(operands[*i]);
                    continue;
                }
                Kind::Constant(row) => Kind::Constant(row.clone()),
                Kind::Op(op, of) => Kind::Op(op.clone(), of.iter().map(|&of| of_body[of]).collect()),
            };
            of_body.push(self.nodes.len());
            self.nodes.push(Node { kind, columns: node.columns });
        }
        body.outputs.iter().map(|&output| of_body[output]).collect()
    }
}
