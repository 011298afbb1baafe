/** What a token costs, by where a vocabulary is cut, and the cut that costs least (Grave et al. 2017, section 4). */

import { isTold, spread, type Spread } from "../../engine.ts";

/** What a product of one row of numbers with a matrix took, and the softmax over what came out. */
export interface Point {
  /** Rows of the matrix: how many numbers come out. */
  readonly outputs: number;
  readonly ms: Spread;
}

/** Times of the parts of an adaptive softmax, by their size, the smallest first. */
export interface Times {
  readonly head: readonly Point[];
  /** Of each tail, which is narrower than the one before it. */
  readonly tails: readonly (readonly Point[])[];
}

/** Medians alone, by size, as times that all rounds agree on. */
interface Medians {
  readonly head: readonly { readonly outputs: number; readonly ms: number }[];
  readonly tails: readonly Medians["head"][];
}

/** Times made of medians: where the rounds of another machine lay is no promise of this one's. */
export function still({ head, tails }: Medians): Times {
  const points = (medians: Medians["head"]) => medians.map(({ outputs, ms }) => ({ outputs, ms: spread([ms]) }));
  return { head: points(head), tails: tails.map(points) };
}

/** How much of a text the most frequent words are. */
export interface Shares {
  /** Numbers of words, increasing; the last is the whole vocabulary. */
  readonly places: readonly number[];
  /** Of each place, the share of the tokens that so many of the most frequent words are; the last is 1. */
  readonly below: readonly number[];
}

/** The first word of every tail. */
export type Cut = readonly number[];

/** What a token is expected to cost under a cut. */
export interface Cost {
  /** Of the head's words, and of every tail's, the share of the tokens. */
  readonly shares: readonly number[];
  /** Milliseconds: of the head, which every token needs, and of every tail, times its share. */
  readonly parts: readonly number[];
  readonly total: Spread;
}

/** Differences of times may come out below 0, of which there is no logarithm: no time counts as less, in milliseconds. */
const LEAST_MS = 1e-4;

/** A value between points, linear in the logarithms; beyond them, that of the nearest. */
export function timeAt(points: readonly Point[], outputs: number, at: keyof Spread = "median"): number {
  const above = points.findIndex((point) => point.outputs > outputs);
  const [low, high] = [points[above < 0 ? points.length - 1 : Math.max(0, above - 1)], points[above < 0 ? points.length - 1 : above]];
  if (!low || !high) return Number.NaN;
  const [from, to] = [Math.max(LEAST_MS, low.ms[at]), Math.max(LEAST_MS, high.ms[at])];
  if (low === high || outputs <= low.outputs) return from;
  const share = Math.log(outputs / low.outputs) / Math.log(high.outputs / low.outputs);
  return from * (to / from) ** share;
}

/** The share of the tokens that so many of the most frequent words are; between places along a line. */
export function shareBelow({ places, below }: Shares, words: number): number {
  const above = places.findIndex((place) => place > words);
  if (above < 0) return 1;
  const [from, to] = [places[above - 1] ?? 0, places[above] ?? 1];
  const [low, high] = [below[above - 1] ?? 0, below[above] ?? 1];
  return low + ((words - from) / (to - from)) * (high - low);
}

/** The words of a vocabulary. */
export const wordsOf = ({ places }: Shares): number => places.at(-1) ?? 0;

/** What a token is expected to cost: the head's product for every token, a tail's for those that need it. */
export function costOf(cut: Cut, times: Times, shares: Shares): Cost {
  const ends = [...cut, wordsOf(shares)];
  const part = ends.map((end, at) => shareBelow(shares, end) - (at > 0 ? shareBelow(shares, ends[at - 1] ?? 0) : 0));
  const parts = (of: keyof Spread) =>
    ends.map((end, at) => {
      if (at === 0) return timeAt(times.head, end + cut.length, of);
      return (part[at] ?? 0) * timeAt(times.tails[at - 1] ?? [], end - (ends[at - 1] ?? 0), of);
    });
  const total = (of: keyof Spread) => parts(of).reduce((sum, each) => sum + each, 0);
  const [least, low, median, high, most] = [total("least"), total("low"), total("median"), total("high"), total("most")];
  return { shares: part, parts: parts("median"), total: { least, low, median, high, most } };
}

/**
 * The cheapest cut whose head holds at least the share `coverage` of the tokens, by dynamic programming over the places;
 * null where there is none. Without such a bound the cheapest head is a few words, for tails are narrow.
 */
export function cheapest(times: Times, { places, below }: Shares, coverage: number): Cut | null {
  interface Partial {
    readonly ms: number;
    readonly cut: Cut;
  }
  const none: Partial = { ms: Number.POSITIVE_INFINITY, cut: [] };
  // Of a head and the tails so far that end at a place.
  let best: readonly Partial[] = places.map((end, at) => ((below[at] ?? 0) >= coverage ? { ms: timeAt(times.head, end + times.tails.length), cut: [] } : none));
  for (const tail of times.tails) {
    best = places.map((end, to) => {
      let least = none;
      for (let from = 0; from < to; from++) {
        const [before, start] = [best[from] ?? none, places[from] ?? 0];
        if (before.ms >= least.ms) continue;
        const ms = before.ms + ((below[to] ?? 0) - (below[from] ?? 0)) * timeAt(tail, end - start);
        if (ms < least.ms) least = { ms, cut: [...before.cut, start] };
      }
      return least;
    });
  }
  const whole = best.at(-1) ?? none;
  return Number.isFinite(whole.ms) ? whole.cut : null;
}

/** Whether the rounds agree on a time, and all that something takes time at all: a difference of times may lie about 0. */
export const takesTime = (ms: Spread): boolean => ms.least > 0 && isTold(ms);
