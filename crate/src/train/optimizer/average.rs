//! Averages of the weights over time, which are evaluated and kept in place of the weights.

use serde::{Deserialize, Serialize};

/// Which weights are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub enum Averaging {
    /// None.
    #[default]
    Off,
    /// Those of all steps, each step counting this many times as much as the one after it; what a run begins with does not
    /// count.
    Decay(f32),
    /// Those of all steps after one, alike (ASGD; Polyak & Juditsky 1992). Before there is one, the weights as they are.
    Mean {
        /// The step.
        since: Option<u64>,
    },
}

impl Averaging {
    pub(super) fn is_on(self) -> bool {
        self != Self::Off
    }

    /// What is left of the distance to weights that do not move between two steps.
    pub(super) fn keep(self, from: u64, to: u64) -> f32 {
        match self {
            Self::Off | Self::Mean { since: None } => 0.0,
            // The weights of `step` steps together count this much, and those before the first step nothing: without this
            // correction, which is that of Adam's moments, a young average would be mostly what the run began with.
            Self::Decay(decay) => {
                let decay = f64::from(decay);
                let weight = |step: u64| 1.0 - decay.powf(step as f64);
                (decay.powf((to - from) as f64) * weight(from) / weight(to)) as f32
            }
            // The average after n steps is one of n weights; that of none has no weight.
            Self::Mean { since: Some(since) } if from > since => {
                ((from - since) as f64 / (to - since) as f64) as f32
            }
            Self::Mean { .. } => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resting_for_steps_is_one_step_of_many() {
        for averaging in [Averaging::Decay(0.9), Averaging::Mean { since: Some(3) }] {
            for (from, to) in [(0, 2), (1, 3), (2, 5), (3, 4), (4, 9), (7, 8)] {
                let each: f32 = (from..to).map(|step| averaging.keep(step, step + 1)).product();
                assert!((averaging.keep(from, to) - each).abs() < 1e-6, "{averaging:?}, {from} to {to}");
            }
        }
    }

    #[test]
    fn a_young_average_is_of_the_steps_alone() {
        let (averaging, decay) = (Averaging::Decay(0.999), 0.999f64);
        let weights = [1.0, 4.0, 2.0, 8.0];
        let mut average = 100.0;
        for (step, &weight) in (0..).zip(&weights) {
            average = weight + (average - weight) * averaging.keep(step, step + 1);
            let so_far = weights[..=step as usize].iter().rev();
            let (sum, of) = so_far.zip(0..).fold((0.0, 0.0), |(sum, of), (&weight, ago)| {
                let counts = decay.powi(ago);
                (sum + counts * f64::from(weight), of + counts)
            });
            assert!((f64::from(average) - sum / of).abs() < 1e-5, "{average}, expected {}", sum / of);
        }
        // And an old one as if it had not been corrected.
        assert!((averaging.keep(20_000, 20_001) - 0.999).abs() < 1e-7);
    }

    #[test]
    fn a_mean_is_one() {
        let averaging = Averaging::Mean { since: Some(2) };
        let mut average = 100.0;
        for (step, weight) in [(2, 1.0), (3, 2.0), (4, 6.0)] {
            average = weight + (average - weight) * averaging.keep(step, step + 1);
        }
        assert!((average - 3.0f32).abs() < 1e-6, "{average}");
    }
}
