//! What a reading is expected to take: a fixed cost and one for each token, by device.

use serde::Serialize;

use super::Reason;

/// Lengths of the texts that are timed, in tokens.
pub(super) const LENGTHS: [usize; 2] = [8, 128];
/// A text is read again and again until this has passed: clocks of browsers tick at up to 0.1 ms.
pub(super) const SAMPLE_MS: f64 = 20.0;
/// Samples of which the fastest counts.
pub(super) const SAMPLES: usize = 3;

/// Wall time as a function of a text's length.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// Milliseconds that even an empty text takes: launching kernels, reading back.
    pub fixed_ms: f64,
    /// Milliseconds of each token.
    pub token_ms: f64,
}

impl Cost {
    /// The line through two measurements (tokens, milliseconds); neither part is below 0.
    pub(super) fn through([(n0, t0), (n1, t1)]: [(f64, f64); 2]) -> Self {
        let token_ms = ((t1 - t0) / (n1 - n0)).max(0.0);
        Self { fixed_ms: (t0 - n0 * token_ms).max(0.0), token_ms }
    }

    /// Expected milliseconds of a text.
    pub fn of(&self, tokens: usize) -> f64 {
        self.fixed_ms + self.token_ms * tokens as f64
    }
}

/// What both devices take.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs {
    /// The CPU.
    pub cpu: Cost,
    /// The GPU, or why there is none.
    pub gpu: Result<Cost, String>,
}

impl Costs {
    /// Whether the GPU is expected to answer first.
    pub fn prefers_gpu(&self, tokens: usize) -> bool {
        self.gpu.as_ref().is_ok_and(|gpu| gpu.of(tokens) < self.cpu.of(tokens))
    }

    /// Why a text goes to the device that [`Self::prefers_gpu`] names.
    pub fn reason(&self, tokens: usize) -> Reason {
        match &self.gpu {
            Err(why) => Reason::NoGpu { why: why.clone() },
            Ok(gpu) => Reason::Measured {
                tokens,
                cpu_ms: self.cpu.of(tokens),
                gpu_ms: gpu.of(tokens),
                gpu_fixed_ms: gpu.fixed_ms,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_two_points() {
        let cost = Cost::through([(8.0, 3.0), (128.0, 15.0)]);
        assert!((cost.token_ms - 0.1).abs() < 1e-12 && (cost.fixed_ms - 2.2).abs() < 1e-12);
        assert!((cost.of(58) - 8.0).abs() < 1e-12);
        // Noise can make the longer text the faster one.
        let flat = Cost::through([(8.0, 3.0), (128.0, 2.0)]);
        assert_eq!((flat.token_ms, flat.fixed_ms), (0.0, 3.0));
    }

    #[test]
    fn the_sooner_one_is_preferred_and_the_reason_says_so() {
        let cpu = Cost { fixed_ms: 0.01, token_ms: 0.01 };
        let gpu = Ok(Cost { fixed_ms: 2.0, token_ms: 0.001 });
        let costs = Costs { cpu, gpu };
        assert!(!costs.prefers_gpu(30) && costs.prefers_gpu(3000));
        let (cpu_ms, gpu_ms) = (cpu.of(30), 2.0 + 30.0 * 0.001);
        assert_eq!(costs.reason(30), Reason::Measured { tokens: 30, cpu_ms, gpu_ms, gpu_fixed_ms: 2.0 });
        let none = Costs { cpu, gpu: Err("this browser has no WebGPU".into()) };
        assert!(!none.prefers_gpu(1_000_000));
        assert_eq!(none.reason(5), Reason::NoGpu { why: "this browser has no WebGPU".into() });
    }
}
