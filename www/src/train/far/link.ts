/** How a run begins, in a field of the address: `far_60_10_1_4_1` is letters, how far the gradient goes back (0 for all), clipping, scale, seed. */

import { formatParts, isSeed, news, parseParts } from "../shared/link.ts";
import { LARGE, LENGTHS } from "./sizes.ts";

export interface Run {
  readonly length: number;
  /** Null for all letters. */
  readonly reach: number | null;
  readonly clip: boolean;
  readonly scale: number;
  readonly seed: number;
}

export const formatRun = ({ length, reach, clip, scale, seed }: Run): string => formatParts("far", [length, reach ?? 0, Number(clip), scale, seed]);

/** Null of what is no run. */
export function parseRun(field: string | null): Run | null {
  const parts = parseParts("far", field) ?? [];
  const [length = NaN, reach = NaN, clip = NaN, scale = NaN, seed = NaN] = parts.map((part) => Number(part || NaN));
  const fits = Number.isInteger(length) && length >= LENGTHS.least && length <= LENGTHS.most && Number.isInteger(reach) && reach >= 0 && reach < length;
  const sensible = fits && (clip === 0 || clip === 1) && (scale === 1 || scale === LARGE) && isSeed(seed) && parts.length === 5;
  return sensible ? { length, reach: reach || null, clip: clip === 1, scale, seed } : null;
}

/** A run that a link newly says. */
export const linkedRun = news(parseRun);
