/** The runs that the chapter Train shows before the visitor's own: `SACCADE_RECORD=1` writes them anew. */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import type * as engine from "../src/train/engine.ts";
import { LATELY, ROUNDS, type Seen } from "../src/train/far/memory.svelte.ts";
import { Network } from "../src/train/far/network.ts";
import { recorded as far } from "../src/train/far/recorded.ts";
import { cells, LENGTHS, type Cell, type Learned } from "../src/train/far/sizes.ts";
import { recorded as letters } from "../src/train/letters/recorded.ts";
import { Writer } from "../src/train/letters/writer.svelte.ts";
import { Namer } from "../src/train/name/namer.svelte.ts";
import { recorded as name, recordOf as recordOfName } from "../src/train/name/recorded.ts";
import { controls } from "../src/train/name/strings.ts";
import type { Kept, Run } from "../src/train/shared/run.svelte.ts";
import { ownRows } from "../src/train/skim/data.ts";
import { EPOCHS, Learner } from "../src/train/skim/learner.svelte.ts";
import { recorded as skim, recordOf as recordOfSkim } from "../src/train/skim/recorded.ts";

vi.mock("../src/train/engine.ts", async () => {
  const { train } = await import("../../js/src/train/index.ts");
  type Given = Parameters<typeof train>;
  // Where the test is, and not in a worker.
  return { train: (data: Given[0], settings: Given[1]) => train(data, settings, { worker: false }) } as unknown as typeof engine;
});

const recording = process.env["SACCADE_RECORD"] === "1";
const folder = join(import.meta.dirname, "..", "src", "train");
const keep = (scene: string, record: string) => writeFileSync(join(folder, scene, "recorded.json"), `${record}\n`);
const lines = (rows: readonly unknown[]) => rows.map((row) => `  ${JSON.stringify(row)}`).join(",\n");

vi.setConfig({ testTimeout: 900_000 });
afterEach(() => vi.unstubAllGlobals());

/** The moments of a run: all to be recorded, else the first few. A run rounds otherwise on another processor, and parts with this one in the end. */
async function momentsOf<Moment extends Kept>(run: Run<Moment>, driven: Promise<void>, few: number): Promise<readonly Moment[]> {
  await (recording ? driven : vi.waitUntil(() => run.failure !== null || run.moments.length >= few, { timeout: 600_000, interval: 5 }));
  const { moments, failure } = run;
  run.forget();
  expect(failure).toBe(null);
  return recording ? moments : moments.slice(0, few);
}

describe("what is recorded is what the page's own settings give", () => {
  test("Learning to skim", async () => {
    const learner = new Learner();
    const moments = await momentsOf(learner, learner.start(ownRows()), 8);
    if (recording) {
      const { words, moments: all } = recordOfSkim(moments);
      return keep("skim", `{ "words": [\n${lines(words)}\n], "moments": [\n${lines(all)}\n] }`);
    }
    for (const [at, { epoch, loss, skimRate, reads }] of moments.entries()) {
      const there = skim[at];
      expect(there?.epoch).toBe(epoch);
      expect(there?.loss).toBeCloseTo(loss, 2);
      expect(there?.skimRate).toBeCloseTo(skimRate, 1);
      const places = (all: typeof reads | undefined) => all?.map(({ words }) => words.map(({ start, end }) => [start, end]));
      expect(places(there?.reads)).toEqual(places(reads));
    }
    expect(skim.length).toBe(2 * EPOCHS);
    expect(skim.at(-1)?.accuracy).toBeGreaterThan(0.9);
    expect(skim.at(-1)?.skimRate).toBeGreaterThan(0.5);
  });

  test("Your own text", async () => {
    const writer = new Writer();
    const driven = writer.start(readFileSync(join(folder, "letters", "shakespeare.txt"), "utf8"));
    await vi.waitUntil(() => writer.text !== null);
    const { epochs, letters: different, learned: cell } = writer;
    const moments = await momentsOf(writer, driven, 3);
    if (recording) {
      const short = moments.map(({ epoch, bits, ...moment }) => ({ ...moment, epoch: Number(epoch.toFixed(3)), bits: Number(bits.toFixed(3)) }));
      return keep("letters", `{ "cell": ${JSON.stringify(cell)}, "epochs": ${epochs}, "letters": ${different}, "moments": [\n${lines(short)}\n] }`);
    }
    expect([letters.cell, letters.epochs, letters.letters]).toEqual([cell, epochs, different]);
    for (const [at, { epoch, bits }] of moments.entries()) {
      expect(letters.moments[at]?.epoch).toBeCloseTo(epoch, 2);
      expect(letters.moments[at]?.bits).toBeCloseTo(bits, 1);
    }
    expect(letters.moments.at(-1)?.epoch).toBe(epochs);
  });

  test("How far back can it learn?", async () => {
    const last = {} as Record<Cell, Seen>;
    for (const cell of cells) {
      const network = new Network(cell, { length: LENGTHS.first, clip: true, scale: 1, seed: 1 });
      const all: Learned[] = [];
      for (let round = 0; round < ROUNDS; round++) all.push(await network.learn(LENGTHS.first));
      network.dispose();
      const { sizes, norm, right } = all.at(-1) as Learned;
      const lately = all.slice(-LATELY).reduce((sum, { right }) => sum + right, 0) / LATELY;
      const short = (figure: number) => Number(figure.toPrecision(3));
      last[cell] = { right, norm: short(norm), sizes: sizes.map(short), round: ROUNDS, reach: LENGTHS.first, lately };
    }
    if (recording) return keep("far", `{\n${Object.entries(last).map(([cell, seen]) => `  ${JSON.stringify(cell)}: ${JSON.stringify(seen)}`).join(",\n")}\n}`);
    for (const cell of cells) {
      expect([far[cell].sizes.length, far[cell].reach, far[cell].round]).toEqual([last[cell].sizes.length, LENGTHS.first, ROUNDS]);
      expect(Math.abs(far[cell].lately - last[cell].lately)).toBeLessThan(0.2);
    }
    // What the prose says of it.
    expect(far.elman.sizes.at(-1)).toBeLessThan(0.01);
    for (const { sizes, lately } of [far.lstm, far.sru]) expect([(sizes.at(-1) ?? 0) > 0.1, lately > 0.9]).toEqual([true, true]);
  });

  test("Say my name", async () => {
    vi.stubGlobal("fetch", async () => new Response(readFileSync(join(folder, "name", "sounds.txt"))));
    const namer = new Namer();
    const names = [namer.name, ...controls.names];
    const driven = namer.start();
    await vi.waitUntil(() => namer.stage === "running", { timeout: 60_000, interval: 1 });
    for (const name of names) void namer.say(name);
    const moments = await momentsOf(namer, driven, 1);
    if (recording) return keep("name", `[\n${lines(recordOfName(moments))}\n]`);
    for (const [at, { epoch, sounds, said }] of moments.entries()) {
      expect(name[at]?.epoch).toBeCloseTo(epoch, 2);
      expect(name[at]?.sounds).toBeCloseTo(sounds, 1);
      const spelled = (all: typeof said | undefined) => names.map((name) => all?.[name]?.map((word) => word.map(({ letter }) => letter).join("")));
      expect(spelled(name[at]?.said)).toEqual(spelled(said));
    }
    expect(name.at(-1)?.sounds).toBeGreaterThan(0.85);
  });
});
