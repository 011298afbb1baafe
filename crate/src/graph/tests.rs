//! What only the inside of a graph shows.

use pollster::block_on;

use super::{Expr, Graph, Strategy};
use crate::device::{Device, Parameters};

fn step(x: Expr<'_>) -> Expr<'_> {
    x.tanh().sigmoid().tanh()
}

/// How many nodes the second flush of a graph looks at, after a first one of so many chains.
fn looks_of_second_flush(strategy: Strategy, chains: usize) -> usize {
    let graph = Graph::training(&Parameters::new(), &Device::cpu(), strategy, 0);
    let first: Vec<_> = (0..chains).map(|_| step(graph.input(1, 1, vec![0.5]))).collect();
    block_on(graph.values(&first)).expect("nothing is wrong");
    let second: Vec<_> = first.iter().take(5).map(|x| step(x.tanh() + *x)).collect();
    let before = graph.tape.borrow().looks.replace(0);
    assert!(before > 3 * chains, "looks are counted");
    block_on(graph.values(&second)).expect("nothing is wrong");
    graph.tape.borrow().looks.get()
}

#[test]
fn a_flush_looks_at_new_nodes_only() {
    for strategy in [Strategy::Unbatched, Strategy::Depth, Strategy::Agenda, Strategy::Levels] {
        let looks = [10, 100, 10_000].map(|chains| looks_of_second_flush(strategy, chains));
        assert_eq!(looks, [looks[0]; 3], "{strategy:?}");
    }
}
