/** How a run begins, in a field of the address: `0.03_0.005_1` is gamma, learning rate, seed. */

import { KNOBS, type Knobs } from "./knobs.ts";

export interface Run {
  readonly knobs: Pick<Knobs, "gamma" | "learningRate">;
  readonly seed: number;
}

export const SEED = 1;

export const formatRun = ({ knobs: { gamma, learningRate }, seed }: Run): string | null =>
  gamma === KNOBS.gamma && learningRate === KNOBS.learningRate && seed === SEED ? null : `${gamma}_${learningRate}_${seed}`;

/** Null of what is no run. */
export function parseRun(field: string | null): Run | null {
  const [gamma = NaN, learningRate = NaN, seed = NaN, ...more] = (field ?? "").split("_").map(Number);
  const sensible = gamma >= 0 && gamma <= 1 && learningRate > 0 && learningRate <= 1 && Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32;
  return sensible && more.length === 0 ? { knobs: { gamma, learningRate }, seed } : null;
}
