/** How a run begins, in a field of the address: `name_3` is the seed. */

import { formatParts, isSeed, news, parseParts } from "../shared/link.ts";

export const formatRun = (seed: number): string => formatParts("name", [seed]);

/** Null of what is no run. */
export function parseRun(field: string | null): number | null {
  const parts = parseParts("name", field) ?? [];
  const seed = Number(parts[0] || NaN);
  return isSeed(seed) && parts.length === 1 ? seed : null;
}

/** A run that a link newly says. */
export const linkedRun = news(parseRun);
