//! What a graph has recorded, and what has run.
//!
//! Operands, indices and shapes of all nodes lie end to end in arrays of the tape: to record a node, and to drop it, costs
//! no allocation of its own.

use std::hash::BuildHasher;
use std::ops::Range;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::batch::Batch;
use super::programs::Program;
use super::schedule::Dag;
use crate::device::{Buffer, EngineError, Op, PROGRAMS, Shape};

/// No batch, no mistake, no type.
const NONE: u32 = u32::MAX;

/// All that recording and running change.
#[derive(Default)]
pub(crate) struct Tape {
    nodes: Vec<Node>,
    ports: Vec<Port>,
    indices: Vec<u32>,
    shapes: Vec<Shape>,
    keys: Vec<Key>,
    /// Keys by their hash, where a program of a user's own may have any number; models have few.
    hashed: FxHashMap<u64, u32>,
    /// Of every key, the node that had it last.
    latest: Vec<u32>,
    /// The node after the one that the last node is like: a loop records the same few in one order.
    likely: usize,
    /// Shapes of the operands of the node that is recorded, and their columns; kept for their room.
    pub(super) operands: Vec<Shape>,
    columns: Vec<usize>,
    /// The type of every key in a [`Dag`], while one is made.
    types: Vec<u32>,
    pub(super) batches: Vec<Batch>,
    /// Values of inputs until they are uploaded, which [`Op::Input`] nodes refer to by number.
    pub(super) values: Vec<Vec<f32>>,
    /// Values of earlier graphs, which [`Op::Held`] nodes refer to by number.
    pub(super) held: Vec<Held>,
    /// Nodes before this one have run, or never will.
    done: usize,
    /// The mistakes that were recorded, each with the program that recorded it, and what a device refused to run; a node that
    /// cannot run has the number of one.
    mistakes: Vec<(Option<Program>, EngineError)>,
    /// Gradients of batch outputs after a backward pass: `[batch][output]`.
    pub(super) gradients: Vec<Vec<Option<Buffer>>>,
    /// How often a node or a key was looked at.
    #[cfg(test)]
    pub(super) looks: std::cell::Cell<usize>,
}

/// A value that stays on the device after its graph is gone, such as the state that the next piece of a long text
/// begins with.
#[derive(Clone, Debug)]
pub struct Held {
    pub(super) buffer: Buffer,
    pub(super) rows: Range<usize>,
    pub(super) columns: usize,
}

impl Held {
    /// The buffer and the range of its elements, which [`Device::read`](crate::device::Device::read) copies to the host.
    pub fn elements(&self) -> (Buffer, Range<usize>) {
        (self.buffer.clone(), self.rows.start * self.columns..self.rows.end * self.columns)
    }
}

/// Nodes run together only if their keys are equal, compared whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(super) op: Op,
    /// Columns of every operand.
    pub(super) columns: Vec<usize>,
}

/// One recorded operation.
#[derive(Clone, Copy)]
struct Node {
    key: u32,
    /// Where its operands, indices and outputs end in the arrays of the tape; they begin where those of the node before end.
    ports: u32,
    indices: u32,
    shapes: u32,
    /// Its stream of dropout and Gumbel noise.
    stream: u32,
    /// The batch that ran it, and its lane there.
    batch: u32,
    lane: u32,
    /// Why it cannot run: the mistake made in recording it or one of its operands, or what the device said of either.
    mistake: u32,
    /// Whether its value has a gradient that something wants.
    differentiable: bool,
}

/// One output of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Port {
    pub(crate) node: usize,
    pub(crate) output: usize,
}

/// An operation on its way to the tape.
pub(super) struct Recorded<'a> {
    pub(super) op: Op,
    pub(super) indices: &'a [u32],
    pub(super) shapes: Vec<Shape>,
    pub(super) stream: u32,
    pub(super) differentiable: bool,
    pub(super) mistake: Option<Mistake>,
}

/// Why a node cannot run.
pub(super) enum Mistake {
    /// Its own mistake, and the program that records it.
    New(Option<Program>, EngineError),
    /// That of an operand, by number.
    Inherited(u32),
}

impl Tape {
    /// How many nodes were recorded.
    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Nodes before this one have run, or never will.
    pub(super) fn done(&self) -> usize {
        self.done
    }

    fn node(&self, node: usize) -> &Node {
        #[cfg(test)]
        self.looks.set(self.looks.get() + 1);
        &self.nodes[node]
    }

    /// Where something of a node lies, by the ends of all nodes.
    fn range(&self, node: usize, end: impl Fn(&Node) -> u32) -> Range<usize> {
        let start = if node == 0 { 0 } else { end(&self.nodes[node - 1]) };
        start as usize..end(self.node(node)) as usize
    }

    pub(super) fn inputs(&self, node: usize) -> &[Port] {
        &self.ports[self.range(node, |node| node.ports)]
    }

    /// Ids, targets, row numbers or forced decisions.
    pub(super) fn indices(&self, node: usize) -> &[u32] {
        &self.indices[self.range(node, |node| node.indices)]
    }

    /// The shapes of its outputs.
    pub(super) fn shapes(&self, node: usize) -> &[Shape] {
        &self.shapes[self.range(node, |node| node.shapes)]
    }

    pub(super) fn shape(&self, port: Port) -> Shape {
        self.shapes(port.node)[port.output]
    }

    pub(super) fn key(&self, node: usize) -> &Key {
        &self.keys[self.node(node).key as usize]
    }

    pub(super) fn key_number(&self, node: usize) -> usize {
        self.node(node).key as usize
    }

    pub(super) fn keys(&self) -> &[Key] {
        &self.keys
    }

    pub(super) fn op(&self, node: usize) -> &Op {
        &self.key(node).op
    }

    pub(super) fn stream(&self, node: usize) -> u32 {
        self.node(node).stream
    }

    pub(super) fn is_differentiable(&self, node: usize) -> bool {
        self.node(node).differentiable
    }

    /// The number of the mistake that keeps a node from running.
    pub(super) fn mistake_of(&self, node: usize) -> Option<u32> {
        Some(self.node(node).mistake).filter(|&mistake| mistake != NONE)
    }

    /// The values of an input that has not run.
    #[cfg(any(feature = "graph", not(feature = "web")))]
    pub(super) fn values_of(&self, input: usize) -> &[f32] {
        &self.values[self.indices(input)[0] as usize]
    }

    /// The value of an earlier graph that a node stands for.
    pub(super) fn held(&self, node: usize) -> &Held {
        &self.held[self.indices(node)[0] as usize]
    }

    /// The first mistake that anybody made.
    #[cfg(any(feature = "graph", not(feature = "web")))]
    pub(super) fn first_mistake(&self) -> Option<&EngineError> {
        self.mistakes.first().map(|(_, mistake)| mistake)
    }

    /// The batch that ran a node, and its lane there.
    pub(super) fn ran(&self, node: usize) -> Option<(usize, usize)> {
        let node = self.node(node);
        (node.batch != NONE).then_some((node.batch as usize, node.lane as usize))
    }

    /// Says which batch ran nodes, one a lane.
    pub(super) fn set_ran(&mut self, nodes: &[usize], batch: usize) {
        for (&node, lane) in nodes.iter().zip(0..) {
            (self.nodes[node].batch, self.nodes[node].lane) = (batch as u32, lane);
        }
    }

    /// Whether a node can run, now that its operands have; it cannot if one of them failed.
    pub(super) fn can_run(&mut self, node: usize) -> bool {
        if self.mistakes.is_empty() {
            return true;
        }
        let of_operand = || self.inputs(node).iter().find_map(|port| self.mistake_of(port.node));
        let mistake = self.mistake_of(node).or_else(of_operand);
        self.nodes[node].mistake = mistake.unwrap_or(NONE);
        mistake.is_none()
    }

    /// Says why nodes could not run. They are not tried again, since what they are made of may be used up.
    pub(super) fn fail(&mut self, nodes: &[usize], error: EngineError) {
        let number = self.mistakes.len() as u32;
        self.mistakes.push((None, error));
        nodes.iter().for_each(|&node| self.nodes[node].mistake = number);
    }

    /// Says that all nodes so far have run, but those that never will.
    pub(super) fn set_done(&mut self) {
        self.done = self.nodes.len();
    }

    /// Adds a node and returns its number.
    pub(super) fn push(&mut self, node: Recorded<'_>, inputs: impl Iterator<Item = Port> + Clone) -> usize {
        let mut columns = std::mem::take(&mut self.columns);
        columns.clear();
        columns.extend(inputs.clone().map(|port| self.shape(port).columns));
        if node.op == Op::ConcatRows {
            // However many there are, they lie end to end.
            columns.truncate(1);
        }
        if columns.is_empty() {
            // A leaf has no operand that says how many columns it has.
            columns.extend(node.shapes.first().map(|shape| shape.columns));
        }
        let key = self.number_of_key(node.op, &columns);
        self.follow(key);
        self.columns = columns;
        self.ports.extend(inputs);
        self.indices.extend_from_slice(node.indices);
        self.shapes.extend(node.shapes);
        let mistake = match node.mistake {
            None => NONE,
            Some(Mistake::Inherited(number)) => number,
            Some(Mistake::New(program, mistake)) => {
                self.mistakes.push((program, mistake));
                self.mistakes.len() as u32 - 1
            }
        };
        self.nodes.push(Node {
            key,
            ports: self.ports.len() as u32,
            indices: self.indices.len() as u32,
            shapes: self.shapes.len() as u32,
            stream: node.stream,
            batch: NONE,
            lane: 0,
            mistake,
            differentiable: node.differentiable,
        });
        self.nodes.len() - 1
    }

    /// Adds a node like the one that is likely to come next, if that has this operation and [`Self::push_again`] can; returns its
    /// number.
    pub(super) fn push_likely(
        &mut self,
        op: &Op,
        inputs: impl ExactSizeIterator<Item = Port> + Clone,
        stream: impl FnOnce(usize) -> u32,
    ) -> Option<usize> {
        let like = self.likely;
        let key = self.nodes.get(like)?.key as usize;
        if self.keys[key].op != *op {
            return None;
        }
        self.push_again(like, inputs, stream)
    }

    /// Adds a node that does what another one does, with other operands of the same shapes, and so makes values of the same
    /// shapes; returns its number. None if that is not known beforehand: either has indices or a mistake, or shapes differ.
    pub(super) fn push_again(
        &mut self,
        node: usize,
        inputs: impl ExactSizeIterator<Item = Port> + Clone,
        stream: impl FnOnce(usize) -> u32,
    ) -> Option<usize> {
        let before = self.inputs(node);
        let alike =
            |(&a, b): (&Port, Port)| self.shape(a) == self.shape(b) && self.mistake_of(b.node).is_none();
        let fits = self.mistake_of(node).is_none() && self.indices(node).is_empty();
        if !fits
            || before.is_empty()
            || before.len() != inputs.len()
            || !before.iter().zip(inputs.clone()).all(alike)
        {
            return None;
        }
        let differentiable =
            self.op(node).has_parameters() || inputs.clone().any(|port| self.is_differentiable(port.node));
        let (key, shapes) = (self.nodes[node].key, self.range(node, |node| node.shapes));
        self.follow(key);
        self.ports.extend(inputs);
        self.shapes.extend_from_within(shapes);
        self.nodes.push(Node {
            key,
            ports: self.ports.len() as u32,
            indices: self.indices.len() as u32,
            shapes: self.shapes.len() as u32,
            stream: stream(self.nodes.len()),
            batch: NONE,
            lane: 0,
            mistake: NONE,
            differentiable,
        });
        Some(self.nodes.len() - 1)
    }

    fn number_of_key(&mut self, op: Op, columns: &[usize]) -> u32 {
        let is = |&number: &u32| {
            #[cfg(test)]
            self.looks.set(self.looks.get() + 1);
            let key = &self.keys[number as usize];
            key.op == op && key.columns == columns
        };
        let number = self.keys.len() as u32;
        if let Some(likely) = self.nodes.get(self.likely).map(|node| node.key).filter(is) {
            return likely;
        }
        if PROGRAMS {
            let mut hash = FxBuildHasher.hash_one((&op, columns));
            // A key whose hash another one has goes by the next.
            while let Some(known) = self.hashed.get(&hash) {
                if is(known) {
                    return *known;
                }
                hash = hash.wrapping_add(1);
            }
            self.hashed.insert(hash, number);
        } else if let Some(known) = (0..number).rfind(is) {
            return known;
        }
        self.keys.push(Key { op, columns: columns.to_vec() });
        self.types.push(NONE);
        self.latest.push(self.nodes.len() as u32);
        number
    }

    /// A node of this key is added next: finds the one that it is like.
    fn follow(&mut self, key: u32) {
        let is_likely = self.nodes.get(self.likely).is_some_and(|node| node.key == key);
        let latest = std::mem::replace(&mut self.latest[key as usize], self.nodes.len() as u32);
        self.likely = 1 + if is_likely { self.likely } else { latest as usize };
    }

    /// The first mistake that `program`, or whoever records outside of programs, made, or one that a value depends on.
    pub(super) fn check(&self, wanted: &[Port], program: Option<Program>) -> Result<(), EngineError> {
        if self.mistakes.is_empty() {
            return Ok(());
        }
        match self.mistakes.iter().find(|(of, _)| *of == program) {
            Some((_, mistake)) => Err(mistake.clone()),
            None => self.check_values(wanted),
        }
    }

    /// The first mistake that a value depends on.
    pub(super) fn check_values(&self, wanted: &[Port]) -> Result<(), EngineError> {
        match wanted.iter().find_map(|port| self.mistake_of(port.node)) {
            Some(number) => Err(self.mistakes[number as usize].1.clone()),
            None => Ok(()),
        }
    }

    /// Whether no node from `first` on can run together with another.
    pub(super) fn have_keys_of_their_own(&mut self, first: usize) -> bool {
        let (nodes, types) = (&self.nodes[first..], &mut self.types);
        let seen = nodes
            .iter()
            .take_while(|node| std::mem::replace(&mut types[node.key as usize], 0) == NONE)
            .count();
        nodes.iter().take(seen + 1).for_each(|node| types[node.key as usize] = NONE);
        seen == nodes.len()
    }

    /// Nodes from `first` on that `is_in` names, their keys as types; and their numbers on the tape.
    pub(super) fn dag(&mut self, first: usize, is_in: impl Fn(&Self, usize) -> bool) -> (Dag, Vec<usize>) {
        let count = self.nodes.len() - first;
        let (mut dag, mut nodes, mut keys) =
            (Dag::with_capacity(count), Vec::with_capacity(count), Vec::new());
        let mut numbers = vec![NONE; count];
        for node in first..self.nodes.len() {
            if self.mistake_of(node).is_some() || !is_in(self, node) {
                continue;
            }
            let key = self.key_number(node);
            if self.types[key] == NONE {
                self.types[key] = keys.len() as u32;
                keys.push(key);
            }
            numbers[node - first] = nodes.len() as u32;
            nodes.push(node);
            let waits_for = self.inputs(node).iter().filter(|port| port.node >= first);
            let numbers = waits_for.map(|port| numbers[port.node - first]).filter(|&number| number != NONE);
            dag.push(self.types[key], numbers);
        }
        keys.into_iter().for_each(|key| self.types[key] = NONE);
        (dag, nodes)
    }
}
