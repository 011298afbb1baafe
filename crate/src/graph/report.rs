//! What was batched, and why not more.

use super::batch::Outcome;
use super::schedule;
use super::{Key, Tape};
use crate::device::Op;

/// One kernel call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchReport {
    /// The operation's name.
    pub op: &'static str,
    /// Nodes that ran together.
    pub lanes: usize,
    /// Rows of the first output, all lanes together.
    pub rows: usize,
    /// Operands that were copied to lie end to end (the others lay so already).
    pub copied_operands: usize,
    /// If one node ran alone: why.
    pub alone: Option<Alone>,
}

/// Why a node ran by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alone {
    /// It is the only one of its operation.
    OnlyOne,
    /// Others do the same operation, but none with the same attributes and parameters.
    OtherAttributes {
        /// The closest other node's attributes, in debug form, beside its own.
        this: String,
        /// The other's.
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
            Alone::OtherAttributes { this, other } => write!(f, "attributes differ: {this} and {other}"),
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
}

impl Report {
    pub(super) fn of(tape: &Tape) -> Self {
        let depth = schedule::depths(&tape.nodes, 0);
        // Rows of a table that no kernel needed were not gathered.
        let ran = tape.batches.iter().filter(|batch| match &batch.outcome {
            Outcome::Computed(_) => true,
            Outcome::Table(rows) => rows.is_gathered(),
        });
        let batches = ran.map(|batch| {
            let key = &tape.keys[tape.nodes[batch.nodes[0]].key];
            BatchReport {
                op: key.op.name(),
                lanes: batch.nodes.len(),
                rows: batch.outputs.first().map_or(0, |(_, offsets)| offsets[offsets.len() - 1]),
                copied_operands: batch.copied.iter().filter(|c| **c).count(),
                alone: (batch.nodes.len() == 1).then(|| why_alone(tape, &depth, batch.nodes[0])),
            }
        });
        Self { batches: batches.collect() }
    }

    /// The calls in the order they ran.
    pub fn batches(&self) -> &[BatchReport] {
        &self.batches
    }

    /// How many nodes ran.
    pub fn nodes(&self) -> usize {
        self.batches.iter().map(|b| b.lanes).sum()
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} nodes ran as {} kernel calls", self.nodes(), self.batches.len())?;
        for batch in &self.batches {
            write!(f, "{:>6} x {:<14} {:>7} rows", batch.lanes, batch.op, batch.rows)?;
            if batch.copied_operands > 0 {
                write!(f, ", {} operands copied", batch.copied_operands)?;
            }
            match &batch.alone {
                Some(reason) => writeln!(f, ", alone: {reason}")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}

fn why_alone(tape: &Tape, depth: &[usize], node: usize) -> Alone {
    let number = tape.nodes[node].key;
    let key = &tape.keys[number];
    let closest = (0..tape.nodes.len())
        .filter(|&other| other != node && tape.nodes[other].key == number)
        .min_by_key(|&other| depth[other].abs_diff(depth[node]));
    if let Some(other) = closest {
        return Alone::NotTogether { depth: depth[node], other: depth[other] };
    }
    let same_kind = |other: &&Key| *other != key && other.op.name() == key.op.name();
    let others: Vec<&Key> = tape.keys.iter().filter(same_kind).collect();
    if let Some(other) = others.iter().find(|other| other.op == key.op) {
        return Alone::OtherColumns { this: key.columns.clone(), other: other.columns.clone() };
    }
    match others.first() {
        Some(other) => Alone::OtherAttributes { this: attributes(&key.op), other: attributes(&other.op) },
        None => Alone::OnlyOne,
    }
}

fn attributes(op: &Op) -> String {
    format!("{op:?}")
}
