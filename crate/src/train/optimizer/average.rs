//! Averages of the weights over time, which are evaluated and kept in place of the weights.

use serde::{Deserialize, Serialize};

/// Which weights are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize, Serialize)]
pub enum Averaging {
    /// None.
    #[default]
    Off,
    /// Those of all steps, each step counting this many times as much as the one after it.
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
            Self::Decay(decay) => f64::from(decay).powf((to - from) as f64) as f32,
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
            for (from, to) in [(0, 2), (2, 5), (3, 4), (4, 9), (7, 8)] {
                let each: f32 = (from..to).map(|step| averaging.keep(step, step + 1)).product();
                assert!((averaging.keep(from, to) - each).abs() < 1e-6, "{averaging:?}, {from} to {to}");
            }
        }
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
