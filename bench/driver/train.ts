/** Steps of training: ours beside TensorFlow.js, on the same text, both with Adam. */

import type { Browser, Page } from "playwright-core";
import type { TrainTurn } from "../page/train.ts";
import { inTurn } from "../shared/turns.ts";
import { close, failure, open, PATIENCE, within } from "./browser.ts";
import { addressOf, type Name, type Options } from "./options.ts";

export interface TrainEntry {
  readonly contestant: Name;
  /** Of every step, nats a letter. */
  readonly losses: number[];
  readonly turns: Omit<TrainTurn, "losses">[];
  /** Why it did not take part, or not to the end. */
  readonly reason: string | null;
}

/** Those that can learn. */
const LEARNERS: readonly Name[] = ["saccade-cpu", "tfjs-wasm", "saccade-webgpu", "tfjs-webgpu"];
/** Steps before the first turn. */
const FIRST = 2;
/** Milliseconds of a turn: of a fast one some ten steps. */
const TURN = 400;
/** Rounds at most. */
const ROUNDS = 5;

/** All that take part, by turns. */
export async function train(browser: Browser, url: string, options: Options): Promise<TrainEntry[]> {
  const names = options.contestants.filter((name) => LEARNERS.includes(name));
  const learners = names.map((contestant): Learner => ({ contestant, losses: [], turns: [], reason: null }));
  for (const learner of learners) {
    await attempt(learner, async () => {
      learner.page = await open(browser, `${url}${addressOf(learner.contestant, "train", "")}`);
      learner.losses.push(...(await learner.page.evaluate((count) => window.train.prepare(count), FIRST)));
    });
  }
  for (let round = 0; round < Math.min(options.rounds, ROUNDS); round++) {
    for (const learner of inTurn(learners, round)) {
      await attempt(learner, async () => {
        const { losses, ...turn } = await learner.page!.evaluate((ms) => window.train.turn(ms), TURN);
        learner.losses.push(...losses);
        learner.turns.push(turn);
      });
    }
  }
  for (const learner of learners) await leave(learner);
  return learners.map(({ page: _, ...entry }) => entry);
}

interface Learner extends TrainEntry {
  page?: Page;
  reason: string | null;
}

/** Has a learner do something, unless it was given up; gives it up if that fails or takes too long. */
async function attempt(learner: Learner, work: () => Promise<unknown>): Promise<void> {
  if (learner.reason !== null) return;
  learner.reason = await failure(() => within(PATIENCE, "a turn", work()));
  // One that was too slow would compute on beside the others.
  if (learner.reason !== null) await leave(learner);
}

async function leave(learner: Learner): Promise<void> {
  const { page } = learner;
  delete learner.page;
  if (page) await close(page);
}
