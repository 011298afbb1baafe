/** Steps of training: ours beside TensorFlow.js, on the same text, both with Adam. */

import type { Browser, Page } from "playwright-core";
import type { TrainTurn } from "../page/train.ts";
import { open, within } from "./browser.ts";
import { addressOf, type Name, type Options } from "./options.ts";

export interface TrainEntry {
  readonly contestant: Name;
  readonly turns: TrainTurn[];
  /** Why it did not take part, or not to the end. */
  readonly reason: string | null;
}

/** Those that can learn. */
const LEARNERS: readonly Name[] = ["saccade-cpu", "tfjs-wasm", "saccade-webgpu", "tfjs-webgpu"];
/** Steps before the first turn. */
const FIRST = 2;
/** Milliseconds of a turn: of a fast one some ten steps. */
const TURN = 400;
/** Rounds at most, and seconds after which a contestant is given up. */
const [ROUNDS, PATIENCE] = [5, 240];

/** All that take part, by turns. */
export async function train(browser: Browser, url: string, options: Options): Promise<TrainEntry[]> {
  const entries: { contestant: Name; turns: TrainTurn[]; reason: string | null; page: Page }[] = [];
  for (const contestant of options.contestants.filter((name) => LEARNERS.includes(name))) {
    const page = await open(browser, `${url}${addressOf(contestant, "train", "")}`);
    entries.push({ contestant, turns: [], reason: null, page });
  }
  const attempt = async (entry: (typeof entries)[number], work: () => Promise<unknown>) => {
    if (entry.reason === null) await within(PATIENCE, "a turn", work()).catch((error: unknown) => (entry.reason = error instanceof Error ? error.message : String(error)));
  };
  for (const entry of entries) await attempt(entry, () => entry.page.evaluate((count) => window.train.prepare(count), FIRST));
  for (let round = 0; round < Math.min(options.rounds, ROUNDS); round++) {
    for (const entry of entries) await attempt(entry, async () => entry.turns.push(await entry.page.evaluate((ms) => window.train.turn(ms), TURN)));
  }
  await Promise.all(entries.map(({ page }) => page.context().close()));
  return entries.map(({ page: _, ...entry }) => entry);
}
