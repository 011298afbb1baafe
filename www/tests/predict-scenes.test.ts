/** The pure parts of the scenes of Predict: costs of cut-offs, the reach of an error, surprisals side by side. */

import { describe, expect, test } from "vitest";
import shares from "../data/shares-novels-lm.json";
import { columnsOf, apart, rowsOf, widest } from "../src/predict/cells/surprisal.ts";
import { cheapest, costOf, shareBelow, still, takesTime, timeAt, type Cut, type Point, type Shares, type Times } from "../src/predict/cutoffs/costs.ts";
import { timesOf } from "../src/predict/cutoffs/measure.ts";
import { inverse, logScale, ticks } from "../src/predict/cutoffs/scale.ts";
import recorded from "../src/predict/cutoffs/recorded.json";
import { carriedBytes, cut, keptBytes, meanReach, placeOf, reach } from "../src/predict/truncation/lanes.ts";
import { spread } from "../src/engine.ts";
import { noise } from "./noise.ts";

const point = (outputs: number, median: number): Point => ({ outputs, ms: spread([0.9, 1, 1.2].map((factor) => factor * median)) });
const shareBetween = (from: number, to: number) => shareBelow(shares, to) - shareBelow(shares, from);
/** Times of a power of the outputs, which lines in the logarithms meet everywhere. */
const power = (sizes: readonly number[], factor: number, exponent: number) => sizes.map((size) => point(size, factor * size ** exponent));

describe("times", () => {
  test("between points lie between them, and beyond them stand", () => {
    const points = power([16, 64, 1000], 3e-4, 0.9);
    for (const size of [16, 20, 64, 500, 1000]) expect(timeAt(points, size)).toBeCloseTo(3e-4 * size ** 0.9, 12);
    expect(timeAt(points, 3)).toBe(timeAt(points, 16));
    expect(timeAt(points, 9000)).toBe(timeAt(points, 1000));
    expect(timeAt(points, 500, "least")).toBeCloseTo(0.9 * timeAt(points, 500), 12);
  });

  test("that come out below nothing are the least there is, and are not told", () => {
    const below: Point = { outputs: 64, ms: spread([-0.02, -0.001, 0.01]) };
    const points = [below, point(512, 0.5)];
    for (const size of [10, 64, 65, 200, 512]) expect(timeAt(points, size)).toBeGreaterThan(0);
    expect(timeAt(points, 64)).toBeLessThan(timeAt(points, 200));
    expect(timeAt(points, 600)).toBe(0.5);
    expect([below, point(512, 0.5)].map(({ ms }) => takesTime(ms))).toEqual([false, true]);
  });

  test("that lie far apart tell nothing", () => {
    expect(takesTime(spread([0.9, 1, 1.2]))).toBe(true);
    expect(takesTime(spread([0.1, 1, 2.2]))).toBe(false);
    expect(takesTime(spread([0, 0, 0]))).toBe(false);
  });

  test("of a machine that changes its speed from sitting to sitting: a cost's interval covers both, and a tail is what it takes more", () => {
    const words = 44_000;
    const own: Record<string, number> = { none: 0.01 };
    for (const outputs of [64, 256, 1024, 2048, 4096, 8192, 16_384, words]) own[`head ${outputs}`] = 1e-4 * outputs;
    for (const tail of [0, 1]) for (const size of [64, 512, 2048, 8192, 16_384, words]) own[`${tail} ${size}`] = 0.01 + 2e-5 * size;
    const costAt = (speeds: readonly number[]) => {
      const samples = Object.fromEntries(Object.entries(own).map(([name, ms]) => [name, speeds.flatMap((speed) => Array(4).fill(speed * ms))]));
      return costOf([2000, 10_000], timesOf(samples, words), shares).total;
    };
    const promised = costAt([1, 1.4, 1]);
    for (const speed of [1, 1.4]) {
      const next = costAt([speed, speed, speed]).median;
      expect(next).toBeGreaterThanOrEqual(promised.least - 1e-12);
      expect(next).toBeLessThanOrEqual(promised.most + 1e-12);
    }
    expect(promised.most / promised.least).toBeCloseTo(1.4, 9);
    expect(takesTime(promised)).toBe(true);
    expect(takesTime(costAt([1, 1, 3]))).toBe(false);
    expect(promised.median).toBeCloseTo(1e-4 * 2002 + 2e-5 * (8000 * shareBetween(2000, 10_000) + 34_000 * shareBetween(10_000, words)), 9);
  });
});

/** A small vocabulary by Zipf's law, of which every number of words is a place. */
function zipf(words: number, seed = 1): Shares {
  const draw = noise(seed);
  const counts = Array.from({ length: words }, (_, rank) => (0.5 + draw()) / (rank + 1));
  const all = counts.reduce((sum, count) => sum + count, 0);
  let sum = 0;
  const below = counts.map((count) => (sum += count) / all);
  return { places: counts.map((_, rank) => rank + 1), below: [...below.slice(0, -1), 1] };
}

describe("a cut", () => {
  const vocabulary: Shares = { places: [1, 2, 4, 8], below: [0.5, 0.7, 0.9, 1] };
  const times: Times = { head: power([1, 10], 1, 1), tails: [power([1, 10], 0.5, 1), power([1, 10], 0.25, 1)] };

  test("costs its head, and its tails by their shares", () => {
    const { parts, shares, total } = costOf([2, 4], times, vocabulary);
    const expected = { parts: [4, 0.2 * 1, 0.1 * 1], shares: [0.7, 0.2, 0.1] };
    parts.forEach((part, at) => expect(part).toBeCloseTo(expected.parts[at] ?? 0, 12));
    shares.forEach((share, at) => expect(share).toBeCloseTo(expected.shares[at] ?? 0, 12));
    expect(total.median).toBeCloseTo(4.3, 12);
    expect([total.least, total.most].map((each) => each / total.median)).toEqual([expect.closeTo(0.9, 9), expect.closeTo(1.2, 9)]);
  });

  test("of nothing is one product for all words", () => {
    const { parts, shares } = costOf([], times, vocabulary);
    expect([parts, shares]).toEqual([[expect.closeTo(8, 9)], [1]]);
  });

  test("shares between places lie on the line between them", () => {
    expect([0, 1, 3, 6, 8, 9].map((words) => shareBelow(vocabulary, words))).toEqual([0, 0.5, expect.closeTo(0.8, 12), expect.closeTo(0.95, 12), 1, 1]);
  });

  test("that is found is the cheapest of all that may be", () => {
    for (let seed = 1; seed <= 12; seed++) {
      const draw = noise(seed);
      const words = 14 + (seed % 6);
      const sizes = [1, 4, 9, words + 2];
      const any = (factor: number) => sizes.map((size) => point(size, factor * (size + 4 * draw())));
      const all: Times = { head: any(1), tails: [any(0.3), any(0.1)].slice(0, 1 + (seed % 2)) };
      const zipfs = zipf(words, seed);
      for (const coverage of [0, 0.6, 0.9, 0.999]) {
        const cuts: Cut[] = [];
        for (let first = 1; first < words; first++) {
          if (all.tails.length === 1) cuts.push([first]);
          else for (let second = first + 1; second < words; second++) cuts.push([first, second]);
        }
        const allowed = cuts.filter(([first = 0]) => (zipfs.below[first - 1] ?? 0) >= coverage);
        const least = Math.min(...allowed.map((cut) => costOf(cut, all, zipfs).total.median));
        const found = cheapest(all, zipfs, coverage);
        if (allowed.length === 0) expect(found).toBeNull();
        else expect(costOf(found ?? [], all, zipfs).total.median).toBeCloseTo(least, 9);
      }
    }
  });

  test("that holds too much cannot be found", () => expect(cheapest(times, vocabulary, 1)).toBeNull());
});

describe("what was recorded", () => {
  test("has the model's own cuts among its places, and shares that only grow", () => {
    expect(shares.places).toEqual(expect.arrayContaining(shares.cutoffs));
    expect(shares.places.at(-1)).toBe(44_000);
    expect(shares.below.at(-1)).toBe(1);
    for (const list of [shares.places, shares.below]) for (const [at, value] of list.entries()) expect(value).toBeGreaterThanOrEqual(list[at - 1] ?? 0);
    expect(shares.places).toHaveLength(shares.below.length);
    // As the novels are known to be: 2,000 words are 87 % of the tokens.
    expect(shareBelow(shares, 2000)).toBeCloseTo(0.87, 1);
  });

  test("tells where every cut lies, and a cut is cheaper than none", () => {
    const times: Times = still(recorded.times);
    const own = costOf(shares.cutoffs, times, shares).total.median;
    const best = cheapest(times, shares, 0.85);
    expect(costOf(best ?? [], times, shares).total.median).toBeLessThanOrEqual(own);
    expect(own).toBeLessThan(costOf([], times, shares).total.median);
  });
});

describe("a logarithmic scale", () => {
  test("has its inverse, and round numbers", () => {
    const [to, back] = [logScale([64, 44_000], [50, 600]), inverse([64, 44_000], [50, 600])];
    for (const value of [64, 2000, 44_000]) expect(back(to(value))).toBeCloseTo(value, 6);
    expect([to(64), to(44_000)]).toEqual([50, 600]);
    expect(ticks(64, 44_000)).toEqual([100, 200, 500, 1000, 2000, 5000, 10_000, 20_000]);
    expect(ticks(0.0009, 3)).toEqual([expect.closeTo(0.001, 9), expect.closeTo(0.01, 9), expect.closeTo(0.1, 9), 1]);
  });
});

/** What each word's guess can change, by reading the lanes word by word. */
function byReading(words: number, lanes: number, steps: number) {
  const length = Math.floor((words - 1) / lanes);
  const found = new Map<number, { readonly taught: number[]; readonly carried: number[] }>();
  let updates = 0;
  // Of every lane, the words its state tells of, and those through which a gradient can go.
  const state = Array.from({ length: lanes }, () => ({ values: [] as number[], graph: [] as number[] }));
  for (let begin = 0; begin < length; begin += steps) {
    for (const lane of state) lane.graph = [];
    for (let step = begin; step < Math.min(length, begin + steps); step++) {
      for (const [number, lane] of state.entries()) {
        const word = number * length + step;
        lane.values.push(word);
        lane.graph.push(word);
        found.set(word, { taught: [...lane.graph], carried: lane.values.filter((value) => !lane.graph.includes(value)) });
      }
    }
    updates++;
  }
  return { found, updates, length };
}

const range = ([from, to]: readonly [number, number]) => Array.from({ length: to - from }, (_, at) => from + at);

describe("the reach of an error", () => {
  test("is that of reading the lanes word by word", () => {
    for (const words of [2, 5, 17, 40]) {
      for (const lanes of [1, 2, 3, 7]) {
        for (const steps of [1, 2, 5, 8, 100]) {
          const of = cut(words, lanes, steps);
          const { found, updates, length } = byReading(words, lanes, steps);
          expect([of.length, of.updates, of.left]).toEqual([length, updates, words - 1 - lanes * length]);
          for (let word = 0; word < words; word++) {
            const [reached, expected] = [reach(of, word), found.get(word)];
            expect(reached && { taught: range(reached.taught), carried: range(reached.carried) }).toEqual(expected ?? null);
            expect(placeOf(of, word)?.lane ?? null).toBe(expected ? Math.floor(word / length) : null);
          }
          const reaches = [...found.values()].map(({ taught }) => taught.length);
          const mean = reaches.reduce((sum, each) => sum + each, 0) / Math.max(1, reaches.length);
          expect(meanReach(of)).toBeCloseTo(mean, 12);
        }
      }
    }
  });

  test("costs memory by words of a chunk, and a state for every lane", () => {
    // Four gates, memory and state of 256 numbers of 4 bytes.
    expect(keptBytes(cut(101, 4, 5), 256)).toBe(4 * 5 * 6 * 256 * 4);
    expect(keptBytes(cut(9, 4, 5), 256)).toBe(4 * 2 * 6 * 256 * 4);
    expect(carriedBytes(cut(101, 4, 5), 256)).toBe(4 * 2 * 256 * 4);
  });
});

describe("surprisals side by side", () => {
  const tokens = (bits: readonly (number | undefined)[]) => bits.map((each, at) => ({ start: at, end: at + 1, ...(each !== undefined && { bits: each }) }));
  const columns = columnsOf("abc", [tokens([1, 5, 2]), tokens([2, 1, 2]), tokens([1.5, 2, 6.5])]);

  test("belong to their characters", () => {
    expect(columns.map(({ text }) => text)).toEqual(["a", "b", "c"]);
    expect(columns.map(({ bits }) => bits)).toEqual([[1, 2, 1.5], [5, 1, 2], [2, 2, 6.5]]);
    expect(columns.map(apart)).toEqual([1, 4, 4.5]);
  });

  test("differ most at one place, if anywhere", () => {
    expect(widest(columns)).toBe(2);
    expect(widest([])).toBe(-1);
    // Of a first character nothing may be known.
    expect(widest(columnsOf("ab", [tokens([undefined, 1]), tokens([undefined, 3])]))).toBe(1);
  });

  test("fill rows", () => {
    expect(rowsOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(rowsOf([], 5)).toEqual([]);
    expect(rowsOf([1], 0)).toEqual([[1]]);
  });
});
