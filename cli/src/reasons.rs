//! What codes and numbers of a reading say, in words.

use saccade_rnn::model::{Method, Timing};
use saccade_rnn::runner::{Reason, Steps};

use crate::output::duration;

/// Why a text was read where it was.
pub(crate) fn reason(reason: &Reason) -> String {
    match reason {
        Reason::CpuAsked => "CPU: as asked".into(),
        Reason::GpuAsked { adapter } => format!("WebGPU, as asked: {adapter}"),
        Reason::GpuStarting => "CPU, until WebGPU is ready".into(),
        Reason::NoGpu { why } => format!("CPU, since {why}"),
        Reason::GpuFailed { error } => {
            format!("CPU: WebGPU failed on this text ({error}), so it was read here")
        }
        Reason::Unmeasured => "CPU, until both devices are measured".into(),
        Reason::Measured { tokens, cpu_ms, gpu_ms, .. } => {
            let faster = if gpu_ms < cpu_ms { "WebGPU" } else { "CPU" };
            let (cpu, gpu) = (duration(*cpu_ms), duration(*gpu_ms));
            format!("{faster}, for {tokens} tokens the faster as measured here: CPU {cpu}, WebGPU {gpu}")
        }
        Reason::LayerOnCpu => "CPU: the GPU computes a layer only where it is asked for".into(),
        Reason::Incremental => "CPU: text that is being written takes few steps at a time".into(),
    }
}

/// How a reading's time was measured.
pub(crate) fn method(timing: &Timing) -> String {
    match timing.method {
        Method::Mean { runs, elapsed_ms } => {
            let s = if runs == 1 { "" } else { "s" };
            let whole = if timing.device == "cpu" { "one CPU thread" } else { "reading back included" };
            format!(
                "mean wall time of {runs} run{s} in {elapsed_ms:.1} ms, from token ids to scores, {whole}"
            )
        }
        Method::Share { texts, elapsed_ms } => {
            format!("{texts} texts read together in {elapsed_ms:.1} ms; this one's share, by tokens")
        }
        Method::Rest { tokens } => format!("wall time of {tokens} new tokens, one CPU thread, one run"),
    }
}

/// How the cost of a step was measured.
pub(crate) fn replay(steps: &Steps) -> String {
    let [short, long] = steps.method.lengths;
    let kinds = if steps.skim_us.is_some() { "all read and all skimmed" } else { "all read" };
    format!(
        "replay of this text, repeated to {short} and to {long} tokens, {kinds}; each run again and again for {} ms, {} \
         times over, of which the fastest counts; the difference divided by {}",
        steps.method.sample_ms,
        steps.method.samples,
        long - short
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_device_is_named() {
        let measured =
            |cpu_ms, gpu_ms| reason(&Reason::Measured { tokens: 30, cpu_ms, gpu_ms, gpu_fixed_ms: 2.0 });
        assert!(measured(0.31, 2.03).starts_with("CPU, for 30 tokens"));
        assert!(measured(31.0, 5.0).starts_with("WebGPU, for 30 tokens"));
    }

    #[test]
    fn one_run_is_singular() {
        let timing = |runs| Timing {
            device: "cpu".into(),
            total_ms: 1.0,
            microseconds_per_token: 1.0,
            method: Method::Mean { runs, elapsed_ms: 2.04 },
        };
        assert!(method(&timing(1)).starts_with("mean wall time of 1 run in 2.0 ms"));
        assert!(method(&timing(2)).starts_with("mean wall time of 2 runs in"));
    }
}
