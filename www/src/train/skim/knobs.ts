/** What can be turned while it learns. */
export interface Knobs {
  /** How much skimming counts beside understanding. */
  readonly gamma: number;
  readonly learningRate: number;
  /** Of the Gumbel softmax; null while it falls with the steps. */
  readonly temperature: number | null;
}

export const KNOBS: Knobs = { gamma: 0.03, learningRate: 0.005, temperature: null };

/** The knobs by their names, in the order that a link counts them. */
export const knobs = ["gamma", "learningRate", "temperature"] as const satisfies readonly (keyof Knobs)[];
export type Knob = (typeof knobs)[number];

/** A knob that a second learner has otherwise. */
export interface Difference {
  readonly knob: Knob;
  readonly value: number;
}

/** Where the second learner's knob stands when it is chosen. */
export const OTHERWISE: Readonly<Record<Knob, number>> = { gamma: 0.15, learningRate: 0.001, temperature: 1.5 };

/** How a slider stands for the values of a knob. */
interface Range {
  readonly least: number;
  readonly most: number;
  readonly step: number;
  /** Where it stands for a value, and the value at a place. */
  place(value: number): number;
  value(place: number): number;
}

const plain = { place: (value: number) => value, value: (place: number) => place };

export const RANGES: Readonly<Record<Knob, Range>> = {
  gamma: { least: 0, most: 0.2, step: 0.005, ...plain },
  // By powers of ten.
  learningRate: { least: -4, most: -1, step: 0.05, place: Math.log10, value: (place) => Number((10 ** place).toPrecision(2)) },
  temperature: { least: 0.1, most: 2, step: 0.05, ...plain },
};
