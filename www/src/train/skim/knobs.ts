/** What can be turned while it learns. */
export interface Knobs {
  /** How much skimming counts beside understanding. */
  readonly gamma: number;
  readonly learningRate: number;
}

export const KNOBS: Knobs = { gamma: 0.03, learningRate: 0.005 };
