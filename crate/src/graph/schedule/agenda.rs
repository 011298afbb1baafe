//! Of the types that have a ready node, the one of the lowest mean depth: DyNet's order.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::dag::{Buckets, Dag, looked};
use super::frontier::{Rule, levels_of, play};
use crate::cpu::order::argsort;

pub(super) fn plan(dag: &Dag) -> Buckets {
    let mut totals = vec![(0u64, 0u64); dag.kinds];
    for (&kind, depth) in dag.types.iter().zip(dag.depths()) {
        totals[kind as usize].0 += u64::from(depth);
        totals[kind as usize].1 += 1;
    }
    let mean = |kind: usize| totals[kind].0 as f64 / totals[kind].1.max(1) as f64;
    let by_mean = argsort(dag.kinds, &|a, b| mean(a).total_cmp(&mean(b)));
    let by_mean: Vec<u32> = by_mean.into_iter().map(|kind| kind as u32).collect();
    let mut place = vec![0; dag.kinds];
    by_mean.iter().zip(0..).for_each(|(&kind, at)| place[kind as usize] = at);
    let rule = Agenda { dag, by_mean, place, listed: vec![false; dag.kinds], ready: BinaryHeap::new() };
    let order = play(dag, &dag.users(), rule);
    // In the order of recording, which is also the order in which operands lie when they ran together.
    Buckets::new(order.batches, order.of_node.iter().copied().zip(0..))
}

struct Agenda<'a> {
    dag: &'a Dag,
    /// Types by mean depth, and the place of every type among them.
    by_mean: Vec<u32>,
    place: Vec<u32>,
    /// Whether a type is among those that have a ready node, and their places.
    listed: Vec<bool>,
    ready: BinaryHeap<Reverse<u32>>,
}

impl Rule for Agenda<'_> {
    fn ready(&mut self, node: u32) {
        let kind = self.dag.types[node as usize] as usize;
        if !std::mem::replace(&mut self.listed[kind], true) {
            self.ready.push(Reverse(self.place[kind]));
            looked(levels_of(&self.ready));
        }
    }

    fn runs(&mut self, _: u32) {}

    fn next(&mut self) -> Option<u32> {
        looked(levels_of(&self.ready));
        let Reverse(place) = self.ready.pop()?;
        let kind = self.by_mean[place as usize];
        self.listed[kind as usize] = false;
        Some(kind)
    }
}
