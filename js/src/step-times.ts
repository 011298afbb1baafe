/** What the steps of a model cost, told with its readings. */

import type { Device, PlainReading, Reading, Steps } from "./types.js";

/** The last measurement on each device. */
export class StepTimes {
  readonly #of = new Map<Device, Steps>();

  measured(steps: Steps): Steps {
    this.#of.set(steps.device, steps);
    return steps;
  }

  /** The reading itself, with the times of its steps. */
  with(reading: PlainReading): Reading {
    const { readUs = null, skimUs = null } = this.#of.get(reading.timing.device) ?? {};
    const tokens = reading.tokens.map((token) => Object.assign(token, { timeUs: token.decision === "skim" ? skimUs : readUs }));
    const timing = Object.assign(reading.timing, { readStepUs: readUs, skimStepUs: skimUs });
    return Object.assign(reading, { tokens, timing });
  }
}
