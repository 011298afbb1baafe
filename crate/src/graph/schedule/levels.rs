//! A type runs once all that is left of its lowest unfinished level is ready.
//!
//! A node's level is the number of nodes of its own type on the longest path to it. No order runs a type in fewer batches
//! than it has levels, and who waits for all of a level spends none too many. Where no type has a whole level ready, a rule
//! of thumb chooses; the best one differs from program to program, so the batches of several are counted.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use super::bound::Levels;
use super::dag::{Buckets, Dag, looked};
use super::frontier::{Order, Rule, levels_of, play};

/// The orders of a graph of so many nodes at most are counted as wholes.
const WHOLE: usize = 16_384;

/// Of a larger graph, the batches of so many nodes are counted, the first and the last: a few programs tell which choice suits
/// them all, and one that is deeper than the others does not decide alone.
const COUNTED: usize = 4096;

pub(super) fn plan(dag: &Dag) -> Buckets {
    let known = Known::of(dag);
    let order = match dag.len() <= WHOLE {
        true => fewest(&[&known]).1.pop(),
        false => {
            let ends = [0..COUNTED, dag.len() - COUNTED..dag.len()].map(|nodes| dag.part(nodes));
            let ends = ends.each_ref().map(Known::of);
            known.play(fewest(&ends.each_ref()).0, usize::MAX)
        }
    };
    let order = order.unwrap_or_default();
    // In a batch, those with the longest way to go come first: where some sequences end, the others stay side by side.
    let highest = known.heights.iter().copied().max().unwrap_or(0);
    let from_top = dag.nodes().map(|node| (highest - known.heights[node as usize], node));
    let longest_first = Buckets::new(highest as usize + 1, from_top).items;
    Buckets::new(order.batches, longest_first.iter().map(|&node| (order.of_node[node as usize], node)))
}

/// Which type runs next.
#[derive(Clone, Copy)]
struct Choice {
    /// Whether a type whose lowest level is ready as a whole goes before all others.
    whole: bool,
    /// Of the others, whether the one goes first whose ready node has the shortest way behind it, rather than the longest before
    /// it.
    shallow: bool,
}

/// The least of them is likely the first.
const CHOICES: [Choice; 3] = [
    Choice { whole: true, shallow: false },
    Choice { whole: false, shallow: false },
    Choice { whole: true, shallow: true },
];

/// What all choices are made by.
struct Known<'a> {
    dag: &'a Dag,
    levels: Levels,
    users: Buckets,
    heights: Vec<u32>,
}

impl<'a> Known<'a> {
    fn of(dag: &'a Dag) -> Self {
        Self { dag, levels: Levels::of(dag), users: dag.users(), heights: dag.heights() }
    }

    /// The order of a choice, unless it takes `limit` batches or more.
    fn play(&self, choice: Choice, limit: usize) -> Option<Order> {
        let mut shallow = Vec::new();
        if choice.shallow {
            let depths = self.dag.depths();
            let deepest = depths.iter().copied().max().unwrap_or(0);
            shallow.extend(depths.into_iter().map(|depth| deepest - depth));
        }
        let first = if choice.shallow { &shallow } else { &self.heights };
        play(self.dag, &self.users, ByLevels::new(self.dag, &self.levels, first, choice.whole), limit)
    }
}

/// The choice of the fewest batches in all of these graphs, and their orders.
fn fewest(graphs: &[&Known<'_>]) -> (Choice, Vec<Order>) {
    let bound: usize = graphs.iter().map(|known| known.levels.bound()).sum();
    let (mut best, mut batches) = ((CHOICES[0], Vec::new()), usize::MAX);
    for choice in CHOICES {
        let mut left = batches;
        let play = |known: &&Known<'_>| {
            let order = known.play(choice, left)?;
            left -= order.batches;
            Some(order)
        };
        if batches > bound
            && let Some(orders) = graphs.iter().map(play).collect()
        {
            batches -= left;
            best = (choice, orders);
        }
    }
    best
}

struct ByLevels<'a> {
    dag: &'a Dag,
    levels: &'a Levels,
    /// Whether a type whose lowest level is ready as a whole goes before all others.
    whole: bool,
    /// Of the others, the type runs that has the ready node with the largest number here.
    first: &'a [u32],
    /// Where the levels of every type begin in `left`, which says how many nodes of each have not run.
    starts: Vec<u32>,
    left: Vec<u32>,
    /// The lowest unfinished level of every type, and how many nodes of it are ready.
    lowest: Vec<u32>,
    ready_at_lowest: Vec<u32>,
    /// Types with a whole level ready.
    full: VecDeque<u32>,
    /// One more than the largest number of a ready node of every type, or 0; and the types by it. What is there of a type
    /// that has run since is out of date.
    largest: Vec<u32>,
    by_largest: BinaryHeap<(u32, Reverse<u32>)>,
}

impl<'a> ByLevels<'a> {
    fn new(dag: &'a Dag, levels: &'a Levels, first: &'a [u32], whole: bool) -> Self {
        let kinds = dag.kinds();
        let mut starts = Vec::with_capacity(kinds);
        let mut size = 0;
        for highest in &levels.highest {
            starts.push(size);
            // Levels count from 1, and after the last there is one without nodes.
            size += highest + 2;
        }
        let mut left = vec![0; size as usize];
        for (&kind, level) in dag.types.iter().zip(&levels.of_node) {
            left[(starts[kind as usize] + level) as usize] += 1;
        }
        Self {
            dag,
            levels,
            whole,
            first,
            starts,
            left,
            lowest: vec![1; kinds],
            ready_at_lowest: vec![0; kinds],
            full: VecDeque::new(),
            largest: vec![0; kinds],
            by_largest: BinaryHeap::new(),
        }
    }

    fn left(&mut self, kind: usize, level: u32) -> &mut u32 {
        &mut self.left[(self.starts[kind] + level) as usize]
    }
}

impl Rule for ByLevels<'_> {
    fn ready(&mut self, node: u32) {
        let kind = self.dag.types[node as usize] as usize;
        let number = self.first[node as usize] + 1;
        if number > self.largest[kind] {
            self.largest[kind] = number;
            self.by_largest.push((number, Reverse(kind as u32)));
            looked(levels_of(&self.by_largest));
        }
        let lowest = self.lowest[kind];
        if self.whole && self.levels.of_node[node as usize] == lowest {
            self.ready_at_lowest[kind] += 1;
            if self.ready_at_lowest[kind] == *self.left(kind, lowest) {
                self.full.push_back(kind as u32);
            }
        }
    }

    fn runs(&mut self, node: u32) {
        let kind = self.dag.types[node as usize] as usize;
        self.largest[kind] = 0;
        self.ready_at_lowest[kind] = 0;
        *self.left(kind, self.levels.of_node[node as usize]) -= 1;
        while *self.left(kind, self.lowest[kind]) == 0 && self.lowest[kind] <= self.levels.highest[kind] {
            self.lowest[kind] += 1;
            looked(1);
        }
    }

    fn next(&mut self) -> Option<u32> {
        if let Some(kind) = self.full.pop_front() {
            return Some(kind);
        }
        loop {
            looked(levels_of(&self.by_largest));
            let (number, Reverse(kind)) = self.by_largest.pop()?;
            if self.largest[kind as usize] == number {
                return Some(kind);
            }
        }
    }
}
