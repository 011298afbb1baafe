//! Playing a rule: of the types that have ready nodes it names one after the other, and all ready nodes of it run.

use std::collections::BinaryHeap;

use super::dag::{Buckets, Dag, looked};

/// No node.
const NONE: u32 = u32::MAX;

/// Which type runs next.
pub(super) trait Rule {
    /// A node became ready.
    fn ready(&mut self, node: u32);

    /// A node runs, before those that wait for it become ready.
    fn runs(&mut self, node: u32);

    /// The type that runs next; none if no node is ready.
    fn next(&mut self) -> Option<u32>;
}

/// Batches by number: how many, and the one of every node.
pub(super) struct Order {
    pub(super) batches: usize,
    pub(super) of_node: Vec<u32>,
}

/// Plays a rule to the end.
pub(super) fn play(dag: &Dag, users: &Buckets, mut rule: impl Rule) -> Order {
    let none = vec![NONE; dag.kinds];
    let mut frontier = Frontier { dag, first: none.clone(), last: none, next: vec![NONE; dag.len()] };
    let mut waiting: Vec<u32> = dag.nodes().map(|node| dag.operands(node as usize).len() as u32).collect();
    for node in dag.nodes().filter(|&node| waiting[node as usize] == 0) {
        frontier.add(node);
        rule.ready(node);
    }
    let mut order = Order { batches: 0, of_node: vec![0; dag.len()] };
    while let Some(kind) = rule.next() {
        let first = std::mem::replace(&mut frontier.first[kind as usize], NONE);
        for node in frontier.chain(first) {
            order.of_node[node as usize] = order.batches as u32;
            rule.runs(node);
            looked(1);
        }
        order.batches += 1;
        let mut node = first;
        while node != NONE {
            for &user in users.get(node as usize) {
                waiting[user as usize] -= 1;
                if waiting[user as usize] == 0 {
                    frontier.add(user);
                    rule.ready(user);
                }
            }
            node = frontier.next[node as usize];
        }
    }
    order
}

/// How many levels a heap has, each of which a change may go through.
pub(super) fn levels_of<T>(heap: &BinaryHeap<T>) -> usize {
    heap.len().checked_ilog2().map_or(0, |levels| levels as usize + 1)
}

/// The nodes that are ready.
struct Frontier<'a> {
    dag: &'a Dag,
    /// The first and the last of every type that became ready, and after each node the next of its type.
    first: Vec<u32>,
    last: Vec<u32>,
    next: Vec<u32>,
}

impl Frontier<'_> {
    fn add(&mut self, node: u32) {
        let kind = self.dag.types[node as usize] as usize;
        match self.first[kind] {
            NONE => self.first[kind] = node,
            _ => self.next[self.last[kind] as usize] = node,
        }
        self.last[kind] = node;
    }

    fn chain(&self, first: u32) -> impl Iterator<Item = u32> {
        let there = |node: u32| (node != NONE).then_some(node);
        std::iter::successors(there(first), move |&node| there(self.next[node as usize]))
    }
}
