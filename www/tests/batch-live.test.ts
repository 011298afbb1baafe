/** Batch on the engine: graphs in JavaScript make of a program what was recorded of the same in Rust. */

import { expect, test } from "vitest";
import { explain } from "../src/batch/live.ts";
import { programOf, type Step } from "../src/batch/program.ts";
import { strategies, type Report, type Strategy } from "../src/batch/schedule.ts";
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
