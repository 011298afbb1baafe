import { factorOf, FEWEST_ROUNDS, isTold, spread, type Account, type Device, type Spread } from "../engine.ts";
import type { CellId } from "./cells.ts";

/** What is to be measured: one network reading `batch` texts of `length` tokens at once, on one device. */
export interface Heat {
  readonly cell: CellId;
  readonly device: Device;
  readonly length: number;
  readonly batch: number;
  /** The recurrent layer alone, without a text model around it. */
  readonly alone: boolean;
}

/** What was measured. */
export interface Trial extends Heat {
  /** Wall milliseconds, sample by sample: of one text from token ids to scores, or of a batch from rows to rows. */
  readonly samples: readonly number[];
  /** Floating-point operations of the recurrent layer. */
  readonly flops: number;
  /** How one sample was taken, in words. */
  readonly method: string;
}

/** Why there is no trial of a heat. */
export interface Absent extends Heat {
  readonly reason: string;
}

/** Where the time of a network goes on a device. */
export interface Anatomy {
  readonly cell: CellId;
  readonly device: Device;
  /** Milliseconds of every reading, however short: launching, waiting, reading back. */
  readonly fixedMs: number;
  /** Milliseconds of each further token: arithmetic, and the memory it waits for. */
  readonly tokenMs: number;
  /** Of both, what the rounds came to. */
  readonly spreads: Pick<Account["spreads"], "fixedMs" | "readMs">;
  /** Of one pass over the text that was raced on, in the median; null where nothing is launched. */
  readonly pass: {
    readonly ms: number;
    readonly dispatches: number;
    /** Bytes that crossed between host and GPU, in both directions. */
    readonly bytesMoved: number;
    /** Milliseconds in kernels by the GPU's own clock; null where it has none. */
    readonly kernelMs: number | null;
  } | null;
}

export const keyOf = ({ cell, device, length, batch, alone }: Heat): string => `${cell} ${device} ${length} ${batch} ${alone}`;

/** Tokens of all texts together. */
export const tokensOf = ({ length, batch }: Heat): number => length * batch;

/** Tokens a second: in the median, and at the ends that the rounds lay between. */
export interface Rate extends Pick<Spread, "least" | "median" | "most"> {
  /** Why it is not told: there are too few rounds, as before a race was stopped, or they lie too far apart. Null where it is told. */
  readonly untold: "few" | "apart" | null;
}

/** How fast it went. The least time is the most tokens. */
export function rateOf(trial: Trial): Rate {
  const ms = spread(trial.samples);
  const rate = (ms: number) => (1000 * tokensOf(trial)) / ms;
  const untold = trial.samples.length < FEWEST_ROUNDS ? "few" : isTold(ms) ? null : "apart";
  return { least: rate(ms.most), median: rate(ms.median), most: rate(ms.least), untold };
}

/** What is to be said of a time that a line gives: itself, that it may as well be nothing, or that the rounds do not agree on it. */
export function standing(ms: number, spread: Spread): "told" | "nothing" | "apart" {
  if (ms <= 0 || spread.least <= 0) return "nothing";
  return isTold(spread) ? "told" : "apart";
}

/** Of trials of one race the one that was fastest in the median, if the rounds agree that it beats every other; null if they do not. */
export function fastest(trials: readonly Trial[]): Trial | null {
  const [first, ...others] = [...trials].sort((a, b) => spread(a.samples).median - spread(b.samples).median);
  if (!first || rateOf(first).untold) return null;
  return others.every(({ samples }) => factorOf(first.samples, samples).told) ? first : null;
}
