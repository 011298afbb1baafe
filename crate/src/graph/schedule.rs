//! In which order, and with whom, nodes run.

use super::{Node, Tape};
use crate::cpu::order::sort_by;

/// How nodes are grouped into batches. All agree in values and gradients, to the order of sums.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Every node by itself, in the order it was recorded.
    Unbatched,
    /// Nodes with the same key and the same depth (longest path from a leaf) run together.
    Depth,
    /// Of the nodes that are ready, those whose key has the lowest mean depth run together (DyNet's default): nodes
    /// of the same kind wait for each other even where their depths differ.
    #[default]
    Agenda,
}

/// Groups the nodes that have not run, in an order that respects their operands. Nodes of a group have one key.
pub(super) fn plan(tape: &Tape, strategy: Strategy) -> Vec<Vec<usize>> {
    let pending = (tape.done..tape.nodes.len()).filter(|&node| tape.nodes[node].mistake.is_none());
    match strategy {
        Strategy::Unbatched => pending.map(|node| vec![node]).collect(),
        Strategy::Depth => {
            let depth = depths(&tape.nodes, tape.done);
            let group = |node: usize| (depth[node - tape.done], tape.nodes[node].key);
            let mut order: Vec<usize> = pending.collect();
            sort_by(&mut order, &|a, b| group(a).cmp(&group(b)));
            order.chunk_by(|&a, &b| group(a) == group(b)).map(<[usize]>::to_vec).collect()
        }
        Strategy::Agenda => agenda(tape),
    }
}

/// Longest path from a node that waits for nothing, for every node from `first` on.
pub(super) fn depths(nodes: &[Node], first: usize) -> Vec<usize> {
    let mut depth = Vec::with_capacity(nodes.len() - first);
    for node in &nodes[first..] {
        let below = node.inputs.iter().filter(|input| input.node >= first);
        depth.push(below.map(|input| depth[input.node - first] + 1).max().unwrap_or(0));
    }
    depth
}

fn agenda(tape: &Tape) -> Vec<Vec<usize>> {
    let first = tape.done;
    let pending = &tape.nodes[first..];
    let depth = depths(&tape.nodes, tape.done);
    // Mean depth of each key over the nodes of this call.
    let mut totals = vec![(0usize, 0usize); tape.keys.len()];
    for (node, depth) in pending.iter().zip(&depth) {
        totals[node.key].0 += depth;
        totals[node.key].1 += 1;
    }
    let mean: Vec<f64> = totals.iter().map(|&(sum, n)| sum as f64 / n.max(1) as f64).collect();
    // How many operands each node waits for, and who waits for it.
    let mut waiting = vec![0usize; pending.len()];
    let mut users = vec![Vec::new(); pending.len()];
    // By key.
    let mut ready = vec![Vec::new(); tape.keys.len()];
    for (i, node) in pending.iter().enumerate().filter(|(_, node)| node.mistake.is_none()) {
        for input in node.inputs.iter().filter(|input| input.node >= first) {
            users[input.node - first].push(i);
            waiting[i] += 1;
        }
        if waiting[i] == 0 {
            ready[node.key].push(i);
        }
    }
    let mut plan = Vec::new();
    let keys = 0..ready.len();
    let lowest = |ready: &[Vec<usize>]| {
        keys.clone().filter(|&key| !ready[key].is_empty()).min_by(|&a, &b| mean[a].total_cmp(&mean[b]))
    };
    while let Some(key) = lowest(&ready) {
        let mut group = std::mem::take(&mut ready[key]);
        // In the order of recording, which is also the order in which operands lie when they ran together.
        sort_by(&mut group, &|a, b| a.cmp(&b));
        for &node in &group {
            for &user in &users[node] {
                waiting[user] -= 1;
                if waiting[user] == 0 {
                    ready[pending[user].key].push(user);
                }
            }
        }
        plan.push(group.into_iter().map(|i| i + first).collect());
    }
    plan
}
