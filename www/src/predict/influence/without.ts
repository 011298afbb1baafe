/** Texts with a word left out. */

import type { ScoredToken } from "../../engine.ts";

/** So many earlier words are left out in turn, the nearest first. */
export const MOST = 24;

/** The earlier words that are left out, by their numbers: up to {@link MOST} before a word. */
export function earlier(at: number): number[] {
  return Array.from({ length: Math.min(MOST, at) }, (_, back) => at - 1 - back);
}

/** The text up to the end of a word, without an earlier one, and without the space that would stand twice. */
export function without(text: string, tokens: readonly ScoredToken[], at: number, out: number): string {
  const [target, left] = [tokens[at], tokens[out]];
  if (!target || !left) return text;
  const [before, after] = [text.slice(0, left.start), text.slice(left.end, target.end)];
  return /(?:^|\s)$/.test(before) ? before + after.replace(/^\s+/, "") : before + after;
}

/**
 * By how many bits the surprisal of the last word grows when an earlier one is left out; null where leaving it out changes the
 * words around it as well, so that the two are not to be compared.
 */
export function effectOf(whole: readonly ScoredToken[], at: number, out: number, left: readonly ScoredToken[]): number | null {
  const [with_, without] = [whole[at], left.at(-1)];
  const same = left.length === at && whole.slice(0, at + 1).every(({ text }, i) => i === out || text === left[i < out ? i : i - 1]?.text);
  return same && with_?.kind === "predicted" && without?.kind === "predicted" ? without.bits - with_.bits : null;
}
