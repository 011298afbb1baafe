/** How fast a case could be: its matrix products alone, each at the rate that the plain loop of its kind reached. */

import { type Case, columnsInto, gates } from "../shared/workloads.ts";
import { type Loop, loops } from "./loops.ts";
import type { Flavour } from "./wat.ts";

/** GFLOP/s by loop. */
export type Rates = Readonly<Record<Loop, number>>;

/** The rates of a turn, by the flavours that the browser runs. */
export type Turn = Readonly<Partial<Record<Flavour, Rates>>>;

/**
 * What the machine gives: of each loop the fastest turn in any flavour that the browser runs. Whatever disturbs a turn makes
 * it slower, never faster. Null without turns.
 */
export function fastest(turns: readonly Turn[]): Rates | null {
  const rates = turns.flatMap((turn) => Object.values(turn));
  if (rates.length === 0) return null;
  return Object.fromEntries(loops.map((loop) => [loop, Math.max(...rates.map((turn) => turn[loop]))])) as Rates;
}

/**
 * Milliseconds. Products that can be hoisted out of time, and those of a batch, run as blocked products; the recurrent
 * product of one sequence is a matrix-vector product from where its weights fit. SRU has no recurrent product.
 */
export function limit(work: Case, rates: Rates): number {
  let ms = 0;
  for (let layer = 0; layer < work.layers; layer++) {
    const rows = gates(work, layer) * work.hiddenSize;
    const tokens = work.batch * work.steps;
    ms += time(2 * tokens * rows * columnsInto(work, layer), rates.product);
    if (work.cell === "sru") continue;
    const recurrent = 2 * tokens * rows * work.hiddenSize;
    ms += time(recurrent, work.batch > 1 ? rates.product : rates[cache(4 * rows * work.hiddenSize)]);
  }
  return ms;
}

function time(flops: number, rate: number): number {
  return flops / rate / 1e6;
}

function cache(bytes: number): Loop {
  if (bytes <= 32 << 10) return "matvec 16 KB";
  return bytes <= 1 << 20 ? "matvec 160 KB" : "matvec 4 MB";
}
