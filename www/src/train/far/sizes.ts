/** What is learned by whom, and what of it is told: nothing of the engine. */

export const cells = ["elman", "lstm", "sru"] as const;
export type Cell = (typeof cells)[number];

/** Letters of a text: the fewest and the most, those to begin with, and few. */
export const LENGTHS = { least: 8, most: 80, first: 60, few: 20 };
/** How many times larger than usual large recurrent weights begin. */
export const LARGE = 4;

export interface Options {
  /** Letters of a text. */
  readonly length: number;
  /** Whether gradients whose norm is above 1 are scaled down to it. */
  readonly clip: boolean;
  /** How many times larger than usual the Elman network's recurrent weights begin. */
  readonly scale: number;
  readonly seed: number;
}

/** Above this norm gradients are scaled down to it, if they are clipped. */
export const CLIP = 1;

/** One step. */
export interface Learned {
  /** The share of the texts that were answered right, before the weights changed. */
  readonly right: number;
  /**
   * Of the gradient that the state before the last letter has, how many times as much the state has that lies 1, 2, … letters
   * further back; 0 where none arrives.
   */
  readonly sizes: readonly number[];
  /** The norm of the gradient of all weights, before it is clipped. */
  readonly norm: number;
}
