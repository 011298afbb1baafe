/** The times of the parts of an adaptive softmax on this device, of one row at a time. */

import { race, spread, type Contestant, type Spread } from "../../engine.ts";
import { SITTINGS } from "../../study/measurements.svelte.ts";
import { shareBelow, wordsOf, type Cut, type Shares, type Times } from "./costs.ts";
import { TAILS, timed, type Sizes, type Timed } from "./layers.ts";

/** Words of a head, and of a tail, that are measured. */
const HEADS = [64, 256, 1024, 2048, 4096, 8192, 16_384];
const BANDS = [64, 512, 2048, 8192, 16_384];
/** Beside a tail that is measured stands so small a head. */
const SMALL = 16;
/** The rounds of all parts together take about so many milliseconds. */
const BUDGET_MS = 9000;

export interface Follow {
  readonly signal: AbortSignal;
  onRound(done: number, total: number): void;
}

/** Makes layers, lets them take turns, and disposes of them. */
async function inTurns(
  makers: Readonly<Record<string, () => Promise<Timed>>>,
  { signal, onRound }: Follow,
): Promise<Readonly<Partial<Record<string, readonly number[]>>>> {
  const layers: Timed[] = [];
  try {
    const contestants: Record<string, Contestant> = {};
    for (const [name, make] of Object.entries(makers)) {
      signal.throwIfAborted();
      const layer = await make();
      layers.push(layer);
      contestants[name] = layer;
    }
    const { samples, absent } = await race(contestants, {
      ...SITTINGS,
      budgetMs: BUDGET_MS,
      signal,
      onRound: ({ rounds }) => onRound(rounds, SITTINGS.rounds),
    });
    const [reason] = Object.values(absent);
    if (reason !== undefined) throw new Error(reason);
    return samples;
  } finally {
    for (const layer of layers) layer.dispose();
  }
}

/** Of some sizes those below a number of words, and that. */
const upTo = (sizes: readonly number[], words: number) => [...sizes.filter((size) => size < words), words];

/** Measures heads and tails of several sizes, all of them in turns. A tail's time is what it takes more than a head alone. */
export async function measure(words: number, follow: Follow): Promise<Times> {
  const alone = (outputs: number): Sizes => ({ head: outputs - 1, tails: [{ words: 1, columns: TAILS[1] }] });
  const beside = (words: number, columns: number): Sizes => ({ head: SMALL, tails: [{ words, columns }] });
  const makers: Record<string, () => Promise<Timed>> = { none: () => timed(alone(SMALL + 1), () => 0) };
  for (const outputs of upTo(HEADS, words)) makers[`head ${outputs}`] = () => timed(alone(outputs), () => 0);
  for (const [tail, columns] of TAILS.entries()) {
    // The first word of a tail comes after those of the head.
    for (const size of upTo(BANDS, words)) makers[`${tail} ${size}`] = () => timed(beside(size, columns), () => SMALL);
  }
  return timesOf(await inTurns(makers, follow), words);
}

/** What the parts take, from the rounds of all contestants. */
export function timesOf(samples: Readonly<Partial<Record<string, readonly number[]>>>, words: number): Times {
  const of = (name: string) => samples[name] ?? [];
  // As they are: a small tail that seems to take less than none says how little these rounds can tell.
  const more = (name: string) => of(name).map((ms, round) => ms - (of("none")[round] ?? 0));
  return {
    head: upTo(HEADS, words).map((outputs) => ({ outputs, ms: spread(of(`head ${outputs}`)) })),
    tails: TAILS.map((_, tail) => upTo(BANDS, words).map((outputs) => ({ outputs, ms: spread(more(`${tail} ${outputs}`)) }))),
  };
}

/** The part of 1 between two numbers drawn one after the other: they fill the range evenly. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Draws words as often as they occur. */
export function drawing({ places, below }: Shares): () => number {
  let at = 0.5;
  return () => {
    at = (at + GOLDEN) % 1;
    const to = below.findIndex((share) => share > at);
    const [start, end] = [places[to - 1] ?? 0, places[to] ?? 1];
    const [low, high] = [below[to - 1] ?? 0, below[to] ?? 1];
    return Math.min(end - 1, start + Math.floor(((at - low) / (high - low)) * (end - start)));
  };
}

/** Measures whole softmaxes, cut as given, in turns, on words that are drawn as often as they occur. */
export async function check(cuts: readonly Cut[], shares: Shares, follow: Follow): Promise<readonly Spread[]> {
  const words = wordsOf(shares);
  const sizes = (cut: Cut): Sizes => ({
    head: cut[0] ?? words,
    tails: cut.map((start, at) => ({ words: (cut[at + 1] ?? words) - start, columns: TAILS[at] ?? 1 })),
  });
  const makers = Object.fromEntries(cuts.map((cut) => [cut.join(" "), () => timed(sizes(cut), drawing(shares))]));
  const samples = await inTurns(makers, follow);
  return cuts.map((cut) => spread(samples[cut.join(" ")] ?? []));
}

/** The share of the tokens in the head of a cut. */
export const coverageOf = (cut: Cut, shares: Shares): number => shareBelow(shares, cut[0] ?? 0);
