//! What was batched, and why not more.

use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::attributes::differing;
use super::schedule::{Buckets, Dag, Levels, along_paths};
use super::tape::{Key, Tape};
use crate::device::{Op, Parameters};

/// One kernel call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchReport {
    /// The operation's name.
    pub op: &'static str,
    /// Nodes that ran together.
    pub lanes: usize,
    /// Which ones: their numbers in the order in which nodes were recorded, the least first.
    pub nodes: Vec<usize>,
    /// Rows of the first output, all lanes together.
    pub rows: usize,
    /// Operands that were copied to lie end to end (the others lay so already).
    pub copied_operands: usize,
    /// If one node ran alone: why.
    pub alone: Option<Alone>,
    /// If nodes with the same key ran before: why these did not run with the last of them.
    pub split: Option<Split>,
}

/// Why the nodes of a batch were not part of the batch before of the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// All of them depend on nodes of that batch: no order could run them together.
    Follows,
    /// Some do not depend on it, but waited for something else when it ran.
    NotReady {
        /// How many.
        nodes: usize,
        /// What the first of them waited for.
        waited_for: &'static str,
    },
    /// Some were ready when it ran, and the strategy left them behind.
    LeftBehind {
        /// How many.
        nodes: usize,
    },
    /// They were recorded after a value was asked for, and that ran the other batch.
    RecordedLater,
}

impl std::fmt::Display for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Split::Follows => write!(f, "each depends on the batch before"),
            Split::NotReady { nodes, waited_for } => write!(f, "{nodes} waited for {waited_for}"),
            Split::LeftBehind { nodes } => write!(f, "{nodes} were ready and left behind"),
            Split::RecordedLater => write!(f, "recorded after a value was asked for"),
        }
    }
}

/// Why a node ran by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alone {
    /// It is the only one of its operation.
    OnlyOne,
    /// Others do the same operation, but none with the same attributes and parameters.
    OtherAttributes {
        /// Of its attributes those that one of the others has not, in words.
        this: String,
        /// The same of the other.
        other: String,
    },
    /// Others do the same operation with the same attributes on operands with other columns.
    OtherColumns {
        /// Columns of its operands.
        this: Vec<usize>,
        /// Columns of the other's.
        other: Vec<usize>,
    },
    /// Others have the same key, but were not ready (or, by depth, not at the same depth) when it ran.
    NotTogether {
        /// Its depth in the graph.
        depth: usize,
        /// The depth of the closest other.
        other: usize,
    },
}

impl std::fmt::Display for Alone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Alone::OnlyOne => write!(f, "the only one of its operation"),
            Alone::OtherAttributes { this, other } => {
                write!(f, "attributes differ: {this}; of another {other}")
            }
            Alone::OtherColumns { this, other } => write!(f, "columns differ: {this:?} and {other:?}"),
            Alone::NotTogether { depth, other } => {
                write!(f, "not ready together: depth {depth}, the closest other {other}")
            }
        }
    }
}

/// All kernel calls of a graph so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    batches: Vec<BatchReport>,
    lower_bound: usize,
}

impl Report {
    pub(super) fn of(tape: &mut Tape, parameters: &Parameters) -> Self {
        let (dag, nodes) =
            tape.dag(0, |tape, node| tape.ran(node).is_some() && !tape.is_left_in_its_table(node));
        let ran = Ran::new(tape, parameters, &dag, &nodes);
        let mut last_of_key = vec![None; tape.keys().len()];
        let mut batches = Vec::with_capacity(tape.batches.len());
        for (number, batch) in tape.batches.iter().enumerate() {
            if tape.is_left_in_its_table(batch.nodes[0]) {
                continue;
            }
            let before: Option<usize> = last_of_key[tape.key_number(batch.nodes[0])].replace(number);
            batches.push(BatchReport {
                op: tape.op(batch.nodes[0]).name(),
                lanes: batch.nodes.len(),
                nodes: sorted(&batch.nodes),
                rows: batch.outputs.first().map_or(0, |(_, offsets)| offsets[offsets.len() - 1]),
                copied_operands: batch.copied.iter().filter(|c| **c).count(),
                alone: (batch.nodes.len() == 1).then(|| ran.why_alone(batch.nodes[0])),
                split: before.map(|before| ran.why_split(number, before)),
            });
        }
        Self { batches, lower_bound: Levels::of(&dag, &dag.users()).bound() }
    }

    /// The calls in the order they ran.
    pub fn batches(&self) -> &[BatchReport] {
        &self.batches
    }

    /// How many nodes ran.
    pub fn nodes(&self) -> usize {
        self.batches.iter().map(|b| b.lanes).sum()
    }

    /// The least number of calls that these nodes need in any order ([`Graph::lower_bound`](super::Graph::lower_bound)).
    pub fn lower_bound(&self) -> usize {
        self.lower_bound
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (nodes, calls, least) = (self.nodes(), self.batches.len(), self.lower_bound);
        writeln!(f, "{nodes} nodes ran as {calls} kernel calls; no order needs fewer than {least}")?;
        for batch in &self.batches {
            write!(f, "{:>6} x {:<14} {:>7} rows", batch.lanes, batch.op, batch.rows)?;
            if batch.copied_operands > 0 {
                write!(f, ", {} operands copied", batch.copied_operands)?;
            }
            if let Some(reason) = &batch.alone {
                write!(f, ", alone: {reason}")?;
            }
            match &batch.split {
                Some(reason) => writeln!(f, ", apart: {reason}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

fn sorted(nodes: &[usize]) -> Vec<usize> {
    let mut sorted = nodes.to_vec();
    sorted.sort_unstable();
    sorted
}

/// What is known of the nodes that ran.
struct Ran<'a> {
    tape: &'a Tape,
    parameters: &'a Parameters,
    /// The number of every node of the tape among those that ran.
    number: Vec<usize>,
    depth: Vec<u32>,
    /// Those of every key, by depth; and the place of each there.
    alike: Buckets,
    place: Vec<usize>,
    key: Vec<usize>,
    /// One more than the last batch that a node of the same key ran in which this one depends on, or 0.
    last_below: Vec<u32>,
    same_op: FirstTwo<'a, &'a Op>,
    same_name: FirstTwo<'a, &'static str>,
}

/// Of the keys that have something in common the first two: one of them is another than any.
struct FirstTwo<'a, T>(FxHashMap<T, [Option<&'a Key>; 2]>);

impl<'a, T: Eq + Hash> FirstTwo<'a, T> {
    fn new(keys: &'a [Key], common: impl Fn(&'a Key) -> T) -> Self {
        let mut found: FxHashMap<T, [Option<&Key>; 2]> = FxHashMap::default();
        for key in keys {
            let two = found.entry(common(key)).or_default();
            if let Some(free) = two.iter_mut().find(|key| key.is_none()) {
                *free = Some(key);
            }
        }
        Self(found)
    }

    /// The first key with this in common that is not the given one.
    fn other(&self, common: T, key: &Key) -> Option<&'a Key> {
        self.0.get(&common)?.iter().copied().flatten().find(|&other| other != key)
    }
}

impl<'a> Ran<'a> {
    fn new(tape: &'a Tape, parameters: &'a Parameters, dag: &Dag, nodes: &[usize]) -> Self {
        let mut number = vec![usize::MAX; tape.len()];
        nodes.iter().enumerate().for_each(|(i, &node)| number[node] = i);
        let depth = dag.depths();
        let alike = dag.by_type_and_depth(&depth);
        let (mut place, mut key) = (vec![0; dag.len()], vec![0; dag.len()]);
        for kind in 0..alike.len() {
            alike
                .get(kind)
                .iter()
                .enumerate()
                .for_each(|(at, &node)| (place[node as usize], key[node as usize]) = (at, kind));
        }
        let mut last_below = vec![0; dag.len()];
        along_paths(
            dag,
            dag.nodes(),
            |node| dag.operands(node),
            |node, below| {
                last_below[node] = below;
                tape.ran(nodes[node]).map_or(0, |(batch, _)| batch as u32 + 1)
            },
        );
        let same_op = FirstTwo::new(tape.keys(), |key| &key.op);
        let same_name = FirstTwo::new(tape.keys(), |key| key.op.name());
        Self { tape, parameters, number, depth, alike, place, key, last_below, same_op, same_name }
    }

    fn why_alone(&self, node: usize) -> Alone {
        let number = self.number[node];
        let (depth, place) = (self.depth[number], self.place[number]);
        let alike = self.alike.get(self.key[number]);
        let beside =
            [place.checked_sub(1), Some(place + 1)].into_iter().flatten().filter_map(|at| alike.get(at));
        let closest =
            beside.map(|&other| self.depth[other as usize]).min_by_key(|other| other.abs_diff(depth));
        if let Some(other) = closest {
            return Alone::NotTogether { depth: depth as usize, other: other as usize };
        }
        let key = self.tape.key(node);
        if let Some(other) = self.same_op.other(&key.op, key) {
            return Alone::OtherColumns { this: key.columns.clone(), other: other.columns.clone() };
        }
        match self.same_name.other(key.op.name(), key) {
            Some(other) => {
                let [this, other] = differing(self.parameters, &key.op, &other.op);
                Alone::OtherAttributes { this, other }
            }
            None => Alone::OnlyOne,
        }
    }

    fn why_split(&self, batch: usize, before: usize) -> Split {
        let batches = &self.tape.batches;
        if batches[batch].flush != batches[before].flush {
            return Split::RecordedLater;
        }
        let (mut not_ready, mut left_behind, mut waited_for) = (0, 0, None);
        for &node in &batches[batch].nodes {
            if self.last_below[self.number[node]] as usize == before + 1 {
                continue;
            }
            let later = |of: &usize| self.tape.ran(*of).is_some_and(|(batch, _)| batch > before);
            match self.tape.inputs(node).iter().map(|port| port.node).find(later) {
                Some(operand) => {
                    not_ready += 1;
                    waited_for.get_or_insert(operand);
                }
                None => left_behind += 1,
            }
        }
        match waited_for {
            _ if left_behind > 0 => Split::LeftBehind { nodes: left_behind },
            Some(operand) => Split::NotReady { nodes: not_ready, waited_for: self.tape.op(operand).name() },
            None => Split::Follows,
        }
    }
}
