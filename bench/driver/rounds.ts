/** A case, contestant by contestant, round by round. */

import type { Browser, Page } from "playwright-core";
import type { Turn } from "../roofline/limit.ts";
import type { Case } from "../shared/workloads.ts";
import type { Prepared } from "../page/main.ts";
import { open, within } from "./browser.ts";
import { addressOf, type Name, type Options } from "./options.ts";

/** What was measured of a contestant; `samples` has a number, milliseconds a call, for each round in which it took part. */
export interface Entry {
  readonly contestant: Name;
  readonly prepared: Prepared | null;
  /** Bytes of JavaScript's heap after the rounds. */
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
/** Seconds after which a contestant that is made ready, or has a turn, is given up. */
const PATIENCE = 240;

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
  for (const name of options.contestants) {
    const page = await open(browser, `${url}${addressOf(name, "index", `&case=${work.name}`)}`);
    const refuse = async (reason: string, prepared: Prepared | null) => {
      absent.push({ contestant: name, prepared, heap: null, samples: [], reason });
      await page.context().close();
    };
    try {
      const prepared = await within(PATIENCE, `making ${name} ready`, page.evaluate(() => window.bench.prepare()));
      const ms = prepared.trials.find(({ variant }) => variant === prepared.variant)?.ms;
      if (ms === null || ms === undefined) {
        await refuse("no variant of it takes part", prepared);
        continue;
      }
      const turns = Math.max(3, Math.min(options.rounds, Math.floor((1000 * options.budget) / Math.max(ms, options.turn))));
      players.push({ name, page, prepared, samples: [], reason: null, every: Math.ceil(options.rounds / turns) });
    } catch (error) {
      await refuse(error instanceof Error ? error.message : String(error), null);
    }
  }

  const rates: Turn[] = [];
  for (let round = 0; round < options.rounds; round++) {
    rates.push(await roofline.evaluate((ms) => window.roofline.turn(ms), ROOFLINE_TURN));
    for (const player of inTurn(players, round)) player.samples.push(await turn(player, round, options));
  }
  const entries = await Promise.all(players.map(finish));
  const order = (entry: Entry) => options.contestants.indexOf(entry.contestant);
  return {
    case: work,
    entries: [...entries, ...absent].sort((a, b) => order(a) - order(b)),
    rates,
  };
}

/** The players, begun with another one in each round: none is always the one after a slow one. */
function inTurn(players: readonly Player[], round: number): Player[] {
  return players.map((_, i) => players[(i + round) % players.length]!);
}

async function turn(player: Player, round: number, options: Options): Promise<number | null> {
  if (player.reason || round % player.every !== 0) return null;
  try {
    return await within(PATIENCE, "a turn", player.page.evaluate((ms) => window.bench.turn(ms), options.turn));
  } catch (error) {
    player.reason = error instanceof Error ? error.message : String(error);
    return null;
  }
}

async function finish({ name, page, prepared, samples, reason }: Player): Promise<Entry> {
  const session = await page.context().newCDPSession(page);
  const usage = await session.send("Runtime.getHeapUsage").catch(() => null);
  await page.context().close();
  return { contestant: name, prepared, heap: usage?.usedSize ?? null, samples, reason };
}
