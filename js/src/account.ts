/** Where the time of a reading goes: what every reading costs, and what each read and each skimmed token adds. */

import { isTold, spread, type Race, type Spread } from "./measure.js";

/** Tokens that were read and that were skimmed. */
export interface Tokens {
  readonly read: number;
  readonly skimmed: number;
}

/** `fixedMs + read x readMs + skimmed x skimMs = totalMs`. */
export interface Account extends Tokens {
  /** The median reading, in milliseconds. */
  readonly totalMs: number;
  readonly fixedMs: number;
  readonly readMs: number;
  /** Null of a network that does not skim, and where nothing was skimmed. */
  readonly skimMs: number | null;
  /** Of each part, what its rounds came to. */
  readonly spreads: { readonly fixedMs: Spread; readonly readMs: Spread; readonly skimMs: Spread | null };
  /** Whether the rounds agree on every part. */
  readonly told: boolean;
}

/** A reading that was timed: its tokens, and its milliseconds by round. */
export interface TimedReading {
  readonly tokens: Tokens;
  readonly samples: readonly number[];
}

/**
 * The account of `once` from it, from `longer`, the same kind of text at greater length, and, if anything was skimmed, from
 * `allRead`, in which every token was read. The parts add up to the median of `once` exactly.
 */
export function accountOf(once: TimedReading, longer: TimedReading, allRead: TimedReading | null): Account {
  const readings = once.tokens.skimmed > 0 && allRead ? [once, longer, allRead] : [once, longer];
  const solve = (times: readonly number[]) =>
    readings.length === 3 ? partsOf(readings, times) : lineThrough(readings, times);
  const medians = readings.map(({ samples }) => spread(samples).median);
  const parts = solve(medians);
  const byRound = once.samples.map((_, round) => solve(readings.map(({ samples }) => samples[round] ?? Number.NaN)));
  const skimmed = parts.skimMs !== null;
  const spreads = {
    fixedMs: spread(byRound.map(({ fixedMs }) => fixedMs)),
    readMs: spread(byRound.map(({ readMs }) => readMs)),
    skimMs: skimmed ? spread(byRound.map(({ skimMs }) => skimMs ?? Number.NaN)) : null,
  };
  const agreed = [spreads.fixedMs, spreads.readMs, spreads.skimMs].every((part) => part === null || isTold(part));
  const positive = [parts.fixedMs, parts.readMs, parts.skimMs].every((part) => part === null || part > 0);
  return { ...once.tokens, totalMs: medians[0] ?? Number.NaN, ...parts, spreads, told: agreed && positive };
}

type Parts = Pick<Account, "fixedMs" | "readMs" | "skimMs">;
type Row = readonly [number, number, number];

/** Cramer's rule for `fixed + read x a + skimmed x b = time` of three readings. */
function partsOf(readings: readonly TimedReading[], times: readonly number[]): Parts {
  const rows = readings.map(({ tokens }): Row => [1, tokens.read, tokens.skimmed]);
  const whole = determinant(rows);
  const [fixedMs = Number.NaN, readMs = Number.NaN, skimMs = Number.NaN] = [0, 1, 2].map(
    (column) => determinant(rows.map((row, at) => row.map((value, c) => (c === column ? (times[at] ?? 0) : value)) as unknown as Row)) / whole,
  );
  return { fixedMs, readMs, skimMs };
}

function lineThrough([once, longer]: readonly TimedReading[], [a = 0, b = 0]: readonly number[]): Parts {
  const count = (reading: TimedReading | undefined) => (reading ? reading.tokens.read + reading.tokens.skimmed : 0);
  const readMs = (b - a) / (count(longer) - count(once));
  return { fixedMs: a - readMs * count(once), readMs, skimMs: null };
}

function determinant([[a, b, c] = [0, 0, 0], [d, e, f] = [0, 0, 0], [g, h, i] = [0, 0, 0]]: readonly Row[]): number {
  return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
}

/** A reading of a race; null if it did not run to the end. */
export function timedReading(race: Race, name: string, tokens: Tokens): TimedReading | null {
  const samples = race.samples[name];
  return samples && samples.length > 0 ? { tokens, samples } : null;
}
