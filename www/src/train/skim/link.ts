/**
 * How a run begins, in a field of the address: `0.03_0.005_1` is gamma, learning rate, seed. Where a second learner is beside it, two
 * more numbers are the knob in which that differs, from 0, and its value: `0.03_0.005_1_0_0.15`.
 */

import { isSeed, news } from "../shared/link.ts";
import { KNOBS, knobs as names, RANGES, type Difference, type Knobs } from "./knobs.ts";

export interface Run {
  readonly knobs: Pick<Knobs, "gamma" | "learningRate">;
  readonly seed: number;
  /** Null of one learner alone. */
  readonly difference: Difference | null;
}

export const SEED = 1;

export function formatRun({ knobs: { gamma, learningRate }, seed, difference }: Run): string | null {
  if (!difference && gamma === KNOBS.gamma && learningRate === KNOBS.learningRate && seed === SEED) return null;
  return [gamma, learningRate, seed, ...(difference ? [names.indexOf(difference.knob), difference.value] : [])].join("_");
}

/** Null of what is no run. */
export function parseRun(field: string | null): Run | null {
  const parts = (field ?? "").split("_").map((part) => Number(part || NaN));
  const [gamma = NaN, learningRate = NaN, seed = NaN, number = NaN, value = NaN] = parts;
  const sensible = gamma >= 0 && gamma <= 1 && learningRate > 0 && learningRate <= 1 && isSeed(seed);
  if (!sensible || (parts.length !== 3 && parts.length !== 5)) return null;
  const run = { knobs: { gamma, learningRate }, seed };
  if (parts.length === 3) return { ...run, difference: null };
  const knob = names[number];
  const within = knob && value >= RANGES[knob].value(RANGES[knob].least) && value <= RANGES[knob].value(RANGES[knob].most);
  return within ? { ...run, difference: { knob, value } } : null;
}

/** A run that a link newly says. */
export const linkedRun = news(parseRun);
