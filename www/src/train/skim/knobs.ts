/** What can be turned while it learns. */
export interface Knobs {
  /** How much skimming counts beside understanding. */
  readonly gamma: number;
  readonly learningRate: number;
  /** Of the Gumbel softmax; null while it falls with the steps. */
  readonly temperature: number | null;
}

export const KNOBS: Knobs = { gamma: 0.03, learningRate: 0.005, temperature: null };
