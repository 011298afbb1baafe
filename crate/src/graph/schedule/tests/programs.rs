//! Programs as planning sees them: nodes of types, by what they read.

use super::super::dag::Dag;
use crate::cpu::noise;

/// Draws of whole numbers.
pub(super) struct Draws(pub(super) u32);

impl Draws {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 += 1;
        noise::bits(7, self.0, 0) as usize % bound
    }
}

/// Types are numbered in the order in which they first occur.
pub(super) fn dag<K: PartialEq>(nodes: impl IntoIterator<Item = (K, Vec<u32>)>) -> Dag {
    let (mut dag, mut seen) = (Dag::with_capacity(0), Vec::new());
    for (kind, operands) in nodes {
        let number = seen.iter().position(|other| *other == kind).unwrap_or_else(|| {
            seen.push(kind);
            seen.len() - 1
        });
        dag.push(number as u32, operands.into_iter());
    }
    dag
}

/// Nodes of so many types whose operands are any nodes before them.
pub(super) fn any_dag(draws: &mut Draws, nodes: usize, types: usize) -> Dag {
    dag((0..nodes).map(|node| {
        let operands = if node == 0 { 0 } else { draws.below(4) };
        (draws.below(types) as u32, (0..operands).map(|_| draws.below(node) as u32).collect())
    }))
}

/// Binary trees with so many leaves each: leaf cells, inner cells, and with `every_node` an output of every node, otherwise of
/// the root.
pub(super) fn trees(draws: &mut Draws, trees: usize, every_node: bool) -> Dag {
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

/// A program by the names of its nodes' types.
#[derive(Default)]
pub(super) struct Program(pub(super) Vec<(&'static str, Vec<u32>)>);

impl Program {
    pub(super) fn add(&mut self, kind: &'static str, operands: &[u32]) -> u32 {
        self.0.push((kind, operands.to_vec()));
        self.0.len() as u32 - 1
    }

    /// The states after every input: a node each, or three, as DyNet has them.
    pub(super) fn read(
        &mut self,
        [step, memory, hidden]: [&'static str; 3],
        operations: bool,
        inputs: impl Iterator<Item = u32>,
    ) -> Vec<u32> {
        let (mut h, mut c) = (None, None);
        let step = |x| {
            let gates = self.add(step, &[x].into_iter().chain(h).collect::<Vec<_>>());
            let next = if operations {
                let memory = *c.insert(self.add(memory, &[gates].into_iter().chain(c).collect::<Vec<_>>()));
                self.add(hidden, &[gates, memory])
            } else {
                gates
            };
            *h.insert(next)
        };
        inputs.map(step).collect()
    }

    /// The states of both directions.
    pub(super) fn read_both(
        &mut self,
        [there, back]: [&'static str; 2],
        operations: bool,
        inputs: &[u32],
    ) -> [Vec<u32>; 2] {
        let there = self.read([there, "c", "h"], operations, inputs.iter().copied());
        let mut back = self.read([back, "c", "h"], operations, inputs.iter().rev().copied());
        back.reverse();
        [there, back]
    }

    /// A node of a binary tree with a loss, an operation of DyNet's a node: its state and its memory, from those of its children.
    pub(super) fn tree_node(&mut self, children: &[[u32; 2]]) -> [u32; 2] {
        let (x, affine) = match children {
            [] => (self.add("word", &[]), ["leaf i", "leaf o", "leaf u"]),
            _ => (self.add("concat", &[children[0][0], children[1][0]]), ["inner i", "inner o", "inner u"]),
        };
        let [i, o, u] = affine.map(|kind| self.add(kind, &[x]));
        let (i, o, u) = (self.add("sigmoid", &[i]), self.add("sigmoid", &[o]), self.add("tanh", &[u]));
        let mut parts = vec![self.add("multiply", &[i, u])];
        for (&[h, c], kind) in children.iter().zip(["left f", "right f"]) {
            let f = self.add(kind, &[h]);
            let f = self.add("sigmoid", &[f]);
            parts.push(self.add("multiply", &[f, c]));
        }
        let c = if children.is_empty() { parts[0] } else { self.add("sum", &parts) };
        let tanh = self.add("tanh", &[c]);
        let h = self.add("multiply", &[o, tanh]);
        let output = self.add("output", &[h]);
        self.add("loss", &[output]);
        [h, c]
    }

    /// A sentence read in both directions and parsed by the transitions that `next` gives for the stack and what is left of the
    /// buffer, as numbers of words: scores before each, and a composition of head and dependent at each arc.
    pub(super) fn parse(
        &mut self,
        words: usize,
        operations: bool,
        mut next: impl FnMut(&[usize], std::ops::Range<usize>) -> Transition,
    ) {
        let read: Vec<u32> = (0..words).map(|_| self.add("word", &[])).collect();
        let [there, back] = self.read_both(["read", "read back"], operations, &read);
        let mut values: Vec<u32> =
            there.iter().zip(&back).map(|(&x, &y)| self.add("both", &[x, y])).collect();
        let (mut stack, mut buffer) = (Vec::new(), 0..words);
        while !buffer.is_empty() || stack.len() > 1 {
            let slots = stack[stack.len().saturating_sub(2)..].iter().copied().chain(buffer.clone().next());
            let slots: Vec<u32> = slots.map(|word: usize| values[word]).collect();
            let scores = self.add(["one", "two", "three"][slots.len() - 1], &slots);
            self.add("loss", &[scores]);
            let transition = next(&stack, buffer.clone());
            if transition == Transition::Shift {
                stack.extend(buffer.next());
                continue;
            }
            let pair = stack.split_off(stack.len() - 2);
            let (kind, head) =
                if transition == Transition::Left { ("left arc", pair[1]) } else { ("right arc", pair[0]) };
            values[head] = self.add(kind, &[values[pair[0]], values[pair[1]]]);
            stack.push(head);
        }
    }
}

/// Of an arc-standard parser: of the two words on top of the stack, the upper is the head (`Left`) or the dependent (`Right`).
#[derive(PartialEq)]
pub(super) enum Transition {
    Shift,
    Left,
    Right,
}

/// Sentences of words read in both directions, with `letters` a character at a time where they are rare, and an output of every
/// word; a node each cell, or each of DyNet's operations.
pub(super) fn tagger(draws: &mut Draws, sentences: usize, letters: bool, operations: bool) -> Dag {
    let mut program = Program::default();
    for _ in 0..sentences {
        let mut words = Vec::new();
        for _ in 0..1 + draws.below(25) {
            if !letters || draws.below(4) > 0 {
                words.push(program.add("word", &[]));
                continue;
            }
            let letters: Vec<u32> = (0..1 + draws.below(12)).map(|_| program.add("letter", &[])).collect();
            let [there, back] = program.read_both(["spell", "spell back"], operations, &letters);
            words.push(program.add("spelled", &[there[there.len() - 1], back[0]]));
        }
        let [there, back] = program.read_both(["read", "read back"], operations, &words);
        for (x, y) in there.into_iter().zip(back) {
            let both = program.add("both", &[x, y]);
            if operations {
                ["hidden", "tanh", "output", "loss"].iter().fold(both, |x, kind| program.add(kind, &[x]));
            }
        }
    }
    dag(program.0)
}

/// Binary trees with a loss at every node, a node each of DyNet's operations.
pub(super) fn trees_of_operations(draws: &mut Draws, trees: usize) -> Dag {
    let mut program = Program::default();
    for _ in 0..trees {
        let mut row: Vec<[u32; 2]> = (0..1 + draws.below(30)).map(|_| program.tree_node(&[])).collect();
        while row.len() > 1 {
            let at = draws.below(row.len() - 1);
            let right = row.remove(at + 1);
            row[at] = program.tree_node(&[row[at], right]);
        }
    }
    dag(program.0)
}

/// Sentences parsed by drawn transitions.
pub(super) fn parser(draws: &mut Draws, sentences: usize, operations: bool) -> Dag {
    let mut program = Program::default();
    for _ in 0..sentences {
        let words = 1 + draws.below(25);
        program.parse(words, operations, |stack, buffer| {
            if stack.len() < 2 || !buffer.is_empty() && draws.below(2) == 0 {
                Transition::Shift
            } else {
                if draws.below(2) == 0 { Transition::Left } else { Transition::Right }
            }
        });
    }
    dag(program.0)
}
