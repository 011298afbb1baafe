//! Nodes of one type and one depth together.

use super::dag::{Buckets, Dag};

pub(super) fn plan(dag: &Dag) -> Buckets {
    let depth = dag.depths();
    let kind = |node: u32| (depth[node as usize], dag.types[node as usize]);
    let deepest = depth.iter().copied().max().map_or(0, |depth| depth as usize + 1);
    // By type, and then by depth: nodes of one type stay side by side.
    let by_type = dag.by_type().items;
    let items = Buckets::new(deepest, by_type.iter().map(|&node| (depth[node as usize], node))).items;
    let ends = |&at: &usize| at == items.len() || at == 0 || kind(items[at - 1]) != kind(items[at]);
    let starts = (0..=items.len()).filter(ends).map(|at| at as u32).collect();
    Buckets { starts, items }
}
