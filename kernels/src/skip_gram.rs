//! One step of skip-gram with negative sampling (Mikolov, Sutskever, Chen, Corrado & Dean 2013, "Distributed
//! representations of words and phrases and their compositionality", Eq. 4).
//!
//! No WGSL twin: word vectors are trained on the CPU.

use crate::math::sigmoid;
use crate::vectorize::vectorize;

/// Sixteen neighbouring columns of a row: a cache line. Rows are padded with zeros to whole lines, so that no loop
/// has a remainder and no row shares a line with another.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Line(pub [f32; Line::COLUMNS]);

impl Line {
    /// Columns of a line.
    pub const COLUMNS: usize = 16;
}

/// Memory that a step needs and that nothing is kept in between steps.
#[derive(Debug, Default)]
pub struct Scratch {
    gradient: Vec<Line>,
    scores: Vec<f32>,
}

vectorize! {
    /// Moves the vectors one step up the gradient of `log σ(u₀·v) + Σ_{k>0} log σ(−u_k·v)`.
    ///
    /// `v` is `input`, one row; `u_k` is row `targets[k]` of `outputs`, whose rows are as long as `input`. Target 0 is
    /// the word that was seen, the others are noise. Every score is taken before anything moves; a row that is
    /// among the targets twice moves twice. Padding stays zero. Without targets nothing moves.
    pub fn step(
        input: &mut [Line],
        outputs: &mut [Line],
        targets: &[u32],
        rate: f32,
        scratch: &mut Scratch,
    ) {
        let width = input.len();
        let Scratch { gradient, scores } = scratch;
        gradient.clear();
        gradient.resize(width, Line::default());
        scores.clear();
        for &target in targets {
            scores.push(dot(input, &outputs[target as usize * width..][..width]));
        }
        for (k, score) in scores.iter_mut().enumerate() {
            let seen = if k == 0 { 1.0 } else { 0.0 };
            *score = rate * (seen - sigmoid(*score));
        }
        for (&target, &amount) in targets.iter().zip(&*scores) {
            let row = &mut outputs[target as usize * width..][..width];
            for ((u, v), d) in row.iter_mut().zip(&*input).zip(&mut *gradient) {
                for i in 0..Line::COLUMNS {
                    d.0[i] += amount * u.0[i];
                    u.0[i] += amount * v.0[i];
                }
            }
        }
        for (v, d) in input.iter_mut().zip(&*gradient) {
            for i in 0..Line::COLUMNS {
                v.0[i] += d.0[i];
            }
        }
    }
}

#[inline(always)]
fn dot(a: &[Line], b: &[Line]) -> f32 {
    let mut sums = [0.0; Line::COLUMNS];
    for (a, b) in a.iter().zip(b) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.0.iter().zip(&b.0)) {
            *sum += a * b;
        }
    }
    // By halves rather than from left to right: a chain of 4 additions, not of 16.
    let mut half = Line::COLUMNS / 2;
    while half > 0 {
        let (low, high) = sums.split_at_mut(half);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
        half /= 2;
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 19;
    const WIDTH: usize = SIZE.div_ceil(Line::COLUMNS);

    /// `rows` rows of `SIZE` made-up numbers, as lines.
    fn lines(rows: usize, phase: f32) -> Vec<Line> {
        let mut lines = vec![Line::default(); rows * WIDTH];
        for (row, line) in lines.chunks_exact_mut(WIDTH).enumerate() {
            for i in 0..SIZE {
                line[i / Line::COLUMNS].0[i % Line::COLUMNS] = ((row * SIZE + i) as f32 * 0.7 + phase).sin();
            }
        }
        lines
    }

    /// The columns that are not padding, exactly.
    fn row(lines: &[Line], row: usize) -> Vec<f64> {
        let line = &lines[row * WIDTH..][..WIDTH];
        (0..SIZE).map(|i| f64::from(line[i / Line::COLUMNS].0[i % Line::COLUMNS])).collect()
    }

    /// The objective of the step, in f64.
    fn objective(v: &[f64], us: &[Vec<f64>]) -> f64 {
        let score = |u: &[f64]| u.iter().zip(v).map(|(u, v)| u * v).sum::<f64>();
        let log_sigmoid = |x: f64| -(-x).exp().ln_1p();
        us.iter().enumerate().map(|(k, u)| log_sigmoid(if k == 0 { score(u) } else { -score(u) })).sum()
    }

    /// The gradient by central differences of the f64 objective is what the step adds, times the rate.
    #[test]
    fn a_step_is_the_gradient_of_the_objective() {
        let (rate, targets) = (0.5_f32, [4_u32, 0, 2]);
        let (mut input, mut outputs) = (lines(1, 0.3), lines(5, 1.1));
        let v = row(&input, 0);
        let us: Vec<_> = targets.iter().map(|&target| row(&outputs, target as usize)).collect();
        let bystander = row(&outputs, 1);
        step(&mut input, &mut outputs, &targets, rate, &mut Scratch::default());

        let slope = |change: &dyn Fn(f64) -> f64| (change(1e-5) - change(-1e-5)) / 2e-5;
        for i in 0..SIZE {
            let of_v = slope(&|h| {
                let mut v = v.clone();
                v[i] += h;
                objective(&v, &us)
            });
            let moved = row(&input, 0)[i] - v[i];
            assert!((moved - f64::from(rate) * of_v).abs() < 2e-6, "v[{i}]: {moved} for slope {of_v}");
            for (k, &target) in targets.iter().enumerate() {
                let of_u = slope(&|h| {
                    let mut us = us.clone();
                    us[k][i] += h;
                    objective(&v, &us)
                });
                let moved = row(&outputs, target as usize)[i] - us[k][i];
                assert!((moved - f64::from(rate) * of_u).abs() < 2e-6, "u{k}[{i}]: {moved} for slope {of_u}");
            }
        }
        assert_eq!(row(&outputs, 1), bystander);
        let padding = input.iter().chain(&outputs).flat_map(|line| line.0).filter(|&x| x == 0.0).count();
        assert_eq!(padding, 6 * (WIDTH * Line::COLUMNS - SIZE), "padding stays zero");
    }

    #[test]
    fn nothing_moves_without_targets() {
        let (mut input, mut outputs) = (lines(1, 0.3), lines(2, 1.1));
        step(&mut input, &mut outputs, &[], 1.0, &mut Scratch::default());
        assert_eq!((input, outputs), (lines(1, 0.3), lines(2, 1.1)));
    }
}
