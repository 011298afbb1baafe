/** A case, contestant by contestant, round by round. */

import type { Browser, Page } from "playwright-core";
import type { Turn } from "../roofline/limit.ts";
import { inTurn } from "../shared/turns.ts";
import type { Case } from "../shared/workloads.ts";
import type { Prepared } from "../page/main.ts";
import { close, failure, open, PATIENCE, SOON, within } from "./browser.ts";
import { addressOf, type Name, type Options } from "./options.ts";

/** What was measured of a contestant; `samples` has a number, milliseconds a call, for each round in which it took part. */
export interface Entry {
  readonly contestant: Name;
  readonly prepared: Prepared | null;
  /** Bytes of JavaScript's heap after the rounds; null of who did not take part to the end. */
  readonly heap: number | null;
  readonly samples: (number | null)[];
  /** Why it did not take part, or not to the end. */
  readonly reason: string | null;
}

export interface CaseResult {
  readonly case: Case;
  readonly entries: readonly Entry[];
  /** GFLOP/s of the roofline's loops, by round. */
  readonly rates: readonly Turn[];
}

/** Milliseconds that each loop of the roofline has in a round. */
const ROOFLINE_TURN = 8;

interface Player {
  readonly name: Name;
  readonly page: Page;
  readonly prepared: Prepared;
  readonly samples: (number | null)[];
  reason: string | null;
  /** Takes part in every `every`-th round. */
  readonly every: number;
}

/** Measures a case. `roofline` is its page, open and ready. */
export async function measure(browser: Browser, url: string, roofline: Page, work: Case, options: Options): Promise<CaseResult> {
  const players: Player[] = [];
  const absent: Entry[] = [];
  const rates: Turn[] = [];
  try {
    for (const name of options.contestants) {
      const ready: { page?: Page; prepared?: Prepared } = {};
      const reason = await failure(async () => {
        const page = (ready.page = await open(browser, `${url}${addressOf(name, "index", `&case=${work.name}`)}`));
        ready.prepared = await within(PATIENCE, `making ${name} ready`, page.evaluate(() => window.bench.prepare()));
        players.push(player(name, page, ready.prepared, options));
      });
      if (reason === null) continue;
      if (ready.page) await close(ready.page);
      absent.push({ contestant: name, prepared: ready.prepared ?? null, heap: null, samples: [], reason });
    }
    for (let round = 0; round < options.rounds; round++) {
      rates.push(await within(PATIENCE, "a turn of the roofline", roofline.evaluate((ms) => window.roofline.turn(ms), ROOFLINE_TURN)));
      for (const player of inTurn(players, round)) player.samples.push(await turn(player, round, options));
    }
    const entries = await Promise.all(players.map(finish));
    const order = (entry: Entry) => options.contestants.indexOf(entry.contestant);
    return {
      case: work,
      entries: [...entries, ...absent].sort((a, b) => order(a) - order(b)),
      rates,
    };
  } finally {
    await Promise.all(players.filter(({ reason }) => reason === null).map(({ page }) => close(page)));
  }
}

/** A contestant that is ready; throws if none of its variants may take part. */
function player(name: Name, page: Page, prepared: Prepared, { rounds, budget, turn }: Options): Player {
  const ms = prepared.trials.find(({ variant }) => variant === prepared.variant)?.ms;
  if (ms === null || ms === undefined) throw new Error("no variant of it takes part");
  const turns = Math.max(3, Math.min(rounds, Math.floor((1000 * budget) / Math.max(ms, turn))));
  return { name, page, prepared, samples: [], reason: null, every: Math.ceil(rounds / turns) };
}

async function turn(player: Player, round: number, options: Options): Promise<number | null> {
  if (player.reason !== null || round % player.every !== 0) return null;
  let taken: number | null = null;
  player.reason = await failure(async () => {
    taken = await within(PATIENCE, "a turn", player.page.evaluate((ms) => window.bench.turn(ms), options.turn));
  });
  // One that was too slow would compute on beside the others.
  if (player.reason !== null) await close(player.page);
  return taken;
}

async function finish({ name, page, prepared, samples, reason }: Player): Promise<Entry> {
  let heap: number | null = null;
  const ask = async () => (await page.context().newCDPSession(page)).send("Runtime.getHeapUsage");
  if (reason === null) await failure(async () => (heap = (await within(SOON, "the heap", ask())).usedSize));
  return { contestant: name, prepared, heap, samples, reason };
}
