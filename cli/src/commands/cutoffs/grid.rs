//! The cut that was found, held against those of a measured grid.

use serde::Serialize;

use super::least_head;
use crate::failure::Failure;

/// From one place of the grid to the next.
const STEP: f64 = 1.6;
/// How often every cut is measured to find the fastest, by the least time of each.
const ROUNDS: usize = 5;
/// How often the cut that was found and the fastest are measured again, in turn. The least of hundreds of measured times is
/// also the luckiest, so that the rounds that chose the fastest say nothing of how fast it is.
const TURNS: usize = 15;

/// The most cuts with one number of tails that are measured.
const MOST: u128 = 500;

/// Checks that the grids of all numbers of tails up to `most` can be measured.
///
/// # Errors
/// If one has too many cuts; if there are no tails, so that there is none.
pub(super) fn check(counts: &[u64], coverage: f64, most: usize) -> Result<(), Failure> {
    if most == 0 {
        return Err(Failure::Option { option: "--grid", reason: "there is nothing to cut without tails" });
    }
    let places = places(counts, coverage).len();
    match (1..=most).map(|tails| (tails, choices(places, tails))).find(|&(_, cuts)| cuts > MOST) {
        Some((tails, cuts)) => Err(Failure::Grid { cuts, tails, most: MOST }),
        None => Ok(()),
    }
}

/// In how many ways `tails` of the places can be chosen.
fn choices(places: usize, tails: usize) -> u128 {
    let left = |taken: usize| places.saturating_sub(taken) as u128;
    (0..tails).fold(1, |ways: u128, taken| ways.saturating_mul(left(taken)) / (taken as u128 + 1))
}

/// What a grid says of a cut.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Held {
    /// How many cuts the grid has.
    tried: usize,
    /// The fastest of them.
    pub(super) cutoffs: Vec<usize>,
    pub(super) measured_ms: f64,
    /// The time of the cut that was found over that of the fastest: the median of turns that had no part in the choice.
    pub(super) ratio: f64,
}

/// Measures every cut of a grid with as many tails as `found` and a head that holds `coverage` of the text, one after the
/// other, again and again, and then the fastest in turn with `found`. `measure` gives milliseconds. None if the grid is empty.
pub(super) fn hold<E>(
    counts: &[u64],
    coverage: f64,
    found: &[usize],
    mut measure: impl FnMut(&[usize]) -> Result<f64, E>,
) -> Result<Option<Held>, E> {
    let grid = cuts(&places(counts, coverage), found.len());
    let mut least = vec![f64::INFINITY; grid.len()];
    for _ in 0..ROUNDS {
        for (cut, least) in grid.iter().zip(&mut least) {
            *least = least.min(measure(cut)?);
        }
    }
    let Some(best) = (0..grid.len()).min_by(|&a, &b| least[a].total_cmp(&least[b])) else { return Ok(None) };
    let (mut times, mut ratios) = (Vec::with_capacity(TURNS), Vec::with_capacity(TURNS));
    for _ in 0..TURNS {
        let (own, fastest) = (measure(found)?, measure(&grid[best])?);
        times.push(fastest);
        ratios.push(own / fastest);
    }
    Ok(Some(Held {
        tried: grid.len(),
        cutoffs: grid[best].clone(),
        measured_ms: median(times),
        ratio: median(ratios),
    }))
}

fn median(mut times: Vec<f64>) -> f64 {
    let middle = times.len() / 2;
    *times.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// Where to cut: the least head that holds enough, and from there by equal factors.
fn places(counts: &[u64], coverage: f64) -> Vec<usize> {
    let next = |place: &usize| Some(((*place as f64 * STEP) as usize).max(place + 1));
    std::iter::successors(least_head(counts, coverage), next)
        .take_while(|&place| place < counts.len())
        .collect()
}

/// Every choice of so many places, increasing.
fn cuts(places: &[usize], tails: usize) -> Vec<Vec<usize>> {
    let Some(rest) = tails.checked_sub(1) else { return vec![Vec::new()] };
    let with_first = |first: usize| {
        let others = cuts(&places[first + 1..], rest);
        others.into_iter().map(move |others| [&[places[first]], &others[..]].concat())
    };
    (0..places.len()).flat_map(with_first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_has_every_cut_with_enough_in_the_head() {
        let counts = [50, 20, 10, 5, 5, 4, 3, 1, 1, 1];
        assert_eq!(places(&counts, 0.8), [3, 4, 6, 9]);
        assert_eq!(cuts(&[3, 4, 6], 2), [[3, 4], [3, 6], [4, 6]]);
        assert_eq!(cuts(&[3, 4], 0), [vec![0; 0]]);
        assert!(cuts(&[3], 2).is_empty() && places(&counts, 1.1).is_empty());
    }

    #[test]
    fn what_a_grid_has_is_counted_before_it_is_measured() {
        for (of, tails) in [(5, 0), (5, 1), (5, 2), (5, 5), (5, 6), (9, 4), (0, 1)] {
            let places: Vec<usize> = (0..of).collect();
            assert_eq!(choices(of, tails), cuts(&places, tails).len() as u128, "{tails} of {of}");
        }
        let counts: Vec<u64> = (1..=44_000).map(|rank| 1_000_000 / rank).collect();
        assert!(check(&counts, 0.85, 3).is_ok());
        let error = check(&counts, 0.0, 9).unwrap_err().to_string();
        let least = (1..).map(|tails| (tails, choices(places(&counts, 0.0).len(), tails)));
        let (tails, cuts) = least.into_iter().find(|(_, cuts)| *cuts > 500).unwrap();
        assert!(error.contains(&format!("--grid: {cuts} cuts with {tails} tails")), "{error}");
        assert!(matches!(check(&counts, 0.85, 0), Err(Failure::Option { option: "--grid", .. })));
        // No vocabulary has as many places.
        assert!(choices(usize::MAX, 100) > MOST);
    }

    #[test]
    fn the_least_time_of_each_cut_counts() {
        let mut calls = 0;
        let measure = |cut: &[usize]| {
            calls += 1;
            // Noise that only adds.
            Ok::<_, ()>(cut[0] as f64 + if calls % 5 == 0 { 9.0 } else { 0.0 })
        };
        let held = hold(&[5, 3, 1, 1], 0.5, &[2], measure).unwrap().unwrap();
        assert_eq!(held, Held { tried: 3, cutoffs: vec![1], measured_ms: 1.0, ratio: 2.0 });
        assert_eq!(hold(&[5, 3, 1, 1], 0.5, &[2], |_| Err("stopped")), Err("stopped"));
    }

    #[test]
    fn a_lucky_choice_is_measured_again() {
        // All take two, but while the fastest is chosen every fourth call takes one.
        let choosing = 3 * ROUNDS;
        let mut calls = 0;
        let measure = |_: &[usize]| {
            calls += 1;
            Ok::<_, ()>(if calls <= choosing && calls % 4 == 0 { 1.0 } else { 2.0 })
        };
        let held = hold(&[5, 3, 1, 1], 0.5, &[2], measure).unwrap().unwrap();
        assert_eq!((held.measured_ms, held.ratio), (2.0, 1.0));
    }
}
