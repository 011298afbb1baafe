/** A contestant's page, `?contestant=…&case=…`: what the driver calls is `window.bench`. */

import { type Counts, counted, held, type Memory } from "./watch.ts";
import { difference, swap } from "../shared/layout.ts";
import { caseOf } from "../shared/workloads.ts";
import { contestants } from "./contestants/index.ts";
import type { Job, Runner } from "./contestant.ts";
import { time } from "./time.ts";

/** A variant that was tried. */
export interface Trial {
  readonly variant: string;
  /** Milliseconds of a call, warm; null where it failed. */
  readonly ms: number | null;
  /** The largest absolute difference to the reference. */
  readonly error: number | null;
  /** What one call asks of WebGPU. */
  readonly counts: Counts | null;
  /** Why it does not take part. */
  readonly reason: string | null;
}

/** What is known before the rounds begin. */
export interface Prepared {
  /** The variant that takes part, the fastest; null if none can. */
  readonly variant: string | null;
  readonly trials: readonly Trial[];
  readonly memory: Memory;
}

/** The largest absolute difference to the reference that counts as agreement, unless the contestant says another. */
const TOLERANCE = 1e-4;

/** Browsers compile a function again, and better, once it has run for a while. */
const WARM_UP_MS = 400;
/** A variant's time is the best of three turns of this length; a call that takes longer is a turn. */
const TRIAL_MS = 50;

const query = new URLSearchParams(location.search);
let chosen: Runner | null = null;

async function bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(`cases/${query.get("case")}/${name}`);
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

/** Makes every variant ready and checks it; keeps the fastest that agrees with the reference and, if it is to use WebGPU, does. */
async function prepare(): Promise<Prepared> {
  const { default: contestant } = await contestants[query.get("contestant")!]!();
  const work = caseOf(query.get("case")!);
  const input = new Float32Array((await bytes("input.f32")).buffer);
  const truth = new Float64Array((await bytes("reference.f64")).buffer);
  const inTime = swap(truth, work.batch, work.steps);
  const job: Job = { work, input, file: bytes };
  const trials: Trial[] = [];
  let best: { variant: string; ms: number; runner: Runner } | null = null;
  for (const variant of contestant.variants(work)) {
    const failed = (reason: string, error: number | null = null, counts: Counts | null = null) =>
      trials.push({ variant, ms: null, error, counts, reason });
    try {
      const runner = await contestant.prepare(job, variant);
      const first = await runner.run();
      const error = difference(first, runner.layout === "time" ? inTime : truth);
      if (!(error <= (contestant.tolerance ?? TOLERANCE))) {
        failed(`differs from the reference by ${error}`, error);
        continue;
      }
      const before = counted();
      await runner.run();
      const counts = since(before);
      if (query.get("contestant")!.endsWith("webgpu") && counts.dispatches < 2) {
        failed("runs on the CPU", error, counts);
        continue;
      }
      let ms = await time(() => runner.run(), WARM_UP_MS);
      for (let i = 0; i < 3 && ms < WARM_UP_MS; i++) ms = Math.min(ms, await time(() => runner.run(), TRIAL_MS));
      trials.push({ variant, ms, error, counts, reason: null });
      if (best && best.ms <= ms) {
        await runner.dispose();
        continue;
      }
      await best?.runner.dispose();
      best = { variant, ms, runner };
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
  }
  chosen = best?.runner ?? null;
  return { variant: best?.variant ?? null, trials, memory: held() };
}

function since(before: Counts): Counts {
  const now = counted();
  return {
    submissions: now.submissions - before.submissions,
    dispatches: now.dispatches - before.dispatches,
    readBacks: now.readBacks - before.readBacks,
  };
}

const bench = {
  prepare,
  /** A contestant's turn in a round: milliseconds of a call, over calls of `ms` milliseconds together. */
  async turn(ms: number): Promise<number> {
    if (!chosen) throw new Error("nothing takes part");
    const runner = chosen;
    return time(() => runner.run(), ms);
  },
};

/** What the driver finds on the page. */
export type Bench = typeof bench;

declare global {
  interface Window {
    bench: Bench;
  }
}

window.bench = bench;
