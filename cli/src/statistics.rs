//! Shares, rank correlations and the bootstrap.

use saccade_rnn::cpu::noise;
use statrs::statistics::{Data, OrderStatistics as _, RankTieBreaker, Statistics as _};

/// The normal deviate that leaves 2.5 % on either side.
const DEVIATE: f64 = 1.959_964;

/// The lower end of the 95 % interval of a share of which `hits` of `count` are known (Wilson 1927); 0 of none.
pub(crate) fn wilson_lower(hits: u32, count: u32) -> f64 {
    if count == 0 {
        return 0.0;
    }
    let (n, z2) = (f64::from(count), DEVIATE * DEVIATE);
    let share = f64::from(hits) / n;
    let spread = DEVIATE * (share * (1.0 - share) / n + z2 / (4.0 * n * n)).sqrt();
    ((share + z2 / (2.0 * n) - spread) / (1.0 + z2 / n)).max(0.0)
}

/// The rank of each value from 1; equal values share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    Data::new(values.to_vec()).ranks(RankTieBreaker::Average)
}

/// A correlation, which rounding may have put beyond 1, and 0 where it is -0.
fn correlation(rounded: f64) -> f64 {
    rounded.clamp(-1.0, 1.0) + 0.0
}

/// The product-moment correlation of two columns of equal length; 0 if one of them is constant.
fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let scale = a.std_dev() * b.std_dev();
    if scale > 0.0 { correlation(a.covariance(b) / scale) } else { 0.0 }
}

/// Rank correlations (Spearman 1904) between every two columns of a table.
#[derive(Clone, Debug)]
pub(crate) struct RankCorrelations<const N: usize>([[f64; N]; N]);

impl<const N: usize> RankCorrelations<N> {
    /// Of columns of equal length.
    pub(crate) fn of(columns: &[Vec<f64>; N]) -> Self {
        let ranked: [Vec<f64>; N] = std::array::from_fn(|i| ranks(&columns[i]));
        Self(std::array::from_fn(|i| std::array::from_fn(|j| pearson(&ranked[i], &ranked[j]))))
    }

    /// Between columns `a` and `b`.
    pub(crate) fn between(&self, a: usize, b: usize) -> f64 {
        self.0[a][b]
    }

    /// Between columns `a` and `b` when what the columns `given` explain is taken out of both: the partial correlation,
    /// one given column after another. 0 if the given columns explain all of one.
    pub(crate) fn partial(&self, a: usize, b: usize, given: &[usize]) -> f64 {
        let Some((&last, others)) = given.split_last() else { return self.between(a, b) };
        let [ab, ac, bc] = [(a, b), (a, last), (b, last)].map(|(x, y)| self.partial(x, y, others));
        let left = (1.0 - ac * ac) * (1.0 - bc * bc);
        if left > 1e-12 { correlation((ab - ac * bc) / left.sqrt()) } else { 0.0 }
    }
}

/// The 95 % interval of a statistic by the percentile bootstrap (Efron 1979): `statistic` of `samples` lists of group numbers,
/// each as many as there are groups, drawn with replacement. The same seed draws the same lists.
pub(crate) fn bootstrap<const N: usize>(
    groups: usize,
    samples: u32,
    seed: u32,
    statistic: impl Fn(&[usize]) -> [f64; N],
) -> [[f64; 2]; N] {
    let draw = |sample, i| (u64::from(noise::bits(seed, sample, i)) * groups as u64) >> 32;
    let drawn = (0..samples).map(|sample| {
        let list: Vec<usize> = (0..groups as u32).map(|i| draw(sample, i) as usize).collect();
        statistic(&list)
    });
    let drawn: Vec<[f64; N]> = drawn.collect();
    std::array::from_fn(|i| {
        let mut values: Vec<f64> = drawn.iter().map(|values| values[i]).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        [at(0.025), at(0.975)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) {
        assert!((a - b).abs() < 1e-6, "{a} is not {b}");
    }

    #[test]
    fn correlations_are_from_minus_1_to_1() {
        assert_eq!([correlation(1.000_000_000_000_000_2), correlation(-1.5)], [1.0, -1.0]);
        assert!(correlation(-0.0).is_sign_positive());
        for n in 2..40 {
            let [up, down] =
                [1.0, -1.0].map(|sign| (0..n).map(|i| sign * f64::from(i * i % 7)).collect::<Vec<_>>());
            let r = RankCorrelations::of(&[up.clone(), down, up]);
            assert!([r.between(0, 1), r.between(0, 2)].iter().all(|r| r.abs() <= 1.0), "{n}");
        }
    }

    #[test]
    fn wilson_is_cautious_about_few() {
        // Newcombe (1998), table I: 81 of 263 and 15 of 148.
        assert!((wilson_lower(81, 263) - 0.2553).abs() < 5e-5);
        assert!((wilson_lower(15, 148) - 0.0624).abs() < 5e-5);
        assert!(wilson_lower(5, 5) < wilson_lower(500, 510));
        assert_eq!([wilson_lower(0, 20), wilson_lower(0, 0)], [0.0, 0.0]);
    }

    #[test]
    fn equal_values_share_a_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]), [4.0, 1.0, 4.0, 2.0, 4.0]);
        assert_eq!(ranks(&[]), [0.0; 0]);
    }

    #[test]
    fn correlations_are_of_ranks() {
        let x = vec![1.0, 2.0, 3.0, 4.0, 5.0];
        let y = vec![2.0, 1.0, 4.0, 3.0, 50.0];
        let r = RankCorrelations::of(&[x.clone(), y, x.iter().map(|x| -x * x * x).collect(), vec![7.0; 5]]);
        // 1 - 6 * sum d^2 / (n (n^2 - 1)) with d = 1, 1, 1, 1, 0.
        close(r.between(0, 1), 0.8);
        close(r.between(0, 2), -1.0);
        close(r.between(0, 3), 0.0);
    }

    #[test]
    fn partial_correlation_takes_the_given_out() {
        // Residuals of a and b on the given, by least squares on the ranks, correlate as the recursion says.
        let given = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let a = [2.0, 1.0, 4.0, 3.0, 6.0, 5.0];
        let b = [1.0, 3.0, 2.0, 6.0, 4.0, 5.0];
        let residual = |y: &[f64; 6]| -> Vec<f64> {
            let slope = pearson(&given, y);
            given.iter().zip(y).map(|(x, y)| y - 3.5 - slope * (x - 3.5)).collect()
        };
        let r = RankCorrelations::of(&[a.to_vec(), b.to_vec(), given.to_vec(), vec![0.0; 6]]);
        close(r.partial(0, 1, &[2]), pearson(&residual(&a), &residual(&b)));
        // A constant explains nothing more, in whatever order.
        close(r.partial(0, 1, &[2, 3]), r.partial(0, 1, &[2]));
        close(r.partial(0, 1, &[3, 2]), r.partial(0, 1, &[2]));
        close(r.partial(0, 2, &[2]), 0.0);
    }

    #[test]
    fn the_bootstrap_of_a_mean_is_as_wide_as_its_standard_error() {
        let n = 400;
        let value = |i: usize| if i.is_multiple_of(2) { 1.0 } else { 0.0 };
        let mean = |list: &[usize]| [list.iter().map(|&i| value(i)).sum::<f64>() / list.len() as f64, 1.0];
        let [[low, high], constant] = bootstrap(n, 2_000, 3, mean);
        // 1.96 standard errors of 0.5 / sqrt(400) on either side of a half.
        assert!((low - 0.451).abs() < 0.006 && (high - 0.549).abs() < 0.006, "{low} {high}");
        assert_eq!(constant, [1.0, 1.0]);
        assert_eq!(bootstrap(n, 50, 3, mean), bootstrap(n, 50, 3, mean));
        assert_ne!(bootstrap(n, 50, 3, mean), bootstrap(n, 50, 4, mean));
    }
}
