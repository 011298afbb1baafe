/** What the chapter Race says of a race that runs, has run, or has not. */

import { render } from "svelte/server";
import { afterEach, expect, test, vi } from "vitest";
import { loadWithoutWordCache, type Model } from "../src/engine.ts";
import type * as engine from "../src/engine.ts";
import Chapter from "../src/race/Chapter.svelte";
import { race } from "../src/race/race.svelte.ts";
import { recorded } from "../src/race/recorded.ts";
import { keyOf, type Trial } from "../src/race/trial.ts";
import type { Study } from "../src/study/study.svelte.ts";

vi.mock("../src/engine.ts", async (original) => ({
  ...(await original<typeof engine>()),
  loadWithoutWordCache: vi.fn(() => Promise.reject(new Error("the engine died"))),
  /** A race in which all entrants fail. */
  race: async (entrants: object, { onRound }: { onRound: (so: object) => void }) => {
    const absent = Object.fromEntries(Object.keys(entrants).map((name) => [name, "the engine died"]));
    onRound({ samples: {}, absent, rounds: 1, sampleMs: 40 });
  },
}));
// Its colours are a browser's.
vi.mock("../src/race/gates/Gates.svelte", () => ({ default: () => {} }));

const chapter = (seen: object | null = null) => render(Chapter, { props: { study: { ready: null, seen } as unknown as Study } }).body;
/** What was read, in so many words. */
const read = (words: number) => ({ reading: { tokens: Array.from({ length: words }, () => ({ text: "a", decision: "read" })) } });

afterEach(() => {
  race.trials = new Map();
  [race.raced, race.running, race.failure, race.ended] = [0, null, null, null];
});

test("a failure is said once, beside what began the series, also when the chapter is opened again", async () => {
  await race.marathon({ words: ["a"], decisions: ["read"] });
  const [before, after, ...more] = chapter().split('role="alert"');
  expect(more).toEqual([]);
  expect(after).toContain("the engine died");
  expect(before?.match(/id="race-\w+"/g)?.at(-1)).toBe('id="race-length"');
});

test("only a race that came to its end is said to have ended", async () => {
  const [trial] = recorded.trials.filter(({ alone, length }) => !alone && length === recorded.length) as [Trial];
  // Those before a stop, or before a failure, stay.
  race.trials = new Map([[keyOf(trial), trial]]);
  race.raced = recorded.length;
  await race.marathon({ words: ["a"], decisions: ["read"] });
  expect(race.ended).toBeNull();
  expect(chapter()).not.toContain("has ended");
  race.ended = "sprint";
  expect(chapter()).toMatch(/The race over \d+ words has ended\./);
  race.ended = "relay";
  expect(chapter()).not.toContain("has ended");
  expect(chapter()).toContain("All batches are measured.");
});

test("what a race was stopped before it was sure of is not told; while it is on, more is waited for", () => {
  const heat = { cell: "lstm", device: "cpu", length: 7, batch: 1, alone: false } as const;
  const after = (turns: number) => {
    race.trials = new Map([[keyOf(heat), { ...heat, samples: Array.from({ length: turns }, () => 1), flops: 1, method: "in turns" }]]);
    race.raced = 7;
    const body = chapter().replace(/<!--.*?-->/g, "");
    const row = /data-told="(\w+)".*?<\/tr>/s.exec(body);
    return { told: row?.[1], cells: [...(row?.[0] ?? "").matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, cell]) => cell), rate: /data-cell="lstm".*?class="rate[^"]*">(.*?)<\/li>/s.exec(body)?.[1] };
  };
  expect(after(4)).toMatchObject({ told: "false", cells: ["CPU", "7", "1", "4", "too few turns to tell"], rate: expect.stringContaining("too few") });
  expect(after(5)).toMatchObject({ told: "true", cells: ["CPU", "7", "1", "5", "1 ms", "1 ms", "7K"], rate: expect.stringContaining("7K") });
  race.running = { series: "sprint", heat, done: 4, total: 12 };
  expect(after(4).rate).toContain("…");
});

test("a race in which nothing could run is not said to have ended", async () => {
  vi.mocked(loadWithoutWordCache).mockResolvedValue({ dispose: () => undefined } as Model);
  await race.marathon({ words: ["a"], decisions: ["read"] });
  expect([race.failure, race.ended, race.trials.size]).toEqual([null, null, 0]);
  expect(race.absent.size).toBeGreaterThan(0);
});

test("before the text was read nothing is said of its words", () => {
  expect(chapter()).not.toContain("No word of");
  expect(chapter()).toContain("once the network in the chapter Read has read it");
});

test("bars of a race elsewhere are said to be of its text, whatever is read here", () => {
  for (const seen of [null, read(7)]) {
    expect(chapter(seen)).toContain("Words a second, on 20 words");
    expect(chapter(seen)).toMatch(/The pale bars come from another machine \([^)]*\) and a text of 20 words\./);
  }
  // A race that was stopped before anything was measured leaves them there.
  race.raced = 7;
  expect(chapter(read(9))).toContain("Words a second, on 20 words");
  race.running = { series: "sprint", heat: recorded.trials[0] as Trial, done: 0, total: 12 };
  expect(chapter(read(9))).toContain("Words a second, on 7 words");
});

test("the numbers of a race elsewhere stand while something else than that is measured", () => {
  const waits = () => chapter().replace(/<!--.*?-->/g, "").match(/class="rate[^>]*>…/g)?.length ?? 0;
  const [heat] = recorded.trials as [Trial];
  race.running = { series: "marathon", heat, done: 0, total: 12 };
  expect(waits()).toBe(0);
  race.running = { series: "sprint", heat, done: 0, total: 12 };
  expect(waits()).toBeGreaterThanOrEqual(5);
});

test("a race is over no more of a long text than its beginning, and that is said", () => {
  const said = (words: number) => chapter(read(words)).replace(/<[^>]*>/g, "");
  expect(said(4000)).toContain("read 4,000 words of your text, without what is not spelt with the letters a to z alone: punctuation, numbers, words with accents");
  expect(said(4001)).toContain("read the first 4,000 words of your text,");
});

test("the drawings of a race elsewhere are told in words, since there is no table", () => {
  expect(chapter()).not.toContain("The table below");
  expect(chapter()).toMatch(/aria-label="Time of one text, by its length, on another machine[^"]*LSTM on CPU: [^"]* at 4096/);
});
