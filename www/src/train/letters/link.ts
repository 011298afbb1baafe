/** How a run begins, in a field of the address: `letters_gru_own_3` is the cell, that the text is the visitor's, the seed. */

import { formatParts, isSeed, news, parseParts } from "../shared/link.ts";
import { cells, type Cell } from "./cells.ts";

export const sources = ["shakespeare", "own"] as const;
export type Source = (typeof sources)[number];

export interface Run {
  readonly cell: Cell;
  /** The text: the shipped one, or one of the visitor's, which no link carries. */
  readonly source: Source;
  readonly seed: number;
}

export const formatRun = ({ cell, source, seed }: Run): string => formatParts("letters", [cell, source, seed]);

/** Null of what is no run. */
export function parseRun(field: string | null): Run | null {
  const [named, from, number, ...more] = parseParts("letters", field) ?? [];
  const [cell, source, seed] = [cells.find((cell) => cell === named), sources.find((source) => source === from), Number(number || NaN)];
  return cell && source && isSeed(seed) && more.length === 0 ? { cell, source, seed } : null;
}

/** A run that a link newly says. */
export const linkedRun = news(parseRun);
