//! How few batches any order needs: of every type as many as one path has nodes of it.

use super::dag::{Buckets, Dag};

/// How many types one pass over the nodes follows.
const LANES: usize = 8;

/// The levels of nodes within their types.
pub(in crate::graph) struct Levels {
    /// For every node, the largest number of nodes of its own type on a path that begins there: 1 or more.
    pub(super) of_node: Vec<u32>,
    /// The highest level of every type.
    pub(super) highest: Vec<u32>,
}

impl Levels {
    pub(in crate::graph) fn of(dag: &Dag, users: &Buckets) -> Self {
        let (mut of_node, mut highest) = (vec![1; dag.len()], vec![1; dag.kinds]);
        along_paths(
            dag,
            dag.nodes().rev(),
            |node| users.get(node),
            |node, above| {
                let highest = &mut highest[dag.types[node] as usize];
                of_node[node] = above + 1;
                *highest = (*highest).max(above + 1);
                above + 1
            },
        );
        Self { of_node, highest }
    }

    /// The least number of batches.
    pub(in crate::graph) fn bound(&self) -> usize {
        self.highest.iter().map(|&level| level as usize).sum()
    }
}

/// Follows the types that recur along all paths, in an order in which the neighbours that a node is reached from come before it:
/// `own` is given every node of such a type and the largest number that it made of a node of that type on a path to this one,
/// or 0.
pub(in crate::graph) fn along_paths<'a>(
    dag: &Dag,
    order: impl Iterator<Item = u32> + Clone,
    from: impl Fn(usize) -> &'a [u32],
    mut own: impl FnMut(usize, u32) -> u32,
) {
    let types = recurring(dag);
    let mut lane_of = vec![LANES; dag.kinds];
    let mut largest = vec![[0; LANES]; if types.is_empty() { 0 } else { dag.len() }];
    for together in types.chunks(LANES) {
        together.iter().zip(0..).for_each(|(&kind, lane)| lane_of[kind as usize] = lane);
        for node in order.clone().map(|node| node as usize) {
            let mut here = [0; LANES];
            for &neighbour in from(node) {
                let there = &largest[neighbour as usize];
                (0..LANES).for_each(|lane| here[lane] = here[lane].max(there[lane]));
            }
            if let Some(value) = here.get_mut(lane_of[dag.types[node] as usize]) {
                *value = own(node, *value);
            }
            largest[node] = here;
        }
        together.iter().for_each(|&kind| lane_of[kind as usize] = LANES);
    }
}

/// The types of which a node may depend on another: those on a cycle of the graph of types, or between two. Nodes of any
/// other type depend on none of their own.
pub(super) fn recurring(dag: &Dag) -> Vec<u32> {
    // Every edge between types once.
    let by_type = dag.by_type();
    let mut seen = vec![u32::MAX; dag.kinds];
    let mut edges = Vec::new();
    for kind in 0..dag.kinds as u32 {
        for &of in by_type.get(kind as usize).iter().flat_map(|&node| dag.operands(node as usize)) {
            let below = dag.types[of as usize];
            if std::mem::replace(&mut seen[below as usize], kind) != kind {
                edges.push((below, kind));
            }
        }
    }
    let mut stays = vec![true; dag.kinds];
    // Those without a type below go, and then those without one above, until none is left to go.
    for up in [true, false] {
        let directed = edges.iter().map(|&(below, above)| if up { (below, above) } else { (above, below) });
        let next = Buckets::new(dag.kinds, directed.clone());
        let mut before = vec![0; dag.kinds];
        directed
            .clone()
            .filter(|&(from, _)| stays[from as usize])
            .for_each(|(_, to)| before[to as usize] += 1);
        let mut gone: Vec<u32> = (0..dag.kinds as u32)
            .filter(|&kind| stays[kind as usize] && before[kind as usize] == 0)
            .collect();
        while let Some(kind) = gone.pop() {
            stays[kind as usize] = false;
            for &to in next.get(kind as usize) {
                before[to as usize] -= 1;
                if before[to as usize] == 0 && stays[to as usize] {
                    gone.push(to);
                }
            }
        }
    }
    (0..dag.kinds as u32).filter(|&kind| stays[kind as usize]).collect()
}
