use super::dag::Dag;
use super::{Levels, Strategy, plan};
use crate::cpu::noise;

const ALL: [Strategy; 4] = [Strategy::Unbatched, Strategy::Depth, Strategy::Agenda, Strategy::Levels];

/// Draws of whole numbers.
struct Draws(u32);

impl Draws {
    fn below(&mut self, bound: usize) -> usize {
        self.0 += 1;
        noise::bits(7, self.0, 0) as usize % bound
    }
}

/// Types are numbered in the order in which they first occur.
fn dag(nodes: impl IntoIterator<Item = (u32, Vec<u32>)>) -> Dag {
    let (mut dag, mut seen) = (Dag::with_capacity(0), Vec::new());
    for (kind, operands) in nodes {
        let number = seen.iter().position(|&other| other == kind).unwrap_or_else(|| {
            seen.push(kind);
            seen.len() - 1
        });
        dag.push(number as u32, operands.into_iter());
    }
    dag
}

/// Nodes of so many types whose operands are any nodes before them.
fn any_dag(draws: &mut Draws, nodes: usize, types: usize) -> Dag {
    dag((0..nodes).map(|node| {
        let operands = if node == 0 { 0 } else { draws.below(4) };
        (draws.below(types) as u32, (0..operands).map(|_| draws.below(node) as u32).collect())
    }))
}

/// Binary trees with so many leaves each: leaf cells, inner cells, and with `every_node` an output of every node, otherwise of
/// the root.
fn trees(draws: &mut Draws, trees: usize, every_node: bool) -> Dag {
    let mut nodes: Vec<(u32, Vec<u32>)> = Vec::new();
    for _ in 0..trees {
        let mut add = |kind, operands, output| {
            nodes.push((kind, operands));
            let cell = nodes.len() as u32 - 1;
            if output {
                nodes.push((2, vec![cell]));
            }
            cell
        };
        let leaves = 1 + draws.below(30);
        let mut row: Vec<u32> = (0..leaves).map(|_| add(0, vec![], every_node || leaves == 1)).collect();
        while row.len() > 1 {
            let at = draws.below(row.len() - 1);
            let right = row.remove(at + 1);
            row[at] = add(1, vec![row[at], right], every_node || row.len() == 1);
        }
    }
    dag(nodes)
}

/// Sentences of words read in both directions, a character at a time where they are rare, and an output of every word.
fn tagger(draws: &mut Draws, sentences: usize) -> Dag {
    let mut nodes: Vec<(u32, Vec<u32>)> = Vec::new();
    let mut add = |kind, operands| {
        nodes.push((kind, operands));
        nodes.len() as u32 - 1
    };
    fn read(
        add: &mut impl FnMut(u32, Vec<u32>) -> u32,
        kind: u32,
        inputs: impl Iterator<Item = u32>,
    ) -> Vec<u32> {
        let mut state = None;
        let step = |x| {
            let state = &mut state;
            let next = add(kind, state.iter().copied().chain([x]).collect());
            *state = Some(next);
            next
        };
        inputs.map(step).collect()
    }
    for _ in 0..sentences {
        let mut words = Vec::new();
        for _ in 0..1 + draws.below(25) {
            if draws.below(4) > 0 {
                words.push(add(0, vec![]));
                continue;
            }
            let letters: Vec<u32> = (0..1 + draws.below(12)).map(|_| add(1, vec![])).collect();
            let ends = [
                *read(&mut add, 2, letters.iter().copied()).last().unwrap(),
                *read(&mut add, 3, letters.iter().rev().copied()).last().unwrap(),
            ];
            words.push(add(4, ends.to_vec()));
        }
        let there = read(&mut add, 5, words.iter().copied());
        let back = read(&mut add, 6, words.iter().rev().copied());
        for (x, y) in there.into_iter().zip(back.into_iter().rev()) {
            add(7, vec![x, y]);
        }
    }
    dag(nodes)
}

/// The bound by its definition, a type at a time.
fn bound_by_definition(dag: &Dag) -> usize {
    (0..dag.kinds as u32)
        .map(|kind| {
            let mut most = vec![0; dag.len()];
            for node in 0..dag.len() {
                let below = dag.operands(node).iter().map(|&of| most[of as usize]).max().unwrap_or(0);
                most[node] = below + usize::from(dag.types[node] == kind);
            }
            most.into_iter().max().unwrap_or(0)
        })
        .sum()
}

#[test]
fn every_order_runs_every_node_once_and_after_its_operands() {
    let mut draws = Draws(0);
    for round in 0..300 {
        let (nodes, types) = (draws.below(60), 1 + draws.below(if round % 3 == 0 { 30 } else { 5 }));
        let dag = any_dag(&mut draws, nodes, types);
        let bound = Levels::of(&dag).bound();
        assert_eq!(bound, bound_by_definition(&dag));
        for strategy in ALL {
            let plan = plan(&dag, strategy);
            let mut batch_of = vec![None; dag.len()];
            for batch in 0..plan.len() {
                for &node in plan.get(batch) {
                    assert_eq!(batch_of[node as usize].replace(batch), None, "{strategy:?}: once");
                    assert_eq!(
                        dag.types[node as usize],
                        dag.types[plan.get(batch)[0] as usize],
                        "{strategy:?}"
                    );
                }
            }
            for node in 0..dag.len() {
                let ran = batch_of[node].expect("every node runs");
                let before = |&of: &u32| batch_of[of as usize].is_some_and(|batch| batch < ran);
                assert!(dag.operands(node).iter().all(before), "{strategy:?}");
            }
            assert!(plan.len() >= bound, "{strategy:?}: {} batches, at least {bound}", plan.len());
        }
    }
}

#[test]
fn cells_of_trees_and_chains_take_as_few_batches_as_any_order() {
    let mut draws = Draws(1_000_000);
    let mut agenda_takes_more = 0;
    for size in [1, 2, 3, 8, 64, 256] {
        let (every_node, root) = (trees(&mut draws, size, true), trees(&mut draws, size, false));
        for dag in [&every_node, &root, &tagger(&mut draws, size)] {
            assert_eq!(plan(dag, Strategy::Levels).len(), Levels::of(dag).bound(), "{size}");
        }
        let agenda = plan(&every_node, Strategy::Agenda).len();
        agenda_takes_more += usize::from(agenda > Levels::of(&every_node).bound());
    }
    assert!(agenda_takes_more >= 4, "a loss at every node is what the agenda runs too early");
}

#[test]
fn levels_never_take_more_batches_than_the_greatest_height_alone() {
    // Two types that wait for each other: no level of either is ready as a whole.
    let crossed = dag([(0, vec![]), (1, vec![]), (1, vec![0]), (0, vec![1]), (0, vec![2]), (1, vec![3])]);
    let plan = plan(&crossed, Strategy::Levels);
    assert_eq!(plan.len(), 4);
    assert_eq!(Levels::of(&crossed).bound(), 4);
}

/// Chains of different lengths: at every step, those that go on are the first of those of the step before.
#[test]
fn the_longest_come_first() {
    let mut nodes = Vec::new();
    for length in [2, 5, 1, 5, 3] {
        for step in 0..length {
            let before = nodes.len() as u32;
            nodes.push((u32::from(step > 0), if step > 0 { vec![before - 1] } else { vec![] }));
        }
    }
    let dag = dag(nodes);
    let plan = plan(&dag, Strategy::Levels);
    assert_eq!(plan.len(), 5);
    for step in 1..5 {
        let before: Vec<u32> = plan.get(step).iter().map(|&node| node - 1).collect();
        assert_eq!(before, plan.get(step - 1)[..before.len()]);
    }
}
