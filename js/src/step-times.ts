/** What the steps of a model cost, told with its readings. */

import type { PackedReading, Steps as PlainSteps } from "../pkg/saccade_rnn.js";
import type { Follow } from "./engine.js";
import { unpackedReading } from "./reading.js";
import type { Device, Reading, Steps } from "./types.js";
import { replayInWords } from "./words.js";

/** How often the steps are measured, at most, while the clock does not show what they cost. */
const TRIES = 3;

/** Whether noise hid the cost of a step, which then counts as 0. */
function isHidden({ readUs, skimUs }: PlainSteps): boolean {
  return readUs === 0 || skimUs === 0;
}

/** The last measurement on each device. */
export class StepTimes {
  readonly #of = new Map<Device, Steps>();

  /** Measures by `ask`, again where that shows nothing; progress is that of the first time. */
  async measured(ask: (follow: Follow) => Promise<PlainSteps>, { signal, onProgress }: Follow): Promise<Steps> {
    let plain = await ask({ signal, onProgress });
    for (let tries = 1; tries < TRIES && isHidden(plain); tries++) plain = await ask({ signal });
    const steps = { ...plain, method: replayInWords(plain) };
    this.#of.set(steps.device, steps);
    return steps;
  }

  /** The reading, with the times of its steps. */
  with(reading: PackedReading): Reading {
    return unpackedReading(reading, this.#of.get(reading.timing.device));
  }
}
