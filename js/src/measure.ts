/**
 * Measurements that a second one agrees with: every contestant is warmed, they take turns in rounds, every sample counts, and a
 * number is told only where the samples agree on it.
 */

import { inWords } from "./arguments/check.js";
import { aborted, errorOf, messageOf, SaccadeError } from "./errors.js";
import { errorBy, isThenable, unlessAborted } from "./follow.js";
import { turn } from "./turn.js";

/** Milliseconds since some moment. */
export type Clock = () => number;

/** Something that takes time. */
export interface Contestant {
  /** Runs again and again for about `ms` milliseconds; resolves to the mean milliseconds of one run. */
  sample(ms: number, signal: AbortSignal | undefined): Promise<number>;
}

/** What takes its turns: a contestant that times itself, or a function, which is called again and again and waited for. */
export type Entrant = Contestant | (() => unknown);

/** How a race is run. */
export interface RaceOptions {
  /** How often each has its turn, at least once; 11 unless given. */
  readonly rounds?: number | undefined;
  /** How long a turn lasts, in milliseconds up to 60,000; as long as the clock's smallest step asks for unless given. */
  readonly sampleMs?: number | undefined;
  /**
   * How long rounds may begin, in milliseconds up to 60,000, divided evenly among the sittings, pauses not counted; the first
   * five begin whatever the time. 4,000 unless given.
   */
  readonly budgetMs?: number | undefined;
  /**
   * In how many sittings the rounds are run; one unless given. A machine may run at another speed a second later, and what
   * the rounds of several sittings lay between covers both speeds.
   */
  readonly sittings?: number | undefined;
  /** How long to wait between two sittings, in milliseconds up to 60,000; 1,000 unless given. */
  readonly pauseMs?: number | undefined;
  /**
   * Tells the time; `performance.now` unless given. What it throws, and what is no time, rejects with `CALLBACK_FAILED`, and one
   * that does not go on with `OPTION_INVALID`.
   */
  readonly clock?: Clock | undefined;
  /** Stops the race, which then rejects with the code `ABORTED`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Told after every round what the race has come to; the next round waits for what it returns. What it throws, or rejects
   * with, stops the race, which then rejects with `CALLBACK_FAILED`.
   */
  readonly onRound?: ((race: Race) => unknown) | undefined;
}

/** What a race came to. */
export interface Race<Name extends string = string> {
  /** Mean milliseconds of a run by round, for each contestant that ran to the end. */
  readonly samples: Readonly<Partial<Record<Name, readonly number[]>>>;
  /** Median, quartiles and ends of those. */
  readonly times: Readonly<Partial<Record<Name, Spread>>>;
  /** Why the others did not. */
  readonly absent: Readonly<Partial<Record<Name, string>>>;
  readonly rounds: number;
  readonly sampleMs: number;
}

/** Where some numbers lie. */
export interface Spread {
  readonly least: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
  readonly most: number;
}

/** How much longer one contestant takes than another. */
export interface Factor extends Spread {
  /**
   * Whether the rounds agree: all of them on which of the two takes longer, and the quartiles lie closer together than the
   * median lies to 1.
   */
  readonly told: boolean;
}

const [ROUNDS, BUDGET_MS, PAUSE_MS] = [11, 4000, 1000];
/** So many rounds are run whatever the time, unless fewer are asked for: what fewer agree on is chance. */
export const FEWEST_ROUNDS = 5;
/** A turn lasts so many of the clock's smallest steps, within these bounds in milliseconds. */
const [TICKS, LEAST_MS, MOST_MS] = [50, 15, 200];

const now: Clock = () => performance.now();

/** A clock that shows nothing later for so long stands still: browsers' clocks go on at least every 100 ms. */
const STILL_MS = 1000;
/** How often a clock shows nothing later before that is looked at. */
const LOOKS = 100;

/** A clock that throws when it is asked again and again and does not go on. */
function going(clock: Clock): Clock {
  let [latest, since, asked] = [Number.NEGATIVE_INFINITY, 0, 0];
  return () => {
    const time = clock();
    if (time > latest) [latest, asked] = [time, 0];
    else if (++asked === 1) since = now();
    else if (asked % LOOKS === 0 && now() - since >= STILL_MS) {
      throw errorOf("OPTION_INVALID", `clock: expected one that goes on, found one that shows nothing later than ${latest}`);
    }
    return time;
  };
}

/** What somebody's clock shows. */
function shownBy(clock: Clock): number {
  let time: unknown;
  try {
    time = clock();
  } catch (thrown) {
    throw errorOf("CALLBACK_FAILED", `clock threw: ${messageOf(thrown)}`, thrown);
  }
  if (typeof time === "number" && Number.isFinite(time)) return time;
  throw errorOf("CALLBACK_FAILED", `clock: expected a number of milliseconds, found ${inWords(time)}`);
}

/** The smallest step that was seen of a clock that goes on, in milliseconds. */
export function tickOf(clock: Clock = now): number {
  let tick = Number.POSITIVE_INFINITY;
  for (let seen = 0; seen < 5; seen++) {
    const from = clock();
    let to = from;
    while (to <= from) to = clock();
    tick = Math.min(tick, to - from);
  }
  return tick;
}

/** A contestant made of a function, timed by a clock. */
export function timed(run: () => unknown, clock: Clock = now): Contestant {
  return {
    async sample(ms, signal) {
      const begun = clock();
      for (let runs = 1; ; runs++) {
        if (signal?.aborted) throw aborted(signal);
        await run();
        const elapsed = clock() - begun;
        if (elapsed >= ms) return elapsed / runs;
      }
    },
  };
}

/**
 * In each sitting warms all entrants, then lets them take turns, begun by another one in each round. One that throws is absent
 * from then on, with all of its samples. Rejects with `ABORTED` when the signal is aborted.
 */
export async function race<Name extends string>(entrants: Readonly<Partial<Record<Name, Entrant>>>, options: RaceOptions = {}): Promise<Race<Name>> {
  const { signal, rounds: most = ROUNDS, budgetMs = BUDGET_MS, pauseMs = PAUSE_MS, onRound } = options;
  const sittings = Math.min(most, options.sittings ?? 1);
  let broken: SaccadeError | undefined;
  const shown = going(() => shownBy(options.clock ?? now));
  const clock = () => {
    try {
      return shown();
    } catch (thrown) {
      throw (broken = thrown as SaccadeError);
    }
  };
  const sampleMs = options.sampleMs ?? Math.min(MOST_MS, Math.max(LEAST_MS, TICKS * tickOf(clock)));
  const contestants = (Object.entries(entrants) as [Name, Entrant][]).map(
    ([name, entrant]) => [name, typeof entrant === "function" ? timed(entrant, clock) : entrant] as const,
  );
  const samples = new Map<Name, number[]>();
  const absent = new Map<Name, string>();
  const take = async ([name, contestant]: (typeof contestants)[number]): Promise<number | undefined> => {
    // An entrant that never waits would keep timers, clicks and with them the signal waiting to the end.
    await turn();
    if (signal?.aborted) throw errorBy(signal);
    if (absent.has(name)) return undefined;
    try {
      const sample: unknown = await unlessAborted(signal, Promise.resolve(contestant.sample(sampleMs, signal)));
      if (typeof sample === "number" && Number.isFinite(sample)) return sample;
      throw new TypeError(`its sample is no number of milliseconds but ${String(sample)}`);
    } catch (error) {
      if (signal?.aborted) throw errorBy(signal);
      if (broken) throw broken;
      absent.set(name, messageOf(error));
      samples.delete(name);
      return undefined;
    }
  };
  const so = (rounds: number): Race<Name> => {
    const times = new Map([...samples].map(([name, all]) => [name, spread(all)]));
    return { samples: record(samples), times: record(times), absent: record(absent), rounds, sampleMs };
  };
  let rounds = 0;
  for (let sitting = 1; sitting <= sittings; sitting++) {
    if (sitting > 1) await pause(pauseMs, signal);
    for (const contestant of contestants) await take(contestant);
    const begun = clock();
    const [last, sure] = [most, FEWEST_ROUNDS].map((all) => Math.ceil((all * sitting) / sittings)) as [number, number];
    while (rounds < last && (rounds < sure || clock() - begun < budgetMs / sittings)) {
      const first = rounds % Math.max(1, contestants.length);
      for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) {
        const sample = await take(contestant);
        if (sample === undefined) continue;
        const [name] = contestant;
        samples.set(name, [...(samples.get(name) ?? []), sample]);
      }
      await tell(onRound, so(++rounds), signal);
    }
  }
  return so(rounds);
}

/** The object of a map, in which a name may also be one that every object has. */
function record<Name extends string, Value>(map: ReadonlyMap<Name, Value>): Partial<Record<Name, Value>> {
  return Object.fromEntries(map) as Partial<Record<Name, Value>>;
}

/** Waits, but no longer than until the signal is aborted, which the race hears of next. */
async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await unlessAborted(signal, new Promise((resolve) => setTimeout(resolve, ms))).catch(() => undefined);
  if (signal?.aborted) throw errorBy(signal);
}

async function tell<Name extends string>(onRound: RaceOptions["onRound"], race: Race<Name>, signal: AbortSignal | undefined): Promise<void> {
  try {
    const told = onRound?.(race);
    if (isThenable(told)) await unlessAborted(signal, Promise.resolve(told));
  } catch (thrown) {
    if (signal?.aborted) throw errorBy(signal);
    throw errorOf("CALLBACK_FAILED", `onRound threw: ${messageOf(thrown)}`, thrown);
  }
}

/** The median, the quartiles, between numbers where they fall there, and the ends. Throws without numbers. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError("a spread of no numbers");
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const [below, above] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
    return below + (above - below) * (place - Math.floor(place));
  };
  return { least: at(0), low: at(0.25), median: at(0.5), high: at(0.75), most: at(1) };
}

/** How many times as long `theirs` takes as `ours`, round by round. */
export function factorOf(ours: readonly number[], theirs: readonly number[]): Factor {
  const all = spread(theirs.map((ms, round) => ms / (ours[round] ?? Number.NaN)));
  const effect = Math.abs(Math.log(all.median));
  const agreed = all.least > 1 || all.most < 1;
  return { ...all, told: agreed && Math.log(all.high) - Math.log(all.low) < effect };
}

/** Whether the rounds agree on a number: the quartiles lie closer together than it lies to 0. */
export function isTold({ low, median, high }: Spread): boolean {
  return median > 0 && high - low < median;
}
