/** What the chapter Race keeps of heats that fail. */

import { expect, test, vi } from "vitest";
import * as engine from "../src/engine.ts";
import { cells } from "../src/race/cells.ts";
import { devices, LENGTHS, Race } from "../src/race/race.svelte.ts";
import { keyOf } from "../src/race/trial.ts";

vi.mock("../src/engine.ts", async (original) => ({ ...(await original<typeof engine>()), loadWithoutWordCache: async () => ({ dispose() {} }), race: vi.fn() }));

const course = { words: ["a"], decisions: ["read"] } as const;
const heats = LENGTHS.length * devices.length * cells.length;
const failing = keyOf({ cell: "lstm", device: "webgpu", length: 20, batch: 1, alone: false });

/** A series in which every heat has a sample in each round, but for one from the round `from` on. */
async function run(race: Race, from: number): Promise<void> {
  vi.mocked(engine.race).mockImplementation(async (entrants, options) => {
    const fails = (key: string, round: number) => key === failing && round >= from;
    const so = (rounds: number) => {
      const keys = Object.keys(entrants);
      const samples = Object.fromEntries(keys.filter((key) => !fails(key, rounds)).map((key) => [key, Array.from({ length: rounds }, () => 1)]));
      const absent = Object.fromEntries(keys.filter((key) => fails(key, rounds)).map((key) => [key, "device lost"]));
      return { samples, absent, times: {}, rounds, sampleMs: 1 } as engine.Race;
    };
    for (const rounds of [1, 2]) await options?.onRound?.(so(rounds));
    return so(2);
  });
  await race.marathon(course);
}

test("of a heat there is a trial or the reason why there is none, whichever came last", async () => {
  const race = new Race();
  await run(race, 2);
  expect(race.failure).toBeNull();
  expect([race.trials.size, race.trials.has(failing), [...race.absent.keys()]]).toEqual([heats - 1, false, [failing]]);
  await run(race, 3);
  expect([race.trials.size, race.trials.get(failing)?.samples, [...race.absent.keys()]]).toEqual([heats, [1, 1], []]);
  await run(race, 1);
  expect([race.trials.size, race.absent.get(failing)?.reason]).toEqual([heats - 1, "device lost"]);
});
