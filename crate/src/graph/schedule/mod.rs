//! In which order, and with whom, nodes run.

mod agenda;
mod bound;
mod dag;
mod depth;
mod frontier;
mod levels;
#[cfg(test)]
mod tests;
mod unbatched;

use crate::device::GRAPH;
pub(super) use bound::{Levels, along_paths};
pub(super) use dag::{Buckets, Dag};

/// How nodes are grouped into batches. All agree in values and gradients, to the order of sums.
///
/// A build with `web` and without `graph` runs models alone, whose programs are layers one after the other; there every
/// strategy is [`Self::Depth`], which is as good as any for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Every node by itself, in the order it was recorded.
    Unbatched,
    /// Nodes with the same key and the same depth (longest path from a leaf) run together.
    Depth,
    /// Of the nodes that are ready, those whose key has the lowest mean depth run together (DyNet's default): nodes
    /// of the same kind wait for each other even where their depths differ.
    Agenda,
    /// Nodes with the same key run together once all that are left of their highest level are ready: those with the most
    /// nodes of that key on a path that begins there. Chains and trees of cells take as few batches as any order can
    /// ([`Graph::lower_bound`](super::Graph::lower_bound)), other programs a few more.
    #[default]
    Levels,
}

/// Groups nodes, in an order that respects their operands. Nodes of a group have one type.
///
/// It takes time in proportion to nodes and operands together, `Agenda` beside that for each node up to the logarithm of how many
/// types there are. `Levels` goes through all of them once for every eight types that recur ([`bound::recurring`]), and takes up
/// to the logarithm of how many nodes there are for each, by a heap whose entries out of date are left in it.
pub(super) fn plan(dag: &Dag, strategy: Strategy) -> Buckets {
    match strategy {
        _ if !GRAPH => depth::plan(dag),
        Strategy::Depth => depth::plan(dag),
        Strategy::Unbatched => unbatched::plan(dag),
        Strategy::Agenda => agenda::plan(dag),
        Strategy::Levels => levels::plan(dag),
    }
}
