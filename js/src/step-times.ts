/** What the steps of a model cost, told with its readings. */

import type { PackedReading } from "../pkg/saccade_rnn.js";
import { unpackedReading } from "./reading.js";
import type { Device, Reading, Steps } from "./types.js";

/** The last measurement on each device. */
export class StepTimes {
  readonly #of = new Map<Device, Steps>();

  measured(steps: Steps): Steps {
    this.#of.set(steps.device, steps);
    return steps;
  }

  /** The reading, with the times of its steps. */
  with(reading: PackedReading): Reading {
    return unpackedReading(reading, this.#of.get(reading.timing.device));
  }
}
