/** Batch on the engine: graphs in JavaScript make of a program what was recorded of the same in Rust. */

import { expect, test } from "vitest";
import { explain, guess } from "../src/batch/live.ts";
import { groupsOf, padded } from "../src/batch/padding.ts";
import { programOf, type Step } from "../src/batch/program.ts";
import { isByHand, strategies, ways, type Report, type Strategy } from "../src/batch/schedule.ts";
import { treeOf, type Tree } from "../src/batch/trees.ts";
import record from "./fixtures/schedules.json";

test("every schedule is the engine's own, whichever language recorded the program", async () => {
  const reports = record.reports as Readonly<Record<Strategy, Report>>;
  for (const strategy of strategies) expect(await explain(record.program as readonly Step[], strategy)).toEqual(reports[strategy]);
});

test("another program has another score: chains of unequal length end with the longest", async () => {
  const chains = ["a", "a b", "a b c d e f"].map((text) => treeOf(text) as Tree);
  const { launches, lowerBound } = await explain(programOf(chains), "levels");
  // Look-ups, words, five joins, guesses.
  expect([launches.length, lowerBound]).toEqual([8, 8]);
  expect(launches.map(({ nodes }) => nodes.length)).toEqual([9, 9, 2, 1, 1, 1, 1, 15]);
  expect((await explain([], "levels")).launches).toEqual([]);
});

test("every way guesses the same, with cells that are wasted or without", async () => {
  const program = programOf(["(a b) (c d)", "unforgettable", "a b c d e f", "(x (y z)) friendship"].map((text) => treeOf(text) as Tree));
  const guesses = program.flatMap(({ kind }, step) => (kind === "guess" ? [step] : []));
  const report = await explain(program, "levels");
  /** Of each guess its numbers, by its step. */
  const all = new Map<string, ReadonlyMap<number, readonly number[]>>();
  for (const way of ways) {
    const made = isByHand(way) ? padded(program, groupsOf(program, 4, way === "buckets")) : report;
    const values = await guess(program, way, made, "cpu");
    const steps = isByHand(way) ? made.launches.flatMap(({ nodes }) => (program[nodes[0] ?? -1]?.kind === "guess" ? [nodes] : [])) : guesses.map((step) => [step]);
    const of = new Map(steps.flatMap((nodes, at) => nodes.map((node, row) => [node, [...(values[at]?.subarray(5 * row, 5 * row + 5) ?? [])]] as const)));
    all.set(way, of);
  }
  const expected = all.get("unbatched");
  expect(expected?.size).toBe(guesses.length);
  for (const way of ways) {
    for (const step of guesses) {
      for (const [at, value] of (expected?.get(step) ?? []).entries()) expect(all.get(way)?.get(step)?.[at], `${way} ${step}`).toBeCloseTo(value, 5);
    }
  }
  await expect(guess(program, "levels", report, "webgpu")).rejects.toMatchObject({ code: expect.stringMatching(/^DEVICE_/) });
});
