//! A type runs once all that is left of its highest level is ready.
//!
//! A node's level is the number of nodes of its own type on the longest path from it. What is left of a type needs as many
//! batches as the highest level among it: a batch that holds all of that level is none too many, and any other is one too many.
//! Where no type has all of its highest level ready, the one runs whose ready nodes have the longest way to go.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::bound::Levels;
use super::dag::{Buckets, Dag, looked};
use super::frontier::{Rule, levels_of, play};

pub(super) fn plan(dag: &Dag) -> Buckets {
    let (users, heights) = (dag.users(), dag.heights());
    let order = play(dag, &users, ByLevels::new(dag, Levels::of(dag, &users), &heights));
    // In a batch, those with the longest way to go come first: where some sequences end, the others stay side by side.
    let highest = heights.iter().copied().max().unwrap_or(0);
    let from_top = dag.nodes().map(|node| (highest - heights[node as usize], node));
    let longest_first = Buckets::new(highest as usize + 1, from_top).items;
    Buckets::new(order.batches, longest_first.iter().map(|&node| (order.of_node[node as usize], node)))
}

/// Whether all that is left of a type's highest level is ready, and one more than the longest way that a ready node of it has to
/// go, or 0. The larger goes first.
type Urgency = (bool, u32);

struct ByLevels<'a> {
    dag: &'a Dag,
    /// The highest of every type is that of what has not run.
    levels: Levels,
    heights: &'a [u32],
    /// Where the levels of every type begin in `left`, which says how many nodes of each have not run.
    starts: Vec<u32>,
    left: Vec<u32>,
    /// How many nodes of its highest level are ready, of every type.
    ready_at_highest: Vec<u32>,
    /// Of every type; and the types by it. What is there of a type that has run since, or is more urgent now, is out of date.
    urgency: Vec<Urgency>,
    by_urgency: BinaryHeap<(Urgency, Reverse<u32>)>,
}

impl<'a> ByLevels<'a> {
    fn new(dag: &'a Dag, levels: Levels, heights: &'a [u32]) -> Self {
        let kinds = dag.kinds();
        let mut starts = Vec::with_capacity(kinds);
        let mut size = 0;
        for highest in &levels.highest {
            starts.push(size);
            // Levels count from 1; no node is of level 0.
            size += highest + 1;
        }
        let mut left = vec![0; size as usize];
        for (&kind, level) in dag.types.iter().zip(&levels.of_node) {
            left[(starts[kind as usize] + level) as usize] += 1;
        }
        Self {
            dag,
            levels,
            heights,
            starts,
            left,
            ready_at_highest: vec![0; kinds],
            urgency: vec![(false, 0); kinds],
            by_urgency: BinaryHeap::new(),
        }
    }

    fn left(&mut self, kind: usize, level: u32) -> &mut u32 {
        &mut self.left[(self.starts[kind] + level) as usize]
    }
}

impl Rule for ByLevels<'_> {
    fn ready(&mut self, node: u32) {
        let kind = self.dag.types[node as usize] as usize;
        let (mut whole, longest) = self.urgency[kind];
        let highest = self.levels.highest[kind];
        if self.levels.of_node[node as usize] == highest {
            self.ready_at_highest[kind] += 1;
            whole = self.ready_at_highest[kind] == *self.left(kind, highest);
        }
        let urgency = (whole, longest.max(self.heights[node as usize] + 1));
        if urgency != self.urgency[kind] {
            self.urgency[kind] = urgency;
            self.by_urgency.push((urgency, Reverse(kind as u32)));
            looked(levels_of(&self.by_urgency));
        }
    }

    fn runs(&mut self, node: u32) {
        let kind = self.dag.types[node as usize] as usize;
        self.urgency[kind] = (false, 0);
        self.ready_at_highest[kind] = 0;
        *self.left(kind, self.levels.of_node[node as usize]) -= 1;
        while self.levels.highest[kind] > 0 && *self.left(kind, self.levels.highest[kind]) == 0 {
            self.levels.highest[kind] -= 1;
            looked(1);
        }
    }

    fn next(&mut self) -> Option<u32> {
        loop {
            looked(levels_of(&self.by_urgency));
            let (urgency, Reverse(kind)) = self.by_urgency.pop()?;
            if self.urgency[kind as usize] == urgency {
                return Some(kind);
            }
        }
    }
}
