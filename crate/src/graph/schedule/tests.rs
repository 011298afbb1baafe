mod programs;
mod treebanks;

use super::bound::recurring;
use super::dag::{Dag, LOOKS};
use super::{Levels, Strategy, plan};
use programs::{Draws, Program, any_dag, dag, parser, tagger, trees, trees_of_operations};

const ALL: [Strategy; 4] = [Strategy::Unbatched, Strategy::Depth, Strategy::Agenda, Strategy::Levels];

fn bound(dag: &Dag) -> usize {
    Levels::of(dag, &dag.users()).bound()
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
        let bound = bound(&dag);
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
    for size in 1..=256 {
        let (every_node, root) = (trees(&mut draws, size, true), trees(&mut draws, size, false));
        let taggers = [false, true].map(|letters| tagger(&mut draws, size, letters, false));
        for dag in [&every_node, &root].into_iter().chain(&taggers) {
            assert_eq!(plan(dag, Strategy::Levels).len(), bound(dag), "{size}");
        }
        let agenda = plan(&every_node, Strategy::Agenda).len();
        agenda_takes_more += usize::from(agenda > bound(&every_node));
    }
    assert!(agenda_takes_more >= 200, "a loss at every node is what the agenda runs too early");
}

/// Batches over the bound.
fn over(dag: &Dag, strategy: Strategy) -> f64 {
    plan(dag, strategy).len() as f64 / bound(dag) as f64
}

/// What `Levels` reaches on drawn programs, at most and in the mean of all sizes; on those of a treebank see `treebanks`.
#[test]
fn where_the_bound_is_not_reached_few_batches_are_too_many() {
    const SIZES: [usize; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
    let mut means = [0.0; 5];
    for size in SIZES {
        let mut draws = Draws(size as u32 * 1_000_000);
        let programs = [
            ("parser of cells", parser(&mut draws, size, false), 1.07),
            ("parser", parser(&mut draws, size, true), 1.07),
            ("trees", trees_of_operations(&mut draws, size), 1.035),
            ("tagger", tagger(&mut draws, size, false, true), 1.0),
            ("tagger with letters", tagger(&mut draws, size, true, true), 1.02),
        ];
        for ((name, dag, most), mean) in programs.into_iter().zip(&mut means) {
            let [levels, agenda] = [Strategy::Levels, Strategy::Agenda].map(|strategy| over(&dag, strategy));
            assert!(levels <= most, "{name} of {size}: {levels}");
            assert!(levels <= agenda, "{name} of {size}: {levels}, the agenda {agenda}");
            *mean += levels / SIZES.len() as f64;
        }
    }
    assert!(
        means.iter().zip([1.03, 1.02, 1.02, 1.0 + 1e-9, 1.01]).all(|(&mean, most)| mean <= most),
        "{means:?}"
    );
}

#[test]
fn levels_wait_for_what_others_need_longest() {
    // Two types that wait for each other; of each, the first node is all of the highest level.
    let crossed = dag([(0, vec![]), (1, vec![]), (1, vec![0]), (0, vec![1]), (0, vec![2]), (1, vec![3])]);
    assert_eq!((plan(&crossed, Strategy::Levels).len(), bound(&crossed)), (4, 4));
    // The highest level of either type waits for a node of the other: whichever runs first, runs once too often.
    let stuck = dag([(0, vec![]), (1, vec![]), (0, vec![1]), (0, vec![2]), (1, vec![0]), (1, vec![4])]);
    assert_eq!((plan(&stuck, Strategy::Levels).len(), bound(&stuck)), (5, 4));
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

/// How often planning looks at a node, an operand, a user, a type or a level of a heap, for each node and operand.
fn looks(dag: &Dag, strategy: Strategy) -> f64 {
    let operands: usize = dag.nodes().map(|node| dag.operands(node as usize).len()).sum();
    LOOKS.set(0);
    plan(dag, strategy);
    LOOKS.get() as f64 / (dag.len() + operands) as f64
}

/// Unbatched looks at nothing.
#[test]
fn planning_is_in_proportion_to_nodes_and_operands_but_for_the_levels_of_a_heap() {
    let chain = |size| {
        let mut program = Program::default();
        let words: Vec<u32> = (0..100 * size).map(|_| program.add("word", &[])).collect();
        program.read(["step", "memory", "hidden"], true, words.into_iter());
        dag(program.0)
    };
    let program = |name: &str, size| {
        let draws = &mut Draws(3);
        match name {
            "trees" => trees(draws, size, true),
            "trees of operations" => trees_of_operations(draws, size),
            "chain" => chain(size),
            "tagger" => tagger(draws, size, true, false),
            "tagger of operations" => tagger(draws, size, true, true),
            "parser" => parser(draws, size, true),
            _ => any_dag(draws, 100 * size, 5),
        }
    };
    let names =
        ["trees", "trees of operations", "chain", "tagger", "tagger of operations", "parser", "drawn"];
    for (strategy, most) in [(Strategy::Depth, 2.2), (Strategy::Agenda, 8.0), (Strategy::Levels, 13.0)] {
        for name in names {
            let all = [512, 1024, 2048].map(|size| looks(&program(name, size), strategy));
            let grows = all[0].max(all[1]) * 1.03 < all[2];
            assert!(
                all.iter().all(|&looks| looks > 1.0 && looks < most) && !grows,
                "{strategy:?}, {name}: {all:?}"
            );
        }
    }
}

/// A pass over all nodes follows eight types; what else a type costs is about as much.
#[test]
fn levels_look_at_all_once_more_for_each_eight_types_that_recur() {
    let looks_and_passes = |types| {
        let dag = any_dag(&mut Draws(3), 4000, types);
        (looks(&dag, Strategy::Levels), recurring(&dag).len().div_ceil(8) as f64)
    };
    let (few, once) = looks_and_passes(8);
    assert_eq!(once, 1.0);
    for types in [16, 32, 64, 128, 256, 512] {
        let (looks, passes) = looks_and_passes(types);
        let more = (looks - few) / (passes - once);
        assert!((1.0..2.5).contains(&more), "{types} types: {more} for each pass");
    }
}
