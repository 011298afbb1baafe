/** What the engine's codes and numbers say, in words for people. */

import type { Device, Method, Reason, Steps as PlainSteps } from "../pkg/saccade_rnn.js";

/** What a network reads one after the other. */
export type Units = "tokens" | "words" | "letters" | "rows";

/** Why a call ran where it did; `what` it was given, what was `done` with it, and what that is a number of. */
export function reasonInWords(
  reason: Reason,
  { what, done, units }: { readonly what: string; readonly done: string; readonly units: Units } = { what: "text", done: "read", units: "tokens" },
): string {
  switch (reason.code) {
    case "cpuAsked":
      return "CPU: as asked";
    case "gpuAsked":
      return `WebGPU, as asked: ${reason.adapter}`;
    case "gpuStarting":
      return "CPU, until WebGPU is ready";
    case "noGpu":
      return `CPU, since ${reason.why}`;
    case "gpuFailed":
      return `CPU: WebGPU failed on this ${what} (${reason.error}), so it was ${done} here`;
    case "unmeasured":
      return "CPU, until both devices are measured";
    case "layerOnCpu":
      return "CPU: the GPU computes a layer only where it is asked for";
    case "incremental":
      return "CPU: text that is being written takes few steps at a time";
    case "measured": {
      const { tokens, cpuMs, gpuMs, gpuFixedMs } = reason;
      const launch = gpuFixedMs > gpuMs / 2 ? ", most of it launch cost" : "";
      const winner = gpuMs < cpuMs ? "WebGPU" : "CPU";
      const times = `CPU ${milliseconds(cpuMs)}, WebGPU ${milliseconds(gpuMs)}${launch}`;
      return `${winner}, for ${tokens} ${units} the faster as measured here: ${times}`;
    }
  }
}

/** Two significant digits. */
function milliseconds(ms: number): string {
  return `${ms.toFixed(ms >= 10 ? 0 : ms >= 1 ? 1 : 2)} ms`;
}

/** How a reading's time was measured on a device. */
export function methodInWords(method: Method, device: Device, units: Units = "tokens"): string {
  switch (method.kind) {
    case "mean": {
      const runs = `${method.runs} run${method.runs === 1 ? "" : "s"}`;
      const whole = device === "cpu" ? "one CPU thread" : "reading back included";
      return `mean wall time of ${runs} in ${method.elapsedMs.toFixed(1)} ms, from token ids to scores, ${whole}`;
    }
    case "share":
      return `${method.texts} texts read together in ${method.elapsedMs.toFixed(1)} ms; this one's share, by tokens`;
    case "rest":
      return `wall time of ${method.tokens} new ${units}, one CPU thread, one run`;
  }
}

/** How the cost of a step was measured. */
export function replayInWords({ method: { lengths, sampleMs, samples }, skimUs }: PlainSteps): string {
  const [short, long] = lengths;
  return (
    `replay of this text, repeated to ${short} and to ${long} tokens, ${skimUs === null ? "all read" : "all read and all skimmed"}; ` +
    `each run again and again for ${sampleMs} ms, ${samples} times over, of which the fastest counts; ` +
    `the difference divided by ${long - short}`
  );
}
