/** What the steps of a model cost, told with its readings. */

import type { PackedReading, Steps as PlainSteps } from "../pkg/saccade_rnn.js";
import { unpackedReading } from "./reading.js";
import type { Device, Reading, Steps } from "./types.js";
import { replayInWords } from "./words.js";

/** The last measurement on each device. */
export class StepTimes {
  readonly #of = new Map<Device, Steps>();

  measured(plain: PlainSteps): Steps {
    const steps = { ...plain, method: replayInWords(plain) };
    this.#of.set(steps.device, steps);
    return steps;
  }

  /** The reading, with the times of its steps. */
  with(reading: PackedReading): Reading {
    return unpackedReading(reading, this.#of.get(reading.timing.device));
  }
}
