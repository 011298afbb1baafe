//! The dynamic oracle of the arc-hybrid system (Goldberg & Nivre 2013): what a transition costs wherever a parser is.

use crate::model::{Configuration, Transition};

/// How many arcs of a tree can still be found before a transition, and no more after it. `heads` are the tree's, as
/// [`Configuration`] numbers words. Exact for a projective tree of one root: there, somewhere from every configuration, a
/// transition costs nothing, and costs add up to the arcs that are missed in the end.
pub fn cost(at: &Configuration, heads: &[u32], transition: Transition) -> usize {
    let (stack, front, root) = (at.stack(), at.front(), at.root());
    let count = |mut words: std::ops::Range<u32>, head: u32| {
        words.by_ref().filter(|&word| heads[word as usize] == head).count()
    };
    match transition {
        Transition::Shift => {
            // Afterwards no word below the top can be its head, nor can it be theirs; the root takes the lowest alone.
            let head = heads[front as usize];
            let below = &stack[..stack.len().saturating_sub(1)];
            let own = below.contains(&head) || head == root && !stack.is_empty();
            usize::from(own) + stack.iter().filter(|&&word| heads[word as usize] == front).count()
        }
        Transition::Left(_) | Transition::Right(_) => {
            let [below @ .., top] = stack else { return 0 };
            let head = heads[*top as usize];
            let is_ahead = head >= front && head < root || head == root && below.is_empty();
            let is_below = below.last() == Some(&head);
            let own = match transition {
                Transition::Left(_) => (is_ahead || is_below) && head != front,
                _ => is_ahead,
            };
            usize::from(own) + count(front..root, *top)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// All heads of trees of one root over so many words whose arcs do not cross.
    fn trees(words: u32) -> Vec<Vec<u32>> {
        let mut trees = vec![vec![]];
        for word in 0..words {
            let longer = |heads: Vec<u32>| {
                (0..=words).filter(move |head| *head != word).map(move |head| [&heads[..], &[head]].concat())
            };
            trees = trees.into_iter().flat_map(longer).collect();
        }
        trees.retain(|heads| is_tree(heads) && is_projective(heads));
        trees
    }

    fn is_tree(heads: &[u32]) -> bool {
        let root = heads.len() as u32;
        let ends = |mut at: u32| {
            for _ in heads {
                at = if at == root { root } else { heads[at as usize] };
            }
            at == root
        };
        (0..root).all(ends) && heads.iter().filter(|&&head| head == root).count() == 1
    }

    fn is_projective(heads: &[u32]) -> bool {
        let arcs: Vec<_> = (0..).zip(heads).map(|(a, &b): (u32, _)| (a.min(b), a.max(b))).collect();
        !arcs.iter().any(|&(a, b)| arcs.iter().any(|&(c, d)| a < c && c < b && b < d))
    }

    /// What may be done: of arcs, one relation stands for all.
    fn possible(at: &Configuration) -> Vec<Transition> {
        let free = [Transition::Shift, Transition::Left(0), Transition::Right(0)];
        match at.forced() {
            Some(forced) => vec![forced],
            None => free.into_iter().filter(|&transition| at.allows(transition)).collect(),
        }
    }

    fn after(at: &Configuration, transition: Transition) -> Configuration {
        let mut next = at.clone();
        next.apply(transition);
        next
    }

    /// The least arcs of a tree that are missed at the end, by every way there is.
    fn missed(at: &Configuration, heads: &[u32], known: &mut HashMap<String, usize>) -> usize {
        let key = format!("{at:?}");
        if let Some(&missed) = known.get(&key) {
            return missed;
        }
        let least = if at.is_done() {
            let arcs = at.arcs().iter().zip(heads);
            arcs.filter(|(arc, head)| arc.is_none_or(|(found, _)| found != **head)).count()
        } else {
            let ways = possible(at).into_iter();
            ways.map(|transition| missed(&after(at, transition), heads, known)).min().expect("a way")
        };
        known.insert(key, least);
        least
    }

    /// Every configuration that can be reached in every projective tree of up to five words.
    #[test]
    fn a_transition_costs_what_the_best_way_after_it_misses_more() {
        let (mut trees_seen, mut configurations) = (0, 0);
        for words in 1..=5 {
            for heads in trees(words) {
                trees_seen += 1;
                let mut known = HashMap::new();
                let mut open = vec![Configuration::new(words as usize, 1)];
                let mut seen = std::collections::HashSet::new();
                while let Some(at) = open.pop() {
                    if at.is_done() || !seen.insert(format!("{at:?}")) {
                        continue;
                    }
                    configurations += 1;
                    let best = missed(&at, &heads, &mut known);
                    let mut least = usize::MAX;
                    for transition in possible(&at) {
                        let next = after(&at, transition);
                        let more = missed(&next, &heads, &mut known) - best;
                        let told = cost(&at, &heads, transition);
                        assert_eq!(told, more, "{heads:?}: {transition:?} in {at:?}");
                        least = least.min(told);
                        open.push(next);
                    }
                    assert_eq!(least, 0, "{heads:?}: {at:?}");
                }
            }
        }
        // 1, 2, 7, 30 and 143 projective trees of one root.
        assert_eq!(trees_seen, 183);
        assert!(configurations > 10_000, "{configurations}");
    }
}
